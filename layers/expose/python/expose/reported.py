"""What has been found and said: the audit's part of the ledger, so that each finding is told once, and when it is gone.

    pk                  sk         holds
    AUDIT#<subject>     AUDIT      the findings that are open, since when, and what shows them now

A subject is a service's ARN, `CLUSTER/GROUP` for tasks that are of none, or `zone/<id>` for a hosted zone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from expose.audit.findings import GRADES, Finding, changes
from expose.aws import Clients
from expose.outbox import Outbox
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
    """What is open of one subject; and, where no controller follows it, which addresses its tasks hold."""

    cases: tuple[Case, ...] = ()
    holdings: tuple[Holding, ...] = ()

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
        return {item["pk"]["S"].removeprefix(_PK): _subject(item) for item in items}

    def of(self, subject: str) -> Subject:
        answer = self._clients.dynamodb.query(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"{_PK}{subject}"}},
        )
        return next((_subject(item) for item in answer["Items"]), Subject())

    def settle(self, subject: str, before: Subject, now: Subject) -> Subject:
        """Tell what has opened and what has closed, then remember: rather told twice than never. As remembered."""
        was = {case.finding.id: case for case in before.cases}
        cases = [
            replace(case, since=was[case.finding.id].since) if case.finding.id in was else case
            for case in now.cases
        ]
        now = replace(now, cases=tuple(cases))
        opened, closed = changes(
            (case.finding for case in before.cases), (case.finding for case in now.cases)
        )
        by_id = {case.finding.id: case for case in now.cases}
        self._tell([by_id[each.id] for each in opened], "open")
        self._tell([was[each.id] for each in closed], "closed")
        if _body(now) != _body(before):
            self._follow(before, now)
            self._save(subject, now)
        return now

    def count(self, subjects: Iterable[Subject]) -> None:
        grades = [case.finding.grade for subject in subjects for case in subject.cases]
        self._telemetry.audited({grade: grades.count(grade) for grade in GRADES})

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
        worst = min((case.finding.grade for case in now.cases), key=GRADES.index, default="")
        said = "\n".join(f"{case.finding.grade}: {case.finding.message}" for case in now.cases)
        self._clients.dynamodb.put_item(
            TableName=self._table,
            Item=key | {"grade": {"S": worst}, "message": {"S": said}, "body": {"S": _body(now)}},
        )


def announcement(case: Case, state: str) -> Announcement:
    """That a finding is `open` or `closed`."""
    return Announcement("Public Address Audit", {**case.told(), "state": state})


def _body(subject: Subject) -> str:
    return json.dumps(asdict(subject), separators=(",", ":"))


def _subject(item: Mapping[str, Any]) -> Subject:
    data = json.loads(item["body"]["S"])
    return Subject(
        cases=tuple(
            Case(_finding(each["finding"]), tuple(each["addresses"]), each["since"]) for each in data["cases"]
        ),
        holdings=tuple(Holding(**each) for each in data["holdings"]),
    )


def _finding(data: dict[str, Any]) -> Finding:
    lists = {name: tuple(data.pop(name)) for name in ("sources", "groups", "tasks")}
    return Finding(**(data | lists))
