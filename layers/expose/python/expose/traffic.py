"""Which tasks of a service count: those of the deployments, or of the task sets, that take production traffic.

A rolling deployment mixes old and new on purpose, so all count. Everywhere else two colours run side by side, and one
of them takes nothing or only test traffic: it is not published (F§11.8). Addresses have no weights, so while traffic
shifts step by step, the old colour is what is published, until all of it has shifted. Where AWS does not say how far
that is, what counted before goes on counting and the new colour waits.

What ECS puts in a task's `startedBy` is the id of its deployment or task set.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_WHOLE = 100.0  # percent
_SHIFTED = frozenset({"POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP"})
_UNDER_WAY = frozenset({"PENDING", "IN_PROGRESS"})


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a deployment has got that shifts traffic at once or in steps. `weight` is the percentage of production
    traffic that the new revision is to get, None where it is not told.
    """

    status: str
    stage: str = ""
    weight: float | None = None

    @property
    def done(self) -> bool:
        """Whether the new revision takes it all, be it until a rollback."""
        if self.weight is not None:
            return self.weight >= _WHOLE
        return self.status == "SUCCESSFUL" or (self.status in _UNDER_WAY and self.stage in _SHIFTED)


def of_task_sets(
    primary: Sequence[str], others: Sequence[str], *, before: Collection[str]
) -> tuple[str, ...]:
    """The primary one; for as long as there is none, those that counted before, if any."""
    return tuple(primary) or _still(others, before)


def of_deployments(
    newest_first: Sequence[str], shift: Shift | None, *, before: Collection[str]
) -> tuple[str, ...]:
    """Of deployments that shift traffic: the newest when it has all of it, until then the older ones."""
    newest, older = tuple(newest_first[:1]), tuple(newest_first[1:])
    if not older:
        return newest
    if shift:
        return newest if shift.done else older
    return _still(newest_first, before) or older


def _still(there: Collection[str], before: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted({*there} & {*before}))
