"""ELB's token buckets (F§4.2)."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from farm.gate import GATE
from farm.throttle import Throttle
from farm.timeline import Timeline

READS = ["DescribeTargetHealth", "DescribeRules", "DescribeTags"]


def test_all_reads_of_load_balancers_share_a_bucket_of_40_that_gains_10_a_second(timeline: Timeline) -> None:
    """F§4.2: Describe* 40 burst, 10 per second, for all Describe calls together."""
    throttle = Throttle()
    assert [throttle.refuse("elbv2", name) for name in READS * 20].count(None) == 40
    timeline.run_for(2)
    assert [throttle.refuse("elbv2", name) for name in READS * 20].count(None) == 20


def test_registering_changing_and_reading_do_not_draw_from_each_other(timeline: Timeline) -> None:
    """F§4.2: buckets of their own; their sizes are assumed."""
    throttle = Throttle()
    for name in [*READS * 20, *["RegisterTargets", "DeregisterTargets"] * 20]:
        throttle.refuse("elbv2", name)
    assert throttle.refuse("elbv2", "DescribeRules") == "Throttling"
    assert throttle.refuse("elbv2", "DeregisterTargets") == "Throttling"
    assert throttle.refuse("elbv2", "CreateRule") is None


def test_a_client_of_elb_hears_throttling(timeline: Timeline) -> None:
    """F§4.2: ELB's error, with the code that the SDK retries by itself."""
    GATE.throttle = Throttle()
    once = Config(retries={"mode": "standard", "total_max_attempts": 1})
    elb = boto3.client("elbv2", "eu-west-1", config=once)
    with pytest.raises(ClientError) as refused:
        [elb.describe_load_balancers() for _ in range(41)]
    assert refused.value.response["Error"] == {
        "Type": "Sender",
        "Code": "Throttling",
        "Message": "Rate exceeded",
    }
