"""A SAM template, deployed into the farm, runs as on AWS: rules, queues, retries, partial failures, custom resources (F§6)."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from farm.aws import events, mend
from farm.custom import DeploymentError
from farm.deploy import deploy
from farm.functions import FunctionError
from farm.gate import GATE, Fault
from farm.iam import Iam
from farm.lambdas import Lambdas, in_threads
from farm.runtimes import InProcess, Subprocess
from farm.timeline import Timeline, WallTimeline

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Suffix: {Type: String, Default: none}
Globals:
  Function:
    Runtime: python3.13
    Handler: app.handler
    Timeout: 10
    Environment: {Variables: {SUFFIX: !Ref Suffix, OUT: !Ref Out}}
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: echo/
      Role: !GetAtt Role.Arn
      EventInvokeConfig:
        MaximumRetryAttempts: 2
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
      Events:
        Work:
          Type: SQS
          Properties: {Queue: !GetAtt Work.Arn, BatchSize: 10, FunctionResponseTypes: [ReportBatchItemFailures]}
  Closer:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: closer/, Role: !GetAtt Role.Arn}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: []}
      Policies:
        - PolicyName: all
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: "sqs:*", Resource: !Sub "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:*"}
              - {Effect: Allow, Action: ecs:RunTask, Resource: "*"}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: work.fifo
      FifoQueue: true
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt WorkDead.Arn, maxReceiveCount: 3}
  WorkDead: {Type: AWS::SQS::Queue, Properties: {QueueName: work-dead.fifo, FifoQueue: true}}
  Out: {Type: AWS::SQS::Queue, Properties: {QueueName: out}}
  Aside: {Type: AWS::SQS::Queue, Properties: {QueueName: aside}}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
  Closing:
    Type: Custom::Closing
    DependsOn: [EchoWork, Work]
    Properties: {ServiceToken: !GetAtt Closer.Arn, Count: 3}
  Rule:
    Type: AWS::Events::Rule
    DependsOn: Closing
    Properties:
      EventPattern: {source: [shop]}
      Targets: [{Id: echo, Arn: !GetAtt Echo.Arn}]
  Clock:
    Type: AWS::Events::Rule
    DependsOn: Closing
    Properties:
      ScheduleExpression: rate(1 minute)
      Targets: [{Id: echo, Arn: !GetAtt Echo.Arn, Input: '{"detail": {"say": "tick"}}'}]
  Alarm: {Type: AWS::CloudWatch::Alarm, DependsOn: Aside, Properties: {MetricName: m}}
  Summary: {Type: AWS::CloudWatch::CompositeAlarm, DependsOn: Alarm, Properties: {AlarmRule: m}}
Outputs:
  OutQueue: {Value: !Ref Out}
"""

ECHO = """
import json, os
import boto3

def handler(event, context):
    assert context.get_remaining_time_in_millis() > 0 and context.function_name and context.aws_request_id
    failed = []
    for record in event.get("Records", [event]):
        body = json.loads(record["body"]) if "body" in record else event["detail"]
        print("saw", body)
        if body.get("say") == "all fail":
            raise RuntimeError("boom")
        if body.get("say") == "poison":
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(body))
    return {"batchItemFailures": failed}
"""

CLOSER = """
import json, os, time, urllib.request
import boto3

def handler(event, context):
    rules = [rule["Name"] for rule in boto3.client("events").list_rules()["Rules"]]
    if event["RequestType"] == "Delete":
        time.sleep(2)
    sqs = boto3.client("sqs")
    queues = [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]]
    told = {**event, "rules": rules, "queues": queues}
    sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(told))
    answer = {"Status": os.environ.get("ANSWER", "SUCCESS"), "Reason": "as told", "PhysicalResourceId": "closing",
              **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=60).close()
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    for name, code in (("echo", ECHO), ("closer", CLOSER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text(dedent(code))
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return tmp_path / "template.yaml"


@pytest.fixture
def sqs(timeline: Timeline) -> SQSClient:
    return boto3.client("sqs", "eu-west-1")


@pytest.fixture
def lambdas(template: Path, timeline: Timeline, sqs: SQSClient) -> Lambdas:
    lambdas = Lambdas(deploy(template, {"Suffix": "given"}), InProcess())
    lambdas.start()
    read(sqs, "out")  # the custom resource's Create
    return lambdas


def read(sqs: SQSClient, name: str) -> list[Any]:
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found = []
    while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in batch:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def work(sqs: SQSClient, *sayings: str, group: str = "g") -> None:
    url = sqs.get_queue_url(QueueName="work.fifo")["QueueUrl"]
    for saying in sayings:
        sqs.send_message(
            QueueUrl=url,
            MessageBody=json.dumps({"say": saying}),
            MessageGroupId=group,
            MessageDeduplicationId=f"{group} {saying}",
        )


def say(saying: str) -> None:
    events.emit({"source": "shop", "detail-type": "x", "detail": {"say": saying}})


def test_a_function_has_the_environment_role_and_limits_of_the_template(
    lambdas: Lambdas, sqs: SQSClient
) -> None:
    echo = lambdas.deployment.function("echo")
    assert echo.environment["SUFFIX"] == "given"
    assert echo.environment["OUT"] == lambdas.deployment.ref("Out") == lambdas.deployment.outputs["OutQueue"]
    assert (echo.timeout, echo.retries) == (10, 2)
    assert echo.dead_letters == "arn:aws:sqs:eu-west-1:123456789012:dead"
    resources = [statement["Resource"] for statement in lambdas.deployment.roles["echo"]]
    assert resources == ["arn:aws:sqs:eu-west-1:123456789012:*", "*"]
    assert list(lambdas.deployment.schedules.values()) == ["rate(1 minute)"]


def test_an_event_reaches_the_function_of_its_rule(
    lambdas: Lambdas, sqs: SQSClient, timeline: Timeline
) -> None:
    say("hello")
    timeline.run_for(1)
    assert read(sqs, "out") == [{"say": "hello"}]
    assert {call.caller for call in GATE.calls if call.params.get("MessageBody") == '{"say": "hello"}'} == {
        "echo"
    }
    assert isinstance(lambdas.runtime, InProcess)
    assert list(lambdas.runtime.logs["echo"]) == ["saw {'say': 'hello'}"]


def test_a_schedule_wakes_its_function_every_minute(
    lambdas: Lambdas, sqs: SQSClient, timeline: Timeline
) -> None:
    timeline.run_for(181)
    assert read(sqs, "out") == [{"say": "tick"}] * 3


def test_an_asynchronous_invocation_is_tried_three_times_and_then_told_to_the_destination(
    lambdas: Lambdas, sqs: SQSClient, timeline: Timeline
) -> None:
    """F§6: Lambda's own two retries, then the function's destination."""
    say("all fail")
    timeline.run_for(179)
    assert read(sqs, "dead") == []
    timeline.run_for(2)
    (told,) = read(sqs, "dead")
    assert told["requestContext"]["condition"] == "RetriesExhausted"
    assert told["requestContext"]["approximateInvokeCount"] == 3
    assert told["requestPayload"]["detail"] == {"say": "all fail"}
    assert told["responsePayload"] == {"errorMessage": "boom", "errorType": "RuntimeError"}


def test_a_partial_failure_brings_back_only_what_failed(
    lambdas: Lambdas, sqs: SQSClient, timeline: Timeline
) -> None:
    work(sqs, "one", group="a")
    work(sqs, "poison", group="b")
    timeline.run_for(59)
    assert read(sqs, "out") == [{"say": "one"}]
    timeline.run_for(122)
    assert [line for line in lambdas.runtime.logs["echo"] if "poison" in line] == [
        "saw {'say': 'poison'}"
    ] * 3
    assert read(sqs, "work-dead.fifo") == [{"say": "poison"}]


def test_an_exception_brings_back_the_whole_batch(
    lambdas: Lambdas, sqs: SQSClient, timeline: Timeline
) -> None:
    work(sqs, "first", "all fail")
    timeline.run_for(200)
    assert read(sqs, "work-dead.fifo") == [{"say": "first"}, {"say": "all fail"}]


def test_a_crash_in_a_call_fails_the_invocation_and_the_message_comes_back(
    lambdas: Lambdas, sqs: SQSClient, timeline: Timeline
) -> None:
    GATE.faults.append(
        Fault("crash", operation="SendMessage", where=lambda call: call.caller == "echo", nth=1)
    )
    work(sqs, "again")
    timeline.run_for(1)
    assert [(caller, error.kind) for caller, error in lambdas.failures] == [("echo", "Runtime.ExitError")]
    timeline.run_for(61)
    assert {"say": "again"} in read(sqs, "out")


def test_the_records_of_a_batch_have_lambdas_shape(
    lambdas: Lambdas, sqs: SQSClient, timeline: Timeline
) -> None:
    seen: list[Any] = []

    class Recorder:
        def invoke(self, function: object, event: Any) -> None:
            seen.extend(event.get("Records", []))

    lambdas.runtime = Recorder()
    work(sqs, "hello")
    timeline.run_for(1)
    (record,) = seen
    assert set(record) == {
        "messageId",
        "receiptHandle",
        "body",
        "attributes",
        "messageAttributes",
        "md5OfBody",
        "eventSource",
        "eventSourceARN",
        "awsRegion",
    }
    attributes = record["attributes"]
    assert attributes["MessageGroupId"] == "g"
    assert attributes["ApproximateReceiveCount"] == "1"
    assert attributes["SentTimestamp"] == str(1_800_000_000 * 1000)
    assert len(attributes["SequenceNumber"]) == 20


def test_deleting_the_stack_stops_the_rules_then_asks_the_custom_resource_then_takes_the_rest(
    lambdas: Lambdas, sqs: SQSClient, timeline: Timeline
) -> None:
    lambdas.deployment.template["Resources"]["Out"]["DeletionPolicy"] = "Retain"
    work(sqs, "left over")
    lambdas.delete_stack()
    asked = next(message for message in read(sqs, "out") if "RequestType" in message)
    assert asked["RequestType"] == "Delete"
    assert asked["PhysicalResourceId"] == "closing"
    assert asked["ResourceProperties"]["Count"] == "3"
    assert asked["rules"] == []
    assert "aside" not in asked["queues"]
    assert "work.fifo" in asked["queues"]
    assert [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]] == ["out"]
    say("nobody hears")
    timeline.run_for(600)
    assert read(sqs, "out") == []


def test_the_farm_goes_on_while_a_function_sleeps(
    lambdas: Lambdas, sqs: SQSClient, timeline: Timeline
) -> None:
    lambdas.deployment.template["Resources"]["Out"]["DeletionPolicy"] = "Retain"
    work(sqs, "meanwhile")
    lambdas.delete_stack()
    assert read(sqs, "out")[0] == {"say": "meanwhile"}


def test_a_handler_that_takes_too_long_does_nothing_any_more(
    lambdas: Lambdas, sqs: SQSClient, timeline: Timeline
) -> None:
    """Also where functions run one at a time: a call that hangs for longer than the function may run is its last."""
    GATE.faults.append(Fault("slow", operation="SendMessage", seconds=11, nth=1))
    say("hello")
    timeline.run_for(30)
    assert [error.kind for _, error in lambdas.failures] == ["Sandbox.Timedout"]
    assert read(sqs, "out") == []


def test_a_custom_resource_that_fails_stops_the_deletion_and_says_why(
    lambdas: Lambdas, sqs: SQSClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSWER", "FAILED")
    with pytest.raises(DeploymentError, match="Closing: Delete failed: as told"):
        lambdas.delete_stack()
    assert "work.fifo" in {url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]}


def test_a_queue_that_is_shown_again_before_its_function_may_end_is_refused(
    template: Path, timeline: Timeline
) -> None:
    template.write_text(TEMPLATE.replace("VisibilityTimeout: 60", "VisibilityTimeout: 5"))
    with pytest.raises(DeploymentError, match="visibility timeout of 5 seconds is less than"):
        deploy(template)


def test_a_role_that_may_not_poll_is_refused(template: Path, timeline: Timeline) -> None:
    template.write_text(TEMPLATE.replace('"sqs:*"', "sqs:SendMessage"))
    deployment = deploy(template)
    Iam(deployment.roles).enforce()
    with pytest.raises(DeploymentError, match=r"lacks sqs:ReceiveMessage on work\.fifo"):
        Lambdas(deployment, InProcess()).start()


def test_invoking_by_hand_returns_the_result_or_raises(lambdas: Lambdas, sqs: SQSClient) -> None:
    assert lambdas.invoke("echo", {"detail": {"say": "hi"}}) == {"batchItemFailures": []}
    with pytest.raises(FunctionError, match="RuntimeError: boom"):
        lambdas.invoke("echo", {"detail": {"say": "all fail"}})


def on_the_wall(template: Path, timeline: WallTimeline, check: Callable[[Lambdas, SQSClient], None]) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    runtime = Subprocess(f"http://{host}:{port}", workers=2)
    timeline.start()
    with ThreadPoolExecutor(8) as executor:
        lambdas = Lambdas(deploy(template), runtime, in_threads(executor))
        try:
            lambdas.start()
            check(
                lambdas,
                boto3.client(
                    "sqs",
                    "eu-west-1",
                    endpoint_url=f"http://{host}:{port}",
                    aws_access_key_id="farm",
                    aws_secret_access_key="x",
                ),
            )
        finally:
            timeline.stop()
            runtime.close()
            server.stop()


def test_the_same_runs_on_the_wall_clock_in_processes_of_its_own(template: Path) -> None:
    timeline = WallTimeline()
    mend(timeline)
    GATE.reset()

    def check(lambdas: Lambdas, sqs: SQSClient) -> None:
        read(sqs, "out")
        say("by rule")
        work(sqs, "by queue")
        heard: list[Any] = []

        def both() -> bool:
            heard.extend(read(sqs, "out"))
            return len(heard) >= 2

        assert timeline.run_until(both, limit=120)
        assert sorted(body["say"] for body in heard) == ["by queue", "by rule"]
        assert {call.caller for call in GATE.calls if call.operation == "SendMessage"} >= {"echo", "user"}
        lambdas.delete_stack()
        assert sqs.list_queues().get("QueueUrls", []) == []

    on_the_wall(template, timeline, check)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("def handler(event, context): time.sleep(60)", "Sandbox.Timedout"),
        (
            "def handler(event, context): held = [bytearray(2**22) for _ in range(40)]; time.sleep(60)",
            "Runtime.ExitError",
        ),
        ("def handler(event, context): os._exit(1)", "Runtime.ExitError"),
        ("raise RuntimeError('at import')", "RuntimeError"),
    ],
)
def test_a_process_ends_with_its_time_or_its_memory_and_the_next_invocation_has_a_new_one(
    template: Path, timeline: Timeline, code: str, kind: str
) -> None:
    (template.parent / "echo" / "app.py").write_text(f"import os, time\n{code}\n")
    echo = replace(deploy(template).function("echo"), timeout=2.0, memory=100)
    runtime = Subprocess("http://127.0.0.1:1")
    try:
        for _ in range(2):
            with pytest.raises(FunctionError) as ended:
                runtime.invoke(echo, {})
            assert ended.value.kind == kind
    finally:
        runtime.close()
