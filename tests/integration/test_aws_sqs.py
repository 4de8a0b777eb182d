"""Queues behave as SQS's do (F§6): moto's own would hide our mistakes with order, duplicates and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from farm.timeline import Timeline

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@pytest.fixture
def sqs(timeline: Timeline) -> SQSClient:
    return boto3.client("sqs", "eu-west-1")


def fifo(sqs: SQSClient, name: str = "work.fifo", **attributes: str) -> str:
    attributes = {"FifoQueue": "true", "VisibilityTimeout": "30", **attributes}
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def send(sqs: SQSClient, url: str, body: str, *, group: str = "g", id_: str = "") -> str:
    return sqs.send_message(
        QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=id_ or body
    )["MessageId"]


def receive(sqs: SQSClient, url: str, count: int = 10) -> list[str]:
    return [message["Body"] for message in receive_whole(sqs, url, count)]


def receive_whole(sqs: SQSClient, url: str, count: int = 10) -> list[dict[str, str]]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=count, AttributeNames=["All"])
    return answer.get("Messages", [])


def delete_all(sqs: SQSClient, url: str, messages: list[dict[str, str]]) -> None:
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_a_delayed_message_comes_when_the_farms_time_has_come(sqs: SQSClient, timeline: Timeline) -> None:
    url = sqs.create_queue(QueueName="later")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="look again", DelaySeconds=60)
    assert receive(sqs, url) == []
    timeline.run_for(59.9)
    assert receive(sqs, url) == []
    timeline.run_for(0.1)
    assert receive(sqs, url) == ["look again"]


def test_a_received_message_comes_back_after_its_visibility_timeout(
    sqs: SQSClient, timeline: Timeline
) -> None:
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="m")
    assert receive(sqs, url) == ["m"]
    timeline.run_for(29)
    assert receive(sqs, url) == []
    timeline.run_for(1)
    assert receive(sqs, url) == ["m"]


def test_fifo_keeps_the_order_of_a_group_when_messages_come_back(sqs: SQSClient, timeline: Timeline) -> None:
    url = fifo(sqs)
    for body in ("g0-1", "g1-1", "g0-2", "g1-2", "g1-3"):
        send(sqs, url, body, group=body[:2])
    assert receive(sqs, url, 2) == ["g0-1", "g1-1"]
    timeline.run_for(31)
    assert receive(sqs, url) == ["g0-1", "g1-1", "g0-2", "g1-2", "g1-3"]


def test_fifo_closes_a_group_while_one_of_its_messages_is_in_flight(
    sqs: SQSClient, timeline: Timeline
) -> None:
    url = fifo(sqs)
    for body in ("a1", "a2", "b1"):
        send(sqs, url, body, group=body[0])
    first = receive_whole(sqs, url, 1)
    assert receive(sqs, url) == ["b1"]
    delete_all(sqs, url, first)
    assert receive(sqs, url) == ["a2"]


def test_fifo_remembers_a_deduplication_id_for_five_minutes_even_when_deleted(
    sqs: SQSClient, timeline: Timeline
) -> None:
    url = fifo(sqs)
    first = send(sqs, url, "m", id_="event-1")
    delete_all(sqs, url, receive_whole(sqs, url))
    assert send(sqs, url, "m again", id_="event-1") == first
    assert receive(sqs, url) == []
    timeline.run_for(300)
    send(sqs, url, "m at last", id_="event-1")
    assert receive(sqs, url) == ["m at last"]


def test_fifo_gives_rising_sequence_numbers_of_twenty_digits(sqs: SQSClient) -> None:
    url = fifo(sqs, ContentBasedDeduplication="true")
    for body in ("1", "2"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g")
    numbers = [message["Attributes"]["SequenceNumber"] for message in receive_whole(sqs, url)]
    assert numbers == sorted(numbers)
    assert [len(number) for number in numbers] == [20, 20]


def test_fifo_refuses_a_delay_of_one_message(sqs: SQSClient) -> None:
    """F§6: DelaySeconds per message is not allowed on a FIFO queue."""
    with pytest.raises(ClientError) as refused:
        sqs.send_message(
            QueueUrl=fifo(sqs),
            MessageBody="m",
            MessageGroupId="g",
            MessageDeduplicationId="m",
            DelaySeconds=5,
        )
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_a_message_received_too_often_goes_to_the_dead_letter_queue(
    sqs: SQSClient, timeline: Timeline
) -> None:
    dead = fifo(sqs, "dead.fifo")
    url = fifo(
        sqs,
        RedrivePolicy='{"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead.fifo", "maxReceiveCount": 2}',
    )
    send(sqs, url, "poison")
    send(sqs, url, "fine")
    for _ in range(2):
        assert receive(sqs, url, 1) == ["poison"]
        timeline.run_for(30)
    assert receive(sqs, url) == ["fine"]
    assert receive(sqs, dead) == ["poison"]


def test_a_message_older_than_the_retention_period_is_gone(sqs: SQSClient, timeline: Timeline) -> None:
    url = sqs.create_queue(QueueName="q", Attributes={"MessageRetentionPeriod": "60"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="old")
    timeline.run_for(60)
    assert receive(sqs, url) == []


def test_attributes_count_what_is_there_delayed_and_in_flight(sqs: SQSClient) -> None:
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for delay in (0, 0, 9):
        sqs.send_message(QueueUrl=url, MessageBody="m", DelaySeconds=delay)
    receive(sqs, url, 1)
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == "1"
    assert counts["ApproximateNumberOfMessagesNotVisible"] == "1"
    assert counts["ApproximateNumberOfMessagesDelayed"] == "1"
