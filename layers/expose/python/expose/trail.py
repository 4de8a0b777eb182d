"""The trail: which public address was which task's, from when to when. A table of its own: it grows with every task, and
the sweep reads all of the ledger.

    pk            sk            holds
    <address>     <task id>     service, cluster, since, until (while it is known to be held: none)

An address is a task's for as long as its interface lives, up to two minutes longer than the task is meant to run: what
`until` says is when we heard that the task was to stop. Every write may be repeated: the first word on when something
began or ended stands. What has ended is forgotten, by the table's `expires`, after some days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from expose.aws import Clients, chunks
from expose.model import Service
from expose.records import Memory

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateTypeDef

ACTIONS = frozenset({"dynamodb:Query", "dynamodb:UpdateItem"})

LINGERS = 120.0
"""Seconds for which an address may stay with a task that is to stop, until its interface is gone (F§1.2)."""

_AT_ONCE = 100  # writes in one call
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Holding:
    """An address in the hands of one task. `service` is an ARN, or the task's group where it is of none; `until` is 0
    while the task has it.
    """

    address: str
    task: str
    service: str
    cluster: str
    since: float
    until: float = 0.0

    def covers(self, at: float) -> bool:
        """Whether the address was, or may still have been, the task's."""
        return self.since <= at and (not self.until or at <= self.until + LINGERS)


class Trail:
    def __init__(self, clients: Clients, table: str, *, days: float) -> None:
        self._clients = clients
        self._table = table
        self._kept = days * _DAY

    def ends(self, before: Memory, now: Memory, *, at: float) -> None:
        """Write down which addresses a memory has not got any more: before it is saved, so that none is missed."""
        there = {(each.address, each.task) for each in held(now.service, at)}
        gone = (each for each in held(before.service, at) if (each.address, each.task) not in there)
        self.write(replace(each, until=at) for each in gone)

    def begins(self, before: Memory, now: Memory, *, at: float) -> None:
        """Write down which addresses are new in a memory: after it was saved, so that none is begun that never ends.

        One whose beginning is lost stands there from its end on, which tells both.
        """
        known = {(each.address, each.task) for each in held(before.service, at)}
        new = (each for each in held(now.service, at) if (each.address, each.task) not in known)
        self.write(new, again=True)

    def write(self, holdings: Iterable[Holding], *, again: bool = False) -> None:
        """Each as it began, or as it ended. What is held `again` has not ended, be it that we had lost sight of it."""
        ordered = sorted(holdings, key=lambda each: (each.address, each.task))
        for chunk in chunks(ordered, _AT_ONCE):
            self._clients.dynamodb.transact_write_items(
                TransactItems=[{"Update": self._update(holding, again=again)} for holding in chunk]
            )

    def at(self, address: str, when: float | None = None) -> tuple[Holding, ...]:
        """Whose the address was at that time, at any time without one; the latest first. The seconds for which it
        lingers belong to two of them where it was given to another at once. Raise `ValueError` for no address.
        """
        pages = self._clients.dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": _normal(address)}},
        )
        found = (_holding(item) for page in pages for item in page["Items"])
        fitting = (each for each in found if when is None or each.covers(when))
        return tuple(sorted(fitting, key=lambda each: each.since, reverse=True))

    def _update(self, holding: Holding, *, again: bool) -> UpdateTypeDef:
        change = "SET service = :service, #cluster = :cluster, since = if_not_exists(since, :since)"
        values: dict[str, AttributeValueTypeDef] = {
            ":service": {"S": holding.service},
            ":cluster": {"S": holding.cluster},
            ":since": {"N": f"{holding.since:.3f}"},
        }
        names = {"#cluster": "cluster"} | ({"#until": "until"} if holding.until or again else {})
        if holding.until:
            change += ", #until = if_not_exists(#until, :until), expires = if_not_exists(expires, :expires)"
            values[":until"] = {"N": f"{holding.until:.3f}"}
            values[":expires"] = {"N": f"{holding.until + self._kept:.0f}"}
        elif again:
            change += " REMOVE #until, expires"
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": _normal(holding.address)}, "sk": {"S": holding.task}},
            "UpdateExpression": change,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }


def held(service: Service, now: float) -> Iterator[Holding]:
    """Which public address is which task's. What ECS does not say when it started has what it has from `now` on."""
    for task in service.tasks:
        for address in task.public.values():
            since = task.started_at or now
            yield Holding(address, task.id, str(service.arn), service.arn.cluster, since)


def _normal(address: str) -> str:
    """IPv6 addresses have many spellings."""
    return str(ip_address(address.strip()))


def _holding(item: Mapping[str, Any]) -> Holding:
    """What it does not say, or not in our way, is not known: whose it was is in the key."""
    return Holding(
        address=item["pk"]["S"],
        task=item["sk"]["S"],
        service=item.get("service", {}).get("S", ""),
        cluster=item.get("cluster", {}).get("S", ""),
        since=float(item.get("since", {}).get("N", "0")),
        until=float(item.get("until", {}).get("N", "0")),
    )
