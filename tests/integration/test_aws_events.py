"""EventBridge behaves as AWS's (F§6, F§1.1): what a rule does not match on the farm, it does not match on AWS."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from farm.aws import events
from farm.timeline import Timeline

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

QUEUE_ARN = "arn:aws:sqs:eu-west-1:123456789012:heard"
DEAD_ARN = "arn:aws:sqs:eu-west-1:123456789012:dead"
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:notify"


@pytest.fixture
def bus(timeline: Timeline) -> EventBridgeClient:
    return boto3.client("events", "eu-west-1")


@pytest.fixture
def sqs(timeline: Timeline) -> SQSClient:
    sqs = boto3.client("sqs", "eu-west-1")
    for name in ("heard", "dead"):
        sqs.create_queue(QueueName=name)
    return sqs


def rule(bus: EventBridgeClient, *, pattern: object = None, arn: str = QUEUE_ARN, **options: Any) -> None:
    pattern = pattern or {"source": ["shop"]}
    state = options.pop("State", "ENABLED")
    bus.put_rule(Name="rule", EventPattern=json.dumps(pattern), State=state)
    bus.put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": arn, **options}])


def put(bus: EventBridgeClient, detail: dict[str, Any], source: str = "shop") -> dict[str, Any]:
    entry = {"Source": source, "DetailType": "Sale", "Detail": json.dumps(detail), "Resources": ["arn:r"]}
    return bus.put_events(Entries=[entry])["Entries"][0]


def heard(sqs: SQSClient, queue: str = "heard") -> list[Any]:
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    for message in answer.get("Messages", []):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_a_target_gets_the_whole_envelope_untouched(
    bus: EventBridgeClient, sqs: SQSClient, timeline: Timeline
) -> None:
    rule(bus)
    id_ = put(bus, {"text": '<id> and "<time>"'})["EventId"]
    assert heard(sqs) == [
        {
            "version": "0",
            "id": id_,
            "detail-type": "Sale",
            "source": "shop",
            "account": "123456789012",
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(timeline.now())),
            "region": "eu-west-1",
            "resources": ["arn:r"],
            "detail": {"text": '<id> and "<time>"'},
        }
    ]


@pytest.mark.parametrize(
    ("options", "received"),
    [
        ({"Input": '{"constant": true}'}, {"constant": True}),
        ({"InputPath": "$.detail.items[1]"}, "b"),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"n": "$.detail.n"},
                    "InputTemplate": '{"n": <n>, "t": "is <n>!"}',
                }
            },
            {"n": 7, "t": "is 7!"},
        ),
    ],
)
def test_input_options_shape_what_a_target_gets(
    bus: EventBridgeClient, sqs: SQSClient, options: dict[str, Any], received: object
) -> None:
    rule(bus, **options)
    put(bus, {"n": 7, "items": ["a", "b"]})
    assert heard(sqs) == [received]


def test_a_disabled_rule_hears_nothing(bus: EventBridgeClient, sqs: SQSClient) -> None:
    rule(bus, State="DISABLED")
    put(bus, {"n": 1})
    assert heard(sqs) == []


def test_a_schedule_hears_no_events_but_fires_on_the_farms_time(
    bus: EventBridgeClient, sqs: SQSClient, timeline: Timeline
) -> None:
    bus.put_rule(Name="clock", ScheduleExpression="rate(1 minute)")
    bus.put_targets(Rule="clock", Targets=[{"Id": "1", "Arn": QUEUE_ARN}])
    put(bus, {"n": 1})
    assert heard(sqs) == []
    timeline.run_for(180)
    assert [event["detail-type"] for event in heard(sqs)] == ["Scheduled Event"] * 3
    bus.disable_rule(Name="clock")
    timeline.run_for(180)
    assert heard(sqs) == []


def test_a_function_is_invoked_with_the_event(bus: EventBridgeClient, timeline: Timeline) -> None:
    invoked: list[tuple[str, Any]] = []
    events.connect(lambda arn, payload: not invoked.append((arn, payload)))
    rule(bus, arn=FUNCTION_ARN)
    put(bus, {"n": 1})
    assert [(arn, event["detail"]) for arn, event in invoked] == [(FUNCTION_ARN, {"n": 1})]


@pytest.mark.parametrize("missing", ["arn:aws:sqs:eu-west-1:123456789012:nowhere", FUNCTION_ARN])
def test_a_missing_target_sends_the_event_to_the_dead_letter_queue_and_never_fails_the_producer(
    bus: EventBridgeClient, sqs: SQSClient, missing: str
) -> None:
    rule(bus, arn=missing, DeadLetterConfig={"Arn": DEAD_ARN})
    assert "EventId" in put(bus, {"n": 1})
    url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    (dead,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert json.loads(dead["Body"])["detail"] == {"n": 1}
    attributes = {name: value["StringValue"] for name, value in dead["MessageAttributes"].items()}
    assert attributes["TARGET_ARN"] == missing
    assert attributes["ERROR_CODE"] == "NO_RESOURCE"


def test_only_aws_may_speak_as_aws(bus: EventBridgeClient, sqs: SQSClient) -> None:
    rule(bus, pattern={"source": ["aws.ecs"]})
    assert put(bus, {"n": 1}, source="aws.ecs")["ErrorCode"] == "NotAuthorizedForSourceException"
    events.emit({"source": "aws.ecs", "detail-type": "x", "detail": {"n": 2}})
    assert [event["detail"] for event in heard(sqs)] == [{"n": 2}]


MATCHING = [
    ({"a": ["x"]}, {"a": "x"}, True),
    ({"a": ["x"]}, {"a": ["w", "x"]}, True),
    ({"a": [True]}, {"a": 1}, False),
    ({"a": [None]}, {"a": None}, True),
    ({"a": [None]}, {}, False),
    ({"a": [{"prefix": "service:"}]}, {"a": "service:conejo"}, True),
    ({"a": [{"prefix": {"equals-ignore-case": "SERVICE:"}}]}, {"a": "service:conejo"}, True),
    ({"a": [{"suffix": ".png"}]}, {"a": "x.gif"}, False),
    ({"a": [{"anything-but": ["x", "y"]}]}, {"a": "z"}, True),
    ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": "xy"}, False),
    ({"a": [{"exists": False}]}, {}, True),
    ({"a": {"b": [{"exists": False}]}}, {"a": {"b": 1}}, False),
    ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
    ({"a": [{"wildcard": "arn:*:service/*"}]}, {"a": "arn:aws:service/x"}, True),
    ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.9"}, True),
    ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "y"}, True),
    ({"a": {"b": ["x"]}}, {"a": [{"b": "w"}, {"b": "x"}]}, True),
    ({"a": {"b": ["x"], "c": ["y"]}}, {"a": [{"b": "x", "c": "n"}, {"b": "n", "c": "y"}]}, False),
    ({"a.b": ["x"]}, {"a": {"b": "x"}}, False),
]


@pytest.mark.parametrize(("pattern", "event", "expected"), MATCHING)
def test_patterns_match_as_eventbridge_matches(
    bus: EventBridgeClient, pattern: dict[str, Any], event: dict[str, Any], *, expected: bool
) -> None:
    answer = bus.test_event_pattern(
        EventPattern=json.dumps({"detail": pattern}), Event=json.dumps({"detail": event})
    )
    assert answer["Result"] is expected


@pytest.mark.parametrize(
    "pattern",
    [
        {"a": [{"begins-with": "x"}]},
        {"a": []},
        {"a": "x"},
        {"a": [{"anything-but": {"numeric": [">", 1]}}]},
        {"a": [{"numeric": ["~", 1]}]},
        {"a": [{"prefix": "x", "suffix": "y"}]},
        {},
    ],
)
def test_a_pattern_that_aws_would_refuse_is_refused(bus: EventBridgeClient, pattern: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        bus.put_rule(Name="bad", EventPattern=json.dumps(pattern))
    assert refused.value.response["Error"]["Code"] == "InvalidEventPatternException"


def test_hundreds_of_events_a_second_reach_a_queue(bus: EventBridgeClient, sqs: SQSClient) -> None:
    rule(bus)
    begin = time.process_time()  # whatever else the machine does meanwhile
    for number in range(500):
        events.emit({"source": "shop", "detail-type": "Sale", "detail": {"n": number}})
    assert 500 / (time.process_time() - begin) > 300
