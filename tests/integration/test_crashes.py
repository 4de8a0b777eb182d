"""Rule 1: claim before create, release after seen gone. Whatever breaks at whatever call leaks nothing and is repaired.

A service lives through the whole of it: tagged, published, rolled over, untagged. Each life, another call of reconcile
goes wrong; at the end of each chapter the world is as it should be.
"""

from __future__ import annotations

import pytest

from farm.farm import Farm
from farm.gate import GATE, Fault
from tests.integration.world import WORKERS, kept

NAME = "conejo.granja.animales.com"
CALLS = 100  # that the workers make in such a life, about
PUBLISHING = 16  # of them until all is registered
PATIENCE = 1500.0  # seconds; a message whose reader died is hidden for six minutes


def live(fault: Fault) -> None:
    with Farm.virtual() as farm:
        farm.create_namespace("granja.animales.com")
        farm.settle()
        GATE.faults.append(fault)
        farm.create_service("conejo", 2, tags={"expose:dns": NAME})
        assert farm.run_until(lambda: published(farm), limit=PATIENCE), "never published"
        farm.deploy_new_revision("conejo")
        farm.run_for(20)
        assert farm.run_until(lambda: published(farm), limit=PATIENCE), (
            "never right again after the deployment"
        )
        farm.untag("conejo", "expose:dns")
        assert farm.run_until(lambda: clean(farm), limit=PATIENCE), "something is left behind"


def published(farm: Farm) -> bool:
    addresses = farm.addresses("conejo")
    return len(addresses) == 2 and farm.resolve(NAME) == addresses and farm.settle()


def clean(farm: Farm) -> bool:
    return not farm.cloudmap.list_services()["Services"] and not kept(farm)


def reconcile(call: object) -> bool:
    return getattr(call, "caller", "") in WORKERS


@pytest.mark.parametrize("nth", range(1, CALLS + 1, 2))
def test_a_crash_after_any_call_loses_nothing_and_leaks_nothing(nth: int) -> None:
    live(Fault("crash", phase="after", nth=nth, where=reconcile))


@pytest.mark.parametrize("nth", range(2, CALLS + 1, 6))
def test_a_lost_answer_to_any_call_loses_nothing_and_leaks_nothing(nth: int) -> None:
    live(Fault("lost", nth=nth, where=reconcile))


@pytest.mark.parametrize("nth", range(5, CALLS + 1, 6))
def test_a_refused_call_loses_nothing_and_leaks_nothing(nth: int) -> None:
    live(Fault("error", code="InternalFailure", nth=nth, where=reconcile))


@pytest.mark.parametrize("nth", range(1, PUBLISHING + 1))
def test_a_crash_while_publishing_leaks_nothing_where_the_tag_goes_before_anybody_looks_again(
    nth: int,
) -> None:
    """Nothing asks for what was made any more, so nothing would find it but the claim."""
    with Farm.virtual() as farm:
        farm.create_namespace("granja.animales.com")
        farm.create_service("conejo", 2)
        farm.settle()
        GATE.faults.append(crash := Fault("crash", phase="after", nth=nth, where=reconcile))
        farm.tag("conejo", {"expose:dns": NAME})
        assert farm.run_until(lambda: crash.seen >= nth, limit=PATIENCE)
        farm.untag("conejo", "expose:dns")
        assert farm.run_until(lambda: clean(farm), limit=PATIENCE), "something is left behind"


def test_a_life_makes_about_as_many_calls_as_are_broken_here() -> None:
    watching = Fault("error", nth=0, where=reconcile)
    live(watching)
    assert CALLS * 0.7 < watching.seen <= CALLS * 1.3
