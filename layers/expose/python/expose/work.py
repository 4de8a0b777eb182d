"""Work: the message that names a service to look at, as it travels through the queues."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any


class Depth(IntEnum):
    """How much a pass reads, each including the one before.

    `RECORD` reads the ledger only, `TASKS` the running tasks, `SERVICE` the service and its tags, `FULL` also
    everything that its exposures made in AWS.
    """

    RECORD = 0
    TASKS = 1
    SERVICE = 2
    FULL = 3


@dataclass(frozen=True, slots=True)
class Work:
    """A service to look at, and why. Never what to do there: that is read fresh.

    `stopping` holds ids of tasks whose desired status is STOPPED, the one fact that never reverts, `stopped` those of
    them that do not serve any more. `astray` are public addresses that we publish and nobody of ours holds: they go
    whatever else is wrong. `since` is when the change that asks for this look happened, in seconds since
    the epoch. `patient` work may wait for more of its kind, `attempts` counts the looks that came to nothing because
    AWS would not answer.
    """

    service: str
    reason: str
    depth: Depth
    stopping: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    astray: tuple[str, ...] = ()
    since: float = 0.0
    patient: bool = False
    attempts: int = 0

    def with_(self, other: Work) -> Work:
        """Both at once: a batch looks at each service a single time."""
        return Work(
            service=self.service,
            reason=self.reason if self.depth >= other.depth else other.reason,
            depth=max(self.depth, other.depth),
            stopping=tuple(dict.fromkeys(self.stopping + other.stopping)),
            stopped=tuple(dict.fromkeys(self.stopped + other.stopped)),
            astray=tuple(dict.fromkeys(self.astray + other.astray)),
            since=min(filter(None, (self.since, other.since)), default=0.0),
            patient=self.patient and other.patient,
            attempts=max(self.attempts, other.attempts),
        )


def dump(work: Work, once: str = "") -> str:
    return json.dumps(asdict(work) | ({"once": once} if once else {}))


def load(body: str) -> tuple[Work, str]:
    """The work, and the name under which it is to be queued only once. Raise `ValueError` for anything else."""
    try:
        data = json.loads(body)
        once = data.pop("once", "")
        named = {name: _names(data.get(name, [])) for name in ("stopping", "stopped", "astray")}
        (service,) = _names([data.pop("service")])
        work = Work(
            service, **data | named | {"depth": Depth(data["depth"]), "since": float(data.get("since", 0.0))}
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a work message: {body[:200]}") from error
    return work, once


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TypeError(f"expected a list of names, got {value!r}")
    return tuple(value)


class Fold:
    """The work of a batch, one piece for each service."""

    def __init__(self, bodies: Iterable[str]) -> None:
        self._works: dict[str, Work] = {}
        for body in bodies:
            try:
                work, _ = load(body)
            except ValueError:
                continue  # it is refused when its own turn comes
            self._works[work.service] = (
                self._works[work.service].with_(work) if work.service in self._works else work
            )

    def take(self, body: str) -> Work | None:
        """All the work of the service that `body` is about, once. Raise `ValueError` for a body that is no work."""
        work, _ = load(body)
        return self._works.pop(work.service, None)
