"""The policy statements of a role as the template has it: inline ones, those of the template's managed policies, and
the AWS managed ones that SAM attaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from farm.iam import Statement

_LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
_MANAGED: dict[str, list[str]] = {
    "AWSLambdaBasicExecutionRole": _LOGS,
    "AWSLambdaSQSQueueExecutionRole": [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        *_LOGS,
    ],
}


def statements_of(role: Mapping[str, Any], managed: Mapping[str, Mapping[str, Any]]) -> list[Statement]:
    """All statements that hold for a role with these resolved properties; `managed` are the template's own documents."""
    attached = role.get("ManagedPolicyArns", ())
    documents = [policy["PolicyDocument"] for policy in role.get("Policies", ())]
    documents += [managed[arn] for arn in attached if arn in managed]
    statements: list[Statement] = []
    for document in documents:
        found = document["Statement"]
        statements += found if isinstance(found, list) else [found]
    for arn in (each for each in attached if each not in managed):
        name = arn.rpartition("/")[2]
        if name not in _MANAGED:
            raise ValueError(
                f"managed policy {name}: the farm knows {', '.join(_MANAGED)}; add it to farm/roles.py"
            )
        statements.append({"Effect": "Allow", "Action": _MANAGED[name], "Resource": "*"})
    return statements
