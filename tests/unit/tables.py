"""A ledger's table in an account in process, for the tests of what stands in it."""

from __future__ import annotations

from functools import cache

from expose.aws import Clients

TABLE = "ledger"


@cache
def _clients() -> Clients:
    """Made once: to make one takes longer than most tests."""
    return Clients()


def table() -> Clients:
    """Clients of an account that has one, empty."""
    clients = _clients()
    clients.dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return clients


def items(clients: Clients, about: object = "") -> int:
    """How many there are, about one thing or all."""
    found = clients.dynamodb.scan(TableName=TABLE)["Items"]
    return sum(str(about) in each["pk"]["S"] for each in found)
