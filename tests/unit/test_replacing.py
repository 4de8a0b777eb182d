"""Whom to replace: a task found unhealthy for too long, and nobody in each of the cases in which that would do harm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from expose.model import WATCHED, Identity, Owned, Service
from expose.policy import Replacing
from expose.replacing import choose
from tests.unit.values import NOW, service, task

GRACE = 60.0
COOL_DOWN = 120.0
FOUR = service(*(task(number) for number in range(4)), wanted=4, minimum_healthy=100)


def target(number: int, sick_for: float = 0.0, **more: Any) -> Owned:
    sick_since = NOW - sick_for if sick_for else 0.0
    identity = Identity("elb.target", f"group/10.20.0.{number}:8080")
    return Owned(
        identity, aws_id=f"10.20.0.{number}:8080", task=task(number).id, sick_since=sick_since, **more
    )


SICK = target(1, 61)
ONE_SICK = [Owned(Identity("elb.rule", "rule"), aws_id="rule"), target(0), SICK, target(2), target(3)]


def chosen(
    owned: list[Owned] = ONE_SICK, of: Service = FOUR, replaced_at: float = 0.0, grace: float = GRACE
) -> Owned | None:
    return choose(owned, of, Replacing(grace), replaced_at=replaced_at, now=NOW)


def test_the_one_that_has_been_sick_for_longer_than_its_grace_is_replaced() -> None:
    assert chosen() == SICK


def test_nobody_is_where_none_is_sick() -> None:
    assert chosen([target(number) for number in range(4)]) is None
    assert chosen([]) is None


@pytest.mark.parametrize(("sick_for", "is_chosen"), [(1, False), (59.9, False), (60, False), (60.1, True)])
def test_the_grace_counts_since_it_was_found_sick(sick_for: float, *, is_chosen: bool) -> None:
    assert (chosen([target(0), target(1, sick_for)]) is not None) is is_chosen


@pytest.mark.parametrize(("age", "is_chosen"), [(59.9, False), (60, False), (60.1, True)])
def test_the_grace_counts_from_the_start_of_the_task(age: float, *, is_chosen: bool) -> None:
    """An address that was sick before, with an earlier task, gives the new one all its time."""
    tasks = (task(0), task(1, started_at=NOW - age), task(2), task(3))

    assert (chosen(of=replace(FOUR, tasks=tasks)) is not None) is is_chosen


def test_without_a_grace_a_sick_one_goes_at_once() -> None:
    assert chosen([target(0), target(1, 0.1)], grace=0) is not None


def test_the_one_that_is_sick_for_the_longest_goes_first() -> None:
    for order in ([100, 300, 200], [300, 200, 100], [200, 100, 300]):
        owned = [target(0), *(target(number, sick) for number, sick in enumerate(order, 1))]
        assert chosen(owned) == owned[1 + order.index(300)]


def test_one_at_a_time_with_a_pause_between() -> None:
    assert chosen(replaced_at=NOW) is None
    assert chosen(replaced_at=NOW - COOL_DOWN + 0.1) is None
    assert chosen(replaced_at=NOW - COOL_DOWN) == SICK


def test_nobody_while_a_deployment_is_rolling() -> None:
    assert chosen(of=replace(FOUR, rolling=True)) is None


def test_nobody_where_all_are_sick_because_that_is_the_checks_fault() -> None:
    assert chosen([target(number, 300) for number in range(4)]) is None
    assert chosen([target(1, 300)]) is None
    assert chosen([target(1, 300), target(2, 1)]) is None  # be it only just


def test_one_that_has_no_verdict_yet_is_neither_sick_nor_well() -> None:
    """Else a broken check would have the tasks stopped in turn, each while its predecessor's successor is new."""
    fresh = target(2, operation=WATCHED)
    assert chosen([target(1, 300), fresh]) is None
    assert chosen([target(1, 300), fresh, target(3)]) is not None


def test_a_task_that_does_not_run_or_is_to_stop_is_left_alone() -> None:
    stopping = replace(FOUR, tasks=(task(0), task(2), task(3), task(4)))
    starting = replace(FOUR, tasks=(task(0), task(1, running=False), task(2), task(3), task(4)))

    assert chosen(of=stopping) is None
    assert chosen(of=starting) is None


@pytest.mark.parametrize(
    ("minimum", "wanted", "running", "is_chosen"),
    [
        (100, 4, 5, True), (100, 4, 4, True), (100, 4, 3, False), (100, 2, 2, True),
        (50, 4, 4, True), (50, 4, 3, True), (50, 4, 2, False), (50, 3, 3, True), (50, 3, 2, False),
        (0, 4, 4, True), (0, 4, 2, True),
        (200, 4, 4, True), (200, 4, 3, False),
    ],
)  # fmt: skip
def test_the_minimum_healthy_percent_goes_on_running(
    minimum: int, wanted: int, running: int, *, is_chosen: bool
) -> None:
    """With 100 percent all others have to run; the sick one is none of the healthy."""
    tasks = tuple(task(number) for number in range(running))
    of = replace(FOUR, tasks=tasks, wanted=wanted, minimum_healthy=minimum)
    owned = [target(number, 61 if number == 1 else 0) for number in range(running)]

    assert (chosen(owned, of) is not None) is is_chosen


def test_a_task_that_is_starting_does_not_count_as_running() -> None:
    tasks = (task(0), task(1), task(2), task(3, running=False))

    assert chosen(of=replace(FOUR, tasks=tasks)) is None
