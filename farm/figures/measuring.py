"""What all measurements have in common: the manners of the bus, the times between two things, and how they are told."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from rich.table import Table

from farm.aws.ecs.model import Task
from farm.balancers.routing import Request
from farm.balancers.traffic import Traffic
from farm.bus import Manners
from farm.farm import Farm

BY_THE_CLOCK = frozenset({"audit", "sweep"})
"""The functions that a schedule wakes, whatever happens."""

REQUEST = Request("conejo.animales.com", "/api")


def manners(number: int) -> Mapping[str, Manners]:
    """How the bus behaves, by what is measured under it, for one seed."""
    return {
        "in order": Manners(seed=number, delay=(0.2, 0.2)),
        "shuffled": Manners(seed=number, delay=(0.2, 60.0)),
        "duplicated": Manners(seed=number, delay=(0.2, 1.0), duplicate=1.0),
        "5% dropped": Manners(seed=number, delay=(0.2, 1.0), drop=0.05),
    }


def between(first: Mapping[str, float], then: Mapping[str, float]) -> list[float]:
    """The seconds from one thing to the other, for each key of both; 0 where the other came first."""
    return [max(0.0, then[key] - at) for key, at in first.items() if key in then]


def spread(values: Iterable[float]) -> str:
    """The median, and the worst in brackets."""
    numbers = list(values)
    if not numbers:
        return "-"
    worst, median = max(numbers), statistics.median(numbers)
    form = "{:.0f}" if all(float(number).is_integer() for number in numbers) else "{:.1f}"
    return f"{form.format(median)} ({form.format(worst)})"


class Case(Protocol):
    """What is measured in one row of a table."""

    def words(self) -> Sequence[str]: ...


def roll_over(farm: Farm, traffic: Traffic, what: object, *, after: float) -> None:
    """One rolling deployment of the 4 tasks of conejo under traffic, from a second before it until some seconds `after`
    the last old task. Raise `RuntimeError`, with `what` was measured, where it does not end.
    """
    stopped: set[str] = set()

    def follow(task: Task) -> None:
        if task.last_status == "STOPPED":
            stopped.add(task.id)

    farm.living.followers.append(follow)
    with traffic:
        farm.run_for(1)
        farm.deploy_new_revision("conejo")
        if not farm.run_until(lambda: len(stopped) == 4, limit=600):
            raise RuntimeError(f"the deployment did not end: {what}")
        farm.run_for(after)


def lost(
    columns: Sequence[str], title: str, runs: int, seen: Iterable[tuple[Case, Sequence[Traffic]]]
) -> Table:
    """What was lost in so many runs of each case, whose words stand in the first columns."""
    table = Table(*columns, "requests a run", "runs with 0 lost", "lost", "as", title=title)
    for case, each in seen:
        reasons = sorted({reason for traffic in each for reason in traffic.reasons})
        table.add_row(
            *case.words(),
            spread(traffic.sent for traffic in each),
            f"{sum(not traffic.lost for traffic in each)} of {runs}",
            spread(len(traffic.lost) for traffic in each),
            " ".join(reasons) or "-",
        )
    return table


def requests(farm: Farm, balancer: str, port: int) -> Traffic:
    """50 of them a second to a load balancer, while a `with` lasts."""
    return farm.traffic(balancer, port, REQUEST)
