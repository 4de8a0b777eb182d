"""A ledger as a version writes it, with every mechanism, kept so that the versions after it go on reading it.

    git worktree add --detach ../then COMMIT && cp -r tests/ledgers ../then/tests && cd ../then
    PYTHONPATH=layers/expose/python:. AWS_DEFAULT_REGION=eu-west-1 AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x \\
        python -m tests.ledgers.written > THIS/tests/ledgers/schema1.json

`schema1.json` was written so by commit 46bb9c9, the last one whose items do not say their schema.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from farm.farm import Farm

HERE = Path(__file__).parent

SERVICES: dict[str, dict[str, Any]] = {
    "conejo": {
        "tags": {"expose:dns": "conejo.granja.animales.com ttl=15", "expose:ip": "8080 guard=enforce"}
    },
    "gallina": {
        "public": False,
        "tags": {"expose:lb": "internal host=gallina.com", "expose:api:rest": "rest/shop/orders auth=iam"},
    },
    "zorro": {
        "public": False,
        "tags": {"expose:api": "/orders auth=jwt issuer=https://login.system.com audience=web+ios"},
    },
    "oveja": {
        "mode": "bridge",
        "tags": {"expose:lb": "internal path=/oveja", "expose:dns": "nothing.like.it"},
    },
    "cabra": {"tags": {"expose:dns": "conejo.granja.animales.com", "expose:ip:x": "eighty"}},
}


def items(name: str) -> list[dict[str, Any]]:
    """Those of a kept ledger, as DynamoDB has them."""
    return [_each(item, b64decode) for item in json.loads((HERE / name).read_text())]


def write() -> list[dict[str, Any]]:
    """Services that are exposed, refused, and in the middle of losing a task."""
    parameters = {"VerifyMinutes": "1", "CreateLoadBalancers": "any", "GraceSeconds": "60"}
    with Farm.virtual(parameters=parameters) as farm:
        farm.create_namespace("granja.animales.com")
        farm.add_host()
        everybody: Any = [
            {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ]
        farm.ec2.authorize_security_group_ingress(
            GroupId=farm.network.security_group, IpPermissions=everybody
        )
        farm.run_for(5)
        for name, service in SERVICES.items():
            farm.create_service(name, 2, **service)
            farm.run_for(30)
        farm.run_for(600)
        for name in ("conejo", "gallina", "zorro", "oveja"):
            farm.kill(farm.tasks(name)[0]["taskArn"].rpartition("/")[2])
        farm.run_for(2)
        table = farm.lambdas.deployment.ref("Ledger") if farm.lambdas else ""
        pages = farm.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return [item for page in pages for item in page["Items"]]


def _each(item: dict[str, Any], change: Any) -> dict[str, Any]:
    """With all that is binary changed."""
    return {
        name: {sort: change(each) if sort == "B" else each for sort, each in value.items()}
        for name, value in item.items()
    }


if __name__ == "__main__":
    found = sorted(write(), key=lambda item: (item["pk"]["S"], item["sk"]["S"]))
    json.dump([_each(item, lambda data: b64encode(data).decode()) for item in found], sys.stdout, indent=1)
