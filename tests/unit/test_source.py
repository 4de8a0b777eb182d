"""What ECS says, read so that no hasty answer removes a task. The answers are AWS's, given by botocore's stub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from expose.aws import Clients
from expose.ecs import Source
from expose.policy import Detail
from expose.refusals import NotYet
from tests.unit.values import ARN, service, task

GONE = {"failures": [{"arn": "x", "reason": "MISSING"}], "tasks": []}


@pytest.fixture
def ecs() -> Iterator[tuple[Source, Stubber]]:
    client = boto3.client("ecs", "eu-west-1")
    clients = Clients()
    vars(clients)["ecs"] = client
    with Stubber(client) as stub:
        yield Source(clients), stub


def described(number: int, **more: Any) -> dict[str, Any]:
    known = task(number)
    return {
        "taskArn": f"arn:aws:ecs:eu-west-1:123456789012:task/granja/{known.id}",
        "taskDefinitionArn": known.definition,
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        **more,
    }


def read(source: Source) -> list[str]:
    known = service(task(1), task(2))
    vars(source)["_definitions"] = dict(known.definitions)
    found, _ = source.tasks(known, (), detail=Detail.PRIVATE, afresh=False, now=0.0)
    return [each.id for each in found.tasks]


def test_a_task_that_a_list_lacks_is_no_stopped_task_until_ecs_says_so_by_name(
    ecs: tuple[Source, Stubber],
) -> None:
    source, stub = ecs
    stub.add_response("list_tasks", {"taskArns": [described(1)["taskArn"]]})
    stub.add_response("describe_tasks", {"tasks": [described(2)], "failures": []})

    assert read(source) == sorted([task(1).id, task(2).id])


@pytest.mark.parametrize("answer", [GONE, {"tasks": [described(2, desiredStatus="STOPPED")], "failures": []}])
def test_it_is_one_then(ecs: tuple[Source, Stubber], answer: dict[str, Any]) -> None:
    source, stub = ecs
    stub.add_response("list_tasks", {"taskArns": [described(1)["taskArn"]]})
    stub.add_response("describe_tasks", answer)

    assert read(source) == [task(1).id]


def test_a_task_that_could_not_be_read_is_not_gone(ecs: tuple[Source, Stubber]) -> None:
    source, stub = ecs
    stub.add_response("list_tasks", {"taskArns": [described(1)["taskArn"]]})
    stub.add_response("describe_tasks", {"failures": [{"arn": "x", "reason": "ACCESS_DENIED"}], "tasks": []})

    with pytest.raises(NotYet, match="ACCESS_DENIED"):
        read(source)


@pytest.mark.parametrize(
    ("status", "serves"),
    [
        ("RUNNING", True),
        ("DEACTIVATING", True),
        ("STOPPING", True),
        ("DEPROVISIONING", False),
        ("STOPPED", False),
    ],
)
def test_a_task_that_is_to_stop_may_serve_until_its_containers_are_told(
    ecs: tuple[Source, Stubber], status: str, serves: bool
) -> None:
    """F§1.3. The read may come before the event; the task is no task of the service any more in either case."""
    source, stub = ecs
    stopping = described(2, desiredStatus="STOPPED", lastStatus=status)
    stub.add_response("list_tasks", {"taskArns": [described(1)["taskArn"]]})
    stub.add_response("describe_tasks", {"tasks": [stopping], "failures": []})
    known = service(task(1), task(2))
    vars(source)["_definitions"] = dict(known.definitions)

    found, leaving = source.tasks(known, (), detail=Detail.PRIVATE, afresh=False, now=0.0)

    assert [each.id for each in found.tasks] == [task(1).id]
    assert leaving == ({task(2).id} if serves else set())


def test_what_ecs_keeps_itself_is_known_of_both_colours_and_of_every_task_set(
    ecs: tuple[Source, Stubber],
) -> None:
    """F§2: a group of the service's own load balancers, or of its blue/green deployments, is never ours to touch."""
    source, stub = ecs
    described_ = {
        "status": "ACTIVE",
        "desiredCount": 4,
        "loadBalancers": [
            {"targetGroupArn": "blue", "advancedConfiguration": {"alternateTargetGroupArn": "green"}}
        ],
        "taskSets": [{"loadBalancers": [{"targetGroupArn": "canary"}]}],
        "deploymentConfiguration": {"minimumHealthyPercent": 50},
        "healthCheckGracePeriodSeconds": 30,
        "deployments": [{"rolloutState": "COMPLETED"}],
    }
    stub.add_response("describe_services", {"services": [described_], "failures": []})

    found = source.service(ARN, service(), now=0.0)

    assert {"blue", "green", "canary"} <= set(found.native)
    assert (found.minimum_healthy, found.health_grace, found.rolling) == (50, 30, False)


@pytest.mark.parametrize(
    ("deployments", "rolls"),
    [
        ([], False),
        ([{"rolloutState": "COMPLETED"}], False),
        ([{"rolloutState": "IN_PROGRESS"}], True),
        ([{"rolloutState": "COMPLETED"}, {"rolloutState": "COMPLETED"}], True),
        ([{}], False),  # a service without the circuit breaker's states
    ],
)
def test_a_service_rolls_while_a_deployment_is_under_way(
    ecs: tuple[Source, Stubber], deployments: list[dict[str, Any]], rolls: bool
) -> None:
    source, stub = ecs
    described_ = {"status": "ACTIVE", "deployments": deployments}
    stub.add_response("describe_services", {"services": [described_], "failures": []})

    assert source.service(ARN, service(), now=0.0).rolling is rolls


GONE_SERVICE = {"services": [], "failures": [{"arn": "x", "reason": "MISSING"}]}
IN_IT = {"group": f"service:{ARN.name}"}


@pytest.mark.parametrize("answer", [GONE_SERVICE, {"services": [{"status": "INACTIVE"}], "failures": []}])
def test_a_service_that_is_gone_has_no_task_that_runs(
    ecs: tuple[Source, Stubber], answer: dict[str, Any]
) -> None:
    source, stub = ecs
    stub.add_response("describe_services", answer)
    stub.add_response("describe_tasks", {"tasks": [described(2, desiredStatus="STOPPED")], "failures": []})

    found = source.service(ARN, service(task(1), task(2)), now=0.0)

    assert (found.active, found.tags, found.tasks) == (False, {}, ())


def test_one_that_has_is_not_gone(ecs: tuple[Source, Stubber]) -> None:
    """A successful answer that says nothing is no proof: F§10.4."""
    source, stub = ecs
    stub.add_response("describe_services", GONE_SERVICE)
    stub.add_response("describe_tasks", {"tasks": [described(2, **IN_IT)], "failures": []})

    with pytest.raises(NotYet, match="runs"):
        source.service(ARN, service(task(1), task(2)), now=0.0)


def test_one_that_is_going_keeps_its_tasks_until_they_stop(ecs: tuple[Source, Stubber]) -> None:
    source, stub = ecs
    stub.add_response("describe_services", {"services": [{"status": "DRAINING"}], "failures": []})

    found = source.service(ARN, service(task(1)), now=0.0)

    assert (found.active, found.tasks) == (False, (task(1),))


@pytest.mark.parametrize(
    "answer",
    [
        {"clusters": [{"status": "INACTIVE"}], "failures": []},
        {"clusters": [], "failures": [{"reason": "MISSING"}]},
    ],
)
def test_a_service_whose_cluster_is_gone_is_gone(ecs: tuple[Source, Stubber], answer: dict[str, Any]) -> None:
    source, stub = ecs
    stub.add_client_error("describe_services", "ClusterNotFoundException")
    stub.add_response("describe_clusters", answer)

    found = source.service(ARN, service(task(1)), now=0.0)

    assert (found.active, found.tasks) == (False, ())


@pytest.mark.parametrize(
    "answer",
    [
        {"clusters": [{"status": "ACTIVE"}], "failures": []},
        {"clusters": [], "failures": [{"reason": "ACCESS_DENIED"}]},
    ],
)
def test_a_cluster_that_ecs_may_know_is_not_gone(ecs: tuple[Source, Stubber], answer: dict[str, Any]) -> None:
    source, stub = ecs
    stub.add_client_error("describe_services", "ClusterNotFoundException")
    stub.add_response("describe_clusters", answer)

    with pytest.raises(NotYet, match="granja"):
        source.service(ARN, service(task(1)), now=0.0)


def test_any_other_refusal_says_nothing_of_the_service(ecs: tuple[Source, Stubber]) -> None:
    source, stub = ecs
    stub.add_client_error("describe_services", "AccessDeniedException")

    with pytest.raises(ClientError, match="AccessDenied"):
        source.service(ARN, service(task(1)), now=0.0)
