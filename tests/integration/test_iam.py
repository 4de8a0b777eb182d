"""The template's own policies decide about the functions' calls, as IAM would (F§7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from farm.deploy import Deployment, deploy
from farm.gate import GATE
from farm.iam import Iam, Use, evaluate
from farm.timeline import Timeline

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
OURS = [{"Key": "ecs-expose:owner", "Value": "ecs-expose"}]


@pytest.fixture
def deployment(timeline: Timeline) -> Deployment:
    deployment = deploy(TEMPLATE, {"AllowedClusters": "granja,prod-*", "AllowedNames": "animales.com"})
    Iam(deployment.roles).enforce()
    return deployment


def client(service: str, caller: str) -> Any:
    GATE.acting = caller
    return boto3.client(service, "eu-west-1")


def refusal(call: Any, **params: Any) -> str:
    try:
        call(**params)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.mark.parametrize(
    ("caller", "service", "method", "params", "denied"),
    [
        ("reconcile", "ecs", "describe_services", {"cluster": "granja", "services": ["conejo"]}, False),
        ("reconcile", "ecs", "describe_services", {"cluster": "prod-1", "services": ["conejo"]}, False),
        ("reconcile", "ecs", "describe_services", {"cluster": "other", "services": ["conejo"]}, True),
        ("reconcile", "ecs", "describe_services", {"services": ["conejo"]}, True),
        ("reconcile", "ecs", "list_tasks", {"cluster": "other"}, True),
        ("reconcile", "ecs", "update_service", {"cluster": "granja", "service": "conejo"}, True),
        ("reconcile", "ec2", "describe_subnets", {}, False),
        ("reconcile", "ec2", "describe_images", {}, True),
        ("reconcile", "servicediscovery", "create_http_namespace", {"Name": "n"}, False),
        ("reconcile", "servicediscovery", "create_public_dns_namespace", {"Name": "n.org"}, True),
        ("sweep", "resourcegroupstaggingapi", "get_resources", {}, False),
        ("sweep", "dynamodb", "list_tables", {}, True),
        ("notify", "ecs", "describe_services", {"cluster": "granja", "services": ["conejo"]}, True),
        ("user", "ecs", "describe_services", {"cluster": "other", "services": ["conejo"]}, False),
    ],
)
def test_a_role_may_do_what_the_template_grants_and_nothing_else(
    deployment: Deployment, caller: str, service: str, method: str, params: dict[str, Any], *, denied: bool
) -> None:
    code = refusal(getattr(client(service, caller), method), **params)
    assert (code in {"AccessDeniedException", "UnauthorizedOperation"}) is denied


def test_the_bus_is_open_under_our_own_name_only(deployment: Deployment) -> None:
    bus = client("events", "reconcile")
    entry = {"Source": "ecs-expose", "DetailType": "Exposure Changed", "Detail": "{}"}
    assert refusal(bus.put_events, Entries=[entry]) == ""
    assert (
        refusal(bus.put_events, Entries=[entry, {**entry, "Source": "somebody"}]) == "AccessDeniedException"
    )


def test_a_queue_and_a_table_are_granted_by_their_arn(deployment: Deployment) -> None:
    sqs = client("sqs", "sweep")
    body = {"MessageBody": "{}", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    assert refusal(sqs.send_message, QueueUrl=deployment.ref("WorkQueue"), **body) == ""
    assert (
        refusal(sqs.send_message, QueueUrl=deployment.ref("LaterQueue"), MessageBody="{}") == "AccessDenied"
    )
    table = client("dynamodb", "sweep")
    assert refusal(table.scan, TableName=deployment.ref("Ledger")) == ""
    assert refusal(table.scan, TableName="another") == "AccessDeniedException"


def test_only_our_own_mark_may_be_put_on_what_is_created(deployment: Deployment, timeline: Timeline) -> None:
    user = client("servicediscovery", "user")
    user.create_http_namespace(Name="n")
    timeline.run_for(60)
    (namespace,) = user.list_namespaces()["Namespaces"]
    create = client("servicediscovery", "reconcile").create_service
    asked = {"NamespaceId": namespace["Id"], "Name": "conejo"}
    assert refusal(create, **asked, Tags=[{"Key": "team", "Value": "x"}]) == "AccessDeniedException"
    assert refusal(create, **asked, Tags=OURS) == ""


def test_a_record_that_cloud_map_may_not_write_shows_as_a_failed_operation(
    deployment: Deployment, timeline: Timeline
) -> None:
    """F§7: a missing Route 53 permission is no exception: the call is fine, its operation fails later."""
    user = client("servicediscovery", "user")
    for name in ("granja.animales.com", "elsewhere.org"):
        user.create_public_dns_namespace(Name=name)
    timeline.run_for(60)
    statuses = {}
    for namespace in user.list_namespaces()["Namespaces"]:
        GATE.acting = "user"
        service = user.create_service(
            Name="conejo", NamespaceId=namespace["Id"], DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 60}]}
        )
        operation = client("servicediscovery", "reconcile").register_instance(
            ServiceId=service["Service"]["Id"], InstanceId="i", Attributes={"AWS_INSTANCE_IPV4": "127.30.0.9"}
        )["OperationId"]
        timeline.run_for(60)
        found = user.get_operation(OperationId=operation)["Operation"]
        statuses[namespace["Name"]] = (found["Status"], found.get("ErrorCode"))
    assert statuses == {"granja.animales.com": ("SUCCESS", None), "elsewhere.org": ("FAIL", "ACCESS_DENIED")}


def test_it_is_known_what_was_granted_and_never_used(deployment: Deployment) -> None:
    iam = GATE.iam
    assert isinstance(iam, Iam)
    client("resourcegroupstaggingapi", "sweep").get_resources()
    assert Use("sweep", "tag:GetResources", "*", allowed=True) in iam.uses
    unused = [action for role, action in iam.unused() if role == "sweep"]
    assert "dynamodb:Scan" in unused
    assert "tag:GetResources" not in unused


ALLOW = {"Effect": "Allow", "Action": "ecs:Describe*", "Resource": "arn:x:*"}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (ALLOW, True),
        ({**ALLOW, "Action": "ECS:describeservices"}, True),
        ({**ALLOW, "Action": ["s3:*", "ecs:DescribeService?"]}, True),
        ({**ALLOW, "Resource": "arn:y:*"}, False),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, True),
        ({"Effect": "Allow", "NotAction": "ecs:*", "Resource": "*"}, False),
        ({**ALLOW, "Condition": {"StringEquals": {"ECS:Cluster": "c1"}}}, True),
        ({**ALLOW, "Condition": {"StringEquals": {"ecs:cluster": ["c0", "c1"], "k": "v"}}}, False),
        ({**ALLOW, "Condition": {"StringEqualsIfExists": {"k": "v"}}}, True),
        ({**ALLOW, "Condition": {"StringNotEquals": {"ecs:cluster": "c1"}}}, False),
        ({**ALLOW, "Condition": {"StringNotLike": {"k": "v*"}}}, True),
        ({**ALLOW, "Condition": {"ArnLike": {"ecs:cluster": "c?"}}}, True),
        ({**ALLOW, "Condition": {"Null": {"k": "true"}}}, True),
        ({**ALLOW, "Condition": {"Null": {"ecs:cluster": True}}}, False),
        ({**ALLOW, "Condition": {"ForAllValues:StringEquals": {"tags": ["a"]}}}, False),
        ({**ALLOW, "Condition": {"ForAllValues:StringEquals": {"k": ["a"]}}}, True),
        ({**ALLOW, "Condition": {"ForAnyValue:StringEquals": {"tags": ["a"]}}}, True),
        ({**ALLOW, "Condition": {"ForAnyValue:StringEquals": {"k": ["a"]}}}, False),
    ],
)
def test_a_statement_applies_as_iam_applies_it(statement: dict[str, Any], *, expected: bool) -> None:
    keys = {"ecs:cluster": ["c1"], "tags": ["a", "b"]}
    assert evaluate([statement], "ecs:DescribeServices", "arn:x:1", keys) is expected


def test_a_deny_outweighs_every_allow() -> None:
    deny = {"Effect": "Deny", "Action": "*", "Resource": "arn:x:1"}
    assert not evaluate([ALLOW, deny], "ecs:DescribeServices", "arn:x:1", {})
    assert evaluate([ALLOW, deny], "ecs:DescribeServices", "arn:x:2", {})


def test_an_operator_that_the_farm_does_not_know_is_an_error() -> None:
    statement = {**ALLOW, "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2026"}}}
    with pytest.raises(ValueError, match="DateGreaterThan"):
        evaluate([statement], "ecs:DescribeServices", "arn:x:1", {"aws:CurrentTime": ["2027"]})
