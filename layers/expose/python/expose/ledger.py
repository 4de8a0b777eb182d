"""The ledger: one DynamoDB table that remembers what we own, because ECS has nothing that would.

    pk                       sk                 holds
    SERVICE#<arn>            SERVICE            Memory: the service as last read
    SERVICE#<arn>            EXPOSURE#<tag>     Record: one exposure, what it owns, how it stands
    CLAIM#<name>             CLAIM              see `names`
    CLAIM#<listener>         MATCHED            see `overlaps`
    SHARED#<kind>/<key>      SHARED             see `shared`

Records and memories are written only over the version that was read, so two workers cannot overwrite each other. Where
another has written a record meanwhile, what both have changed is merged: what is gone may be withdrawn while the
service's other work goes on.
Status, message and addresses stand beside the packed body as attributes of their own, for people to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from expose.aws import Clients, code
from expose.records import Memory, Record, dump_memory, dump_record, load_memory, load_record, merged
from expose.refusals import NotYet

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UniversalAttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]
    Values = dict[str, UniversalAttributeValueTypeDef]

ACTIONS = frozenset({"dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"})

_EXPOSURE = "EXPOSURE#"
_REFUSED = "ConditionalCheckFailedException"


_TRIES = 5


class Overtaken(NotYet):
    """Another worker has written the item since it was read."""


class Ledger:
    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._table = table
        self.met_another = False
        """Whether another worker has written any of them meanwhile: what both did in AWS may have crossed."""
        self._known: dict[str, Record] = {}
        """By tag, the records that were loaded to write, as they were last read or written here."""

    def load(self, service: str) -> tuple[Memory | None, list[Record]]:
        """What is remembered of a service, read consistently."""
        pages = self._clients.dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"SERVICE#{service}"}},
        )
        return _split([item for page in pages for item in page["Items"]])

    def load_to_write(self, service: str) -> tuple[Memory | None, list[Record]]:
        """The same, for the worker that saves these records afterwards: one service at a time."""
        self.met_another = False
        memory, records = self.load(service)
        self._known = {record.tag: record for record in records}
        return memory, records

    def follows(self, service: str) -> bool:
        """Whether the service has, or had, any exposure that is not cleared away yet."""
        answer = self._clients.dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :exposure)",
            ExpressionAttributeValues={":pk": {"S": f"SERVICE#{service}"}, ":exposure": {"S": _EXPOSURE}},
            ProjectionExpression="pk",
            Limit=1,
        )
        return bool(answer["Items"])

    def everything(self) -> dict[str, tuple[Memory | None, list[Record]]]:
        """All services that are remembered, by ARN."""
        items: dict[str, list[Item]] = {}
        for page in self._clients.dynamodb.get_paginator("scan").paginate(TableName=self._table):
            for item in page["Items"]:
                kind, _, arn = item["pk"]["S"].partition("#")
                if kind == "SERVICE":
                    items.setdefault(arn, []).append(item)
        return {arn: _split(each) for arn, each in items.items()}

    def save_record(self, record: Record, *, expires: float = 0.0) -> Record:
        """The record as saved, for good or until it `expires`; merged with what another worker has written since it was
        loaded. Raise `NotYet` where that cannot be done.
        """
        for _ in range(_TRIES):
            try:
                saved = self._save_record(record, expires)
            except Overtaken:
                self.met_another = True
                base = self._known.get(record.tag)
                theirs = {each.tag: each for each in self.load(record.service)[1]}.get(record.tag)
                if base is None or base.service != record.service or theirs is None:
                    raise
                record = merged(base, record, theirs)
                self._known[record.tag] = theirs
            else:
                self._known[record.tag] = saved
                return saved
        raise Overtaken(f"other workers keep writing {record.tag} of {record.service}", seconds=1)

    def _save_record(self, record: Record, expires: float) -> Record:
        newer = replace(record, version=record.version + 1)
        extra: Values = {
            "status": {"S": record.status},
            "code": {"S": record.code},
            "message": {"S": record.message},
            "value": {"S": record.value},
            "addresses": {"S": " ".join(record.addresses)},
        }
        if expires:
            extra["expires"] = {"N": f"{expires:.0f}"}
        self._put(record.service, f"{_EXPOSURE}{record.tag}", dump_record(newer), record.version, extra)
        return newer

    def save_memory(self, memory: Memory) -> Memory:
        newer = replace(memory, version=memory.version + 1)
        self._put(str(memory.service.arn), "SERVICE", dump_memory(newer), memory.version, {})
        return newer

    def forget_record(self, record: Record) -> None:
        self._delete(f"SERVICE#{record.service}", f"{_EXPOSURE}{record.tag}")

    def forget_memory(self, service: str) -> None:
        self._delete(f"SERVICE#{service}", "SERVICE")

    def _put(self, service: str, sk: str, body: bytes, version: int, extra: Values) -> None:
        try:
            self._clients.dynamodb.put_item(
                TableName=self._table,
                Item={
                    **_key(f"SERVICE#{service}", sk),
                    "rev": {"N": str(version + 1)},
                    "body": {"B": body},
                    **extra,
                },
                ConditionExpression="rev = :read" if version else "attribute_not_exists(pk) OR rev = :read",
                ExpressionAttributeValues={":read": {"N": str(version)}},
            )
        except ClientError as error:
            if code(error) != _REFUSED:
                raise
            raise Overtaken(f"another worker has just written {sk} of {service}", seconds=1) from error

    def _delete(self, pk: str, sk: str) -> None:
        self._clients.dynamodb.delete_item(TableName=self._table, Key=_key(pk, sk))


def _key(pk: str, sk: str) -> Values:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _split(items: list[Item]) -> tuple[Memory | None, list[Record]]:
    memory: Memory | None = None
    records: list[Record] = []
    for item in items:
        if item["sk"]["S"] == "SERVICE":
            memory = load_memory(item["body"]["B"])
        else:
            records.append(load_record(item["body"]["B"]))
    return memory, records
