"""Whether API Gateway may invoke a function: the function's own policy says so (F§5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.awslambda.models import lambda_backends

from farm.aws import ACCOUNT, ONE_AT_A_TIME, REGION
from farm.iam import evaluate

_SERVICE = "apigateway.amazonaws.com"


def may_invoke(function: str, api: str, authorizer: str) -> bool:
    """By ARN, for an authoriser. A function that the account's Lambda does not have is a stand-in without a policy."""
    with ONE_AT_A_TIME:
        known = [
            one
            for one in lambda_backends[ACCOUNT][REGION].list_functions()
            if function == one.function_arn or function.startswith(f"{one.function_arn}:")
        ]
        statements = [said for one in known for said in one.policy.statements if _is_for_gateway(said)]
    if not known:
        return True
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/authorizers/{authorizer}"
    keys = {"AWS:SourceArn": [source], "AWS:SourceAccount": [ACCOUNT]}
    return evaluate(statements, "lambda:InvokeFunction", function, keys)


def _is_for_gateway(statement: Mapping[str, Any]) -> bool:
    return statement.get("Principal") in ("*", {"Service": _SERVICE})
