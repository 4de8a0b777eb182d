"""Reconciling one service: read as much as the work needs, bring each exposure about, remember, tell.

Everything comes through here, whatever caused it: a tag, a task, a deployment, the clock, the end of the stack. Only
the depth differs. One exposure's trouble is its own: whatever it raises becomes its status, and the next one goes on.
What is gone was withdrawn before (see `withdraw`). What cannot be done now comes back later, for as long as it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from expose.arn import ServiceArn
from expose.asks import Ask, Reader
from expose.aws import AwsError
from expose.ecs import Source
from expose.exposing import Exposing
from expose.ledger import Ledger
from expose.memories import Memories
from expose.model import Service
from expose.outbox import Outbox
from expose.outcome import Defect, Outcome
from expose.policy import SERVES_ON, Detail, Limits, Replacing, ready
from expose.records import Memory, Record
from expose.refusals import NotYet, Refused, Status
from expose.replacing import Replacer
from expose.telemetry import Telemetry
from expose.verdict import (
    adoption,
    announcement,
    judge,
    lacking,
    next_look,
    refusal_record,
    stale_withdrawn,
)
from expose.work import Depth, Work

_UNTOLD = 60.0  # seconds before it is told again what the event bus did not take
_TOLD_FOR = 86_400.0  # seconds after which it is told again why a service cannot be looked at


class Controller:
    def __init__(
        self,
        *,
        source: Source,
        ledger: Ledger,
        memories: Memories,
        exposing: Exposing,
        replacer: Replacer,
        outbox: Outbox,
        telemetry: Telemetry,
        reader: Reader,
        limits: Limits,
        clock: Callable[[], float],
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._memories = memories
        self._deciding = exposing.deciding
        self._exposing = exposing
        self._replacer = replacer
        self._outbox = outbox
        self._telemetry = telemetry
        self._reader = reader
        self._limits = limits
        self._clock = clock

    def reconcile(self, work: Work) -> None:
        """Reconcile one service. Raise what stood in the way, once everything else is done: an error of AWS, `NotYet`, or
        what is a bug.
        """
        remembered, records = self._ledger.load_to_write(work.service)
        try:
            arn = ServiceArn.parse(work.service)
            barred = self._limits.barred(arn.cluster, f"{self._reader.prefix}: tags of {work.service}")
            if barred and not any(record.owned for record in records):
                raise barred
        except Refused as refused:
            self._refuse(work, records, refused)
            return
        remembered = remembered or Memory(Service(arn))
        memory = self._memories.hear(remembered, work)
        depth = Depth.RECORD if barred else self._depth(work, memory, records)
        service = replace(memory.service, active=False) if barred else memory.service
        if depth >= Depth.SERVICE:
            service = self._source.service(arn, service, now=self._clock())
        asks = [self._look_up(ask, service, work) for ask in self._reader.read(service, records, depth)]
        if not asks:
            self._memories.forget(remembered)
            return
        memory = replace(memory, service=service)
        if depth >= Depth.TASKS and service.active:
            memory = self._tasks(memory, asks, work, afresh=depth is Depth.FULL)
        self._bring_about(asks, self._memories.remember(remembered, memory), work, records)

    def _look_up(self, ask: Ask, service: Service, work: Work) -> Ask:
        """With what its mechanism asks for. A bug there is this exposure's trouble: nothing of it changes."""
        try:
            ask = self._deciding.look_up(ask, service)
            self._deciding.detail(ask)
        except NotYet:
            raise
        except Exception as bug:  # noqa: BLE001 - one exposure's must not stop the others
            self._telemetry.troubled(work, bug, now=self._clock())
            return replace(ask, before=None, failure=Defect(bug))
        return ask

    def _depth(self, work: Work, memory: Memory, records: Sequence[Record]) -> Depth:
        """As deep as asked, and deeper where what is remembered does not do."""
        now = self._clock()
        if not memory.version or any(record.retry_at and record.retry_at <= now for record in records):
            return max(work.depth, Depth.SERVICE)
        service = memory.service
        if service.wanted and not any(ready(task, service) for task in service.tasks):
            # the new way in opens before the last old one closes; whose tasks it leads to may have changed
            return max(work.depth, Depth.TASKS if service.serving is None else Depth.SERVICE)
        return work.depth

    def _tasks(self, memory: Memory, asks: Sequence[Ask], work: Work, *, afresh: bool) -> Memory:
        detail = max(
            Detail.PUBLIC if work.astray else Detail.PRIVATE, *(self._deciding.detail(ask) for ask in asks)
        )
        afresh = afresh or (detail is Detail.OPEN and any(ask.fresh for ask in asks))
        heard = {*memory.stopped, *memory.stopping}
        now = self._clock()
        try:
            service, leaving = self._source.tasks(
                memory.service,
                heard,
                detail=detail,
                afresh=afresh,
                now=now,
                lacking=lacking([ask.record for ask in asks], memory.service, now=now),
            )
        except (*AwsError, NotYet):
            if work.depth is not Depth.RECORD:
                raise
            self._telemetry.warn(
                "could not read the tasks; withdrawing those that stopped", service=work.service
            )
            return memory
        stopping = dict.fromkeys(leaving, now) | dict(memory.stopping)  # the event is still on its way
        return replace(memory, service=service, stopping=stopping)

    def _bring_about(
        self, asks: Sequence[Ask], memory: Memory, work: Work, records: Sequence[Record]
    ) -> None:
        troubles: list[Exception] = []
        followed: list[Record] = []
        replacing: list[tuple[Record, Replacing]] = []
        for ask in asks:
            try:
                record = self._follow(ask, memory, work)
            except (*AwsError, NotYet) as trouble:
                troubles.append(trouble)
                continue
            except Exception as bug:  # noqa: BLE001 - one exposure's must not stop the others
                self._telemetry.troubled(work, bug, now=self._clock())
                record = self._settle(ask, Outcome(ask.record, failed=Defect(bug)), memory, work)
            followed += [record] if record else []
            how = self._deciding.replacing(ask, memory.service)
            replacing += [(record, how)] if record and how else []
        self._replacer.replace(replacing, memory)
        if self._ledger.met_another:
            self._outbox.later(Work(work.service, "another worker met", Depth.FULL), seconds=0)
        if look := next_look(followed, records, memory.service, now=self._clock()):
            again = Work(work.service, "looking again", look.depth, since=work.since)
            self._outbox.later(again, seconds=look.seconds)
        if not followed and not troubles:
            self._memories.forget(memory)
        if troubles:
            raise troubles[0]

    def _follow(self, ask: Ask, memory: Memory, work: Work) -> Record | None:
        """The record as saved, None where nothing is left of the exposure."""
        now = self._clock()
        idle_for = now - memory.none_ready_since if memory.none_ready_since else 0.0
        heard = sorted((at, task) for task, at in memory.stopping.items() if now - at < SERVES_ON)
        serving = [task for _, task in heard]
        outcome = self._exposing.follow(ask, memory.service, serving=serving, none_ready_for=idle_for)
        return self._settle(ask, outcome, memory, work)

    def _settle(self, ask: Ask, outcome: Outcome, memory: Memory, work: Work) -> Record | None:
        """How the exposure stands now: told, where that is worth it, then saved; rather told twice than never."""
        now = self._clock()
        gone = ask.exposure is None and ask.refusal is None
        until = (
            memory.none_ready_since + self._deciding.empty_after
            if self._holds(memory, outcome.record)
            else 0.0
        )
        inert = gone or not memory.service.active
        record = judge(ask.record, outcome, memory.service, gone=inert, now=now, held_until=until)
        removed = gone and not record.owned
        record = replace(record, message="everything that it made is gone") if removed else record
        record = self._timed(record, outcome, work, verified=ask.fresh)
        if outcome.adopted:
            self._outbox.publish([adoption(record, outcome.adopted)])
        self._tell_strays(ask.record, record, work)
        record = self._told(record, removed=removed)
        if removed and not record.closed:
            self._ledger.forget_record(record)
        elif record != ask.record or not record.version:
            record = self._ledger.save_record(record)
        self._telemetry.decided(
            record, ask.record, changes=outcome.changes, reason=work.reason, removed=removed
        )
        if outcome.adopted:
            self._telemetry.adopted(record, outcome.adopted)
        return None if removed and not record.closed else record

    def _tell_strays(self, before: Record, after: Record, work: Work) -> None:
        """Of stray addresses that were left to this pass, because their successor opens first, which are gone now."""
        left = [each for each in before.owned if not each.leaving]
        told = stale_withdrawn(before, after, left, work.astray, reason="")
        if told and told.detail["state"] == "withdrawn":
            self._outbox.publish([told])

    def _told(self, record: Record, *, removed: bool) -> Record:
        """As announced; where the event bus did not take it, to be looked at soon."""
        said, told = announcement(record, removed=removed)
        if told is None or self._outbox.tell([told]):
            return replace(record, announced=said)
        if removed:
            raise NotYet(f"{record.tag}: the event bus does not take that it is removed", seconds=_UNTOLD)
        soon = self._clock() + _UNTOLD
        return replace(record, look_at=min(record.look_at or soon, soon))

    def _holds(self, memory: Memory, record: Record) -> bool:
        """Whether tasks that are not ready are kept published, lest the name be emptied by surprise."""
        return bool(memory.none_ready_since and memory.service.wanted and record.tasks)

    def _timed(self, record: Record, outcome: Outcome, work: Work, *, verified: bool) -> Record:
        """With the time since when a change is not published yet; measured, and forgotten, once it is."""
        now = self._clock()
        since = record.since or ((work.since or now) if outcome.changes else 0.0)
        if record.status is Status.ACTIVE and since:
            self._telemetry.published(now - since, endpoints=len(record.tasks))
            since = 0.0
        return replace(record, since=since, verified_at=now if verified else record.verified_at)

    def _refuse(self, work: Work, records: Sequence[Record], refused: Refused) -> None:
        """A service that cannot be looked at at all."""
        tag = f"{self._reader.prefix}:*"
        record = next(
            (each for each in records if each.tag == tag), refusal_record(work.service, tag, refused)
        )
        said, told = announcement(record, removed=False)
        if told:
            self._telemetry.decided(
                record, Record(work.service, tag), changes=0, reason=work.reason, removed=False
            )
            self._outbox.publish([told])
            self._ledger.save_record(replace(record, announced=said), expires=self._clock() + _TOLD_FOR)
