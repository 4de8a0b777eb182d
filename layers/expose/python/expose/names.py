"""Names that exposures hold: a part of the ledger's table, under CLAIM#<name>.

The first exposure to claim a name has it until it lets go. Where every party says so, a name is held together:
`holder` is the mark of the one that has it alone, `holders` are the marks of those that share it, never both. `entered`
are the marks that have claimed it since overlaps are looked at, see `overlaps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from expose.aws import Clients, code
from expose.overlaps import Overlaps
from expose.refusals import Refused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UniversalAttributeValueTypeDef

ACTIONS = frozenset({"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"})

_REFUSED = "ConditionalCheckFailedException"
_ALONE = (
    "(attribute_not_exists(holder) OR holder = :mark) AND (attribute_not_exists(holders) OR holders = :marks)"
)
_TOGETHER = "attribute_not_exists(holder) OR holder = :mark"


class Names:
    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._table = table

    def claim(
        self,
        name: str,
        mark: str,
        *,
        said: str,
        together: bool = False,
        heir: str = "",
        share: str = "weight=",
    ) -> None:
        """Hold a name, alone or together; safe to repeat, and to change from one to the other.

        Raise `Refused` where another mark holds it, or where not all of them share it. `said` is the name as people
        say it, `share` the option that shares it, `heir` the part of the marks of whoever may take it over, which says the service.
        """
        alone = "SET holder = :mark, heir = :heir REMOVE holders ADD entered :marks"
        change = "REMOVE holder, heir ADD holders :marks, entered :marks" if together else alone
        more = {":service": mark.rpartition("/")[0], **({} if together else {":heir": heir})}
        condition = f"({_TOGETHER if together else _ALONE}) OR heir = :service"
        if not self._update(name, change, mark, condition=condition, more=more):
            held, shares = self._held(name)
            advice = f"say {share} on both to share it, " if together or shares else ""
            raise Refused(
                "NameTaken",
                f"{said} is held by {' and '.join(sorted(held - {mark})) or 'another tag'}: {advice}choose another name, "
                "or remove it there",
            )

    def holders(self, name: str) -> set[str]:
        """The marks that hold a name, alone or together."""
        return self._held(name)[0]

    def held_from_before(self, name: str, mark: str) -> bool:
        """Whether an older version of this program claimed it, which did not look at overlaps."""
        item = self._item(name)
        return mark in _marks(item) and mark not in item.get("entered", {}).get("SS", ())

    def matched(self, listener: str) -> Overlaps:
        """What is claimed of the requests at a listener."""
        return Overlaps(self._clients, self._table, listener)

    def release(self, name: str, mark: str) -> None:
        """Let go of a name, if it is ours."""
        if self._update(
            name, "DELETE holders :marks, entered :marks", mark, condition="contains(holders, :mark)"
        ):
            self._delete(name, "attribute_not_exists(holders) AND attribute_not_exists(holder)", {})
        else:
            self._delete(name, "holder = :mark", {"ExpressionAttributeValues": {":mark": {"S": mark}}})

    def _held(self, name: str) -> tuple[set[str], bool]:
        """The marks, and whether they share it."""
        item = self._item(name)
        return _marks(item), "holders" in item

    def _item(self, name: str) -> Mapping[str, Any]:
        answer = self._clients.dynamodb.get_item(TableName=self._table, Key=_key(name), ConsistentRead=True)
        return answer.get("Item", {})

    def _update(
        self, name: str, change: str, mark: str, *, condition: str, more: Mapping[str, str] | None = None
    ) -> bool:
        values: dict[str, UniversalAttributeValueTypeDef] = {":mark": {"S": mark}, ":marks": {"SS": [mark]}}
        values |= {name: {"S": text} for name, text in (more or {}).items()}
        try:
            self._clients.dynamodb.update_item(
                TableName=self._table,
                Key=_key(name),
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if code(error) != _REFUSED:
                raise
            return False
        return True

    def _delete(self, name: str, condition: str, values: Mapping[str, Any]) -> None:
        try:
            self._clients.dynamodb.delete_item(
                TableName=self._table, Key=_key(name), ConditionExpression=condition, **values
            )
        except ClientError as error:
            if code(error) != _REFUSED:
                raise


def _marks(item: Mapping[str, Any]) -> set[str]:
    """Of those that hold it, alone or together."""
    alone = item.get("holder", {}).get("S", "")
    return {alone} if alone else set(item.get("holders", {}).get("SS", ()))


def _key(name: str) -> dict[str, AttributeValueTypeDef]:
    return {"pk": {"S": f"CLAIM#{name}"}, "sk": {"S": "CLAIM"}}
