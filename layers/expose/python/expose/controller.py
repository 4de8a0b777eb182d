"""Reconciling one service: read as much as the work needs, bring each exposure about, remember, tell.

Everything comes through here, whatever caused it: a tag, a task, a deployment, the clock, the end of the stack. Only
the depth differs. One exposure's trouble is its own: whatever it raises becomes its status, and the next one goes on.
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
from expose.outcome import Outcome
from expose.policy import Detail, Limits, Replacing, ready
from expose.records import Memory, Record
from expose.refusals import NotYet, Refused, Status
from expose.replacing import Replacer
from expose.straying import Straying
from expose.telemetry import Telemetry
from expose.verdict import Announcement, adoption, announcement, judge, next_look, refusal_record
from expose.work import Depth, Work

_ATTEMPTS = 8
_PAUSE = 2.0  # seconds before a service is looked at again that AWS did not let be read; doubled each time
_TOLD_FOR = 86_400.0  # seconds after which it is told again why a service cannot be looked at
_SERVES_ON = 15.0  # seconds for which a task that is to stop may be taken to serve, where its successor is not yet there


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
        self._straying = Straying(
            ledger=ledger, exposing=exposing, reader=reader, outbox=outbox, telemetry=telemetry
        )

    def reconcile(self, work: Work) -> None:
        """Where AWS does not let itself be read now, the work comes back later; the service's queue is not held up.

        Raise what is a bug, or has gone on for too long: the message ends as a dead letter.
        """
        try:
            self._reconcile(work)
        except (*AwsError, NotYet) as trouble:
            if work.attempts >= _ATTEMPTS:
                raise
            pause = trouble.seconds if isinstance(trouble, NotYet) else _PAUSE * 2**work.attempts
            self._telemetry.warn(f"comes back in {pause:.0f} s: {trouble}", service_arn=work.service)
            self._outbox.later(replace(work, attempts=work.attempts + 1), seconds=pause)

    def _reconcile(self, work: Work) -> None:
        remembered, records = self._ledger.load(work.service)
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
        if work.astray:
            memory, records = self._straying.withdraw(memory, records, work)
        depth = Depth.RECORD if barred else self._depth(work, memory, records)
        service = replace(memory.service, active=False) if barred else memory.service
        if depth >= Depth.SERVICE:
            service = self._source.service(arn, service, now=self._clock())
        asks = [self._deciding.look_up(ask, service) for ask in self._reader.read(service, records, depth)]
        if not asks:
            self._memories.forget(remembered)
            return
        memory = replace(memory, service=service)
        if depth >= Depth.TASKS and service.active:
            memory = self._tasks(memory, asks, work, afresh=depth is Depth.FULL)
        self._bring_about(asks, self._memories.remember(remembered, memory), work, records)

    def _depth(self, work: Work, memory: Memory, records: Sequence[Record]) -> Depth:
        """As deep as asked, and deeper where what is remembered does not do."""
        now = self._clock()
        if not memory.version or any(record.retry_at and record.retry_at <= now for record in records):
            return max(work.depth, Depth.SERVICE)
        service = memory.service
        if service.wanted and not any(ready(task, service) for task in service.tasks):
            return max(work.depth, Depth.TASKS)  # the new way in opens before the last old one closes
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
                memory.service, heard, detail=detail, afresh=afresh, now=now
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
        said: list[Announcement] = []
        followed: list[Record] = []
        replacing: list[tuple[Record, Replacing]] = []
        for ask in asks:
            try:
                record, told = self._follow(ask, memory, work)
            except Exception as trouble:  # noqa: BLE001 - one exposure's must not stop the others; it is raised below
                troubles.append(trouble)
                continue
            followed += [record] if record else []
            said += [told] if told else []
            how = self._deciding.replacing(ask, memory.service)
            replacing += [(record, how)] if record and how else []
        said += self._replacer.replace(replacing, memory)
        if look := next_look(followed, records, memory.service, now=self._clock()):
            again = Work(work.service, "looking again", look.depth, since=work.since)
            self._outbox.later(again, seconds=look.seconds)
        self._outbox.publish(said)
        if not followed and not troubles:
            self._memories.forget(memory)
        _raise(troubles, work)

    def _follow(self, ask: Ask, memory: Memory, work: Work) -> tuple[Record | None, Announcement | None]:
        """The record as saved, None where nothing is left of the exposure; and what is worth telling of it."""
        now = self._clock()
        idle_for = now - memory.none_ready_since if memory.none_ready_since else 0.0
        heard = sorted((at, task) for task, at in memory.stopping.items() if now - at < _SERVES_ON)
        serving = [task for _, task in heard]
        outcome = self._exposing.follow(ask, memory.service, serving=serving, none_ready_for=idle_for)
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
        digest_, told = announcement(record, removed=removed)
        record = replace(record, announced=digest_)
        if removed and not record.closed:
            self._ledger.forget_record(record)
        elif record != ask.record or not record.version:
            record = self._ledger.save_record(record)
        self._telemetry.decided(
            record, ask.record, changes=outcome.changes, reason=work.reason, removed=removed
        )
        if outcome.adopted:
            self._telemetry.adopted(record, outcome.adopted)
            self._outbox.publish([adoption(record, outcome.adopted)])
        return None if removed and not record.closed else record, told

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
            self._ledger.save_record(replace(record, announced=said), expires=self._clock() + _TOLD_FOR)
            self._outbox.publish([told])


def _raise(troubles: Sequence[Exception], work: Work) -> None:
    """A bug before a trouble of AWS: the one has to be seen, the other passes."""
    bugs = [trouble for trouble in troubles if not isinstance(trouble, (*AwsError, NotYet))]
    if bugs:
        raise ExceptionGroup(f"{work.service}: exposures that could not be followed", bugs)
    for trouble in troubles:
        raise trouble
