"""Bad events and poisoned messages: logged once and dropped, or dead letters; and nobody waits for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from farm.aws import ACCOUNT, REGION
from farm.farm import Farm
from tests.integration.world import become, logged

SPACE = "granja.animales.com"
NAME = f"conejo.{SPACE}"
SHORT = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/oveja"
TAGGED = {"service": "ecs", "resource-type": "service", "changed-tag-keys": ["expose:dns"]}
CALLED = {"eventSource": "ecs.amazonaws.com", "eventName": "UpdateService"}
STOPPED = {"group": "service:conejo", "lastStatus": "STOPPED", "desiredStatus": "STOPPED"}


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual() as farm:
        farm.create_namespace(SPACE)
        farm.run_for(1)
        farm.create_service("conejo", 2, tags={"expose:dns": NAME})
        become(farm, "Active")
        yield farm


def rotate(farm: Farm) -> None:
    """One task dies, and the name follows."""
    farm.kill(farm.tasks("conejo")[0]["taskArn"].rpartition("/")[2])
    farm.run_for(20)
    assert farm.resolve(NAME) == farm.addresses("conejo")
    assert len(farm.resolve(NAME)) == 2


def put(farm: Farm, queue: str, body: str, group: str = "") -> None:
    more: dict[str, Any] = {"MessageGroupId": group, "MessageDeduplicationId": group} if group else {}
    farm.client("sqs").send_message(QueueUrl=ref(farm, queue), MessageBody=body, **more)


def dead(farm: Farm, queue: str) -> list[str]:
    answer = farm.client("sqs").receive_message(QueueUrl=ref(farm, queue), MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


def ref(farm: Farm, name: str) -> str:
    assert farm.lambdas
    return farm.lambdas.deployment.ref(name)


def test_a_service_with_the_old_short_arn_is_told_so_once(farm: Farm) -> None:
    for name in ("SERVICE_DEPLOYMENT_IN_PROGRESS", "SERVICE_DEPLOYMENT_COMPLETED"):
        farm.bus.emit("aws.ecs", "ECS Deployment State Change", {"eventName": name}, [SHORT])
        farm.run_for(10)
    (told,) = farm.published("Exposure Blocked")
    assert told["detail"] | {"message": ""} == {
        "service": SHORT,
        "tag": "expose:*",
        "value": "",
        "status": "Blocked",
        "code": "ShortArn",
        "message": "",
        "addresses": [],
    }
    for said in (SHORT, "long ARNs", "serviceLongArnFormat"):
        assert said in told["detail"]["message"]
    (kept,) = [item for item in farm.ledger() if item["pk"] == f"SERVICE#{SHORT}"]
    assert (kept["status"], kept["code"], kept["message"]) == (
        "Blocked",
        "ShortArn",
        told["detail"]["message"],
    )
    assert '"code":"ShortArn"' in logged(farm)
    rotate(farm)


MALFORMED: dict[str, tuple[str, str, dict[str, Any], list[Any]]] = {
    "task without its ARN": ("aws.ecs", "ECS Task State Change", STOPPED, []),
    "task whose ARN is no text": ("aws.ecs", "ECS Task State Change", STOPPED | {"taskArn": 5, "clusterArn": 5}, []),
    "deployment of nothing": ("aws.ecs", "ECS Deployment State Change", {"eventName": "X"}, []),
    "deployment of a cluster": ("aws.ecs", "ECS Deployment State Change", {"eventName": "X"}, ["arn:aws:ecs:::cluster/x"]),
    "deployment of a number": ("aws.ecs", "ECS Deployment State Change", {"eventName": "X"}, [5]),
    "tag on nothing": ("aws.tag", "Tag Change on Resource", TAGGED, []),
    "tag on null": ("aws.tag", "Tag Change on Resource", TAGGED, [None]),
    "call without parameters": ("aws.ecs", "AWS API Call via CloudTrail", CALLED | {"requestParameters": None}, []),
    "call without service": ("aws.ecs", "AWS API Call via CloudTrail", CALLED | {"requestParameters": {}}, []),
    "call on a number": ("aws.ecs", "AWS API Call via CloudTrail", CALLED | {"requestParameters": {"resourceArn": 5}}, []),
}  # fmt: skip


@pytest.mark.parametrize("event", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_event_is_logged_once_and_dropped(
    farm: Farm, event: tuple[str, str, dict[str, Any], list[Any]]
) -> None:
    assert farm.lambdas
    farm.run_for(60)
    sent = len(farm.calls("sqs", "SendMessage", "notify"))
    farm.bus.emit(*event)
    farm.run_for(30)
    assert len(farm.calls("sqs", "SendMessage", "notify")) == sent
    assert farm.lambdas.failures == []
    assert len([line for line in farm.logs["notify"] if "dropped an event" in line]) == 1
    rotate(farm)


def test_events_that_nobody_knows_are_logged_once_and_dropped(farm: Farm) -> None:
    assert farm.lambdas
    unknown = [
        {},
        [],
        {"detail-type": "ECS Weather Change", "detail": {}},
        {"detail-type": None, "detail": 5},
    ]
    for event in unknown:
        farm.lambdas.invoke("notify", event)  # type: ignore[arg-type]  # that is the point
    assert len([line for line in farm.logs["notify"] if "dropped an event" in line]) == len(unknown)
    rotate(farm)


def poison(farm: Farm) -> list[str]:
    good = {"service": farm.arn("conejo"), "reason": "poison", "depth": 2}
    return [
        "no JSON",
        "[]",
        "{}",
        json.dumps(good | {"service": "conejo"}),
        json.dumps(good | {"service": ["conejo"]}),
        json.dumps(good | {"service": None}),
        json.dumps(good | {"depth": 9}),
        json.dumps(good | {"since": "yesterday"}),
        json.dumps(good | {"stopping": [{}]}),
    ]


def test_poisoned_work_ends_in_the_dead_letter_queue_and_holds_up_nobody(farm: Farm) -> None:
    """Not even the work that comes in the same batch."""
    bodies = poison(farm)
    bystander = json.dumps({"service": farm.arn("conejo"), "reason": "verification", "depth": 3})
    for number, body in enumerate([*bodies[:5], bystander, *bodies[5:]]):
        put(farm, "WorkQueue", body, f"group-{number}")
    farm.run_for(5)
    assert farm.calls("servicediscovery", "ListInstances", "reconcile")
    rotate(farm)
    farm.run_for(5 * 180 + 60)
    assert sorted(dead(farm, "WorkDeadLetters")) == sorted(bodies)
    rotate(farm)


def test_poison_that_waits_ends_in_the_dead_letter_queue_and_holds_up_nobody(farm: Farm) -> None:
    for body in ("no JSON", "[]", '{"service": 5}'):
        put(farm, "LaterQueue", body)
    rotate(farm)
    farm.run_for(5 * 180 + 60)
    assert sorted(dead(farm, "LaterDeadLetters")) == ["[]", "no JSON", '{"service": 5}']
    rotate(farm)
