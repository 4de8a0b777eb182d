"""What ECS says, read so that no hasty answer removes a task. The answers are AWS's, given by botocore's stub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from expose.aws import Clients
from expose.definitions import Binding, Port
from expose.ecs import Source
from expose.model import Service
from expose.policy import Detail
from expose.refusals import NotYet
from tests.unit.values import ARN, DEFINITION, definition, service, task

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


def seen(source: Source, known: Service, **more: Any) -> Service:
    found, _ = source.tasks(known, (), detail=Detail.PRIVATE, afresh=False, now=0.0, **more)
    return found


def at_home(number: int, **more: Any) -> dict[str, Any]:
    """A task with an interface of its own."""
    details = [{"name": "privateIPv4Address", "value": f"10.9.0.{number}"}]
    interface = {"type": "ElasticNetworkInterface", "details": details}
    return described(number, attachments=[interface], **more)


def listed(stub: Stubber, *numbers: int) -> None:
    stub.add_response("list_tasks", {"taskArns": [described(number)["taskArn"] for number in numbers]})


def test_what_may_change_is_read_again_each_time_and_where_a_task_is_is_not(
    ecs: tuple[Source, Stubber],
) -> None:
    """F§1.2: no event tells of health. The stub would refuse any call about addresses."""
    source, stub = ecs
    checked = service(task(1, healthy=True), task(2, healthy=True), of=definition(checked=True))
    listed(stub, 1, 2)
    sick = [at_home(1, healthStatus="HEALTHY"), at_home(2, healthStatus="UNHEALTHY")]
    stub.add_response("describe_tasks", {"tasks": sick, "failures": []})

    found = seen(source, checked)

    assert {each.id: each.healthy for each in found.tasks} == {task(1).id: True, task(2).id: False}
    assert [each.private_ipv4 for each in found.tasks] == [task(n).private_ipv4 for n in (1, 2)]


def test_a_task_that_cannot_change_is_not_asked_for_again_unless_it_lacks_something(
    ecs: tuple[Source, Stubber],
) -> None:
    source, stub = ecs
    known = service(task(1), task(2))
    vars(source)["_definitions"] = dict(known.definitions)
    listed(stub, 1, 2)
    assert seen(source, known).tasks == known.tasks

    listed(stub, 1, 2)
    stub.add_response("describe_tasks", {"tasks": [at_home(2)], "failures": []})
    found = seen(source, known, lacking={task(2).id})
    assert [each.private_ipv4 for each in found.tasks] == [task(1).private_ipv4, "10.9.0.2"]


@pytest.mark.parametrize("lacks", [{"private_ipv4": "", "ipv6": ""}, {"running": False}])
def test_a_task_that_was_remembered_too_early_is_asked_for_again(
    ecs: tuple[Source, Stubber], lacks: dict[str, Any]
) -> None:
    source, stub = ecs
    known = service(task(1, **lacks))
    vars(source)["_definitions"] = dict(known.definitions)
    listed(stub, 1)
    stub.add_response("describe_tasks", {"tasks": [at_home(1)], "failures": []})

    (found,) = seen(source, known).tasks

    assert (found.running, bool(found.private_ipv4)) == (True, True)


def test_who_started_a_task_is_asked_for_where_that_decides_and_is_not_known(
    ecs: tuple[Source, Stubber],
) -> None:
    """A ledger of an earlier version does not say."""
    source, stub = ecs
    known = service(task(1), serving=("ecs-svc/1",))
    vars(source)["_definitions"] = dict(known.definitions)
    listed(stub, 1)
    stub.add_response("describe_tasks", {"tasks": [at_home(1, startedBy="ecs-svc/1")], "failures": []})

    (found,) = seen(source, known).tasks

    assert found.started_by == "ecs-svc/1"


def test_a_definition_that_was_read_by_an_earlier_version_is_read_again(ecs: tuple[Source, Stubber]) -> None:
    source, stub = ecs
    known = service(task(1), of=replace(definition(), edition=1))
    listed(stub, 1)
    mappings = [{"containerPortRange": "9000-9010", "protocol": "udp"}, {"containerPort": 8080}]
    told = {
        "taskDefinitionArn": DEFINITION,
        "containerDefinitions": [{"name": "web", "portMappings": mappings}],
    }
    stub.add_response("describe_task_definition", {"taskDefinition": told})

    ports = seen(source, known).definitions[DEFINITION].ports

    assert ports == (Port("web", 9000, "udp", last=9010), Port("web", 8080))


def test_bindings_tell_family_and_range(ecs: tuple[Source, Stubber]) -> None:
    source, stub = ecs
    bridged = service(task(1), of=definition(mode="bridge"))
    vars(source)["_definitions"] = dict(bridged.definitions)
    bindings = [
        {"bindIP": "::", "containerPort": 8080, "hostPort": 49154, "protocol": "tcp"},
        {"bindIP": "0.0.0.0", "containerPort": 8080, "hostPort": 49153, "protocol": "tcp"},
        {"containerPortRange": "9000-9010", "hostPortRange": "49155-49165", "protocol": "udp"},
    ]
    listed(stub, 1)
    container = {"name": "web", "networkBindings": bindings}
    stub.add_response("describe_tasks", {"tasks": [described(1, containers=[container])], "failures": []})

    (found,) = seen(source, bridged).tasks

    assert found.bindings == (
        Binding("web", 8080, 49153, "tcp", 4),
        Binding("web", 8080, 49154, "tcp", 6),
        Binding("web", 9000, 49155, "udp", 0, 11),
    )


@pytest.mark.parametrize(
    ("differs", "known"),
    [
        ({}, {"healthy": True}),
        ({"healthStatus": "HEALTHY"}, {"healthy": False}),
        ({"lastStatus": "PENDING"}, {}),
        ({}, {"bindings": (("web", 8080, 32768),)}),
    ],
)
def test_the_sweep_is_told_which_tasks_are_not_as_they_were_read(
    ecs: tuple[Source, Stubber], differs: dict[str, Any], known: dict[str, Any]
) -> None:
    source, stub = ecs
    tasks = [
        described(1),
        described(2, **differs),
        described(3, desiredStatus="STOPPED", lastStatus="STOPPED"),
    ]
    stub.add_response("describe_tasks", {"tasks": tasks, "failures": []})

    changed = source.changed("granja", {each.id: each for each in (task(1), task(2, **known), task(3))})

    assert list(changed) == [task(2).id]


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_of_task_sets_the_primary_one_serves_and_any_other_means_that_it_rolls(
    ecs: tuple[Source, Stubber], controller: str
) -> None:
    source, stub = ecs

    def task_set(name: str, status: str, subnet: str, stability: str = "STEADY_STATE") -> dict[str, Any]:
        network = {"awsvpcConfiguration": {"subnets": [subnet]}}
        return {"id": name, "status": status, "stabilityStatus": stability, "networkConfiguration": network}

    green, blue = task_set("green", "ACTIVE", "subnet-g"), task_set("blue", "PRIMARY", "subnet-b")
    for sets, rolls in (
        ([green, blue], True),
        ([blue], False),
        ([task_set("blue", "PRIMARY", "subnet-b", "STABILIZING")], True),
    ):
        told = {"status": "ACTIVE", "deploymentController": {"type": controller}, "taskSets": sets}
        stub.add_response("describe_services", {"services": [told], "failures": []})

        found = source.service(ARN, service(), now=0.0)

        assert (found.serving, found.subnets, found.rolling) == (("blue",), ("subnet-b",), rolls)


def native(**more: Any) -> dict[str, Any]:
    deployments = [
        {"id": "blue", "status": "ACTIVE", "createdAt": datetime(2026, 11, 1, tzinfo=UTC)},
        {"id": "green", "status": "PRIMARY", "createdAt": datetime(2026, 11, 2, tzinfo=UTC)},
    ]
    shifting = {"deploymentConfiguration": {"strategy": "BLUE_GREEN"}, "deployments": deployments}
    return {"status": "ACTIVE", "currentServiceDeployment": "arn:now", **shifting, **more}


@pytest.mark.parametrize(("weight", "serving"), [(0.0, "blue"), (50.0, "blue"), (100.0, "green")])
@pytest.mark.parametrize("called_primary", ["blue", "green"])
def test_a_shift_of_traffic_is_asked_for_and_which_colour_is_new_is_told_by_age(
    ecs: tuple[Source, Stubber], called_primary: str, weight: float, serving: str
) -> None:
    source, stub = ecs
    told = native()
    for each in told["deployments"]:
        each["status"] = "PRIMARY" if each["id"] == called_primary else "ACTIVE"
    stub.add_response("describe_services", {"services": [told], "failures": []})
    target = {"requestedProductionTrafficWeight": weight}
    answer = [{"status": "IN_PROGRESS", "targetServiceRevision": target}]
    expected = {"serviceDeploymentArns": ["arn:now"]}
    stub.add_response(
        "describe_service_deployments", {"serviceDeployments": answer, "failures": []}, expected
    )

    assert source.service(ARN, service(), now=0.0).serving == (serving,)


def test_where_ecs_does_not_say_how_far_traffic_is_what_served_goes_on_serving(
    ecs: tuple[Source, Stubber],
) -> None:
    source, stub = ecs
    for before, serving in ((None, "blue"), (("green",), "green")):
        told = native()
        del told["currentServiceDeployment"]
        stub.add_response("describe_services", {"services": [told], "failures": []})
        assert source.service(ARN, service(serving=before), now=0.0).serving == (serving,)


def test_one_deployment_alone_costs_no_question(ecs: tuple[Source, Stubber]) -> None:
    source, stub = ecs
    told = native()
    del told["deployments"][0]
    stub.add_response("describe_services", {"services": [told], "failures": []})

    assert source.service(ARN, service(), now=0.0).serving == ("green",)
