"""What an AWS call needs from IAM: which actions on which resources, as the service authorization reference has it (F§7).

Where AWS knows no resource for an action, the resource is `*`. Calls that the product does not make need
`service:Operation` on `*`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from farm.aws import ACCOUNT, REGION, cloudmap

Params = Mapping[str, Any]
Keys = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Need:
    """One action on one resource, with what conditions may ask about the request."""

    action: str
    resource: str = "*"
    keys: Keys = field(default_factory=dict)


def needs(service: str, operation: str, params: Params) -> list[Need]:
    """What the caller must be allowed, all of it."""
    find = _SERVICES.get(service)
    return find(operation, params) if find else [Need(f"{service}:{operation}")]


def forwarded(service: str, operation: str, params: Params) -> list[Need]:
    """What Cloud Map does in its caller's name, later: without it the operation fails, not the call (F§7)."""
    if service != "servicediscovery":
        return []
    if operation == "DeleteNamespace" and not _has_zone(params.get("Id", "")):
        return []
    if operation in _NAMESPACE_FORWARDS:
        return _NAMESPACE_FORWARDS[operation]
    record = _record(params.get("ServiceId") or params.get("Id") or "") if operation in _FORWARDS else None
    if record is None:
        return []
    zone, name = record
    keys = {"route53:ChangeResourceRecordSetsNormalizedRecordNames": [name]}
    return [Need("route53:ChangeResourceRecordSets", zone, keys), *_FORWARDS[operation]]


def _arn(service: str, resource: str) -> str:
    return resource if resource.startswith("arn:") else f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _named(service: str, kind: str, name: str) -> str:
    """An ARN given as it is, or made of a bare name or id."""
    return name if name.startswith("arn:") else _arn(service, f"{kind}/{name}")


_IN_CLUSTER = {
    "DescribeServices": ("services", "service"),
    "DescribeTasks": ("tasks", "task"),
    "DescribeContainerInstances": ("containerInstances", "container-instance"),
}


def _ecs(operation: str, params: Params) -> list[Need]:
    action = f"ecs:{operation}"
    cluster = _named("ecs", "cluster", params.get("cluster") or "default")
    keys = {"ecs:cluster": [cluster]}
    if operation in _IN_CLUSTER:
        member, kind = _IN_CLUSTER[operation]
        inside = f"{kind}/{cluster.rpartition('/')[2]}"
        return [Need(action, _named("ecs", inside, name), keys) for name in params.get(member, ())]
    if operation in {"ListTasks", "ListServices"}:
        return [Need(action, "*", keys)]
    return [Need(action, params.get("resourceArn", "*"))]


_WITHOUT_RESOURCE = {
    "CreateHttpNamespace",
    "CreatePrivateDnsNamespace",
    "CreatePublicDnsNamespace",
    "DiscoverInstances",
    "GetOperation",
    "ListNamespaces",
    "ListOperations",
    "ListServices",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
}


def _cloud_map(operation: str, params: Params) -> list[Need]:
    action = f"servicediscovery:{operation}"
    tags = _tag_keys({tag["Key"]: tag["Value"] for tag in params.get("Tags", ())})
    found = [Need("servicediscovery:TagResource", "*", tags)] if tags and operation != "TagResource" else []
    if operation in _WITHOUT_RESOURCE:
        return [Need(action, "*", tags), *found]
    if operation == "CreateService":
        namespace = _named("servicediscovery", "namespace", params.get("NamespaceId", ""))
        keys = {"servicediscovery:NamespaceArn": [namespace], **tags}
        resources = [namespace, _arn("servicediscovery", "service/*")]
        return [*(Need(action, resource, keys) for resource in resources), *found]
    if operation.endswith("Namespace"):
        return [Need(action, _named("servicediscovery", "namespace", params.get("Id", "")))]
    service = _named("servicediscovery", "service", params.get("ServiceId") or params.get("Id") or "")
    return [Need(action, service, {"servicediscovery:ServiceArn": [service]})]


def _tag_keys(tags: Mapping[str, str]) -> dict[str, list[str]]:
    asked = {f"aws:RequestTag/{key}": [value] for key, value in tags.items()}
    return {**asked, "aws:TagKeys": list(tags)} if tags else {}


def _ec2(operation: str) -> Need:
    return Need(f"ec2:{operation}", "*", {"ec2:Region": [REGION]})


_HEALTH_CHECKS = "arn:aws:route53:::healthcheck/*"
_ZONES = "arn:aws:route53:::hostedzone/*"
_READ_CHECK = Need("route53:GetHealthCheck", _HEALTH_CHECKS)
_CREATE_CHECK = Need("route53:CreateHealthCheck")
_UPDATE_CHECK = Need("route53:UpdateHealthCheck", _HEALTH_CHECKS)
_DELETE_CHECK = Need("route53:DeleteHealthCheck", _HEALTH_CHECKS)
_ZONE = [
    Need("route53:CreateHostedZone"),
    Need("route53:GetHostedZone", _ZONES),
    Need("route53:ListHostedZonesByName"),
]
_FORWARDS = {
    "RegisterInstance": [
        _READ_CHECK,
        _CREATE_CHECK,
        _UPDATE_CHECK,
        _ec2("DescribeInstances"),
        *_ZONE[1:],
    ],
    "DeregisterInstance": [_READ_CHECK, _DELETE_CHECK, _UPDATE_CHECK],
    "UpdateService": [_READ_CHECK, _CREATE_CHECK, _UPDATE_CHECK, _DELETE_CHECK],
}
_NAMESPACE_FORWARDS = {
    "CreatePublicDnsNamespace": _ZONE,
    "CreatePrivateDnsNamespace": [*_ZONE, _ec2("DescribeVpcs"), _ec2("DescribeRegions")],
    "DeleteNamespace": [Need("route53:DeleteHostedZone", _ZONES)],
}


def _record(service_id: str) -> tuple[str, str] | None:
    """The hosted zone and the record name that a Cloud Map service stands for; None for one without DNS."""
    service = cloudmap.registry().services.get(service_id.rpartition("/")[2])
    if service is None or not service.namespace.is_dns or not service.records:
        return None
    zone = f"arn:aws:route53:::hostedzone/{service.namespace.zone_id}"
    return zone, f"{service.name}.{service.namespace.name}".lower()


def _has_zone(namespace_id: str) -> bool:
    namespace = cloudmap.registry().namespaces.get(namespace_id.rpartition("/")[2])
    return namespace is not None and namespace.is_dns


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
    return _named("dynamodb", "table", name)


def _sqs(operation: str, params: Params) -> list[Need]:
    queue = params.get("QueueUrl", "").rpartition("/")[2]
    return [Need(f"sqs:{operation.removesuffix('Batch')}", _arn("sqs", queue) if queue else "*")]


def _events(operation: str, params: Params) -> list[Need]:
    if operation != "PutEvents":
        return [Need(f"events:{operation}")]
    return [
        Need(
            "events:PutEvents",
            _named("events", "event-bus", entry.get("EventBusName", "default")),
            {"events:source": [entry.get("Source", "")], "events:detail-type": [entry.get("DetailType", "")]},
        )
        for entry in params["Entries"]
    ]


_SERVICES: dict[str, Callable[[str, Params], list[Need]]] = {
    "ecs": _ecs,
    "servicediscovery": _cloud_map,
    "ec2": lambda operation, _: [_ec2(operation)],
    "dynamodb": _dynamodb,
    "sqs": _sqs,
    "events": _events,
    "resourcegroupstaggingapi": lambda operation, _: [Need(f"tag:{operation}")],
}
