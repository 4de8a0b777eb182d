"""How long a stopped task's public address stays published: `expose:ip` over many rotations, on virtual time.

An address counts as published while it stands in the list in Parameter Store, as stopped once its containers are gone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from moto.ssm.models import ssm_backends
from rich.table import Table

from farm.aws import ACCOUNT, REGION
from farm.aws.ecs.model import Task
from farm.bus import Manners
from farm.farm import Farm
from farm.figures.measuring import spread
from farm.gate import GATE, USER, Call
from farm.pace import REAL
from farm.tasks import listeners

_SWEPT = 75  # seconds after the last task has stopped: a sweep, and what it queues


def unruly(seed: int) -> Mapping[str, Manners]:
    """How the bus behaves, by what is said of it."""
    return {
        "shuffled, duplicated, 5% dropped": Manners(seed=seed, delay=(0.2, 60.0), duplicate=0.5, drop=0.05),
        "half of them lost": Manners(seed=seed, delay=(0.2, 5.0), drop=0.5),
        "every event lost": Manners(seed=seed, drop=1.0),
    }


@dataclass(slots=True)
class Listed:
    """Notes when tasks have stopped and when their addresses leave the list."""

    farm: Farm
    stopped: dict[str, float] = field(default_factory=dict)
    withdrawn: dict[str, float] = field(default_factory=dict)
    _known: dict[str, set[str]] = field(default_factory=dict)
    _last: set[str] = field(default_factory=set)

    def follow(self, task: Task) -> None:
        """Tells what the task answers at, as long as anybody knows it."""
        known = self._known.setdefault(task.id, set())
        known |= {each.address for each in listeners(task)}
        if task.last_status in {"DEPROVISIONING", "STOPPED"}:
            for address in known:
                self.stopped.setdefault(address, self.farm.timeline.now())

    def look(self, call: Call, result: Any) -> None:  # noqa: ARG002 - an observer's signature
        """After each change of a parameter."""
        if call.service == "ssm" and call.caller != USER and not call.operation.startswith("Get"):
            now = addresses()
            self.withdrawn |= dict.fromkeys(self._last - now, self.farm.timeline.now())
            self._last = now

    @property
    def stale(self) -> list[float]:
        """How long after it had stopped each task was still in the list; without end where it still is."""
        listed = addresses()
        there = {address: at for address, at in self.stopped.items() if address in self.withdrawn}
        left = [float("inf") for address in self.stopped if address in listed]
        return [max(0.0, self.withdrawn[address] - at) for address, at in there.items()] + left


def addresses() -> set[str]:
    """All that is in any list now."""
    backend = ssm_backends[ACCOUNT][REGION]
    names = [name for name in backend._parameters if name.startswith("/expose/")]
    values = [found.value for name in names if (found := backend.get_parameter(name))]
    return {
        entry[family]
        for value in values
        for entry in json.loads(value)
        for family in entry.keys() & {"ipv4", "ipv6"}
    }


def stale(how: Manners, *, rotations: int) -> list[float]:
    """For each task that was replaced in so many rotations of 4, the seconds for which it outstayed itself."""
    with Farm.virtual(pace=REAL, seed=how.seed) as farm:
        farm.create_service("conejo", 4, tags={"expose:ip": "8080"})
        if not farm.run_until(lambda: len(addresses()) == 4, limit=600):
            raise RuntimeError("the service did not come up")
        watch = Listed(farm)
        watch._last = addresses()
        farm.living.followers.append(watch.follow)
        GATE.observers.append(watch.look)
        farm.bus.behave(how)
        for number in range(1, rotations + 1):
            farm.deploy_new_revision("conejo")
            if not farm.run_until(partial(_gone, watch, 4 * number), limit=900):
                raise RuntimeError(f"rotation {number} did not end")
            farm.run_for(_SWEPT)
        return watch.stale


def staying(rotations: int = 100, *, seeds: int = 10) -> Table:
    """The median, and the worst in brackets."""
    title = f"Seconds for which a stopped task's public address stays published, {rotations} rotations of 4 tasks each"
    table = Table("events", "tasks", "seconds: median (worst)", title=title)
    for name in unruly(0):
        found = [
            second
            for seed in range(seeds)
            for second in stale(unruly(seed)[name], rotations=max(1, rotations // seeds))
        ]
        table.add_row(name, str(len(found)), spread(found))
    return table


def _gone(watch: Listed, tasks: int) -> bool:
    return len([address for address in watch.stopped if address.startswith("127.30.")]) >= tasks
