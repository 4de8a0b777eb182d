"""template.yaml's roles: nobody may more than he must."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

import expose
from tests.unit.stack import FUNCTIONS, Stack, characters, listed, stack

NAMESPACES = ("no", "http", "private", "public")
BALANCERS = ("no", "internal", "internet-facing", "any")
STACKS = [
    *({"CreateNamespaces": created} for created in NAMESPACES),
    *({"CreateLoadBalancers": created} for created in BALANCERS[1:]),
    {"AllowOpenRoutes": "yes"},
    {"ApiCertificate": "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b"},
    {"ApiHostedZone": "Z0123456789ABC"},
    {"ApiAccessLogs": "yes"},
    {"AuditAll": "yes"},
    {"GuardZones": "Z0123456789ABC,Z0DEF"},
]
ALL = {
    "CreateNamespaces": "private",
    "CreateLoadBalancers": "any",
    "ApiCertificate": "arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef",
    "ApiHostedZone": "Z0123456789ABCDEFGHIJ",
    "ApiAccessLogs": "yes",
    "AuditAll": "yes",
    "GuardZones": ",".join(f"Z0123456789ABCDEFGHI{number}" for number in range(10)),
}

# What each function calls itself. Lambda and Cloud Map act in its name as well: those follow.
CALLS = {
    "Notify": {"dynamodb:Query", "sqs:SendMessage"},
    "Withdraw": {
        *("dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "sqs:SendMessage", "events:PutEvents"),
        *("ssm:GetParameters", "ssm:PutParameter", "ssm:DeleteParameter", "ssm:ListTagsForResource"),
        "elasticloadbalancing:DeregisterTargets",
        *("servicediscovery:DeregisterInstance", "servicediscovery:GetOperation"),
        "servicediscovery:ListOperations",
    },
    "Reconcile": {
        *(
            "dynamodb:Query",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        ),
        *("sqs:SendMessage", "events:PutEvents"),
        *("ecs:DescribeServices", "ecs:ListTasks", "ecs:DescribeTasks", "ecs:DescribeTaskDefinition"),
        *("ecs:DescribeClusters", "tag:GetResources"),
        *("ecs:DescribeContainerInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeInstances"),
        *(
            "ecs:DescribeServiceDeployments",
            "ec2:DescribeSubnets",
            "servicediscovery:ListNamespaces",
            "servicediscovery:ListServices",
        ),
        *(
            "servicediscovery:CreateService",
            "servicediscovery:UpdateService",
            "servicediscovery:DeleteService",
        ),
        *(
            "servicediscovery:GetService",
            "servicediscovery:ListTagsForResource",
            "servicediscovery:TagResource",
        ),
        *("servicediscovery:RegisterInstance", "servicediscovery:DeregisterInstance"),
        *(
            "servicediscovery:ListInstances",
            "servicediscovery:GetOperation",
            "servicediscovery:ListOperations",
        ),
        *("ecs:StopTask", "acm:ListCertificates", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups"),
        *(
            f"elasticloadbalancing:{call}"
            for call in (
                *("DescribeLoadBalancers", "DescribeListeners", "DescribeRules", "DescribeTargetGroups"),
                *("DescribeTargetGroupAttributes", "DescribeTargetHealth", "DescribeTags"),
                *("CreateTargetGroup", "ModifyTargetGroup", "ModifyTargetGroupAttributes"),
                *("DeleteTargetGroup", "RegisterTargets", "DeregisterTargets", "AddTags"),
                *("CreateRule", "ModifyRule", "DeleteRule"),
                *("CreateListener", "ModifyListener", "DeleteListener", "DescribeListenerCertificates"),
                *("AddListenerCertificates", "RemoveListenerCertificates"),
            )
        ),
        *("apigateway:GET", "apigateway:POST", "apigateway:PUT", "apigateway:PATCH", "apigateway:DELETE"),
        *("lambda:AddPermission", "lambda:RemovePermission", "lambda:GetPolicy"),
        *("servicediscovery:CreateHttpNamespace", "servicediscovery:DeleteNamespace"),
        *("ec2:DescribeNetworkAcls", "ec2:GetManagedPrefixListEntries"),
        *("ssm:GetParameters", "ssm:PutParameter", "ssm:DeleteParameter"),
        *("ssm:ListTagsForResource", "ssm:AddTagsToResource"),
    },
    "Sweep": {
        *("tag:GetResources", "ecs:ListTasks", "ecs:DescribeTasks", "ec2:DescribeNetworkInterfaces"),
        *(
            "dynamodb:Scan",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        ),
        *("sqs:SendMessage", "events:PutEvents", "ecs:DescribeServices"),
    },
    "Audit": {
        *(
            "dynamodb:Scan",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        ),
        *("sqs:SendMessage", "events:PutEvents", "ec2:DescribeNetworkInterfaces"),
        *("ec2:DescribeSecurityGroups", "ec2:DescribeRouteTables", "ec2:DescribeNetworkAcls"),
        "ec2:GetManagedPrefixListEntries",
    },
    "Cleanup": {"dynamodb:PutItem", "dynamodb:Scan", "sqs:SendMessage"},
}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
POLL = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
FORWARDED = {  # F§7: Cloud Map passes its caller's identity on to Route 53
    *("route53:ChangeResourceRecordSets", "route53:GetHostedZone", "route53:ListHostedZonesByName"),
    *(
        "route53:CreateHealthCheck",
        "route53:GetHealthCheck",
        "route53:UpdateHealthCheck",
        "route53:DeleteHealthCheck",
    ),
}
ASKED_BY_API_GATEWAY = {"iam:CreateServiceLinkedRole"}  # with an account's first VPC Link
ASKED_BY_ELB = {"ec2:DescribeVpcs", "ec2:DescribeInternetGateways"}  # with target groups and targets
IN_ITS_NAME = {
    "Notify": LOG | POLL,
    "Withdraw": LOG | POLL | FORWARDED - {"route53:ListHostedZonesByName", "route53:CreateHealthCheck"},
    "Reconcile": LOG | POLL | FORWARDED | ASKED_BY_ELB | ASKED_BY_API_GATEWAY,
    "Sweep": LOG,
    "Audit": LOG,
    "Cleanup": LOG,
}
CREATES = {
    "no": set(),
    "http": set(),
    "private": {
        *("servicediscovery:CreatePrivateDnsNamespace", "route53:CreateHostedZone", "ec2:DescribeRegions"),
    },
    "public": {"servicediscovery:CreatePublicDnsNamespace", "route53:CreateHostedZone"},
}
DELETES = {"route53:DeleteHostedZone"}

CREATES_BALANCERS = {
    *("elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:DeleteLoadBalancer"),
    *("ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:GetSecurityGroupsForVpc"),
}
COUNTS_TASKS = {
    *("ecs:ListClusters", "ecs:ListTasks", "ecs:DescribeTasks", "ecs:DescribeContainerInstances"),
    "ec2:DescribeInstances",
}
WATCHES_ZONES = {"route53:ListResourceRecordSets"}
STOPS_LOGS = {"logs:DeleteLogDelivery"}
DELIVERS_LOGS = {
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery"),
    *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"),
    "logs:DescribeLogGroups",
}

# F§7: AWS knows no resource for these, or none that exists before the call.
ANYWHERE = {
    *("ecs:ListTasks", "ecs:DescribeTaskDefinition", "tag:GetResources", "ec2:Describe*"),
    "ecs:ListClusters",
    *(
        "servicediscovery:ListNamespaces",
        "servicediscovery:ListServices",
        "servicediscovery:ListTagsForResource",
    ),
    *("servicediscovery:TagResource", "servicediscovery:ListOperations", "servicediscovery:GetOperation"),
    *("servicediscovery:Create*Namespace", "route53:ListHostedZonesByName", "route53:CreateHealthCheck"),
    *("route53:CreateHostedZone", "elasticloadbalancing:Describe*", "acm:ListCertificates"),
    *DELIVERS_LOGS,
    *STOPS_LOGS,
}


@pytest.fixture(scope="module")
def deployed() -> Stack:
    return stack()


@pytest.mark.parametrize("asked", STACKS, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_what_it_calls_and_nothing_else(name: str, asked: dict[str, str]) -> None:
    expected = CALLS[name] | IN_ITS_NAME[name] | (STOPS_LOGS if name == "Reconcile" else set())
    if name == "Reconcile" and (namespaces := asked.get("CreateNamespaces", "no")) != "no":
        expected |= CREATES[namespaces] | DELETES
    if name == "Reconcile" and "CreateLoadBalancers" in asked:
        expected |= CREATES_BALANCERS
    if name == "Reconcile" and "ApiAccessLogs" in asked:
        expected |= DELIVERS_LOGS
    if name == "Audit" and "AuditAll" in asked:
        expected |= COUNTS_TASKS
    if name == "Sweep" and "GuardZones" in asked:
        expected |= WATCHES_ZONES
    if name == "Reconcile" and "ApiHostedZone" in asked:
        expected |= {"route53:ListResourceRecordSets"}

    assert stack(**asked).actions(f"{name}Role") == expected


def test_whatever_the_product_declares_is_granted() -> None:
    granted = {
        action for asked in STACKS for name in FUNCTIONS for action in stack(**asked).actions(f"{name}Role")
    }

    assert set(_declared()) - granted == set()


def _declared() -> Iterator[str]:
    """`ACTIONS` of every module of the product that has them."""
    for module in pkgutil.walk_packages(expose.__path__, "expose."):
        yield from getattr(importlib.import_module(module.name), "ACTIONS", ())


@pytest.mark.parametrize("asked", STACKS, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_permission_is_wider_than_aws_makes_it(name: str, asked: dict[str, str]) -> None:
    for statement in stack(**asked).statements(f"{name}Role"):
        actions = listed(statement["Action"])
        assert statement["Effect"] == "Allow" or statement["Sid"] == "NeverOpen"
        assert not any("*" in action for action in actions)
        if "*" in listed(statement["Resource"]):
            assert [one for one in actions if not any(fnmatchcase(one, known) for known in ANYWHERE)] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_s_policies_are_no_longer_than_iam_takes(name: str) -> None:
    """10,240 characters for all inline policies of a role together and 6,144 for a managed one; lists of ten names fit."""
    names = ",".join(f"granja-number-{number}" for number in range(10))
    domains = ",".join(f"number-{number}.granja.animales.com" for number in range(10))
    apis = ",".join(f"a1b2c3d4e{number}" for number in range(10))
    lists = {"AllowedClusters": names, "AllowedLoadBalancers": names, "AllowedNames": domains}
    deployed = stack(**ALL, **lists, AllowedApis=apis)

    assert characters(deployed.inline(f"{name}Role")) < 10_240
    assert all(characters([one]) < 6_144 for one in deployed.attached(f"{name}Role"))


def test_roles_are_ours_alone_and_lambda_s(deployed: Stack) -> None:
    roles = deployed.of("AWS::IAM::Role")

    assert set(roles) == {f"{name}Role" for name in FUNCTIONS}
    for role in roles.values():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        own = {f"<{policy}>" for policy in deployed.of("AWS::IAM::ManagedPolicy")}
        assert (
            set(role.get("ManagedPolicyArns", ())) <= own
        )  # AWS's reach every queue and log group of the account


def _conditions(deployed: Stack, role: str, action: str) -> Any:
    return [one.get("Condition") for one in deployed.statements(role) if action in listed(one["Action"])]


@pytest.mark.parametrize(
    "action", ["ecs:ListTasks", "ecs:DescribeTasks", "ecs:DescribeServices", "ecs:StopTask"]
)
def test_tasks_are_read_and_stopped_in_the_allowed_clusters_only(action: str) -> None:
    deployed = stack(AllowedClusters="granja,prod-*")
    roles = [role for role in deployed.of("AWS::IAM::Role") if action in deployed.actions(role)]

    assert roles
    for role in roles:
        allowed = {"ecs:cluster": ["*:cluster/granja", "*:cluster/prod-*"]}
        assert _conditions(deployed, role, action) == [{"StringLike": allowed}]


def test_clusters_are_asked_for_only_where_they_are_allowed() -> None:
    (asked,) = (
        one
        for one in stack(AllowedClusters="granja,prod-*").statements("ReconcileRole")
        if "ecs:DescribeClusters" in listed(one["Action"])
    )

    assert [arn.rpartition(":")[2] for arn in asked["Resource"]] == ["cluster/granja", "cluster/prod-*"]


def test_records_are_written_below_the_allowed_names_only() -> None:
    (condition,) = _conditions(
        stack(AllowedNames="animales.com,granja.net"), "ReconcileRole", "route53:ChangeResourceRecordSets"
    )

    ((operator, names),) = condition.items()
    assert operator == "ForAllValues:StringLike"  # holds as well where AWS does not say the names
    assert list(names.values()) == [["*animales.com", "*granja.net"]]


def test_events_are_published_under_our_name_only(deployed: Stack) -> None:
    assert _conditions(deployed, "ReconcileRole", "events:PutEvents") == [
        {"StringEquals": {"events:source": "ecs-expose"}}
    ]
