"""What the ledger remembers, as values: of a service, of each of its exposures. `bodies` makes bytes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from math import ceil
from typing import Any, TypeVar

from expose.mechanisms.surroundings import Lookup
from expose.model import Identity, Owned, Service
from expose.refusals import Status
from expose.shapes import UNSTORED, Extra

CLOCKS_DIFFER = 0.1  # seconds by which a message may come before its time, as the functions' clocks tell it

PIECE = 1000
"""Of how many tasks one item tells, which holds 400 KB at most: what is longer is spread over several."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stored:
    """How a memory or a record stands in the table: no part of what it says.

    `unknown` are fields that only another version understands, to be written back as they were; `amid` those of them that
    stood among the fields of all versions. `pieces` are the digests of the items beside the first. `unreadable` says that it is
    there and cannot be read, `rev` which version of it that is.
    """

    unknown: Extra = field(default_factory=dict)
    amid: Extra = field(default_factory=dict)
    pieces: tuple[str, ...] = ()
    rev: int = 0
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """A service as last read, and what is known of its tasks beyond that.

    `stopping` are ids of tasks that are to stop and may still have been serving when we heard of it, `stopped` of those that do
    not serve any more, each with the time of hearing it: that never reverts, so no stale answer brings them back.
    `none_ready_since` is 0 while any task is ready. `replaced_at` is when a task was last stopped for being sick. Times
    are seconds since the epoch.
    """

    service: Service
    stopping: Mapping[str, float] = field(default_factory=dict)
    stopped: Mapping[str, float] = field(default_factory=dict)
    none_ready_since: float = 0.0
    replaced_at: float = 0.0
    version: int = 0
    stored: Stored = field(default=Stored(), compare=False, metadata=UNSTORED)

    @property
    def unreadable(self) -> bool:
        """Whether it is only a beginning: of what ran before, nothing is known but which tasks have stopped."""
        return self.stored.unreadable

    def parts(self) -> list[Memory]:
        """As it is spread over items; the first has all that there is only once."""
        longest = max(map(len, (self.service.tasks, self.stopping, self.stopped)))
        return [self._part(number) for number in range(max(1, ceil(longest / PIECE)))]

    def with_pieces(self, pieces: Sequence[Memory], digests: tuple[str, ...]) -> Memory:
        """Of what was dealt out by `parts`."""
        all_ = (self, *pieces)
        tasks = tuple(task for each in all_ for task in each.service.tasks)
        return replace(
            self,
            service=replace(self.service, tasks=tasks),
            stopping={task: at for each in all_ for task, at in each.stopping.items()},
            stopped={task: at for each in all_ for task, at in each.stopped.items()},
            stored=_joined(all_, digests),
        )

    def _part(self, number: int) -> Memory:
        whole = self if number == 0 else Memory(Service(self.service.arn), stored=self.stored)
        return replace(
            whole,
            service=replace(whole.service, tasks=_dealt(self.service.tasks, number)),
            stopping=dict(_dealt(tuple(self.stopping.items()), number)),
            stopped=dict(_dealt(tuple(self.stopped.items()), number)),
        )


@dataclass(frozen=True, slots=True)
class Record:
    """An exposure as the ledger knows it.

    `value` is the tag's value as last seen, `good` the last one that could be carried out: while the new one cannot,
    the good one goes on being followed. `found` and `good_found` are the answers to their look-ups. `look_at` is when the service is
    to be looked at again, `retry_at` when everything is read and tried anew after a refusal or a failure; both 0 for
    not at all. `watch_at` is when AWS is asked again how healthy they are that it owns, 0 for not at all. `since` is when
    the change happened that is not published yet. `announced` tells what was said last, `astray` which addresses were said to be
    published in vain, and stay.
    `status_since` is when the status became what it is, 0 where that is not known. `closed` is set for good when the
    stack is being deleted. `limits` is the digest of those under which it was decided last.
    """

    service: str
    tag: str
    value: str = ""
    good: str = ""
    status: Status = Status.PENDING
    status_since: float = 0.0
    code: str = ""
    message: str = ""
    owned: tuple[Owned, ...] = ()
    found: Mapping[Lookup, Any] = field(default_factory=dict)
    good_found: Mapping[Lookup, Any] = field(default_factory=dict)
    attempts: int = 0
    look_at: float = 0.0
    retry_at: float = 0.0
    watch_at: float = 0.0
    since: float = 0.0
    verified_at: float = 0.0
    announced: str = ""
    astray: tuple[str, ...] = ()
    closed: bool = False
    limits: str = ""
    version: int = 0
    stored: Stored = field(default=Stored(), compare=False, metadata=UNSTORED)

    @property
    def unreadable(self) -> bool:
        """Whether what it owns is not known: then it is not followed, not written over, and not forgotten."""
        return self.stored.unreadable

    def due(self, now: float) -> bool:
        """Whether its time for another look has come; for what cannot be read, until that is announced."""
        return not self.announced if self.unreadable else bool(self.look_at and self.look_at <= now)

    @property
    def by_identity(self) -> dict[Identity, Owned]:
        return {entry.identity: entry for entry in self.owned}

    def owning(self, entries: Mapping[Identity, Owned]) -> Record:
        return replace(self, owned=tuple(entries.values()))

    @property
    def tasks(self) -> frozenset[str]:
        """The ids of the tasks that are, or may be, published."""
        return frozenset(entry.task for entry in self.owned if entry.task)

    @property
    def addresses(self) -> list[str]:
        """Where the tasks are reachable: what is only claimed, or being withdrawn, is promised to nobody."""
        there = [each for each in self.owned if each.aws_id and not each.leaving]
        return sorted({address for each in there for address in each.address.split()})

    def parts(self) -> list[Record]:
        """As it is spread over items; the first has all that there is only once."""
        count = max(1, ceil(len(self.owned) / PIECE))
        first, *rest = [_dealt(self.owned, number) for number in range(count)]
        more = [Record(self.service, self.tag, owned=owned, stored=self.stored) for owned in rest]
        return [replace(self, owned=first), *more]

    def with_pieces(self, pieces: Sequence[Record], digests: tuple[str, ...]) -> Record:
        """Of what was dealt out by `parts`."""
        all_ = (self, *pieces)
        return replace(
            self, owned=tuple(one for each in all_ for one in each.owned), stored=_joined(all_, digests)
        )


def merged(base: Record, mine: Record, theirs: Record) -> Record:
    """`mine` upon `theirs`, where another worker has written the record since both were as `base`.

    What I have changed stands, else what they have: of what is owned, each resource by itself.
    """
    changed = {
        each.name: getattr(mine, each.name)
        for each in fields(Record)
        if each.name not in {"owned", "version", "stored"}
        and getattr(mine, each.name) != getattr(base, each.name)
    }
    before, ours, others = base.by_identity, mine.by_identity, theirs.by_identity
    owned = {
        identity: entry
        for identity in dict.fromkeys([*ours, *others])
        if (entry := (others if ours.get(identity) == before.get(identity) else ours).get(identity))
    }
    return replace(theirs, **changed).owning(owned)


def _joined(parts: Sequence[Memory | Record], digests: tuple[str, ...]) -> Stored:
    """Each path stands in one of them, but for those that stand in all."""
    stored = [each.stored for each in parts]
    return replace(
        stored[0],
        unknown={path: each for one in stored for path, each in one.unknown.items()},
        amid={path: each for one in stored for path, each in one.amid.items()},
        pieces=digests,
    )


def _dealt(members: Sequence[T], number: int) -> tuple[T, ...]:
    return tuple(members[number * PIECE : (number + 1) * PIECE])
