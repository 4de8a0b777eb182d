"""Many messages at once: those that SQS does not take hold up no others, and are tried again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from expose.aws import Clients
from expose.outbox import Outbox, Unsent
from expose.telemetry import Telemetry
from expose.work import Depth, Work, load
from tests.unit.values import ARN

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/work.fifo"
WORKS = [Work(str(replace(ARN, name=f"conejo-{number}")), "a reason", Depth.TASKS) for number in range(12)]


@pytest.fixture
def sqs() -> Iterator[tuple[Outbox, Stubber, list[list[str]]]]:
    client = boto3.client("sqs", "eu-west-1")
    clients = Clients()
    vars(clients)["sqs"] = client
    sent: list[list[str]] = []
    client.meta.events.register(
        "provide-client-params.sqs.SendMessageBatch",
        lambda params, **_: sent.append([load(each["MessageBody"])[0].service for each in params["Entries"]]),
    )
    with Stubber(client) as stub:
        yield (
            Outbox(
                clients,
                work_queue=QUEUE,
                withdraw_queue="",
                later_queue="",
                telemetry=Telemetry(),
                clock=lambda: 0.0,
            ),
            stub,
            sent,
        )


def answer(stub: Stubber, *failed: int) -> None:
    said: Any = [{"Id": str(each), "Code": "InternalError", "SenderFault": False} for each in failed]
    stub.add_response(
        "send_message_batch", {"Successful": [], "Failed": said}, {"QueueUrl": QUEUE, "Entries": ANY}
    )


def test_what_is_not_taken_is_tried_again_and_the_rest_is_sent(
    sqs: tuple[Outbox, Stubber, list[list[str]]],
) -> None:
    outbox, stub, sent = sqs
    names = [work.service for work in WORKS]
    answer(stub, 0, 7)
    answer(stub)
    answer(stub)

    outbox.all_now(WORKS, once="x")

    assert sent == [names[:10], [names[0], names[7]], names[10:]]


def test_what_is_not_taken_then_either_is_told_after_all_others_were_sent(
    sqs: tuple[Outbox, Stubber, list[list[str]]],
) -> None:
    outbox, stub, sent = sqs
    answer(stub, 3)
    answer(stub, 0)
    answer(stub)

    with pytest.raises(Unsent, match=r"1 messages .*conejo-3 \(InternalError\)"):
        outbox.all_now(WORKS, once="x")
    assert sent[-1] == [work.service for work in WORKS[10:]]


def test_a_call_that_fails_altogether_holds_up_no_other(sqs: tuple[Outbox, Stubber, list[list[str]]]) -> None:
    outbox, stub, sent = sqs
    for _ in range(2):
        stub.add_client_error("send_message_batch", "AccessDenied")
    answer(stub)

    with pytest.raises(Unsent, match="10 messages"):
        outbox.all_now(WORKS, once="x")
    assert sent[-1] == [work.service for work in WORKS[10:]]
