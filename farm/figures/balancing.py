"""Target groups that follow their tasks: what `expose:lb` costs and how quick it is, on virtual time.

A rotation is the same as for names: a rolling deployment of 4 tasks at about the pace of life. The group is looked at
as the account has it, ten times a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.table import Table

from farm.aws import elb
from farm.aws.ecs.model import Task
from farm.bus import Manners
from farm.farm import Farm
from farm.figures.measuring import BY_THE_CLOCK, between, manners, spread
from farm.gate import USER
from farm.pace import REAL
from farm.tasks import listeners

_CONTROL = frozenset({"ecs", "ec2", "elbv2"})
_TICK = 0.1
_PLENTY = {"CreateLoadBalancers": "any"}


@dataclass(slots=True)
class Rotation:
    """One rotation as the world saw it; times in seconds."""

    right: bool = False
    calls: Counter[str] = field(default_factory=Counter)
    """By operation, the product's, but for the sweep's."""
    to_health: list[float] = field(default_factory=list)
    """From RUNNING to healthy, for each new task."""
    to_leave: list[float] = field(default_factory=list)
    """From the decision to stop to deregistered, for each old task."""
    stale: list[float] = field(default_factory=list)
    """How long after it had STOPPED a task was still registered."""


class Watch:
    """Notes when tasks change their state and what becomes of them as targets."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self.running: dict[str, float] = {}
        self.stopping: dict[str, float] = {}
        self.stopped: dict[str, float] = {}
        self.healthy: dict[str, float] = {}
        self.left: dict[str, float] = {}
        self._there = _registered()
        farm.living.followers.append(self._task)
        self._look()

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
        now, there = self._farm.timeline.now(), _registered()
        for address in there:
            if there[address] == "healthy":
                self.healthy.setdefault(address, now)
        self.left |= dict.fromkeys(self._there.keys() - there.keys(), now)
        self._there = there
        self._farm.timeline.after(_TICK, self._look)


def _registered() -> dict[str, str]:
    """The targets of all groups that do not drain, with their states."""
    targets = [target for group in elb.groups() for target in elb.targets(group)]
    return {target.address: target.state for target in targets if target.state != "draining"}


def rotate(how: Manners) -> Rotation:
    """Roll a service of 4 tasks behind an ALB over, and let two minutes pass after the last has stopped."""
    with Farm.virtual(pace=REAL, seed=how.seed, parameters=_PLENTY) as farm:
        farm.create_service("conejo", 4, public=False, tags={"expose:lb": "internal path=/api"})
        farm.run_until(lambda: list(_registered().values()) == ["healthy"] * 4, limit=600)
        farm.run_for(300)  # until the load balancer is active, and nothing of its making goes on
        watch, before = Watch(farm), len(farm.calls())
        farm.bus.behave(how)
        farm.deploy_new_revision("conejo")
        farm.run_until(lambda: len(watch.stopped) == 4, limit=600)
        farm.run_for(150)
        wanted = farm.addresses("conejo", public=False)
        return Rotation(
            right=_registered() == dict.fromkeys(wanted, "healthy"),
            calls=Counter(
                f"{call.service}:{call.operation}"
                for call in farm.calls()[before:]
                if call.service in _CONTROL and call.caller not in {USER, *BY_THE_CLOCK}
            ),
            to_health=between(watch.running, watch.healthy),
            to_leave=between(watch.stopping, watch.left),
            stale=between(watch.stopped, watch.left),
        )


def rotations(seeds: int) -> Iterator[Table]:
    """Two tables: how quick it is under every kind of manners, and which calls it takes."""
    seen = {how: [rotate(manners(number)[how]) for number in range(seeds)] for how in manners(0)}
    title = f"4 tasks behind one target group, {seeds} seeds each: median (worst), seconds of virtual time"
    quick = Table("events", "right", "calls", "healthy", "deregistered", "stale", title=title)
    for how, each in seen.items():
        quick.add_row(
            how,
            f"{sum(one.right for one in each)} of {seeds}",
            spread(one.calls.total() for one in each),
            spread(second for one in each for second in one.to_health),
            spread(second for one in each for second in one.to_leave),
            spread(second for one in each for second in one.stale),
        )
    yield quick
    calls = Table("call", *seen, title="The calls of these rotations: median (worst)")
    for name in sorted({name for each in seen.values() for one in each for name in one.calls}):
        calls.add_row(name, *(spread(one.calls[name] for one in each) for each in seen.values()))
    yield calls
