"""Whose turn it is: one sweep at a time does what takes long, be it that the next one is started meanwhile.

pk       sk       holds
SWEEP    SWEEP    `holder`, which is the sweep that is under way, and `lapses`, when another one may go on
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from botocore.exceptions import ClientError

from expose.aws import Clients, code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

ACTIONS = frozenset({"dynamodb:DeleteItem", "dynamodb:UpdateItem"})

_LASTS = 90.0  # seconds after which one that does not say so any more is not under way any more
_KEY: dict[str, AttributeValueTypeDef] = {"pk": {"S": "SWEEP"}, "sk": {"S": "SWEEP"}}
_REFUSED = "ConditionalCheckFailedException"


class Turn:
    """Of one run. Whoever holds it says so again from time to time, by asking."""

    def __init__(self, clients: Clients, table: str, *, clock: Callable[[], float]) -> None:
        self._clients = clients
        self._table = table
        self._clock = clock
        self._me = uuid4().hex
        self._lapses = 0.0

    def is_mine(self) -> bool:
        """Whether no other run is under way. Taken where it is free, and, after the error is raised, where nobody knows."""
        now = self._clock()
        if self._lapses - now > _LASTS / 2:
            return True
        self._lapses = now + _LASTS
        try:
            self._clients.dynamodb.update_item(
                TableName=self._table,
                Key=_KEY,
                UpdateExpression="SET holder = :me, lapses = :lapses",
                ConditionExpression="attribute_not_exists(pk) OR holder = :me OR lapses < :now",
                ExpressionAttributeValues={
                    ":me": {"S": self._me},
                    ":now": {"N": f"{now:.3f}"},
                    ":lapses": {"N": f"{now + _LASTS:.3f}"},
                },
            )
        except ClientError as error:
            if code(error) != _REFUSED:
                raise
            self._lapses = 0.0
            return False
        return True

    def give_back(self) -> None:
        """Another one may have taken it meanwhile."""
        if not self._lapses:
            return
        try:
            self._clients.dynamodb.delete_item(
                TableName=self._table,
                Key=_KEY,
                ConditionExpression="holder = :me",
                ExpressionAttributeValues={":me": {"S": self._me}},
            )
        except ClientError as error:
            if code(error) != _REFUSED:
                raise
