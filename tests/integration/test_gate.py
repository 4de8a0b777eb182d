"""The gate sees every call, and can refuse, lose or interrupt any of them, as AWS and the network do."""

from __future__ import annotations

import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from moto.server import ThreadedMotoServer

from farm.aws import mend
from farm.gate import GATE, Crash, Fault
from farm.throttle import Throttle
from farm.timeline import Timeline, WallTimeline

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
TWICE = Config(retries={"mode": "standard", "total_max_attempts": 2})


def client(service: str, config: Config = ONCE, key: str = "farm") -> Any:
    return boto3.client(service, "eu-west-1", config=config, aws_access_key_id=key, aws_secret_access_key="x")


def table(**options: Any) -> dict[str, Any]:
    return {
        "TableName": "t",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        **options,
    }


CALLS = [
    ("ecs", "list_clusters", {"maxResults": 5}, "ListClusters"),
    ("servicediscovery", "list_namespaces", {"MaxResults": 5}, "ListNamespaces"),
    ("dynamodb", "list_tables", {"Limit": 5}, "ListTables"),
    ("sqs", "list_queues", {"QueueNamePrefix": "q"}, "ListQueues"),
    ("events", "list_rules", {"NamePrefix": "q"}, "ListRules"),
    ("resourcegroupstaggingapi", "get_resources", {"ResourcesPerPage": 5}, "GetResources"),
    ("ec2", "describe_subnets", {"SubnetIds": ["subnet-1"]}, "DescribeSubnets"),
]


@pytest.mark.parametrize(("service", "method", "params", "operation"), CALLS)
def test_every_attempt_is_seen_with_its_caller_its_parameters_and_its_time(
    timeline: Timeline, service: str, method: str, params: dict[str, Any], operation: str
) -> None:
    GATE.callers["AKIASWEEP"] = "sweep"
    timeline.run_for(7)
    try:
        getattr(client(service, key="AKIASWEEP"), method)(**params)
    except ClientError as error:
        assert error.response["Error"]["Code"] == GATE.calls[0].error  # noqa: PT017 - only EC2 knows no such subnet
    (call,) = GATE.calls
    assert (call.caller, call.service, call.operation) == ("sweep", service, operation)
    assert call.params == params
    assert call.at == timeline.now()


@pytest.mark.parametrize(("service", "method", "params", "operation"), CALLS)
@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
def test_a_refused_call_fails_with_its_code_in_the_services_own_form(
    timeline: Timeline, service: str, method: str, params: dict[str, Any], operation: str, code: str
) -> None:
    GATE.faults.append(Fault("error", code, service, operation))
    with pytest.raises(ClientError) as refused:
        getattr(client(service), method)(**params)
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == (400 if code[0] == "T" else 500)


def test_a_refused_call_has_no_effect_and_is_retried_on_the_farms_time(timeline: Timeline) -> None:
    ecs = client("ecs", TWICE)
    GATE.faults.append(Fault("error", "ThrottlingException", operation="CreateCluster", nth=1))
    ecs.create_cluster(clusterName="c")
    assert [call.error for call in GATE.calls] == ["ThrottlingException", ""]
    GATE.faults.append(Fault("error", "ThrottlingException", operation="CreateCluster"))
    with pytest.raises(ClientError):
        ecs.create_cluster(clusterName="d")
    assert len(ecs.list_clusters()["clusterArns"]) == 1


def test_a_lost_answer_leaves_its_effect(timeline: Timeline) -> None:
    GATE.faults.append(Fault("lost", operation="CreateCluster"))
    with pytest.raises(ConnectionClosedError):
        client("ecs").create_cluster(clusterName="c")
    assert len(client("ecs").list_clusters()["clusterArns"]) == 1


@pytest.mark.parametrize(("phase", "left"), [("before", 0), ("after", 1)])
def test_a_crash_ends_the_caller_before_or_after_the_effect(
    timeline: Timeline, phase: Any, left: int
) -> None:
    GATE.faults.append(Fault("crash", phase=phase, nth=1))
    with pytest.raises(Crash):
        client("ecs").create_cluster(clusterName="c")
    assert len(client("ecs").list_clusters()["clusterArns"]) == left


EMPTY = [
    ("ecs", "list_clusters", {}, "clusterArns"),
    ("ecs", "describe_services", {"services": ["s"], "cluster": "c"}, "services"),
    ("dynamodb", "list_tables", {}, "TableNames"),
    ("resourcegroupstaggingapi", "get_resources", {}, "ResourceTagMappingList"),
    ("apigatewayv2", "get_apis", {}, "Items"),
    ("apigateway", "get_rest_apis", {}, "items"),
    ("elbv2", "describe_load_balancers", {}, "LoadBalancers"),
    ("ec2", "describe_subnets", {}, "Subnets"),
    ("route53", "list_hosted_zones", {}, "HostedZones"),
    ("servicediscovery", "list_namespaces", {}, "Namespaces"),
]


def test_an_empty_answer_is_a_success_without_entries(timeline: Timeline) -> None:
    """Whatever is there, in the form of each service: F§10.4, a successful but empty answer is no proof."""
    client("ecs").create_cluster(clusterName="c")
    client("route53").create_hosted_zone(Name="example.com", CallerReference="x")
    client("servicediscovery").create_http_namespace(Name="n")
    client("apigateway").create_rest_api(name="r")
    client("apigatewayv2").create_api(Name="a", ProtocolType="HTTP")
    timeline.run_for(60)
    GATE.faults.append(fault := Fault("empty"))
    for service, method, params, member in EMPTY:
        assert getattr(client(service), method)(**params)[member] == []
    fault.nth = 0
    full = [getattr(client(service), method)(**params)[member] for service, method, params, member in EMPTY]
    assert sum(bool(entries) for entries in full) >= 6


def test_a_refusal_is_not_made_a_success(timeline: Timeline) -> None:
    GATE.faults.append(Fault("empty"))
    with pytest.raises(ClientError, match="ClusterNotFound"):
        client("ecs").describe_services(cluster="nowhere", services=["s"])


def test_a_call_that_hangs_ends_with_its_clients_read_timeout(timeline: Timeline) -> None:
    GATE.faults.append(Fault("hang", operation="CreateCluster"))
    begun = timeline.now()
    with pytest.raises(ReadTimeoutError):
        client("ecs", ONCE.merge(Config(read_timeout=7))).create_cluster(clusterName="c")
    assert timeline.now() - begun == 7
    assert client("ecs").list_clusters()["clusterArns"] == []


def test_a_fault_strikes_the_nth_of_the_calls_it_is_meant_for(timeline: Timeline) -> None:
    GATE.faults.append(
        Fault("error", "X", "ecs", nth={1, 3}, where=lambda call: call.params.get("clusterName") != "spared")
    )
    errors = []
    for name in ("a", "spared", "b", "c"):
        try:
            client("ecs").create_cluster(clusterName=name)
        except ClientError:
            errors.append(name)
    assert errors == ["a", "c"]


def test_a_modelled_error_carries_its_members(timeline: Timeline) -> None:
    GATE.faults.append(Fault("error", "DuplicateRequest", members={"DuplicateOperationId": "op-1"}))
    cloud_map = client("servicediscovery")
    with pytest.raises(cloud_map.exceptions.DuplicateRequest) as refused:
        cloud_map.register_instance(ServiceId="s", InstanceId="i", Attributes={})
    assert refused.value.response["DuplicateOperationId"] == "op-1"


def test_observers_see_what_succeeded_with_its_result(timeline: Timeline) -> None:
    seen: list[tuple[str, Any]] = []
    GATE.observers.append(lambda call, result: seen.append((call.operation, result)))
    client("ecs").create_cluster(clusterName="c")
    with pytest.raises(ClientError):
        client("ecs").describe_services(cluster="nowhere", services=["s"])
    (operation, result) = seen[0]
    assert operation == "CreateCluster"
    assert result["cluster"]["clusterName"] == "c"
    assert len(seen) == 1


def test_reads_of_ecs_resources_share_a_bucket_of_100_that_gains_20_a_second(timeline: Timeline) -> None:
    """F§2: cluster resource read, 100 burst and 20 a second, for DescribeTasks, ListTasks and others together."""
    throttle = Throttle()
    operations = ["ListTasks", "DescribeTasks"] * 60
    assert [throttle.refuse("ecs", name) for name in operations].count(None) == 100
    timeline.run_for(2)
    assert [throttle.refuse("ecs", name) for name in operations].count(None) == 40
    assert throttle.refuse("ecs", "DescribeServices") is None


def test_throttling_is_answered_as_each_service_answers(timeline: Timeline) -> None:
    """F§2: ECS says ThrottlingException, EC2 RequestLimitExceeded."""
    GATE.throttle = Throttle()
    for service, method, code in (
        ("ecs", "list_task_definitions", "ThrottlingException"),
        ("ec2", "describe_vpcs", "RequestLimitExceeded"),
    ):
        call = getattr(client(service), method)
        with pytest.raises(ClientError) as refused:
            [call() for _ in range(101)]
        assert refused.value.response["Error"]["Code"] == code


def test_botocores_own_pauses_pass_on_the_farms_time(timeline: Timeline) -> None:
    GATE.throttle = Throttle()
    patient = client("ecs", Config(retries={"mode": "standard", "total_max_attempts": 10}))
    begin, wall = timeline.now(), time.perf_counter()
    for _ in range(60):
        patient.list_task_definitions()
    assert timeline.now() > begin
    assert time.perf_counter() - wall < 5


def test_on_the_wall_clock_a_lost_answer_is_a_dropped_connection() -> None:
    mend(WallTimeline())
    GATE.reset()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        ecs = boto3.client(
            "ecs",
            "eu-west-1",
            endpoint_url=f"http://{host}:{port}",
            config=ONCE,
            aws_access_key_id="farm",
            aws_secret_access_key="x",
        )
        GATE.faults.append(Fault("lost", operation="CreateCluster"))
        with pytest.raises(ConnectionClosedError):
            ecs.create_cluster(clusterName="c")
        assert len(ecs.list_clusters()["clusterArns"]) == 1
    finally:
        server.stop()
        GATE.reset()
