"""The ledger's table: memories and records read and written as items, each over the version that was read, or not at all.

What one item does not hold is written with its pieces in one transaction (see `items`). Attributes that are not ours stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from expose.aws import Clients, code
from expose.items import EXPOSURE, MEMORY, PIECE, SERVICE, Item, digest_of, piece_of
from expose.records import Memory, Record
from expose.refusals import NotYet

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import (
        TransactWriteItemTypeDef,
        UniversalAttributeValueTypeDef,
        UpdateTypeDef,
    )

    Values = dict[str, UniversalAttributeValueTypeDef]

ACTIONS = frozenset(
    {"dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"}
)

_OVERTAKEN = frozenset(
    {
        "ConditionalCheckFailed",
        "ConditionalCheckFailedException",
        "TransactionConflict",
        "TransactionConflictException",
    }
)


class Overtaken(NotYet):
    """Another worker has written the item since it was read."""


class Table:
    def __init__(self, clients: Clients, name: str) -> None:
        self._clients = clients
        self._name = name

    def everything(self, *, consistent: bool) -> Iterator[Item]:
        pages = self._clients.dynamodb.get_paginator("scan").paginate(
            TableName=self._name, ConsistentRead=consistent
        )
        return (item for page in pages for item in page["Items"])

    def of(self, pk: str) -> list[Item]:
        pages = self._clients.dynamodb.get_paginator("query").paginate(
            TableName=self._name,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
        )
        return [item for page in pages for item in page["Items"]]

    def save(
        self, of: Memory | Record, read: int, bodies: Sequence[bytes], beside: Values
    ) -> tuple[str, ...]:
        """Write over version `read`, all of it or nothing; the digests of the pieces beside the first item. Raise `Overtaken`
        where another worker has written it since.
        """
        first, *rest = bodies
        pieces = tuple(map(digest_of, rest))
        values = {"rev": {"N": str(read + 1)}, "body": {"B": first}, **beside}
        values |= {"pieces": {"S": " ".join(pieces)}} if pieces else {}
        update = self._update(of, read, values, without={"pieces", "expires"} - values.keys())
        with _overtaking(of):
            if pieces or of.stored.pieces:
                self._clients.dynamodb.transact_write_items(
                    TransactItems=[{"Update": update}, *self._pieces(of, rest, pieces)]
                )
            else:
                self._clients.dynamodb.update_item(**update)
        return pieces

    def tell(self, of: Record, beside: Values) -> None:
        """Write beside what stands there; its body and its version stay."""
        with _overtaking(of):
            self._clients.dynamodb.update_item(**self._update(of, of.stored.rev, beside))

    def _pieces(
        self, of: Memory | Record, bodies: Sequence[bytes], pieces: Sequence[str]
    ) -> Iterator[TransactWriteItemTypeDef]:
        """Those that are not there yet, or not any more."""
        before = of.stored.pieces
        for number, (body, its) in enumerate(zip(bodies, pieces, strict=True)):
            if of.stored.unreadable or before[number : number + 1] != (its,):
                item = _piece(of, number) | {"body": {"B": body}}
                yield {"Put": {"TableName": self._name, "Item": item}}
        for number in range(len(pieces), len(before)):
            yield {"Delete": {"TableName": self._name, "Key": _piece(of, number)}}

    def _update(
        self, of: Memory | Record, read: int, values: Values, *, without: Iterable[str] = ()
    ) -> UpdateTypeDef:
        names = {f"#{name}": name for name in (*values, *without)}
        change = "SET " + ", ".join(f"#{name} = :{name}" for name in values)
        change += f" REMOVE {', '.join(f'#{name}' for name in sorted(without))}" if without else ""
        return {
            "TableName": self._name,
            "Key": _key(of),
            "UpdateExpression": change,
            "ConditionExpression": "rev = :read" if read else "attribute_not_exists(rev) OR rev = :read",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {":read": {"N": str(read)}}
            | {f":{name}": value for name, value in values.items()},
        }

    def delete(self, of: Memory | Record) -> None:
        self._clients.dynamodb.delete_item(TableName=self._name, Key=_key(of))
        for number in range(len(of.stored.pieces)):
            self._clients.dynamodb.delete_item(TableName=self._name, Key=_piece(of, number))


@contextmanager
def _overtaking(of: Memory | Record) -> Iterator[None]:
    """Whoever has written it in the meantime knows better."""
    try:
        yield
    except ClientError as error:
        reasons: Any = error.response.get("CancellationReasons", [])
        if _OVERTAKEN.isdisjoint({code(error), *(each.get("Code") for each in reasons)}):
            raise
        service, sk = _named(of)
        raise Overtaken(f"another worker has just written {sk} of {service}", seconds=1) from error


def _named(of: Memory | Record) -> tuple[str, str]:
    """The service, and the sort key."""
    if isinstance(of, Memory):
        return str(of.service.arn), MEMORY
    return of.service, f"{EXPOSURE}{of.tag}"


def _key(of: Memory | Record) -> Values:
    service, sk = _named(of)
    return {"pk": {"S": f"{SERVICE}{service}"}, "sk": {"S": sk}}


def _piece(of: Memory | Record, number: int) -> Values:
    service, sk = _named(of)
    return {"pk": {"S": f"{PIECE}{service}"}, "sk": {"S": piece_of(sk, number)}}
