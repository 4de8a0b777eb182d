"""Rule 1 behind load balancers: whatever breaks at whatever call to ELB, the end is right and nothing leaks.

A service lives through the whole of it: tagged, changed, rolled over, untagged. Each life, another call of reconcile
goes wrong; at the end of each chapter the world is as it should be. A call that changes something is broken off after
its effect in one life and loses its answer in another; one that only reads is refused.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from farm.farm import Farm
from farm.gate import GATE, Call, Fault
from tests.integration.balanced import TAG, changes, clean, follows, inventory, kinds
from tests.integration.world import LISTED, READS, WORKERS, status

PATIENCE = 1500  # seconds; a message whose reader died is hidden for six minutes
SHARED = ("internal path=/a", "internal path=/b drain=5")
NAMED = ("net:5432", "net:5433 drain=5")
LENT = ("tg/used", "tg/other")

CHANGES = {SHARED: 17, NAMED: 13, LENT: 6}
"""How many changing calls such a life has, and below, of which kinds its reading calls are."""
READING = (
    "DescribeListeners",
    "DescribeLoadBalancers",
    "DescribeRules",
    "DescribeTags",
    "DescribeTargetGroupAttributes",
    "DescribeTargetGroups",
    "DescribeTargetHealth",
)

Values = tuple[str, str]


def live(values: Values, *faults: Fault) -> int:
    """The number of changing calls in this life."""
    with Farm.virtual(parameters={**LISTED, "GraceSeconds": "0", "CreateLoadBalancers": "any"}) as farm:
        farm.create_balancer("net", type="network")
        for name in ("used", "other"):
            farm.create_target_group(name, HealthCheckIntervalSeconds=10, HealthyThresholdCount=2)
            farm.create_balancer(name, group=name)
        before = inventory(farm)
        GATE.faults += faults
        farm.create_service("conejo", 1, tags={TAG: values[0]})
        assert reach(farm, lambda: right(farm, values[0])), "never there"
        farm.tag("conejo", {TAG: values[1]})
        farm.run_for(2)
        assert reach(farm, lambda: right(farm, values[1])), "never changed"
        farm.deploy_new_revision("conejo")
        farm.run_for(5)
        assert reach(farm, lambda: right(farm, values[1])), "never right after the deployment"
        farm.untag("conejo", TAG)
        assert reach(farm, lambda: clean(farm)), "something is left behind"
        assert inventory(farm) == before
        return len(changes(farm))


def reach(farm: Farm, reached: Callable[[], bool]) -> bool:
    """Looked at more and more rarely, for looking at everything takes longer than a second of the farm."""
    waited = step = 2.0
    while waited < PATIENCE:
        if reached():
            return True
        farm.run_for(step)
        waited += step
        step = min(step * 1.5, 60)
    return False


def right(farm: Farm, value: str) -> bool:
    found = status(farm, tag=TAG)
    if found.get("status") != "Active" or found.get("value") != value or not farm.living.steady():
        return False
    if value.startswith("tg/"):
        return follows(farm, group=value.removeprefix("tg/"))
    made = ["listener", "targetgroup"]
    shared = ["listener", "listener-rule", "loadbalancer", "targetgroup"]
    return kinds(farm) == (made if value.startswith("net") else shared) and follows(farm)


def changing(call: Call) -> bool:
    return reconcile(call) and not call.operation.startswith(READS)


def reconcile(call: Call) -> bool:
    return call.caller in WORKERS and call.service == "elbv2"


EACH = [
    pytest.param(values, nth, id=f"{values[0].partition(' ')[0]}-{nth}")
    for values, count in CHANGES.items()
    for nth in range(1, count + 1)
]


@pytest.mark.parametrize(("values", "nth"), EACH)
def test_a_crash_after_any_change_loses_nothing_and_leaks_nothing(values: Values, nth: int) -> None:
    live(values, Fault("crash", phase="after", nth=nth, where=changing))


@pytest.mark.parametrize(("values", "nth"), EACH[::4])
def test_a_lost_answer_to_any_change_loses_nothing_and_leaks_nothing(values: Values, nth: int) -> None:
    live(values, Fault("lost", nth=nth, where=changing))


@pytest.mark.parametrize(("values", "nth"), EACH[2::4])
def test_a_refused_change_loses_nothing_and_leaks_nothing(values: Values, nth: int) -> None:
    live(values, Fault("error", code="InternalFailure", nth={nth, nth + 1, nth + 2}, where=changing))


@pytest.mark.parametrize("operation", READING)
def test_a_refused_look_loses_nothing_and_leaks_nothing(operation: str) -> None:
    """Refused at every third time, so at some moment of each chapter."""
    live(SHARED, Fault("error", "InternalFailure", operation=operation, nth=range(1, 99, 3), where=reconcile))


@pytest.mark.parametrize("values", CHANGES)
def test_a_life_makes_about_as_many_changes_as_are_broken_here(values: Values) -> None:
    assert live(values) == CHANGES[values]
