"""cleanup: the stack's custom resource. Before the stack goes, every exposure is withdrawn, unless asked to be kept."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from aws_lambda_powertools.utilities.data_classes import CloudFormationCustomResourceEvent
from aws_lambda_powertools.utilities.typing import LambdaContext

from expose.bootstrap import parts

_TO_ANSWER = 30.0  # seconds of the function's time that are kept for telling CloudFormation


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    request = CloudFormationCustomResourceEvent(event)
    try:
        _answer(request, _withdraw(request, context))
    except Exception as error:
        _answer(request, f"{type(error).__name__}: {error}")
        raise


def _withdraw(request: CloudFormationCustomResourceEvent, context: LambdaContext) -> str:
    """Why not everything could be withdrawn; empty where nothing is left, or nothing was asked for."""
    part = parts()
    if request.request_type != "Delete" or part.settings.on_delete == "keep":
        return ""
    left = part.cleanup.withdraw(seconds=context.get_remaining_time_in_millis() / 1000 - _TO_ANSWER)
    part.telemetry.info("withdrew everything" if not left else f"still there: {', '.join(left)}")
    return f"still being withdrawn, delete the stack again in a while: {', '.join(left[:20])}" if left else ""


def _answer(request: CloudFormationCustomResourceEvent, problem: str) -> None:
    """CloudFormation waits for a PUT to the address that it gave."""
    body = {
        "Status": "FAILED" if problem else "SUCCESS",
        "Reason": problem[:1000] or "done",
        "PhysicalResourceId": request.get("PhysicalResourceId") or request.logical_resource_id,
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_resource_id,
    }
    put = urllib.request.Request(  # noqa: S310 - the address comes from CloudFormation
        request.response_url, json.dumps(body).encode(), {"Content-Type": ""}, method="PUT"
    )
    with urllib.request.urlopen(put, timeout=20):  # noqa: S310
        pass
