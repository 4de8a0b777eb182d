"""Conditional writes to single items of a DynamoDB table: who comes second is told so, and has changed nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from expose.aws import Clients, code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UniversalAttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]
    Values = Mapping[str, UniversalAttributeValueTypeDef]

_REFUSED = "ConditionalCheckFailedException"


class Table:
    def __init__(self, clients: Clients, name: str) -> None:
        self._clients = clients
        self._name = name

    def read(self, key: Values) -> Item:
        """Consistently; empty where there is none."""
        answer = self._clients.dynamodb.get_item(TableName=self._name, Key=key, ConsistentRead=True)
        return answer.get("Item", {})

    def update(
        self,
        key: Values,
        change: str,
        values: Values,
        *,
        condition: str = "",
        names: Mapping[str, str] | None = None,
    ) -> Item | None:
        """The item as it is then; None where the condition does not hold."""
        said: dict[str, Any] = {
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        try:
            answer = self._clients.dynamodb.update_item(
                TableName=self._name,
                Key=key,
                UpdateExpression=change,
                ReturnValues="ALL_NEW",
                **{name: each for name, each in said.items() if each},
            )
        except ClientError as error:
            if code(error) != _REFUSED:
                raise
            return None
        return answer["Attributes"]

    def delete(self, key: Values, values: Values, *, condition: str) -> bool:
        """False where the condition does not hold."""
        try:
            self._clients.dynamodb.delete_item(
                TableName=self._name,
                Key=key,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if code(error) != _REFUSED:
                raise
            return False
        return True


def text(value: str) -> UniversalAttributeValueTypeDef:
    return {"S": value}


def number(value: float) -> UniversalAttributeValueTypeDef:
    return {"N": str(value)}


def number_in(item: Item, name: str) -> float:
    """0 where there is none."""
    return float(item.get(name, {}).get("N", 0))
