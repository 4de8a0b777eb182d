"""API Gateway's token buckets (F§5.1): one for the whole account and both versions, and one more for what is slow."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from farm.gate import GATE
from farm.throttle import Throttle
from farm.timeline import Timeline

CALLS = [("apigatewayv2", "GetRoutes"), ("apigatewayv2", "CreateRoute"), ("apigateway", "GetRestApis")]


def test_all_calls_share_a_bucket_of_40_that_gains_10_a_second(timeline: Timeline) -> None:
    """F§5.1: account-wide, v1 and v2 together, fixed."""
    throttle = Throttle()
    assert [throttle.refuse(*call) for call in CALLS * 20].count(None) == 40
    timeline.run_for(2)
    assert [throttle.refuse(*call) for call in CALLS * 20].count(None) == 20


@pytest.mark.parametrize(
    ("operation", "seconds"),
    [
        ("CreateDeployment", 5),
        ("CreateVpcLink", 15),
        ("DeleteVpcLink", 30),
        ("CreateDomainName", 30),
        ("UpdateDomainName", 30),
        ("DeleteDomainName", 30),
    ],
)
def test_what_is_slow_goes_once_in_a_while(timeline: Timeline, operation: str, seconds: int) -> None:
    """F§5.1."""
    throttle = Throttle()
    seen = []
    for _ in range(4):
        seen += [throttle.refuse("apigatewayv2", operation) for _ in range(2)]
        timeline.run_for(seconds / 2)
    refused = "TooManyRequestsException"
    assert seen == [None, refused, refused, refused, None, refused, refused, refused]


def test_a_call_that_is_refused_draws_from_no_bucket(timeline: Timeline) -> None:
    throttle = Throttle()
    seen = [throttle.refuse("apigatewayv2", "CreateVpcLink") for _ in range(50)]
    assert seen.count(None) == 1
    assert [throttle.refuse("apigatewayv2", "GetRoutes") for _ in range(50)].count(None) == 39


def test_a_client_hears_too_many_requests(timeline: Timeline) -> None:
    """F§5.1: TooManyRequestsException, status 429."""
    GATE.throttle = Throttle()
    once = Config(retries={"mode": "standard", "total_max_attempts": 1})
    api = boto3.client("apigatewayv2", "eu-west-1", config=once)
    with pytest.raises(ClientError) as refused:
        [api.get_apis() for _ in range(41)]
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
