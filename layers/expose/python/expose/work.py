"""Work: the message that names a service to look at, as it travels through the queues."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from enum import IntEnum
from typing import Any

from expose.arn import ServiceArn
from expose.refusals import Refused


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
    the epoch. `patient` work may wait for more of its kind. `attempts` counts the looks that came to nothing,
    `troubled_since` says when the first of them did, 0 for none. `withdrawn` says that what is gone has had its own way
    (see `withdraw`) already.
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
    troubled_since: float = 0.0
    withdrawn: bool = False

    @property
    def gone(self) -> bool:
        """Whether it tells of tasks or addresses that are to be withdrawn, whatever else is wrong."""
        return bool(self.stopping or self.stopped or self.astray)

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
            troubled_since=min(filter(None, (self.troubled_since, other.troubled_since)), default=0.0),
            withdrawn=self.withdrawn or other.withdrawn,
        )

    def again(self, now: float) -> Work:
        """After a look that came to nothing."""
        return replace(self, attempts=self.attempts + 1, troubled_since=self.troubled_since or now)


def dump(work: Work, once: str = "") -> str:
    return json.dumps(asdict(work) | ({"once": once} if once else {}))


def load(body: str) -> tuple[Work, str]:
    """The work, and the name under which it is to be queued only once. Raise `ValueError` for anything else.

    What a newer version has added is left out: it must not make a dead letter of a message.
    """
    try:
        data = json.loads(body)
        once = data.get("once", "")
        known = {field.name: data[field.name] for field in fields(Work) if field.name in data}
        named = {name: _names(data.get(name, [])) for name in ("stopping", "stopped", "astray")}
        (service,) = _names([known.pop("service")])
        _check(service)
        work = Work(
            service, **known | named | {"depth": Depth(data["depth"]), "since": float(data.get("since", 0.0))}
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a work message: {body[:200]}") from error
    return work, once


def _check(service: str) -> None:
    """Raise `ValueError` for what is no ARN of a service. The old short form is one, and is told so."""
    with suppress(Refused):
        ServiceArn.parse(service)


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TypeError(f"expected a list of names, got {value!r}")
    return tuple(value)


class WorkerDied(Exception):  # noqa: N818 - it names what happened
    """A message was received before: its worker was killed, at the timeout or for want of memory."""

    def __init__(self) -> None:
        super().__init__("a worker died over this work")


@dataclass(frozen=True, slots=True)
class Received:
    """A message as a queue handed it out, for the how manieth time."""

    body: str
    times: int = 1


class Fold:
    """The work of a batch, one piece for each service.

    What was received before was in the hands of a worker that died: it may be what killed it.
    """

    def __init__(self, messages: Iterable[Received]) -> None:
        self._works: dict[str, Work] = {}
        self._suspects: set[str] = set()
        for message in messages:
            try:
                work, _ = load(message.body)
            except ValueError:
                continue  # it is refused when its own turn comes
            self._works[work.service] = (
                self._works[work.service].with_(work) if work.service in self._works else work
            )
            if message.times > 1:
                self._suspects.add(work.service)

    def suspects(self) -> list[Work]:
        """All the work of the services whose messages were received before; it is not taken any more."""
        return [self._works.pop(service) for service in sorted(self._suspects)]

    def take(self, body: str) -> Work | None:
        """All the work of the service that `body` is about, once. Raise `ValueError` for a body that is no work."""
        work, _ = load(body)
        return self._works.pop(work.service, None)
