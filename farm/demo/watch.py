"""The witness: asks the name server for the names many times a second, and knows when each task lived and stopped.

What a name answers is right when each address in it belongs to a task of that service which had not STOPPED when the
question was asked. A task that has been told to stop, but still runs, is no error; for how long it is still answered
is measured.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from farm.aws.addresses import PUBLIC
from farm.aws.ecs import Task
from farm.demo.world import World
from farm.tasks import listeners

RATE = 30.0  # questions a second for each name
_NEVER = float("inf")


@dataclass(slots=True)
class Life:
    """One task, as the witness saw it: when it was running, told to stop, and STOPPED. Infinity for not yet."""

    task: str
    service: str
    seen_at: float
    address: str = ""
    running_at: float = _NEVER
    told_at: float = _NEVER
    stopped_at: float = _NEVER


@dataclass(frozen=True, slots=True)
class Sample:
    """One question and its answer."""

    asked_at: float
    heard_at: float
    addresses: frozenset[str]


class Watch:
    """Everything seen so far of some names, each of one service: `names` has the service by name."""

    def __init__(self, world: World, names: Mapping[str, str]) -> None:
        self._world = world
        self._names = names
        self._lives: dict[str, Life] = {}
        self._samples: dict[str, list[Sample]] = {service: [] for service in names.values()}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, name="watch", daemon=True)
        world.farm.living.followers.append(self._follow)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=5)

    def of(self, service: str, since: float) -> Window:
        """What has been seen of one service from a moment on."""
        lives = [life for life in list(self._lives.values()) if life.service == service]
        samples = [sample for sample in list(self._samples.get(service, ())) if sample.asked_at >= since]
        return Window(since, tuple(lives), tuple(samples))

    def _follow(self, task: Task) -> None:
        """Told of every step of every task, as it is made."""
        now = time.time()
        life = self._lives.setdefault(task.id, Life(task.id, task.service_name or task.group, now))
        if task.last_status == "STOPPED":
            life.stopped_at = min(life.stopped_at, now)
        else:
            life.address = life.address or _public(task)
        if task.last_status == "RUNNING":
            life.running_at = min(life.running_at, now)
        if task.desired_status == "STOPPED":
            life.told_at = min(life.told_at, now)

    def _ask_on(self) -> None:
        while not self._over.wait(1 / RATE):
            for name, service in self._names.items():
                asked_at = time.time()
                answer = self._world.ask(name)
                if answer:
                    self._samples[service].append(Sample(asked_at, time.time(), answer.addresses))


@dataclass(frozen=True, slots=True)
class Window:
    """The tasks of one service and what its name answered, if it has one, from `since` on."""

    since: float
    lives: tuple[Life, ...]
    samples: tuple[Sample, ...]

    @property
    def empty(self) -> int:
        """How many answers had no address."""
        return sum(not sample.addresses for sample in self.samples)

    @property
    def wrong(self) -> int:
        """How many answers had an address that no task of the service had, or only one that had STOPPED before."""
        return sum(any(self.is_wrong(sample, each) for each in sample.addresses) for sample in self.samples)

    def is_wrong(self, sample: Sample, address: str) -> bool:
        return not any(
            life.address == address
            and life.running_at <= sample.heard_at
            and life.stopped_at >= sample.asked_at
            for life in self.lives
        )

    def settled_at(self) -> float:
        """When it first answered as it did ever after."""
        at, last = 0.0, frozenset[str]()
        for sample in self.samples:
            if not at or sample.addresses != last:
                at, last = sample.heard_at, sample.addresses
        return at

    def to_publish(self) -> float:
        """The longest that an address took from RUNNING to the first answer with it."""
        return max(
            (at - life.running_at for life in self._begun() if (at := self._first(life)) is not None),
            default=0.0,
        )

    def to_withdraw(self) -> float:
        """The longest that an address was still answered after its task was told to stop, or died."""
        told = [life for life in self.lives if self.since <= life.told_at < _NEVER]
        return max((self._last(life) - life.told_at for life in told), default=0.0)

    def to_stop(self) -> float:
        """The shortest that a task took from being told to stop to STOPPED: the time there is to withdraw it."""
        ended = [life for life in self.lives if self.since <= life.told_at < life.stopped_at < _NEVER]
        return min((life.stopped_at - life.told_at for life in ended), default=0.0)

    def _begun(self) -> Iterator[Life]:
        return (life for life in self.lives if self.since <= life.running_at < _NEVER)

    def _first(self, life: Life) -> float | None:
        return next((sample.heard_at for sample in self.samples if life.address in sample.addresses), None)

    def _last(self, life: Life) -> float:
        """When it was answered for the last time, if after it was told to stop; else when it was told."""
        times = [sample.heard_at for sample in self.samples if life.address in sample.addresses]
        return max([life.told_at, *times])


def _public(task: Task) -> str:
    addresses = {each.address for each in listeners(task)}
    return next((each for each in sorted(addresses) if ipaddress.ip_address(each) in PUBLIC), "")
