"""The audit: who on the internet reaches which port of our public tasks, and what of it nobody declared.

Addresses lead to their interfaces, interfaces to the groups, tables and ACLs around them, each read once however many
tasks share it. What is found is told by `reported`; a service that publishes no task with undeclared ports is looked
at again as soon as something around its tasks has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from expose.audit.findings import Declared, Seen, findings
from expose.aws import AwsError
from expose.census import Census
from expose.ledger import Ledger
from expose.mechanisms.declared import declared
from expose.model import Opening, Task
from expose.networks import Networks
from expose.orphans import SUBJECT
from expose.outbox import Outbox
from expose.published import published
from expose.records import Memory, Record
from expose.reported import Case, Reported, Subject
from expose.telemetry import Telemetry
from expose.trail import Holding
from expose.work import Depth, Work

_ZONE = "zone/"


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A task with a public address. `declared` is None where no tag asks for it, `trailed` where a controller sees to
    the trail of it.
    """

    task: Task
    addresses: tuple[str, ...]
    cluster: str
    declared: tuple[Declared, ...] | None = None
    trailed: bool = True


@dataclass(slots=True)
class _Audit:
    """What one audit looks at: suspects by subject, and the clusters and services that could not be read."""

    suspects: dict[str, list[_Suspect]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)


class Auditor:
    def __init__(
        self,
        *,
        ledger: Ledger,
        networks: Networks,
        reported: Reported,
        outbox: Outbox,
        telemetry: Telemetry,
        census: Census | None,
        account: str,
        prefix: str,
        zones: Sequence[str],
        clock: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._networks = networks
        self._reported = reported
        self._outbox = outbox
        self._telemetry = telemetry
        self._census = census
        self._account = account
        self._prefix = prefix
        self._others = {SUBJECT, *(f"{_ZONE}{zone}" for zone in zones)}
        self._clock = clock

    def run(self) -> None:
        """Look at all, tell what has opened and what has closed. EC2 not answering closes nothing: it fails."""
        known = self._ledger.everything()
        before = self._reported.everything()
        audit = self._suspects(known)
        opened = self._networks.openings(
            {one.task.id: one.addresses for each in audit.suspects.values() for one in each},
            account=self._account,
        )
        self._report(audit, before, opened)
        self._queue(known, opened)

    def _suspects(self, known: Mapping[str, tuple[Memory | None, list[Record]]]) -> _Audit:
        audit = _Audit()
        for arn, (memory, records) in known.items():
            if any(each.unreadable for each in (memory, *records) if each):
                audit.unread.add(arn)
            if memory and (found := list(self._publishing(memory, records))):
                audit.suspects[arn] = found
        followed = {
            task.id
            for memory, records in known.values()
            if memory and records
            for task in memory.service.tasks
        }
        for cluster in self._census.clusters() if self._census else ():
            try:
                self._count(cluster, audit, followed)
            except AwsError as error:  # one cluster's trouble is its own, and closes nothing there
                self._telemetry.warn(f"could not audit cluster {cluster}: {error}")
                audit.unread.add(cluster)
        return audit

    def _publishing(self, memory: Memory, records: Sequence[Record]) -> Iterator[_Suspect]:
        service = memory.service
        at: dict[str, set[str]] = {}
        for one in published(memory, records, now=self._clock()):
            at.setdefault(one.task, set()).add(one.address)
        for task in service.tasks:
            guarded = task.openings is not None  # then it counts, published or not
            if addresses := tuple(
                each for each in task.public.values() if guarded or each in at.get(task.id, ())
            ):
                ports = declared(service, task, prefix=self._prefix)
                yield _Suspect(task, addresses, service.arn.cluster, ports)

    def _count(self, cluster: str, audit: _Audit, followed: set[str]) -> None:
        """The tasks of a cluster that no exposure publishes."""
        if self._census is None:
            return
        seen = {one.task.id for each in audit.suspects.values() for one in each}
        for subject, task in self._census.tasks(cluster):
            if task.id not in seen and (addresses := tuple(task.public.values())):
                suspect = _Suspect(task, addresses, cluster, trailed=task.id in followed)
                audit.suspects.setdefault(subject, []).append(suspect)

    def _report(
        self,
        audit: _Audit,
        before: Mapping[str, Subject],
        opened: Mapping[str, tuple[Opening, ...] | None],
    ) -> None:
        now = self._clock()
        subjects: dict[str, Subject] = {}
        for name in sorted({*audit.suspects, *before}):
            was, suspects = before.get(name, Subject()), audit.suspects.get(name, [])
            if (
                name in self._others
                or name in audit.unread
                or (not suspects and _cluster(name) in audit.unread)
            ):
                continue
            found = _subject(name, suspects, opened, now)
            subjects[name] = self._reported.settle(name, was, found)
        self._reported.count(subjects.values())

    def _queue(
        self,
        known: Mapping[str, tuple[Memory | None, list[Record]]],
        opened: Mapping[str, tuple[Opening, ...] | None],
    ) -> None:
        """Services whose tasks are published by what is open, where that is not as they were published by."""
        now = self._clock()
        works = [
            Work(arn, "what the internet reaches has changed", Depth.FULL, since=now)
            for arn, (memory, _) in known.items()
            if memory and any(_differs(task, opened) for task in memory.service.tasks)
        ]
        self._outbox.all_now(works, once=f"audit-{now:.0f}")


def _differs(task: Task, opened: Mapping[str, tuple[Opening, ...] | None]) -> bool:
    now = opened.get(task.id)
    return task.openings is not None and now is not None and set(now) != set(task.openings)


def _subject(
    name: str, suspects: Sequence[_Suspect], opened: Mapping[str, tuple[Opening, ...] | None], now: float
) -> Subject:
    """What is found of one subject."""
    seen = [
        Seen(one.task.id, found, one.declared)
        for one in suspects
        if (found := opened[one.task.id]) is not None
    ]
    at = {one.task.id: one.addresses for one in suspects}
    cases = tuple(
        Case(each, tuple(sorted(address for task in each.tasks for address in at[task])), now)
        for each in findings(name, seen)
    )
    holdings = tuple(
        Holding(address, one.task.id, name, one.cluster, one.task.started_at or now)
        for one in suspects
        if not one.trailed
        for address in one.addresses
    )
    return Subject(cases, tuple(sorted(holdings, key=lambda each: (each.address, each.task))))


def _cluster(subject: str) -> str:
    return subject.split("/")[1] if subject.startswith("arn:") else subject.partition("/")[0]
