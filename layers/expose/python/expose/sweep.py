"""The sweep: the clock that finds what no event told, and repairs drift. Correctness never depends on an event.

It compares what ECS says with what the ledger remembers, in as few calls as there are pages, and queues only the
differences; beside them, each minute, one part of all services for a full check. Before all else the guard looks for
public addresses that are published and not held, so that no trouble of the rest holds that up.

Each part stands alone: what cannot be read in one of them is told and counted, and the others go on. While a sweep
takes longer than a minute, those that start meanwhile do the guard's part and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from expose.apart import Apart
from expose.arn import ServiceArn
from expose.guard import Guard
from expose.ledger import Ledger
from expose.membership import Membership
from expose.model import digest
from expose.orphans import Orphans
from expose.outbox import Outbox
from expose.policy import Limits
from expose.records import Memory, Record
from expose.refusals import Refused
from expose.tagged import Tagged
from expose.telemetry import Telemetry
from expose.turn import Turn
from expose.work import Depth, Work

_VERIFICATION = "verification"
_ORPHANS_EVERY = 10  # minutes

Known = Mapping[str, tuple[Memory | None, list[Record]]]
Part = tuple[str, Callable[[], Iterable[Work]]]


@dataclass(frozen=True, slots=True)
class Finders:
    """What finds differences between the ledger and the rest of the world."""

    tagged: Tagged
    membership: Membership
    orphans: Orphans


class Sweep:
    def __init__(
        self,
        *,
        ledger: Ledger,
        guard: Guard,
        finders: Finders,
        outbox: Outbox,
        telemetry: Telemetry,
        limits: Limits,
        verify_minutes: int,
        turn: Callable[[], Turn],
        clock: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._guard = guard
        self._finders = finders
        self._outbox = outbox
        self._telemetry = telemetry
        self._limits = limits
        self._verify_minutes = verify_minutes
        self._turn = turn
        self._clock = clock
        self._known: Known | None = None
        self._swept: dict[str, float] = {}

    def run(self, *, seconds: float) -> None:
        """Queue each service that has to be looked at. What is not begun within `seconds` is left to the next sweep.

        Where the ledger cannot be read, what it said a minute ago does: whoever looks at a service reads it anew.
        """
        until = self._clock() + seconds
        apart, turn = Apart(self._telemetry), self._turn()
        everything = apart.run("read the ledger", self._ledger.everything)
        self._known = self._known if everything is None else everything
        if (known := self._known) is not None:
            apart.run("compare the published addresses with those held", partial(self._guarded, known))
            if apart.run("see whether another sweep is under way", turn.is_mine) is not False:
                followed = {arn: each for arn, each in known.items() if self._can_follow(arn)}
                parts = self._parts(known, followed, apart, afresh=everything is not None)
                drift = self._find(parts, apart, turn, until)
                self._telemetry.swept(services=len(followed), queued=drift)
        apart.run("let the next sweep begin", turn.give_back)
        apart.finish()

    def _guarded(self, everything: Known) -> None:
        self._outbox.all_now(self._guard.astray(everything), once=f"guard-{self._clock():.0f}")

    def _parts(self, everything: Known, known: Known, apart: Apart, *, afresh: bool) -> Iterator[Part]:
        """The most urgent first, and of the clusters the one that has waited longest. Those `known` may be followed."""
        yield "find what is due", lambda: self._due(known)
        yield "find what may not be followed", lambda: self._barred(everything, known)
        for cluster, services in self._clusters(known):
            yield f"sweep cluster {cluster}", partial(self._in_cluster, cluster, services)
        yield "compare the tags", lambda: self._finders.tagged.differences(everything, known)
        yield "verify", lambda: self._to_verify(known)
        yield "watch the zones", lambda: self._guard.watch_zones(everything, apart)
        if afresh and int(self._clock() // 60) % _ORPHANS_EVERY == 0:
            yield "look for what belongs to nobody", lambda: self._finders.orphans.find(everything)

    def _find(self, parts: Iterable[Part], apart: Apart, turn: Turn, until: float) -> int:
        """Queue each service once, and again only for a deeper look. How many were queued beside the verification."""
        queued: dict[str, Depth] = {}
        drift = 0
        for what, part in parts:
            if self._clock() >= until:
                apart.skip(what, "this sweep has no time left")
            elif apart.run("see whether this sweep is still under way", turn.is_mine) is False:
                break
            else:
                works: dict[str, Work] = {}
                apart.run(what, partial(_collect, part, works, queued))
                apart.run("queue what was found", partial(self._queue, what, works))
                drift += sum(work.reason != _VERIFICATION for work in works.values())
        return drift

    def _queue(self, what: str, works: Mapping[str, Work]) -> None:
        self._outbox.all_now(works.values(), once=f"sweep-{self._clock():.0f}-{digest(what)}")

    def _can_follow(self, arn: str) -> bool:
        """Not where the ARN has the old short form, nor in a cluster that the stack may not read."""
        try:
            return self._limits.allow_cluster(ServiceArn.parse(arn).cluster)
        except Refused:
            return False

    def _barred(self, everything: Known, known: Known) -> Iterator[Work]:
        """Services that were followed before: they are withdrawn."""
        for arn, (_, records) in everything.items():
            if arn not in known and any(record.owned for record in records):
                yield Work(arn, "cannot be followed", Depth.SERVICE, since=self._clock())

    def _clusters(self, known: Known) -> list[tuple[str, Known]]:
        clusters: dict[str, dict[str, tuple[Memory | None, list[Record]]]] = {}
        for arn, each in known.items():
            if each[1]:
                clusters.setdefault(ServiceArn.parse(arn).cluster, {})[arn] = each
        return sorted(clusters.items(), key=lambda each: (self._swept.get(each[0], 0.0), each[0]))

    def _in_cluster(self, cluster: str, services: Known) -> Iterator[Work]:
        self._swept[cluster] = self._clock()
        return self._finders.membership.differences(cluster, services)

    def _due(self, known: Known) -> Iterator[Work]:
        """Services whose time for another look has come and gone: the message was lost, or could not wait so long."""
        now = self._clock()
        for arn, (_, records) in known.items():
            if any(record.due(now) for record in records):
                yield Work(arn, "due", Depth.TASKS, since=now)
            if any(record.limits != self._limits.digest for record in records):
                yield Work(arn, "the stack's settings have changed", Depth.RECORD, since=now)

    def _to_verify(self, known: Known) -> Iterator[Work]:
        turn = int(self._clock() // 60) % self._verify_minutes
        for arn, (_, records) in known.items():
            if records and int(digest(arn), 16) % self._verify_minutes == turn:
                yield Work(arn, _VERIFICATION, Depth.FULL, since=self._clock())


def _collect(part: Callable[[], Iterable[Work]], works: dict[str, Work], queued: dict[str, Depth]) -> None:
    """What a part finds until it fails, if it does; but for what is queued already, and as deep."""
    for work in part():
        if work.depth > queued.get(work.service, -1):
            works[work.service] = works[work.service].with_(work) if work.service in works else work
            queued[work.service] = work.depth
