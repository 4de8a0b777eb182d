"""Reconciling one service: read as much as the work needs, bring each exposure about, remember, tell.

Everything comes through here, whatever caused it: a tag, a task, a deployment, the clock, the end of the stack. Only
the depth differs. One exposure's trouble is its own: whatever it raises becomes its status, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from expose.apply import Outcome
from expose.aws import AwsError
from expose.ecs import Source
from expose.exposing import Ask, Exposing
from expose.ledger import Ledger
from expose.mechanisms import Mechanism
from expose.model import Depth, Exposure, Invalid, NotYet, Refused, Service, ServiceArn, Status, Work
from expose.outbox import Outbox
from expose.policy import POLICIES, ready
from expose.records import Memory, Record
from expose.tags import asking, policy_of, read_one
from expose.telemetry import Telemetry
from expose.verdict import Announcement, announcement, judge, refusal_record

_REMEMBER_STOPPED = (
    3600.0  # seconds after which no answer of ECS is so stale that a stopped task still runs in it
)
_SERVES_ON = 15.0  # seconds for which a task that is to stop may be taken to serve, where its successor is not yet there


class Controller:
    def __init__(
        self,
        *,
        source: Source,
        ledger: Ledger,
        exposing: Exposing,
        outbox: Outbox,
        telemetry: Telemetry,
        mechanisms: Mapping[str, Mechanism],
        prefix: str,
        policy: str,
        empty_after: float,
        clock: Callable[[], float],
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._exposing = exposing
        self._outbox = outbox
        self._telemetry = telemetry
        self._grammars = {name: mechanism.grammar for name, mechanism in mechanisms.items()}
        self._prefix = prefix
        self._policy = policy
        self._empty_after = empty_after
        self._clock = clock

    def reconcile(self, work: Work) -> None:
        """Raise what concerns the service as a whole, or is a bug; the message then comes again."""
        remembered, records = self._ledger.load(work.service)
        try:
            arn = ServiceArn.parse(work.service)
        except Refused as refused:
            self._refuse(work, records, refused)
            return
        memory = self._hear(remembered or Memory(Service(arn)), work)
        depth = self._depth(work, memory, records)
        service = memory.service
        if depth >= Depth.SERVICE:
            service = self._source.service(arn, service, now=self._clock())
        asks = [self._exposing.look_up(ask, service) for ask in self._asks(service, records, depth)]
        if asks and depth >= Depth.TASKS and service.active:
            service = self._tasks(service, memory, asks, work)
        memory = self._remember(memory, service, keep=bool(asks))
        self._bring_about(asks, memory, work, records)

    def _hear(self, memory: Memory, work: Work) -> Memory:
        """What the work itself tells: tasks that are to stop are no tasks of the service any more, for good."""
        now = self._clock()
        stopped = _recent(memory.stopped, now) | dict.fromkeys(work.stopped, now)
        stopping = dict.fromkeys(work.stopping, now) | _recent(memory.stopping, now)
        stopping = {task: at for task, at in stopping.items() if task not in stopped}
        tasks = tuple(task for task in memory.service.tasks if task.id not in stopped | stopping)
        return replace(
            memory, stopping=stopping, stopped=stopped, service=replace(memory.service, tasks=tasks)
        )

    def _depth(self, work: Work, memory: Memory, records: Sequence[Record]) -> Depth:
        """As deep as asked, and deeper where what is remembered does not do."""
        now = self._clock()
        if not memory.version or any(record.retry_at and record.retry_at <= now for record in records):
            return max(work.depth, Depth.SERVICE)
        service = memory.service
        if service.wanted and not any(ready(task, service) for task in service.tasks):
            return max(work.depth, Depth.TASKS)  # the new way in opens before the last old one closes
        return work.depth

    def _asks(self, service: Service, records: Sequence[Record], depth: Depth) -> Iterator[Ask]:
        tags = asking(service.tags, prefix=self._prefix) if service.active else {}
        remembered = {record.tag: record for record in records}
        for tag in sorted({*tags, *remembered}):
            record = remembered.get(tag) or Record(str(service.arn), tag)
            yield self._ask(record, service, None if record.closed else tags.get(tag), depth)

    def _ask(self, record: Record, service: Service, value: str | None, depth: Depth) -> Ask:
        retry = bool(record.retry_at and record.retry_at <= self._clock())
        changed = not record.version or (value is not None and value != record.value)
        ask = Ask(record, fresh=depth is Depth.FULL or retry or changed, policy=self._policy)
        if value is None:
            return ask
        ask = replace(ask, record=replace(record, value=value))
        try:
            policy = policy_of(service.tags, prefix=self._prefix, default=self._policy, known=POLICIES)
        except Invalid as refusal:
            return replace(ask, refusal=refusal)
        ask = replace(ask, policy=policy, before=self._before(record, service))
        try:
            return replace(ask, exposure=read_one(service.arn, record.tag, value, self._grammars))
        except Invalid as refusal:
            return replace(ask, refusal=refusal)

    def _before(self, record: Record, service: Service) -> Exposure | None:
        try:
            return read_one(service.arn, record.tag, record.good, self._grammars) if record.good else None
        except Invalid:  # readable once, before the grammar changed
            return None

    def _tasks(self, service: Service, memory: Memory, asks: Sequence[Ask], work: Work) -> Service:
        public = any(self._exposing.wants_public(ask) for ask in asks)
        try:
            return self._source.tasks(
                service, {*memory.stopped, *memory.stopping}, public=public, now=self._clock()
            )
        except (*AwsError, NotYet):
            if work.depth is not Depth.RECORD:
                raise
            self._telemetry.warn(
                "could not read the tasks; withdrawing those that stopped", service=work.service
            )
            return service

    def _remember(self, memory: Memory, service: Service, *, keep: bool) -> Memory:
        """The memory as saved, before anything is changed by it: what is published is always also remembered."""
        idle = not any(ready(task, service) for task in service.tasks)
        newer = replace(
            memory,
            service=service,
            none_ready_since=(memory.none_ready_since or self._clock()) if idle else 0.0,
        )
        if not keep:
            self._ledger.forget_memory(str(service.arn))
            return newer
        return newer if memory.version and _same(memory, newer) else self._ledger.save_memory(newer)

    def _bring_about(
        self, asks: Sequence[Ask], memory: Memory, work: Work, records: Sequence[Record]
    ) -> None:
        bugs: list[Exception] = []
        said: list[Announcement] = []
        looks: list[float] = []
        for ask in asks:
            try:
                record, told = self._follow(ask, memory, work)
            except Exception as bug:  # noqa: BLE001 - one exposure's bug must not stop the others; it is raised below
                bugs.append(bug)
                continue
            looks.append(record.look_at)
            said += [told] if told else []
        self._look_again(looks, [record.look_at for record in records], memory, work)
        self._outbox.publish(said)
        if bugs:
            raise ExceptionGroup(f"{work.service}: exposures that could not be followed", bugs)

    def _follow(self, ask: Ask, memory: Memory, work: Work) -> tuple[Record, Announcement | None]:
        now = self._clock()
        idle_for = now - memory.none_ready_since if memory.none_ready_since else 0.0
        serving = frozenset(task for task, heard in memory.stopping.items() if now - heard < _SERVES_ON)
        outcome = self._exposing.follow(ask, memory.service, serving=serving, none_ready_for=idle_for)
        gone = ask.exposure is None and ask.refusal is None
        record = judge(
            ask.record,
            outcome,
            memory.service,
            gone=gone or not memory.service.active,
            now=now,
            held_until=memory.none_ready_since + self._empty_after
            if self._holds(memory, outcome.record)
            else 0.0,
        )
        removed = gone and not record.owned
        record = replace(record, message="everything that it made is gone") if removed else record
        record = self._timed(record, outcome, work, verified=ask.fresh)
        digest_, told = announcement(record, removed=removed)
        record = replace(record, announced=digest_)
        if removed and not record.closed:
            self._ledger.forget_record(record)
        elif record != ask.record or not record.version:
            record = self._ledger.save_record(record)
        self._telemetry.decided(record, changes=outcome.changes, reason=work.reason, removed=removed)
        return record, told

    def _holds(self, memory: Memory, record: Record) -> bool:
        """Whether tasks that are not ready are kept published, lest the name be emptied by surprise."""
        return bool(memory.none_ready_since and memory.service.wanted and record.tasks)

    def _timed(self, record: Record, outcome: Outcome, work: Work, *, verified: bool) -> Record:
        """With the time since when a change is not published yet; measured, and forgotten, once it is."""
        now = self._clock()
        since = record.since or ((work.since or now) if outcome.changes else 0.0)
        if record.status is Status.ACTIVE and since:
            self._telemetry.published(now - since, endpoints=len(record.addresses))
            since = 0.0
        return replace(record, since=since, verified_at=now if verified else record.verified_at)

    def _look_again(
        self, looks: Sequence[float], before: Sequence[float], memory: Memory, work: Work
    ) -> None:
        """One message for the earliest time; none where one for as early is already under way."""
        now = self._clock()
        at = min((look for look in looks if look), default=0.0)
        scheduled = min((look for look in before if look), default=0.0)
        if not at or now < scheduled <= at:
            return
        settled = memory.service.wanted and not memory.none_ready_since
        unready = any(task.running and not ready(task, memory.service) for task in memory.service.tasks)
        depth = Depth.RECORD if settled and not unready else Depth.TASKS
        again = Work(work.service, "looking again", depth, since=work.since)
        self._outbox.later(again, seconds=at - now)

    def _refuse(self, work: Work, records: Sequence[Record], refused: Refused) -> None:
        """A service that cannot be looked at at all."""
        tag = f"{self._prefix}:*"
        record = next(
            (each for each in records if each.tag == tag), refusal_record(work.service, tag, refused)
        )
        said, told = announcement(record, removed=False)
        if told:
            self._ledger.save_record(replace(record, announced=said))
            self._outbox.publish([told])


def _recent(heard: Mapping[str, float], now: float) -> dict[str, float]:
    return {task: at for task, at in heard.items() if now - at < _REMEMBER_STOPPED}


def _same(memory: Memory, newer: Memory) -> bool:
    """Apart from when it was read."""
    return replace(newer, service=replace(newer.service, read_at=memory.service.read_at)) == memory
