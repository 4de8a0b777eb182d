"""One function of a test's own, fed by a queue, a rule and a clock, as Lambda runs it: side by side with itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import boto3
from moto import mock_aws
from moto.moto_api._internal import mock_random

from farm.aws import events, mend
from farm.chance import repeatable
from farm.deploy import deploy
from farm.gate import GATE
from farm.lambdas import Lambdas
from farm.timeline import Timeline
from farm.workers import SideBySide, Workers

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  State: {Type: String, Default: DISABLED}
Resources:
  Toy:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: toy/
      Timeout: %d
      Role: !GetAtt Role.Arn
      %s
      Events:
        Work:
          Type: SQS
          Properties:
            Queue: !GetAtt Work.Arn
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: 3}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: []}
      Policies:
        - PolicyName: all
          PolicyDocument: {Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: work.fifo
      FifoQueue: true
      VisibilityTimeout: 120
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead.fifo, FifoQueue: true}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: toys
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [shop]}
      Targets: [{Id: toy, Arn: !GetAtt Toy.Arn}]
  Clock:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: rate(1 minute)
      State: !Ref State
      Targets: [{Id: toy, Arn: !GetAtt Toy.Arn, Input: '{"detail": {"say": "tick"}}'}]
"""

CALM = Workers(latency=(0.1, 0.1), stall=(0.0, 0.0, 0.0), fresh=0.0)


class Toys:
    """The function at work: what it printed, who called what, and how to feed it."""

    def __init__(self, lambdas: Lambdas, timeline: Timeline) -> None:
        self.lambdas = lambdas
        self.timeline = timeline
        self._sent = 0

    @property
    def printed(self) -> list[str]:
        runtime = self.lambdas.runtime
        assert isinstance(runtime, SideBySide)
        return list(runtime.logs["toy"])

    @property
    def failures(self) -> list[str]:
        return [error.kind for _, error in self.lambdas.failures]

    def say(self, *sayings: str) -> None:
        """An event each, all at this moment."""
        for saying in sayings:
            events.emit({"source": "shop", "detail-type": "x", "detail": {"say": saying}})

    def work(self, *sayings: str, group: str = "g") -> None:
        """A message each."""
        sqs = boto3.client("sqs", "eu-west-1")
        for saying in sayings:
            self._sent += 1
            sqs.send_message(
                QueueUrl=sqs.get_queue_url(QueueName="work.fifo")["QueueUrl"],
                MessageBody=json.dumps({"say": saying}),
                MessageGroupId=group,
                MessageDeduplicationId=str(self._sent),
            )

    def buried(self) -> int:
        sqs = boto3.client("sqs", "eu-west-1")
        url = sqs.get_queue_url(QueueName="dead.fifo")["QueueUrl"]
        return len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []))

    def calls(self, operation: str = "") -> list[Any]:
        return [call for call in GATE.calls if call.caller == "toy" and operation in {"", call.operation}]


@contextmanager
def toys(
    folder: Path,
    code: str,
    workers: Workers = CALM,
    *,
    timeout: int = 20,
    properties: str = "",
    clock: str = "DISABLED",
) -> Iterator[Toys]:
    """A world with one function of this code. `properties` are more of the function's, in YAML."""
    (folder / "toy").mkdir(exist_ok=True)
    (folder / "toy" / "app.py").write_text(dedent(code))
    (folder / "template.yaml").write_text(TEMPLATE % (timeout, properties))
    timeline = Timeline()
    mend(timeline)
    mock_random.seed(workers.seed)
    GATE.reset()
    with mock_aws(), repeatable(workers.seed):
        runtime = SideBySide(workers)
        deployment = deploy(folder / "template.yaml", {"State": clock})
        lambdas = Lambdas(deployment, runtime, runtime.launch, runtime.portion)
        lambdas.start()
        yield Toys(lambdas, timeline)
        runtime.close()
    GATE.reset()
