"""What exposures match on one listener: a part of the ledger's table, under CLAIM#<listener>, sk MATCHED.

One item for each listener, with one attribute for each claim. It is written only over the revision that was read, so of
two that overlap and come at the same moment the second sees the first. Whoever stands here holds the claim's name too,
see `names`: claimed before, released after.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from expose.aws import Clients, code
from expose.refusals import NotYet

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UniversalAttributeValueTypeDef

ACTIONS = frozenset({"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"})

_REFUSED = "ConditionalCheckFailedException"
_CLAIM = "claim:"
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Matched:
    """What the exposure with this mark matches by the claim `name`, which people say as `said`; `together` with others
    who say so too.
    """

    name: str
    mark: str
    said: str
    together: bool
    match: Mapping[str, Sequence[str]]

    @property
    def key(self) -> str:
        return _key(self.name, self.mark)

    @property
    def service(self) -> str:
        """The part of the mark that says the service."""
        return self.mark.rpartition("/")[0]


Parts = Mapping[str, Matched]
Stale = Callable[[Parts], Sequence[str]]
"""Which of those that are there are nobody's any more. Raises `Refused` where one stands in the way."""


class Overlaps:
    """Of one listener."""

    def __init__(self, clients: Clients, table: str, listener: str) -> None:
        self._clients = clients
        self._table = table
        self._listener = listener

    def read(self) -> Parts:
        return self._read()[0]

    def add(self, matched: Matched, stale: Stale) -> None:
        """Raise `NotYet` where others are always quicker, and what `stale` raises."""
        for _ in range(_ATTEMPTS):
            parts, revision = self._read()
            gone = stale(parts)
            if parts.get(matched.key) == matched or self._write(revision, new=matched, remove=gone):
                return
        raise NotYet("others are claiming at the same listener", seconds=1)

    def remove(self, name: str, mark: str) -> None:
        key = _key(name, mark)
        for _ in range(_ATTEMPTS):
            parts, revision = self._read()
            if key not in parts:
                return
            done = self._write(revision, remove=[key]) if len(parts) > 1 else self._delete(revision)
            if done:
                return
        raise NotYet("others are claiming at the same listener", seconds=1)

    def _read(self) -> tuple[Parts, int]:
        answer = self._clients.dynamodb.get_item(TableName=self._table, Key=self._id, ConsistentRead=True)
        item = answer.get("Item", {})
        parts = {
            key.removeprefix(_CLAIM): Matched(**json.loads(value["S"]))
            for key, value in item.items()
            if key.startswith(_CLAIM)
        }
        return parts, int(item.get("rev", {}).get("N", "0"))

    def _write(self, revision: int, *, new: Matched | None = None, remove: Sequence[str] = ()) -> bool:
        """False where another has written it since it was read."""
        names = {f"#gone{at}": f"{_CLAIM}{key}" for at, key in enumerate(remove)}
        sets, removes = ["rev = :next"], list(names)
        values: dict[str, UniversalAttributeValueTypeDef] = {":next": {"N": str(revision + 1)}}
        if new:
            sets.append("#new = :new")
            names["#new"] = f"{_CLAIM}{new.key}"
            values[":new"] = {"S": json.dumps(asdict(new), separators=(",", ":"))}
        change = f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else "")
        return self._if_still(
            revision,
            lambda condition, read: self._clients.dynamodb.update_item(
                TableName=self._table,
                Key=self._id,
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values | read,
            ),
        )

    def _delete(self, revision: int) -> bool:
        return self._if_still(
            revision,
            lambda condition, read: self._clients.dynamodb.delete_item(
                TableName=self._table,
                Key=self._id,
                ConditionExpression=condition,
                ExpressionAttributeValues=read,
            ),
        )

    def _if_still(
        self, revision: int, act: Callable[[str, dict[str, UniversalAttributeValueTypeDef]], object]
    ) -> bool:
        read: dict[str, UniversalAttributeValueTypeDef] = {":read": {"N": str(revision)}}
        try:
            act("rev = :read" if revision else "attribute_not_exists(pk) OR rev = :read", read)
        except ClientError as error:
            if code(error) != _REFUSED:
                raise
            return False
        return True

    @property
    def _id(self) -> dict[str, AttributeValueTypeDef]:
        return {"pk": {"S": f"CLAIM#{self._listener}"}, "sk": {"S": "MATCHED"}}


def _key(name: str, mark: str) -> str:
    return f"{name}#{mark}"
