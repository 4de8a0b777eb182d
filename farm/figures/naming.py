"""Names that follow their tasks: what `expose:dns` costs and how quick it is, on virtual time.

A rotation is a rolling deployment of a service with 4 tasks at about the pace of life: 4 new tasks, 4 old ones, and
events under the bus's manners. Nothing that can be measured on the world is taken from the product's own words.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rich.table import Table

from farm import seed
from farm.aws.ecs.model import Task
from farm.bus import Manners
from farm.farm import Farm
from farm.figures.measuring import BY_THE_CLOCK, between, manners, spread
from farm.gate import USER
from farm.pace import REAL
from farm.tasks import listeners

NAME = f"conejo.{seed.NAMESPACE}"
CONTROL = frozenset({"ecs", "ec2", "servicediscovery"})
WRITES = frozenset({"RegisterInstance", "DeregisterInstance"})


@dataclass(slots=True)
class Rotation:
    """One rotation as the world saw it; times in seconds."""

    right: bool = False
    calls: int = 0
    writes: int = 0
    bookkeeping: int = 0
    sweeping: int = 0
    to_publish: list[float] = field(default_factory=list)
    """From RUNNING to answered, for each new task."""
    to_withdraw: list[float] = field(default_factory=list)
    """From the decision to stop to not answered any more, for each old task."""
    stale: list[float] = field(default_factory=list)
    """How long after it had STOPPED a task was still answered."""
    empty: float = 0.0


class Watch:
    """Notes when tasks change their state and when the name changes its answer."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self.running: dict[str, float] = {}
        self.stopping: dict[str, float] = {}
        self.stopped: dict[str, float] = {}
        self.answered: dict[str, float] = {}
        self.withdrawn: dict[str, float] = {}
        self.empty = 0.0
        self._empty_since: float | None = None
        self._answer = set(farm.resolve(NAME))
        farm.living.followers.append(self._task)
        farm.names.watchers.append(self._look)

    def _task(self, task: Task) -> None:
        now = self._farm.timeline.now()
        for address in {listener.address for listener in listeners(task)}:
            if task.desired_status == "STOPPED":
                self.stopping.setdefault(address, now)
            elif task.last_status == "RUNNING":
                self.running.setdefault(address, now)
            if task.last_status in {"DEPROVISIONING", "STOPPED"}:
                self.stopped.setdefault(address, now)

    def _look(self) -> None:
        now, answer = self._farm.timeline.now(), set(self._farm.resolve(NAME))
        self.answered |= {address: now for address in answer - self._answer if address not in self.answered}
        self.withdrawn |= dict.fromkeys(self._answer - answer, now)
        if not answer and self._empty_since is None:
            self._empty_since = now
        elif answer and self._empty_since is not None:
            self.empty += now - self._empty_since
            self._empty_since = None
        self._answer = answer


def rotate(how: Manners) -> Rotation:
    """Roll a service of 4 tasks over, and let a minute pass after the last event."""
    with Farm.virtual(pace=replace(REAL, propagation=0.0), seed=how.seed) as farm:
        farm.create_namespace(seed.NAMESPACE)
        farm.settle()
        farm.create_service("conejo", 4, tags={"expose:dns": NAME})
        farm.run_until(lambda: farm.resolve(NAME) == farm.addresses("conejo") != [], limit=600)
        farm.settle()
        watch, before = Watch(farm), len(farm.calls())
        farm.bus.behave(how)
        farm.deploy_new_revision("conejo")
        farm.run_until(lambda: len(watch.stopped) == 4, limit=600)
        farm.run_for(150)
        calls = [call for call in farm.calls()[before:] if call.caller != USER]
        return Rotation(
            right=farm.resolve(NAME) == farm.addresses("conejo"),
            calls=sum(call.service in CONTROL and call.caller not in BY_THE_CLOCK for call in calls),
            writes=sum(call.operation in WRITES for call in calls),
            bookkeeping=sum(
                call.service not in CONTROL and call.caller not in BY_THE_CLOCK for call in calls
            ),
            sweeping=sum(
                call.service in CONTROL | {"resourcegroupstaggingapi"}
                for call in calls
                if call.caller in BY_THE_CLOCK
            ),
            to_publish=between(watch.running, watch.answered),
            to_withdraw=between(watch.stopping, watch.withdrawn),
            stale=between(watch.stopped, watch.withdrawn),
            empty=watch.empty,
        )


def rotations(seeds: int) -> Table:
    """Every kind of manners, with this many seeds each: the median, and the worst in brackets."""
    title = f"A rotation of 4 tasks, {seeds} seeds each: median (worst), seconds of virtual time"
    columns = (
        "events",
        "right",
        "calls",
        "of them writes",
        "own books",
        "published",
        "withdrawn",
        "stale",
        "empty",
    )
    table = Table(*columns, title=title)
    for name in manners(0):
        seen = [rotate(manners(number)[name]) for number in range(seeds)]
        table.add_row(
            name,
            f"{sum(each.right for each in seen)} of {seeds}",
            spread(each.calls for each in seen),
            spread(each.writes for each in seen),
            spread(each.bookkeeping for each in seen),
            spread(second for each in seen for second in each.to_publish),
            spread(second for each in seen for second in each.to_withdraw),
            spread(second for each in seen for second in each.stale),
            spread(each.empty for each in seen),
        )
    return table


def sweep_at_rest(services: int = 100) -> Table:
    """The calls of one sweep over services of one task each that are as they should be, and of what it has verified."""
    with Farm.virtual() as farm:
        farm.create_namespace(seed.NAMESPACE)
        farm.settle()
        for number in range(services):
            farm.create_service(f"s{number}", 1, tags={"expose:dns": f"s{number}.{seed.NAMESPACE}"})
        farm.run_for(180)
        before = len(farm.calls())
        farm.run_for(60)
        made = [call for call in farm.calls()[before:] if call.caller != USER and call.service != "sqs"]
    table = Table("by", "call", "times", title=f"A minute at rest, {services} services")
    names = [(call.caller, f"{call.service}:{call.operation}") for call in made]
    for caller, name in sorted(set(names)):
        table.add_row(caller, name, str(names.count((caller, name))))
    return table
