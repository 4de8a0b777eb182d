"""What has been found and said: the audit's part of the ledger, so that each finding is told once, and when it is gone.

    pk                  sk         holds
    AUDIT#<subject>     AUDIT      the findings that are open, since when, and what shows them now

A subject is a service's ARN, `CLUSTER/GROUP` for tasks that are of none, or `zone/<id>` for a hosted zone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from expose.audit.findings import GRADES, Finding, changes
from expose.aws import Clients
from expose.codec import Codec, Unreadable
from expose.outbox import Outbox
from expose.shapes import UNSTORED, Extra, Shapes
from expose.telemetry import Telemetry
from expose.trail import Holding, Trail
from expose.verdict import Announcement

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

ACTIONS = frozenset({"dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"})

_PK = "AUDIT#"


@dataclass(frozen=True, slots=True)
class Case:
    """A finding that is open. `addresses` are those of the tasks that show it now."""

    finding: Finding
    addresses: tuple[str, ...]
    since: float

    def told(self) -> dict[str, Any]:
        """In the words of the event."""
        finding = self.finding
        return {
            "id": finding.id,
            "kind": finding.kind,
            "grade": finding.grade,
            "service": finding.service,
            "subject": finding.subject,
            "family": finding.family,
            "protocol": finding.protocol,
            "ports": [finding.first, finding.last],
            "sources": finding.sources,
            "groups": finding.groups,
            "declared": finding.declared,
            "tasks": finding.tasks,
            "addresses": self.addresses,
            "since": self.since,
            "message": finding.message,
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """What is open of one subject; and, where no controller follows it, which addresses its tasks hold.

    `unknown` are fields that only another version understands. `unreadable` says that something is remembered which
    cannot be read: it is found, and told, anew.
    """

    cases: tuple[Case, ...] = ()
    holdings: tuple[Holding, ...] = ()
    unknown: Extra = field(default_factory=dict, compare=False, metadata=UNSTORED)
    unreadable: bool = field(default=False, compare=False, metadata=UNSTORED)

    def __bool__(self) -> bool:
        return bool(self.cases or self.holdings)


class Reported:
    def __init__(
        self,
        clients: Clients,
        table: str,
        *,
        trail: Trail,
        outbox: Outbox,
        telemetry: Telemetry,
        clock: Callable[[], float],
    ) -> None:
        self._clients = clients
        self._table = table
        self._trail = trail
        self._outbox = outbox
        self._telemetry = telemetry
        self._clock = clock

    def everything(self) -> dict[str, Subject]:
        """All that is open, by subject."""
        pages = self._clients.dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="begins_with(pk, :audit)",
            ExpressionAttributeValues={":audit": {"S": _PK}},
        )
        items = [item for page in pages for item in page["Items"]]
        return {item["pk"]["S"].removeprefix(_PK): self._subject(item) for item in items}

    def of(self, subject: str) -> Subject:
        answer = self._clients.dynamodb.query(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"{_PK}{subject}"}},
        )
        return next((self._subject(item) for item in answer["Items"]), Subject())

    def settle(self, subject: str, before: Subject, now: Subject) -> Subject:
        """Tell what has opened and what has closed, then remember: rather told twice than never. As remembered."""
        was = {case.finding.id: case for case in before.cases}
        cases = [
            replace(case, since=was[case.finding.id].since) if case.finding.id in was else case
            for case in now.cases
        ]
        now = replace(now, cases=tuple(cases), unknown=before.unknown)
        opened, closed = changes(
            (case.finding for case in before.cases), (case.finding for case in now.cases)
        )
        by_id = {case.finding.id: case for case in now.cases}
        self._tell([by_id[each.id] for each in opened], "open")
        self._tell([was[each.id] for each in closed], "closed")
        if before.unreadable or _body(now) != _body(before):
            self._follow(before, now)
            self._save(subject, now)
        return now

    def count(self, subjects: Iterable[Subject]) -> None:
        grades = [case.finding.grade for subject in subjects for case in subject.cases]
        self._telemetry.audited({grade: grades.count(grade) for grade in GRADES})

    def _subject(self, item: Mapping[str, Any]) -> Subject:
        try:
            return _subject(item)
        except Unreadable as problem:
            about = item["pk"]["S"].removeprefix(_PK)
            self._telemetry.warn(f"what was found of {about} cannot be read, and is told anew: {problem}")
            return Subject(unreadable=True)

    def _tell(self, cases: Collection[Case], state: str) -> None:
        for case in cases:
            self._telemetry.found(case.finding, state)
        self._outbox.publish(announcement(case, state) for case in cases)

    def _follow(self, before: Subject, now: Subject) -> None:
        """The trail of tasks that no controller follows."""
        had = {(each.address, each.task): each for each in before.holdings}
        has = {(each.address, each.task): each for each in now.holdings}
        at = self._clock()
        self._trail.write((has[key] for key in has.keys() - had), again=True)
        self._trail.write(replace(had[key], until=at) for key in had.keys() - has)

    def _save(self, subject: str, now: Subject) -> None:
        key: dict[str, AttributeValueTypeDef] = {"pk": {"S": f"{_PK}{subject}"}, "sk": {"S": "AUDIT"}}
        if not now:
            self._clients.dynamodb.delete_item(TableName=self._table, Key=key)
            return
        worst = min((case.finding.grade for case in now.cases), key=_gravity, default="")
        said = "\n".join(f"{case.finding.grade}: {case.finding.message}" for case in now.cases)
        self._clients.dynamodb.put_item(
            TableName=self._table,
            Item=key | {"grade": {"S": worst}, "message": {"S": said}, "body": {"S": _body(now)}},
        )


def announcement(case: Case, state: str) -> Announcement:
    """That a finding is `open` or `closed`."""
    return Announcement("Public Address Audit", {**case.told(), "state": state})


_CODEC = Codec(Shapes(keys={Case: "finding.id"}))


def _body(subject: Subject) -> str:
    tree = _CODEC.dump(Subject, subject)
    _CODEC.shapes.graft(Subject, tree, subject.unknown)
    return json.dumps(tree, separators=(",", ":"))


def _subject(item: Mapping[str, Any]) -> Subject:
    try:
        tree = json.loads(item.get("body", {}).get("S", ""))
    except ValueError as problem:
        raise Unreadable(f"its body is damaged: {problem}") from problem
    subject: Subject = _CODEC.load(Subject, tree)[0]
    return replace(subject, unknown=_CODEC.shapes.strip(Subject, tree, _CODEC.shapes.known))


def _gravity(grade: str) -> int:
    """One of a newer version counts as the least."""
    return GRADES.index(grade) if grade in GRADES else len(GRADES)
