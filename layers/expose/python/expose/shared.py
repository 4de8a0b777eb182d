"""Resources that exposures use together: a part of the ledger's table, under SHARED#<kind>/<key>.

`used_by` are the marks of those that use it; the last one to leave removes it. `part:<mark>` is what each of them adds
to it, such as its target group in the forward of a rule. `closing` is who removes it: from then on nobody may join until
it is seen gone, but for the one itself. `maker` is who is just making it, so that no two do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from expose.aws import Clients, code
from expose.model import Identity
from expose.refusals import NotYet

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UniversalAttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]
    Values = dict[str, UniversalAttributeValueTypeDef]

ACTIONS = frozenset({"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"})

_REFUSED = "ConditionalCheckFailedException"
_PART = "part:"


@dataclass(frozen=True, slots=True)
class Common:
    """A shared resource as the ledger knows it. `aws_id` is empty until it is made; `parts` are by mark."""

    aws_id: str = ""
    address: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)


class Shared:
    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._table = table

    def join(self, shared: Identity, mark: str) -> Common:
        """Use it. Raise `NotYet` while it is being removed."""
        return self._join(shared, "ADD used_by :marks REMOVE empty_since, closing", mark, {})

    def take_part(self, shared: Identity, mark: str, part: str) -> Common:
        """Use it and say what one adds to it; safe to repeat, and to say something else."""
        change = "SET #part = :part ADD used_by :marks REMOVE closing"
        return self._join(shared, change, mark, {":part": {"S": part}}, names={"#part": f"{_PART}{mark}"})

    def look(self, shared: Identity) -> Common:
        """As it is now; as never made where nobody uses it."""
        answer = self._clients.dynamodb.get_item(TableName=self._table, Key=_key(shared), ConsistentRead=True)
        return _common(answer.get("Item", {}))

    def begin(self, shared: Identity, mark: str) -> None:
        """Be the one that makes it. Raise `NotYet` while another is at it."""
        condition = "attribute_not_exists(maker) OR maker = :mark"
        if self._try(shared, "SET maker = :mark", {":mark": {"S": mark}}, condition=condition) is None:
            raise NotYet(f"another service is just making {shared}", seconds=2)

    def made(self, shared: Identity, aws_id: str, address: str = "") -> None:
        values: Values = {":id": {"S": aws_id}, ":address": {"S": address}}
        self._update(shared, "SET aws_id = :id, address = :address REMOVE maker", values)

    def lost(self, shared: Identity, aws_id: str) -> None:
        """It is gone from AWS: whoever needs it makes it anew."""
        self._try(shared, "REMOVE aws_id", {":id": {"S": aws_id}}, condition="aws_id = :id")

    def leave(self, shared: Identity, mark: str, *, now: float) -> float | None:
        """Stop using it. Since when nobody uses it, or None where others still do."""
        item = self._update(shared, "DELETE used_by :marks", {":marks": {"SS": [mark]}})
        if "used_by" in item:
            return None
        item = self._update(
            shared, "SET empty_since = if_not_exists(empty_since, :now)", {":now": {"N": str(now)}}
        )
        return None if "used_by" in item else float(item["empty_since"]["N"])

    def withdraw(self, shared: Identity, mark: str) -> Common:
        """Take one's part out of it, and stop making it; what the others have in it."""
        self.step_back(shared, mark)
        names = {"#part": f"{_PART}{mark}"}
        return _common(
            self._update(
                shared, "REMOVE #part DELETE used_by :marks", {":marks": {"SS": [mark]}}, names=names
            )
        )

    def step_back(self, shared: Identity, mark: str) -> None:
        """Let somebody else make it."""
        self._try(shared, "REMOVE maker", {":mark": {"S": mark}}, condition="maker = :mark")

    def close(self, shared: Identity, mark: str) -> bool:
        """Let nobody join any more, because it is about to be removed. False where somebody just has."""
        condition = "attribute_not_exists(used_by)"
        closed = self._try(shared, "SET closing = :mark", {":mark": {"S": mark}}, condition=condition)
        return closed is not None

    def reopen(self, shared: Identity) -> None:
        """It cannot go yet, so whoever wants it may join."""
        self._update(shared, "REMOVE closing ADD reopened :one", {":one": {"N": "1"}})

    def drop(self, shared: Identity) -> None:
        """It is seen gone: the next one who needs it may make it anew."""
        self._clients.dynamodb.delete_item(TableName=self._table, Key=_key(shared))

    def _join(
        self, shared: Identity, change: str, mark: str, more: Values, names: Mapping[str, str] | None = None
    ) -> Common:
        values: Values = {":marks": {"SS": [mark]}, ":mark": {"S": mark}, **more}
        condition = "attribute_not_exists(closing) OR closing = :mark"
        item = self._try(shared, change, values, condition=condition, names=names)
        if item is None:
            raise NotYet(f"{shared} is being removed", seconds=10)
        return _common(item)

    def _try(
        self,
        shared: Identity,
        change: str,
        values: Values,
        *,
        condition: str,
        names: Mapping[str, str] | None = None,
    ) -> Item | None:
        """None where the condition does not hold."""
        try:
            return self._update(shared, change, values, condition=condition, names=names)
        except ClientError as error:
            if code(error) != _REFUSED:
                raise
            return None

    def _update(
        self,
        shared: Identity,
        change: str,
        values: Values,
        *,
        condition: str = "attribute_not_exists(never)",
        names: Mapping[str, str] | None = None,
    ) -> Item:
        named: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
        answer = self._clients.dynamodb.update_item(
            TableName=self._table,
            Key=_key(shared),
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
            **named,
        )
        return answer["Attributes"]


def _common(item: Item) -> Common:
    return Common(
        aws_id=item.get("aws_id", {}).get("S", ""),
        address=item.get("address", {}).get("S", ""),
        parts={key.removeprefix(_PART): value["S"] for key, value in item.items() if key.startswith(_PART)},
    )


def _key(shared: Identity) -> Values:
    return {"pk": {"S": f"SHARED#{shared}"}, "sk": {"S": "SHARED"}}
