"""What clients see of `expose:lb`: nothing lost while a service rolls over, weights kept, every kind of entrance open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.balancers.routing import Request
from farm.balancers.traffic import Traffic
from farm.farm import Farm
from farm.figures.losing import Case, roll
from farm.pace import FAST
from tests.integration.balanced import TAG, put_behind
from tests.integration.entrances import eventually

MAKES = {"CreateLoadBalancers": "any"}
SEEDS = 3  # `make figures` measures with 10
HOST = "granja.animales.com"
WAYS_IN = {
    ("application", "internal"): (80, f"internal host=inside.{HOST}"),
    ("application", "internet-facing"): (8080, f"internet-facing:8080 host=outside.{HOST}"),
    ("network", "internal"): (5432, "internal:5432 protocol=TCP interval=5"),
    ("network", "internet-facing"): (5433, "internet-facing:5433 protocol=TCP interval=5"),
}


def balancer(farm: Farm, kind: str = "application", scheme: str = "internal") -> str:
    """The name of the only load balancer of this type and scheme."""
    there = farm.elb.describe_load_balancers()["LoadBalancers"]
    (name,) = [each["LoadBalancerName"] for each in there if (each["Type"], each["Scheme"]) == (kind, scheme)]
    return name


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("checked", [False, True], ids=["unchecked", "checked"])
def test_a_rolling_deployment_loses_no_request_at_an_alb(checked: bool, seed: int) -> None:
    """Tasks serve until SIGTERM plus 2 s; each of the 50 requests a second is answered."""
    traffic = roll(Case(checked=checked), seed, after=5)
    assert traffic.sent > 1000
    assert not traffic.reasons
    assert len(traffic.tasks) == 8, "all old and all new tasks had their share"


def test_at_an_nlb_a_container_health_check_makes_the_difference() -> None:
    """An NLB lets a target in after two checks. ECS stops the old tasks before, unless it waits for HEALTHY itself."""
    assert not roll(Case("internal:5432 protocol=TCP", checked=True), 0).reasons
    assert roll(Case("internal:5432 protocol=TCP"), 0).reasons["reset"]


def test_at_an_nlb_without_one_tasks_may_serve_on_instead() -> None:
    """As the README advises: the last old target stays for as long as two quick checks of the new ones take."""
    value = "internal:5432 protocol=TCP interval=5"
    assert not roll(Case(value, stopping=15.0), 0, after=5).reasons
    assert roll(Case(value), 0, after=5).reasons["reset"]


def test_targets_that_leave_on_stopped_lose_requests() -> None:
    """What the product is for; and what shows that the tests above could fail."""
    assert roll(Case(""), 0).reasons["502"] > 50


def of_a_thousand(farm: Farm) -> Traffic:
    with farm.traffic(balancer(farm), 80, Request(HOST, "/api"), per_second=100) as traffic:
        farm.run_until(lambda: traffic.sent == 1000, limit=60)
    assert not traffic.reasons
    return traffic


def test_weights_split_a_thousand_requests_and_follow_an_edit_of_the_tag() -> None:
    with Farm.virtual(parameters=MAKES) as farm:
        value = f"internal host={HOST} path=/api weight="
        put_behind(farm, f"{value}90", "conejo")
        put_behind(farm, f"{value}10", "gallina")
        farm.run_for(15)
        assert of_a_thousand(farm).answered["gallina"] == pytest.approx(100, abs=30)
        farm.tag("gallina", {TAG: f"{value}90"})
        farm.run_for(5)
        assert of_a_thousand(farm).answered["gallina"] == pytest.approx(500, abs=30)
        farm.tag("conejo", {TAG: f"{value}0"})
        farm.run_for(5)
        assert of_a_thousand(farm).answered == {"gallina": 1000}


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    """A service behind each kind of entrance, on the wall clock."""
    with Farm.wall(pace=FAST, parameters=MAKES) as farm:
        for (kind, scheme), (_, value) in WAYS_IN.items():
            farm.create_service(f"{kind}-{scheme}", 1, public=False, tags={TAG: value})
        yield farm


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "scheme"), WAYS_IN)
def test_each_kind_of_entrance_answers_real_requests(farm: Farm, kind: str, scheme: str) -> None:
    port, value = WAYS_IN[kind, scheme]
    host = value.partition("host=")[2]
    eventually(lambda: is_open(farm, kind, scheme, port))
    with farm.traffic(balancer(farm, kind, scheme), port, Request(host), per_second=100) as traffic:
        eventually(lambda: traffic.sent >= 50)
    assert not traffic.reasons
    assert set(traffic.answered) == {f"{kind}-{scheme}"}


def is_open(farm: Farm, kind: str, scheme: str, port: int) -> bool:
    """Whether the load balancer listens, and the service's only task is healthy."""
    there = farm.elb.describe_load_balancers()["LoadBalancers"]
    arns = [each["LoadBalancerArn"] for each in there if (each["Type"], each["Scheme"]) == (kind, scheme)]
    groups = [
        group["TargetGroupArn"]
        for arn in arns
        for group in farm.elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]
    ]
    states = {state for group in groups for state in farm.targets(group).values()}
    return states == {"healthy"} and bool(farm.doors(balancer(farm, kind, scheme), port))
