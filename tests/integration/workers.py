"""A second worker that runs in the middle of the first one's call, as Lambda lets many do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from expose.work import Depth, Work, dump
from farm.farm import Farm
from farm.gate import GATE, Call, Fault

Scene = Callable[[Farm], int]


def meanwhile(operation: str, act: Callable[[], object], *, nth: int = 1) -> list[Call]:
    """Do something once, just before the call of reconcile to `operation` with this number goes through; that call."""
    seen: list[Call] = []
    met: list[Call] = []

    def strikes(call: Call) -> bool:
        if call.caller == "reconcile" and call.operation == operation and not met:
            seen.append(call)
            if len(seen) == nth:
                met.append(call)
                act()
        return False

    GATE.faults.append(Fault("error", where=strikes))
    return met


def second_worker(farm: Farm, service: str) -> Any:
    """What another environment of the function does now for another service."""
    work = Work(farm.arn(service), "second worker", Depth.SERVICE, since=farm.timeline.now())
    record = {
        "messageId": "second",
        "receiptHandle": "second",
        "body": dump(work),
        "attributes": {"MessageGroupId": service, "MessageDeduplicationId": "second", "SequenceNumber": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:ecs-expose-work.fifo",
        "awsRegion": "eu-west-1",
    }
    return farm.lambdas.invoke("reconcile", {"Records": [record]})
