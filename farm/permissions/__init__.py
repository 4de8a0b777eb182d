"""What an AWS call needs from IAM: which actions on which resources, as the service authorization reference has it (F§7).

Where AWS knows no resource for an action, the resource is `*`. Calls that the product does not make need
`service:Operation` on `*`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from moto.elbv2 import elbv2_backends

from farm.aws import ACCOUNT, REGION
from farm.aws.cloudmap import registry
from farm.permissions import apigateway, cloudmap, elb, functions, route53, ssm
from farm.permissions.need import Need, Params, arn, ec2, named

__all__ = ["Need", "forwarded", "needs", "tags_of"]


def needs(service: str, operation: str, params: Params) -> list[Need]:
    """What the caller must be allowed, all of it."""
    find = _SERVICES.get(service)
    return find(operation, params) if find else [Need(f"{service}:{operation}")]


def forwarded(service: str, operation: str, params: Params) -> list[Need]:
    """What Cloud Map does in its caller's name, later: without it the operation fails, not the call (F§7)."""
    return cloudmap.forwarded(operation, params) if service == "servicediscovery" else []


def tags_of(resource: str) -> Mapping[str, str]:
    """The tags that a condition on aws:ResourceTag looks at."""
    if ":elasticloadbalancing:" in resource:
        tags: dict[str, str] = elbv2_backends[ACCOUNT][REGION].tagging_service.get_tag_dict_for_resource(
            resource
        )
        return tags
    if ":apigateway:" in resource:
        return apigateway.tags_of(resource)
    return registry().tags.get(resource, {})


_IN_CLUSTER = {
    "DescribeServices": ("services", "service"),
    "DescribeTasks": ("tasks", "task"),
    "DescribeContainerInstances": ("containerInstances", "container-instance"),
    "StopTask": ("task", "task"),
}


def _ecs(operation: str, params: Params) -> list[Need]:
    action = f"ecs:{operation}"
    cluster = named("ecs", "cluster", params.get("cluster") or "default")
    keys = {"ecs:cluster": [cluster]}
    if operation in _IN_CLUSTER:
        member, kind = _IN_CLUSTER[operation]
        inside, asked = f"{kind}/{cluster.rpartition('/')[2]}", params.get(member, ())
        names = [asked] if isinstance(asked, str) else asked
        return [Need(action, named("ecs", inside, name), keys) for name in names]
    if operation == "DescribeClusters":
        return [Need(action, named("ecs", "cluster", name)) for name in params.get("clusters", ())]
    if operation == "DescribeServiceDeployments":
        return [Need(action, each) for each in params["serviceDeploymentArns"]]
    if operation in {"ListTasks", "ListServices"}:
        return [Need(action, "*", keys)]
    return [Need(action, params.get("resourceArn", "*"))]


def _dynamodb(operation: str, params: Params) -> list[Need]:
    if operation == "TransactWriteItems":
        actions = {
            "Put": "PutItem",
            "Update": "UpdateItem",
            "Delete": "DeleteItem",
            "ConditionCheck": "ConditionCheckItem",
        }
        writes = [(kind, item) for entry in params["TransactItems"] for kind, item in entry.items()]
        return [Need(f"dynamodb:{actions[kind]}", _table(item["TableName"])) for kind, item in writes]
    if operation in {"BatchGetItem", "BatchWriteItem"}:
        return [Need(f"dynamodb:{operation}", _table(name)) for name in params["RequestItems"]]
    index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
    resource = _table(params["TableName"]) + index if "TableName" in params else "*"
    return [Need(f"dynamodb:{operation}", resource)]


def _table(name: str) -> str:
    return named("dynamodb", "table", name)


def _sqs(operation: str, params: Params) -> list[Need]:
    queue = params.get("QueueUrl", "").rpartition("/")[2]
    return [Need(f"sqs:{operation.removesuffix('Batch')}", arn("sqs", queue) if queue else "*")]


def _events(operation: str, params: Params) -> list[Need]:
    if operation != "PutEvents":
        return [Need(f"events:{operation}")]
    return [
        Need(
            "events:PutEvents",
            named("events", "event-bus", entry.get("EventBusName", "default")),
            {"events:source": [entry.get("Source", "")], "events:detail-type": [entry.get("DetailType", "")]},
        )
        for entry in params["Entries"]
    ]


def _ec2(operation: str, params: Params) -> list[Need]:
    """AWS knows no resource for reading, but for what is in a prefix list."""
    prefix_list = params.get("PrefixListId", "")
    return [ec2(operation, named("ec2", "prefix-list", prefix_list) if prefix_list else "*")]


_SERVICES: dict[str, Callable[[str, Params], list[Need]]] = {
    "ecs": _ecs,
    "servicediscovery": cloudmap.needs,
    "elbv2": elb.needs,
    "apigateway": partial(apigateway.needs, "apigateway"),
    "apigatewayv2": partial(apigateway.needs, "apigatewayv2"),
    "lambda": functions.needs,
    "route53": route53.needs,
    "ec2": _ec2,
    "dynamodb": _dynamodb,
    "sqs": _sqs,
    "ssm": ssm.needs,
    "events": _events,
    "resourcegroupstaggingapi": lambda operation, _: [Need(f"tag:{operation}")],
}
