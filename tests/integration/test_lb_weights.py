"""Sharing on purpose: exposures that all say `weight=` stand in one rule, or one NLB listener, each with its number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from farm.balancers.routing import Request
from farm.farm import Farm
from farm.gate import GATE, Call, Fault
from tests.integration.balanced import (
    TAG,
    answers,
    assert_follows_a_rotation,
    clean,
    group_of,
    kinds,
    owned,
    put_behind,
    weights,
)
from tests.integration.world import LISTED, become, status

ASKED = Request(host="conejo.animales.com")
RULE = "main host=conejo.animales.com"
PLACES = {"rule": (RULE, "main", 80), "listener": ("net:5432", "net", 5432)}


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(parameters={**LISTED, "GraceSeconds": "20"}) as farm:
        farm.create_balancer("main")
        farm.create_balancer("net", type="network")
        yield farm


def shared(farm: Farm) -> dict[str, int]:
    """The weights in the one rule or listener that is ours, by service."""
    (front,) = [*owned(farm, "listener-rule").values(), *owned(farm, "listener").values()]
    tags = {arn: each["tags"]["ecs-expose:owner"] for arn, each in owned(farm, "targetgroup").items()}
    return {tags[arn].split("/")[2]: weight for arn, weight in weights(front).items()}


@pytest.mark.parametrize(("value", "balancer", "port"), PLACES.values(), ids=PLACES)
def test_two_services_share_and_get_requests_as_the_weights_say(
    farm: Farm, value: str, balancer: str, port: int
) -> None:
    put_behind(farm, f"{value} weight=90")
    put_behind(farm, f"{value} weight=10", "gallina")
    assert shared(farm) == {"conejo": 90, "gallina": 10}
    found = answers(farm, balancer, port, ASKED, count=1000)
    assert found.lost == []
    assert found.answered["conejo"] == pytest.approx(900, abs=30)


@pytest.mark.parametrize(("value", "balancer", "port"), PLACES.values(), ids=PLACES)
def test_one_number_is_edited(farm: Farm, value: str, balancer: str, port: int) -> None:
    put_behind(farm, f"{value} weight=90")
    put_behind(farm, f"{value} weight=10", "gallina")
    front = next(iter(owned(farm, "listener-rule") or owned(farm, "listener")))
    with farm.traffic(balancer, port, ASKED) as traffic:
        farm.tag("gallina", {TAG: f"{value} weight=0"})
        assert farm.run_until(lambda: shared(farm) == {"conejo": 90, "gallina": 0}, limit=5)
        farm.tag("gallina", {TAG: f"{value} weight=999"})
        assert farm.run_until(lambda: shared(farm) == {"conejo": 90, "gallina": 999}, limit=5)
        farm.tag("conejo", {TAG: f"{value} weight=0"})
        assert farm.run_until(lambda: shared(farm) == {"conejo": 0, "gallina": 999}, limit=5)
        farm.run_for(5)
    assert traffic.lost == []
    assert front in {**owned(farm, "listener-rule"), **owned(farm, "listener")}, "it was never made anew"
    assert answers(farm, balancer, port, ASKED).answered == {"gallina": 40}


@pytest.mark.parametrize(("value", "balancer", "port"), PLACES.values(), ids=PLACES)
def test_one_leaves_and_then_the_other(farm: Farm, value: str, balancer: str, port: int) -> None:
    put_behind(farm, f"{value} weight=90")
    put_behind(farm, f"{value} weight=10", "gallina")
    with farm.traffic(balancer, port, ASKED) as traffic:
        farm.untag("conejo", TAG)
        become(farm, "", tag=TAG)
        farm.run_for(5)
    assert traffic.lost == []
    assert shared(farm) == {"gallina": 10}
    assert kinds(farm) == [kinds(farm)[0], "targetgroup"]
    farm.delete_service("gallina")
    become(farm, "", "gallina", TAG)
    assert clean(farm)


def test_each_follows_its_own_tasks(farm: Farm) -> None:
    put_behind(farm, f"{RULE} weight=1")
    put_behind(farm, f"{RULE} weight=1", "gallina")
    assert_follows_a_rotation(farm, "gallina")
    assert_follows_a_rotation(farm, "conejo")
    assert shared(farm) == {"conejo": 1, "gallina": 1}


def test_up_to_five_share(farm: Farm) -> None:
    names = ["a", "b", "c", "d", "e"]
    for name in names:
        put_behind(farm, f"{RULE} weight=1", name, 1)
    assert set(answers(farm, "main", request=ASKED).answered) == set(names)


def test_a_service_may_share_with_itself(farm: Farm) -> None:
    """Its tags make a group each."""
    put_behind(farm, f"{RULE} weight=1 drain=5")
    farm.tag("conejo", {"expose:lb:other": f"{RULE} weight=3 drain=6"})
    become(farm, "Active", tag="expose:lb:other")
    (rule,) = owned(farm, "listener-rule").values()
    assert weights(rule) == {group_of(farm): 1, group_of(farm, tag="expose:lb:other"): 3}


@pytest.mark.parametrize(("first", "second"), [("", " weight=5"), (" weight=5", "")])
def test_where_not_all_say_weight_the_first_one_has_it_alone(farm: Farm, first: str, second: str) -> None:
    put_behind(farm, RULE + first)
    farm.create_service("gallina", 1, tags={TAG: RULE + second})
    refusal = become(farm, "Blocked", "gallina", TAG)
    assert refusal["code"] == "NameTaken"
    for said in (TAG, "host=conejo.animales.com on main:80", "granja/conejo"):
        assert said in refusal["message"]
    assert list(shared(farm)) == ["conejo"]
    farm.tag("conejo" if not first else "gallina", {TAG: f"{RULE} weight=7"})
    assert farm.run_until(lambda: status(farm, "gallina", TAG)["status"] == "Active", limit=200)
    assert set(shared(farm)) == {"conejo", "gallina"}


def test_whoever_shares_may_not_stop_saying_weight_while_others_are_there(farm: Farm) -> None:
    put_behind(farm, f"{RULE} weight=90")
    put_behind(farm, f"{RULE} weight=10", "gallina")
    farm.tag("conejo", {TAG: RULE})
    assert become(farm, "Blocked", tag=TAG)["code"] == "NameTaken"
    farm.run_for(10)
    assert shared(farm) == {"conejo": 90, "gallina": 10}, "what worked goes on working"
    farm.untag("gallina", TAG)
    become(farm, "Active", tag=TAG, limit=200)
    assert shared(farm) == {"conejo": 1}


@pytest.mark.parametrize(
    ("value", "operation"),
    [
        (RULE, ""),
        (RULE, "ModifyRule"),
        (RULE, "CreateRule"),
        ("net:5432", "ModifyListener"),
        ("net:5432", "CreateListener"),
    ],
)
def test_both_change_at_once(farm: Farm, value: str, operation: str) -> None:
    """Also where one of them dies in the middle of it."""
    if operation:
        GATE.faults.append(Fault("crash", operation=operation, phase="after", nth=1))
    for name in ("conejo", "gallina"):
        farm.create_service(name, 1, tags={TAG: f"{value} weight=50"})
    for name in ("conejo", "gallina"):
        become(farm, "Active", name, TAG, limit=900)
    assert shared(farm) == {"conejo": 50, "gallina": 50}
    farm.tag("conejo", {TAG: f"{value} weight=20"})
    farm.tag("gallina", {TAG: f"{value} weight=80"})
    assert farm.run_until(lambda: shared(farm) == {"conejo": 20, "gallina": 80}, limit=900)
    farm.untag("conejo", TAG)
    farm.untag("gallina", TAG)
    assert farm.run_until(lambda: clean(farm), limit=900)


def test_a_change_between_anothers_look_and_its_write_is_not_lost(farm: Farm) -> None:
    """The other writes once more when it has seen that its picture was old."""
    put_behind(farm, f"{RULE} weight=90", count=1)
    put_behind(farm, f"{RULE} weight=10", "gallina", count=1)
    part = f'["{group_of(farm, "gallina")}", 33]'
    raced: list[Call] = []

    def race(call: Call) -> bool:
        if call.operation == "ModifyRule" and not raced:
            raced.append(call)
            with acting_as_another():
                say_in_the_ledger(farm, "gallina", part)
        return False

    GATE.faults.append(Fault("error", where=race))
    farm.tag("conejo", {TAG: f"{RULE} weight=60"})
    farm.run_for(3)
    assert raced
    assert shared(farm) == {"conejo": 60, "gallina": 33}


@contextmanager
def acting_as_another() -> Iterator[None]:
    """In the middle of a call of the product, calls of somebody else."""
    acting, GATE.acting = GATE.acting, None
    yield
    GATE.acting = acting


def say_in_the_ledger(farm: Farm, service: str, part: str) -> None:
    """What the service's own reconciliation does first: its part in the rule."""
    assert farm.lambdas is not None
    (rule,) = [item for item in farm.ledger() if item["pk"].startswith("SHARED#elb.rule")]
    (name,) = [key for key in rule if key.startswith("part:") and service in key]
    farm.client("dynamodb").update_item(
        TableName=farm.lambdas.deployment.ref("Ledger"),
        Key={"pk": {"S": rule["pk"]}, "sk": {"S": rule["sk"]}},
        UpdateExpression="SET #part = :part",
        ExpressionAttributeNames={"#part": name},
        ExpressionAttributeValues={":part": {"S": part}},
    )
