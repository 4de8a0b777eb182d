"""The edge to AWS: clients made when first used, and what its errors mean.

Nothing is caught here but what is caught narrowly, by code. Retries are botocore's.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from expose.deadline import PATIENT, Deadline, Patience

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_route53 import Route53Client
    from mypy_boto3_servicediscovery import ServiceDiscoveryClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

T = TypeVar("T")
C = TypeVar("C", bound=BaseClient)

AwsError = (ClientError, BotoCoreError)

_SAVING = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3})
"""For the functions' own bookkeeping: DynamoDB, SQS and EventBridge answer within milliseconds, or not at all."""

_THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "RequestThrottled",
        "ProvisionedThroughputExceededException",
    }
)


class Clients:
    """One session; each client is made on first use, because making one costs more than using it.

    Timeouts are short, because a call that hangs holds up everything behind it. What the functions keep for themselves
    (ledger, queues, bus) is saved also after the deadline.
    """

    def __init__(self, session: boto3.Session | None = None, patience: Patience = PATIENT) -> None:
        self._session = session or boto3.Session()
        self.deadline = Deadline(lambda: time.time(), patience.longest)  # noqa: PLW0108 - the farm puts its own time there
        self._config = Config(
            connect_timeout=patience.connect,
            read_timeout=patience.read,
            retries={"mode": "standard", "total_max_attempts": patience.attempts},
        )
        self._unrepeated = self._config.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))

    @cached_property
    def acm(self) -> ACMClient:
        return self._checked(self._session.client("acm", config=self._config))

    @cached_property
    def apigateway(self) -> APIGatewayClient:
        return self._checked(self._session.client("apigateway", config=self._config))

    @cached_property
    def apigateway_once(self) -> APIGatewayClient:
        """See `apigatewayv2_once`."""
        return self._checked(self._session.client("apigateway", config=self._unrepeated))

    @cached_property
    def apigatewayv2(self) -> ApiGatewayV2Client:
        return self._checked(self._session.client("apigatewayv2", config=self._config))

    @cached_property
    def apigatewayv2_once(self) -> ApiGatewayV2Client:
        """For what is not safe to repeat: where the answer is lost, it is looked for before it is asked for again."""
        return self._checked(self._session.client("apigatewayv2", config=self._unrepeated))

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        return self._checked(self._session.client("cloudformation", config=self._config))

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self._session.client("dynamodb", config=_SAVING)

    @cached_property
    def ec2(self) -> EC2Client:
        return self._checked(self._session.client("ec2", config=self._config))

    @cached_property
    def ecs(self) -> ECSClient:
        return self._checked(self._session.client("ecs", config=self._config))

    @cached_property
    def elbv2(self) -> ElasticLoadBalancingv2Client:
        return self._checked(self._session.client("elbv2", config=self._config))

    @cached_property
    def events(self) -> EventBridgeClient:
        return self._session.client("events", config=_SAVING)

    @cached_property
    def lambda_(self) -> LambdaClient:
        return self._checked(self._session.client("lambda", config=self._config))

    @cached_property
    def route53(self) -> Route53Client:
        return self._checked(self._session.client("route53", config=self._config))

    @cached_property
    def servicediscovery(self) -> ServiceDiscoveryClient:
        return self._checked(self._session.client("servicediscovery", config=self._config))

    @cached_property
    def sqs(self) -> SQSClient:
        return self._session.client("sqs", config=_SAVING)

    @cached_property
    def ssm(self) -> SSMClient:
        return self._checked(self._session.client("ssm", config=self._config))

    @cached_property
    def tagging(self) -> ResourceGroupsTaggingAPIClient:
        return self._checked(self._session.client("resourcegroupstaggingapi", config=self._config))

    def _checked(self, client: C) -> C:
        client.meta.events.register("before-call", lambda **_: self.deadline.check())
        return client


def code(error: BaseException) -> str:
    """AWS's error code, or the name of what went wrong on the way there."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "")) or "Unknown"
    return type(error).__name__


def throttled(error: BaseException) -> bool:
    return code(error) in _THROTTLED


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size`, for calls that take no more."""
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk
