"""Rule 1 for lists of addresses: whatever breaks at whatever call leaks no parameter and leaves no stopped task in one."""

from __future__ import annotations

import pytest

from farm.farm import Farm
from farm.gate import GATE, Fault
from tests.integration.listed import TAG, parameters, published
from tests.integration.world import WORKERS

TASKS = 6
PORTS = tuple(range(8000, 8050))  # so many that five tasks fill a parameter
VALUE = "+".join(map(str, PORTS))
CALLS = 92  # that reconcile makes in such a life, about
PUBLISHING = 17  # of them until all are published
PATIENCE = 1500.0  # seconds; a message whose reader died is hidden for six minutes


def live(fault: Fault) -> None:
    with Farm.virtual(ipv6=True) as farm:
        GATE.faults.append(fault)
        farm.create_service("conejo", TASKS, ports=PORTS, tags={TAG: VALUE})
        assert farm.run_until(lambda: followed(farm), limit=PATIENCE), "never published"
        farm.deploy_new_revision("conejo")
        farm.run_for(40)
        assert farm.run_until(lambda: followed(farm), limit=PATIENCE), (
            "never right again after the deployment"
        )
        farm.untag("conejo", TAG)
        assert farm.run_until(lambda: clean(farm), limit=PATIENCE), "something is left behind"


def followed(farm: Farm) -> bool:
    addresses = farm.addresses("conejo")
    return len(addresses) == TASKS and published(farm) == addresses and farm.settle()


def clean(farm: Farm) -> bool:
    return not parameters(farm) and not [item for item in farm.ledger() if item["pk"].startswith("SERVICE#")]


def reconcile(call: object) -> bool:
    return getattr(call, "caller", "") in WORKERS


@pytest.mark.parametrize("nth", range(1, CALLS + 1, 4))
def test_a_crash_after_any_call_loses_nothing_and_leaks_nothing(nth: int) -> None:
    live(Fault("crash", phase="after", nth=nth, where=reconcile))


@pytest.mark.parametrize("nth", range(3, CALLS + 1, 9))
def test_a_lost_answer_to_any_call_loses_nothing_and_leaks_nothing(nth: int) -> None:
    live(Fault("lost", nth=nth, where=reconcile))


@pytest.mark.parametrize("nth", range(6, CALLS + 1, 9))
def test_a_refused_call_loses_nothing_and_leaks_nothing(nth: int) -> None:
    live(Fault("error", code="InternalFailure", nth=nth, where=reconcile))


@pytest.mark.parametrize("nth", range(1, PUBLISHING + 1))
def test_a_crash_while_publishing_leaks_nothing_where_the_tag_goes_before_anybody_looks_again(
    nth: int,
) -> None:
    """Nothing asks for what was made any more, so nothing would find it but the claim."""
    with Farm.virtual(ipv6=True) as farm:
        farm.create_service("conejo", TASKS, ports=PORTS)
        farm.settle()
        GATE.faults.append(crash := Fault("crash", phase="after", nth=nth, where=reconcile))
        farm.tag("conejo", {TAG: VALUE})
        assert farm.run_until(lambda: crash.seen >= nth, limit=PATIENCE)
        farm.untag("conejo", TAG)
        assert farm.run_until(lambda: clean(farm), limit=PATIENCE), "something is left behind"


def test_one_s_own_parameter_is_not_taken_for_somebody_else_s_where_the_answer_to_making_it_was_lost() -> (
    None
):
    with Farm.virtual() as farm:
        GATE.faults.append(Fault("lost", operation="PutParameter", nth=1))
        farm.create_service("conejo", 2, tags={TAG: "8080"})
        assert farm.run_until(lambda: len(published(farm)) == 2, limit=60)
        farm.settle()
        assert not farm.published("Exposure Blocked")


def test_a_life_makes_about_as_many_calls_as_are_broken_here() -> None:
    watching = Fault("error", nth=0, where=reconcile)
    live(watching)
    assert CALLS * 0.7 < watching.seen <= CALLS * 1.3
