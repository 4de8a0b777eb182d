"""Orphans: what carries our mark and stands in no record of the ledger, because that was lost or written too early.

They are looked for in the whole Region, and only what was found so in two looks some minutes apart counts. It is then
told; and where its mark can be read, its exposure gets a record again, so that the service is looked at: what its tag
does not ask for is withdrawn as ever, by the same adapters. Nothing is deleted from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from expose.arn import ServiceArn
from expose.audit.findings import Finding, identity
from expose.ledger import Ledger
from expose.model import digest
from expose.records import Memory, Record
from expose.reported import Case, Reported, Subject
from expose.resources.mark import owner
from expose.resources.marked import Marked, id_of
from expose.work import Depth, Work

SUBJECT = "orphans"
ORPHAN = "orphan"

_APART = 540.0  # seconds between two looks
_MOST = 100  # that are told of at once

Known = Mapping[str, tuple[Memory | None, list[Record]]]


class Orphans:
    def __init__(
        self,
        *,
        marked: Marked,
        ledger: Ledger,
        reported: Reported,
        mark: Callable[[Record], str],
        stack: str,
        prefix: str,
        clock: Callable[[], float],
    ) -> None:
        self._marked = marked
        self._ledger = ledger
        self._reported = reported
        self._mark = mark
        self._stack = stack
        self._prefix = prefix
        self._clock = clock
        self._seen: dict[str, float] = {}

    def find(self, known: Known) -> Iterator[Work]:
        """Services that have left something behind."""
        now = self._clock()
        found = dict(self._nobodys(known))
        self._seen = {arn: self._seen.get(arn, now) for arn in found}
        before = self._reported.of(SUBJECT)
        told = {case.finding.subject for case in before.cases}
        sure = [arn for arn in sorted(found) if arn in told or now - self._seen[arn] >= _APART]
        cases = tuple(Case(self._finding(arn, found[arn]), (), now) for arn in sure[:_MOST])
        self._reported.count([self._reported.settle(SUBJECT, before, Subject(cases))])
        for arn in sure:
            if whose := self._bearer(arn, found[arn]):
                yield from self._looked_at(*whose, arn)

    def _nobodys(self, known: Known) -> Iterator[tuple[str, str]]:
        """By ARN, with their marks. What an exposure has claimed, and not found out the id of, may be any of its own; where
        its record cannot be read, all that bears its mark, or one that several share, may be.
        """
        unread = {
            (each.service, each.tag) for _, records in known.values() for each in records if each.unreadable
        }
        ids: set[str] = set()
        waiting: set[str] = set()
        for _, records in known.values():
            for record in records:
                for entry in record.owned:
                    ids.add(entry.aws_id)
                    if not entry.aws_id:
                        waiting |= {
                            self._mark(record),
                            owner(self._stack, entry.identity),
                            f"{self._stack}/{digest(entry.identity.key)}",
                            self._stack,
                        }
        for arn, mark in self._marked.of_stack(self._stack):
            if id_of(arn) in ids or mark in waiting:
                continue
            if not unread or self._bearer(arn, mark) not in {None, *unread}:
                yield arn, mark

    def _looked_at(self, service: str, tag: str, arn: str) -> Iterator[Work]:
        """Asked of the ledger once more, for this service alone."""
        _, records = self._ledger.load(service)
        if any(entry.aws_id == id_of(arn) for record in records for entry in record.owned):
            return
        if tag not in {record.tag for record in records}:
            self._ledger.save_record(Record(service, tag))
        yield Work(service, "it left something behind", Depth.FULL, since=self._clock())

    def _bearer(self, arn: str, mark: str) -> tuple[str, str] | None:
        """The service and the tag that a mark names; None where it is shared, or names were too long to be written out."""
        _, partition, _, region, account, _ = arn.split(":", 5)
        match mark.split("/"):
            case [_, cluster, name, tag] if tag.startswith(f"{self._prefix}:") and account:
                return str(ServiceArn(partition, region, account, cluster, name)), tag
        return None

    def _finding(self, arn: str, mark: str) -> Finding:
        whose = self._bearer(arn, mark)
        after = (
            "it is removed as if its tag were gone, unless the tag asks for it"
            if whose
            else "remove it by hand, if nothing needs it any more"
        )
        return Finding(
            identity(SUBJECT, ORPHAN, arn),
            ORPHAN,
            "medium",
            whose[0] if whose else mark,
            arn,
            message=f"{arn} was made by this stack for {mark}, and no exposure owns it any more: {after}",
        )
