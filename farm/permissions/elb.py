"""Load balancing: what its calls need, and what it asks of EC2 and IAM in its caller's name, at once (F§7).

A create call is checked against the ARN of what it makes or of what it is made on; with tags it needs AddTags on what
is to be as well. What AWS names by an id of its own choice has `*` in the place of the id.
"""

from __future__ import annotations

from collections.abc import Callable

from farm.aws import ACCOUNT
from farm.permissions.need import Need, Params, arn, ec2, tag_keys

_SERVICE = "elasticloadbalancing"
_MEMBERS = ("RuleArn", "ListenerArn", "TargetGroupArn", "LoadBalancerArn")
_TYPES = {"application": "app", "network": "net", "gateway": "gwy"}


def needs(operation: str, params: Params) -> list[Need]:
    if operation.startswith("Describe"):
        return [Need(f"{_SERVICE}:{operation}")]
    found = _creation(operation, params) if operation in _MADE else _change(operation, params)
    return found + _IN_ITS_NAME.get(operation, [])


def _change(operation: str, params: Params) -> list[Need]:
    return [Need(f"{_SERVICE}:{operation}", resource, tag_keys(params)) for resource in _resources(params)]


def _resources(params: Params) -> list[str]:
    """What an existing thing is called in the parameters of a call, whichever it is."""
    if "ResourceArns" in params:
        return list(params["ResourceArns"])
    if "RulePriorities" in params:
        return [each["RuleArn"] for each in params["RulePriorities"]]
    return [next((params[member] for member in _MEMBERS if member in params), "*")]


def _creation(operation: str, params: Params) -> list[Need]:
    on, made = _MADE[operation](params)
    tags = tag_keys(params)
    found = [Need(f"{_SERVICE}:{operation}", on, {**tags, **_asked(operation, params)})]
    if tags:
        created = {f"{_SERVICE}:CreateAction": [operation], **tags}
        found.append(Need(f"{_SERVICE}:AddTags", made, created))
    return found


def _asked(operation: str, params: Params) -> dict[str, list[str]]:
    if operation == "CreateLoadBalancer":
        return {
            f"{_SERVICE}:Scheme": [params.get("Scheme", "internet-facing")],
            f"{_SERVICE}:Subnet": list(params.get("Subnets", ())),
            f"{_SERVICE}:SecurityGroup": list(params.get("SecurityGroups", ())),
        }
    return {f"{_SERVICE}:ListenerProtocol": [params["Protocol"]]} if operation == "CreateListener" else {}


def _load_balancer(params: Params) -> tuple[str, str]:
    kind = _TYPES[params.get("Type", "application")]
    made = arn(_SERVICE, f"loadbalancer/{kind}/{params['Name']}/*")
    return made, made


def _target_group(params: Params) -> tuple[str, str]:
    made = arn(_SERVICE, f"targetgroup/{params['Name']}/*")
    return made, made


def _listener(params: Params) -> tuple[str, str]:
    on = params["LoadBalancerArn"]
    return on, on.replace(":loadbalancer/", ":listener/") + "/*"


def _rule(params: Params) -> tuple[str, str]:
    on = params["ListenerArn"]
    return on, on.replace(":listener/", ":listener-rule/") + "/*"


_MADE: dict[str, Callable[[Params], tuple[str, str]]] = {
    "CreateLoadBalancer": _load_balancer,
    "CreateTargetGroup": _target_group,
    "CreateListener": _listener,
    "CreateRule": _rule,
}
"""What a create call is checked against, and what it makes."""


_ROLE = Need(
    "iam:CreateServiceLinkedRole",
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{_SERVICE}.amazonaws.com/AWSServiceRoleForElasticLoadBalancing",
    {"iam:AWSServiceName": [f"{_SERVICE}.amazonaws.com"]},
)
"""AWS asks for it with an account's first load balancer only; here with each, so that it cannot be forgotten."""

_IN_ITS_NAME = {
    "CreateLoadBalancer": [
        ec2("DescribeAccountAttributes"),
        ec2("DescribeAddresses"),
        ec2("DescribeInternetGateways"),
        ec2("DescribeSecurityGroups"),
        ec2("DescribeSubnets"),
        ec2("DescribeVpcs"),
        ec2("GetSecurityGroupsForVpc", arn("ec2", "vpc/*")),
        _ROLE,
    ],
    "CreateTargetGroup": [ec2("DescribeInternetGateways"), ec2("DescribeVpcs")],
    "RegisterTargets": [
        ec2("DescribeInstances"),
        ec2("DescribeInternetGateways"),
        ec2("DescribeSubnets"),
        ec2("DescribeVpcs"),
    ],
}
"""As ELB's guide lists them (elb-api-permissions); GetSecurityGroupsForVpc is what CreateLoadBalancer was seen to ask."""
