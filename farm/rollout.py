"""What the ECS service scheduler would do next: a pure decision, from a service's tasks to what starts and what stops.

It keeps desiredCount tasks of the newest deployment, and on the way there never fewer healthy ones than
minimumHealthyPercent nor more live ones than maximumPercent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Live:
    """A task that is not stopping, in the order of its birth."""

    id: str
    deployment: str
    ready: bool
    """RUNNING and, where there is a health check, HEALTHY."""
    unhealthy: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What a service asks for."""

    desired: int
    deployment: str
    minimum_percent: int = 100
    maximum_percent: int = 200
    beside: bool = False
    """The old ones go on running beside the new ones: traffic is still shifting."""

    @property
    def floor(self) -> int:
        return math.ceil(self.desired * self.minimum_percent / 100)

    @property
    def ceiling(self) -> int:
        return math.floor(self.desired * self.maximum_percent / 100)


@dataclass(frozen=True, slots=True)
class Step:
    """How many tasks of the newest deployment start, and which tasks stop. Falsy when there is nothing to do."""

    start: int = 0
    stop: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.start or self.stop)


def next_step(wish: Wish, tasks: Sequence[Live]) -> Step:
    sick = [task for task in tasks if task.unhealthy]
    fresh = [task for task in tasks if task.deployment == wish.deployment and not task.unhealthy]
    old = [task for task in tasks if task.deployment != wish.deployment and not task.unhealthy]
    surplus = _first_to_go(fresh)[: max(0, len(fresh) - wish.desired)]
    replaced = [] if wish.beside else _replaced(wish, fresh, old)
    stop = [*sick, *replaced, *surplus]
    room = wish.ceiling - (len(tasks) - len(stop))
    start = max(0, min(wish.desired - len(fresh), room))
    return Step(start, tuple(task.id for task in stop))


def done(wish: Wish, tasks: Sequence[Live]) -> bool:
    """Whether the newest deployment has arrived: all of its tasks are ready and no other is left."""
    return len(tasks) == wish.desired and all(
        task.ready and task.deployment == wish.deployment for task in tasks
    )


def _replaced(wish: Wish, fresh: Sequence[Live], old: Sequence[Live]) -> list[Live]:
    """The old tasks that can go: those not serving at once, the others as far as the floor allows."""
    idle = [task for task in old if not task.ready]
    serving = [task for task in old if task.ready]
    ready = sum(task.ready for task in fresh) + len(serving)
    return [*idle, *serving[: max(0, ready - wish.floor)]]


def _first_to_go(tasks: Sequence[Live]) -> list[Live]:
    """Scaling in: tasks that do not serve yet before those that do, and of these the oldest first."""
    return sorted(tasks, key=lambda task: task.ready)
