"""Target groups behave as AWS's (F§4.2): made once under a name, within bounds, and deleted when nobody uses them."""

from __future__ import annotations

from typing import Any

import pytest
from balancing import Balancing, api
from botocore.exceptions import ClientError
from refusals import refused

from farm.aws import elb
from farm.timeline import Timeline


@pytest.fixture
def world(timeline: Timeline) -> Balancing:
    return Balancing(timeline)


def known(group: str) -> Any:
    return api.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]


def test_the_same_group_once_more_is_no_error(world: Balancing) -> None:
    """F§4.2; with other settings it is, and so it is once the first has changed."""
    group = world.group(Tags=[{"Key": "owner", "Value": "me"}])
    assert world.group() == group
    with refused("DuplicateTargetGroupName"):
        world.group(Port=81)
    api.modify_target_group(TargetGroupArn=group, HealthCheckPath="/up")
    with refused("DuplicateTargetGroupName"):
        world.group()
    assert world.group(HealthCheckPath="/up") == group
    assert len(elb.groups()) == 1


def test_a_group_in_use_stays(world: Balancing, timeline: Timeline) -> None:
    """F§4.2: be it by a rule or by a listener, and on AWS for a moment longer."""
    elb.settings().releasing = 5
    group, default = world.group(), world.group("default")
    listener = world.listener(world.balancer(), default)
    rule = world.rule(listener, group)
    for one in (group, default):
        with refused("ResourceInUse"):
            api.delete_target_group(TargetGroupArn=one)
    api.delete_rule(RuleArn=rule)
    with refused("ResourceInUse"):
        api.delete_target_group(TargetGroupArn=group)
    timeline.run_for(5)
    api.delete_target_group(TargetGroupArn=group)
    assert [one.name for one in elb.groups()] == ["default"]


def test_groups_are_found_by_name_or_by_balancer(world: Balancing) -> None:
    """F§4.2: a name that nobody has is an error, a balancer without groups is not."""
    balancer, group = world.balancer(), world.group()
    assert api.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"] == []
    world.listener(balancer, group)
    for asked in ({"LoadBalancerArn": balancer}, {"Names": ["web"]}):
        (found,) = api.describe_target_groups(**asked)["TargetGroups"]
        assert (found["TargetGroupArn"], found["LoadBalancerArns"]) == (group, [balancer])
    with refused("TargetGroupNotFound"):
        api.describe_target_groups(Names=["web", "other"])


def test_defaults_of_a_group(world: Balancing) -> None:
    """F§4.2: two and a half minutes until an unhealthy target is healthy."""
    found = known(world.group())
    names = (
        "HealthCheckIntervalSeconds",
        "HealthyThresholdCount",
        "UnhealthyThresholdCount",
        "HealthCheckPath",
    )
    assert [found[name] for name in names] == [30, 5, 2, "/"]
    assert found["Matcher"] == {"HttpCode": "200"}
    grpc = known(world.group("grpc", ProtocolVersion="GRPC"))
    assert (grpc["Matcher"], grpc["HealthCheckPath"]) == ({"GrpcCode": "12"}, "/AWS.ALB/healthcheck")


@pytest.mark.parametrize(
    "asked",
    [
        {"HealthCheckIntervalSeconds": 301},
        {"HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 10},
        {"HealthyThresholdCount": 11},
        {"UnhealthyThresholdCount": 11},
        {"HealthCheckPath": "up"},
        {"Matcher": {"HttpCode": "2xx"}},
    ],
)
def test_health_checks_have_bounds(world: Balancing, asked: dict[str, Any]) -> None:
    """Whether the group is made with them or changed to them; refused, nothing has changed."""
    group = world.group()
    before = known(group)
    with pytest.raises(ClientError):
        world.group("other", **asked)
    with refused("ValidationError"):
        api.modify_target_group(TargetGroupArn=group, **asked)
    assert known(group) == before


@pytest.mark.parametrize(("delay", "taken"), [("0", True), ("3600", True), ("3601", False), ("-1", False)])
def test_the_deregistration_delay_has_bounds(world: Balancing, delay: str, taken: bool) -> None:
    """F§4.1: 0 to 3600, 300 by default."""
    group = world.group()
    change: Any = [{"Key": "deregistration_delay.timeout_seconds", "Value": delay}]
    if taken:
        api.modify_target_group_attributes(TargetGroupArn=group, Attributes=change)
    else:
        with refused("ValidationError"):
            api.modify_target_group_attributes(TargetGroupArn=group, Attributes=change)
    attributes = api.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    shown = {one["Key"]: one["Value"] for one in attributes}
    assert shown["deregistration_delay.timeout_seconds"] == (delay if taken else "300")


def test_only_so_many_groups(world: Balancing) -> None:
    """F§4.2."""
    elb.settings().most_groups = 1
    world.group()
    with refused("TooManyTargetGroups"):
        world.group("other")
