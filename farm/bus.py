"""AWS services' own events, put on the default bus as AWS sends them.

`living` says what happened; the bus wraps it in an envelope and hands it to EventBridge, on the timeline, with the
manners it was given: a little later, sometimes twice (same id, same body), far too late, out of order, or never.
All of it follows from one seed, so that a test that fails fails again.
"""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from farm.aws import ACCOUNT, ONE_AT_A_TIME, REGION
from farm.timeline import Timeline

Envelope = dict[str, Any]
Deliver = Callable[[Envelope], object]


def iso(at: float, *, milliseconds: bool = False) -> str:
    """A moment as AWS writes it: envelopes to the second, the inside of ECS's events to the millisecond."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds" if milliseconds else "seconds")
    return text.replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Manners:
    """How well the bus behaves: chances from 0 to 1, times in seconds."""

    seed: int = 0
    delay: tuple[float, float] = (0.1, 0.5)
    duplicate: float = 0.0
    drop: float = 0.0
    late: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """The chance that a delivery is late, and how much later than others, from and to."""

    @classmethod
    def calm(cls) -> Manners:
        """Every event at once, once, in order."""
        return cls(delay=(0.0, 0.0))

    @classmethod
    def rough(cls, seed: int) -> Manners:
        """At least once and in any order, as AWS reserves the right to (F§1.1), and some events lost."""
        return cls(seed=seed, delay=(0.0, 5.0), duplicate=0.3, drop=0.1, late=(0.2, 10.0, 120.0))


class Bus:
    """Emits events; `log` keeps each once, in the order in which they happened, delivered or not."""

    def __init__(self, timeline: Timeline, manners: Manners, deliver: Deliver) -> None:
        self.log: list[Envelope] = []
        self.lost: list[Envelope] = []
        self.manners = manners
        self._timeline = timeline
        self._deliver = deliver
        self._random = random.Random(manners.seed)
        self._to_lose: list[Callable[[Envelope], bool]] = []

    def behave(self, manners: Manners) -> None:
        """From now on have these manners, from their seed on."""
        self.manners = manners
        self._random = random.Random(manners.seed)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._timeline.now(), UTC)

    def emit(
        self, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()
    ) -> Envelope:
        envelope: Envelope = {
            "version": "0",
            "id": str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            "detail-type": detail_type,
            "source": source,
            "account": ACCOUNT,
            "time": iso(self._timeline.now()),
            "region": REGION,
            "resources": list(resources),
            "detail": copy.deepcopy(dict(detail)),
        }
        self.log.append(envelope)
        self._send(envelope)
        return envelope

    def lose(self, where: Callable[[Envelope], bool]) -> Callable[[], None]:
        """Lose every event for which `where` holds, until the returned function is called."""
        self._to_lose.append(where)
        return lambda: self._to_lose.remove(where)

    def _send(self, envelope: Envelope) -> None:
        if self._random.random() < self.manners.drop or any(where(envelope) for where in self._to_lose):
            self.lost.append(envelope)
            return
        twice = self._random.random() < self.manners.duplicate
        for _ in range(2 if twice else 1):
            self._timeline.after(self._delay(), lambda: self._arrive(envelope))

    def _arrive(self, envelope: Envelope) -> None:
        with ONE_AT_A_TIME:
            self._deliver(copy.deepcopy(envelope))

    def _delay(self) -> float:
        chance, low, high = self.manners.late
        late = self._random.uniform(low, high) if self._random.random() < chance else 0.0
        return self._random.uniform(*self.manners.delay) + late
