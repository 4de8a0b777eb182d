"""Health checks behave as AWS's (F§4.1): what they ask, what counts as an answer, and how many it takes to believe one."""

from __future__ import annotations

import pytest
from balancing import Balancing, Tasks, api, deregister, health, register

from farm.aws import elb
from farm.aws.elb import Check, Finding
from farm.timeline import Timeline

A, B = "127.20.128.10", "127.20.144.10"


@pytest.fixture
def world(timeline: Timeline) -> Balancing:
    return Balancing(timeline)


@pytest.mark.parametrize(
    ("found", "reason", "words"),
    [
        (503, "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"),
        ("timeout", "Target.Timeout", "Request timed out"),
        ("refused", "Target.FailedHealthChecks", "Health checks failed"),
    ],
)
def test_why_a_target_is_unhealthy(
    world: Balancing, timeline: Timeline, found: Finding, reason: str, words: str
) -> None:
    """F§4.1, and only after as many failed checks in a row as the group says."""
    tasks, group = Tasks(), world.used_group(HealthCheckIntervalSeconds=10, UnhealthyThresholdCount=3)
    register(group, A)
    timeline.run_for(5)
    tasks.found[A] = found
    timeline.run_for(20)
    assert health(group) == {f"{A}:8080": "healthy"}
    timeline.run_for(10)
    shown = api.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["TargetHealth"]
    assert shown == {"State": "unhealthy", "Reason": reason, "Description": words}


def test_an_unhealthy_target_must_convince(world: Balancing, timeline: Timeline) -> None:
    """F§4.1: HealthyThresholdCount checks in a row."""
    tasks, group = Tasks(), world.used_group(HealthCheckIntervalSeconds=10, HealthyThresholdCount=3)
    tasks.found[A] = 500
    register(group, A)
    timeline.run_for(15)
    assert health(group) == {f"{A}:8080": "unhealthy Target.ResponseCodeMismatch"}
    tasks.found.clear()
    timeline.run_for(20)
    tasks.found[A] = 500
    timeline.run_for(10)
    tasks.found.clear()
    timeline.run_for(20)
    assert health(group) == {f"{A}:8080": "unhealthy Target.ResponseCodeMismatch"}
    timeline.run_for(10)
    assert health(group) == {f"{A}:8080": "healthy"}


@pytest.mark.parametrize(
    ("matcher", "status", "state"),
    [("200-299,301", 301, "healthy"), ("200-299,301", 302, "initial"), ("204", 200, "initial")],
)
def test_what_counts_as_an_answer(
    world: Balancing, timeline: Timeline, matcher: str, status: int, state: str
) -> None:
    tasks, group = Tasks(), world.used_group(Matcher={"HttpCode": matcher})
    tasks.found[A] = status
    register(group, A)
    timeline.run_for(3)
    assert health(group)[f"{A}:8080"].split()[0] == state


def test_what_a_check_asks(world: Balancing, timeline: Timeline) -> None:
    """The group's path and port, and what changes later changes the next check."""
    tasks, group = Tasks(), world.used_group(HealthCheckPath="/up", HealthCheckIntervalSeconds=10)
    register(group, f"{A}:81")
    timeline.run_for(3)
    api.modify_target_group(
        TargetGroupArn=group, HealthCheckPath="/ready", HealthCheckPort="9000", Matcher={"HttpCode": "204"}
    )
    timeline.run_for(10)
    assert tasks.asked == [Check(A, 81, "HTTP", "/up", 5.0), Check(A, 9000, "HTTP", "/ready", 5.0)]


def test_grpc_has_codes_of_its_own(world: Balancing, timeline: Timeline) -> None:
    tasks, group = Tasks(), world.used_group(ProtocolVersion="GRPC", Matcher={"GrpcCode": "0"})
    tasks.found[A] = 0
    register(group, A)
    timeline.run_for(3)
    assert health(group) == {f"{A}:8080": "healthy"}
    assert tasks.asked[0].protocol == "GRPC"


def test_checks_end_with_what_they_look_at(world: Balancing, timeline: Timeline) -> None:
    """Neither a target nor a group that is gone keeps the farm awake."""
    tasks, group = Tasks(), world.used_group(HealthCheckIntervalSeconds=300)
    register(group, A, B)
    timeline.run_for(3)
    deregister(group, A)
    timeline.run_for(300)
    assert [check.address for check in tasks.asked] == [A, B, B]
    api.delete_load_balancer(LoadBalancerArn=elb.balancers()[0].arn)
    api.delete_target_group(TargetGroupArn=group)
    timeline.run_for(300)
    assert len(tasks.asked) == 3
    assert not timeline._due
