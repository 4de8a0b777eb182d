"""Targets behave as AWS's (F§4.1): they start, drain, and may only be where a load balancer can reach them."""

from __future__ import annotations

import pytest
from balancing import Balancing, Tasks, api, deregister, health, register
from refusals import refused

from farm.account import client
from farm.aws import elb
from farm.timeline import Timeline

A, B = "127.20.128.10", "127.20.144.10"
NOT_IN_USE = "unused Target.NotInUse"
DRAINING = "draining Target.DeregistrationInProgress"


@pytest.fixture
def world(timeline: Timeline) -> Balancing:
    return Balancing(timeline)


# who is a target


def test_a_target_is_an_address_and_a_port(world: Balancing) -> None:
    """F§4.1: the same address twice with two ports is two targets; without a port the group's counts."""
    group = world.group()
    register(group, A, f"{A}:81")
    register(group, A)
    assert set(health(group)) == {f"{A}:8080", f"{A}:81"}
    deregister(group, f"{A}:81")
    assert set(health(group)) == {f"{A}:8080"}


def test_registering_again_changes_nothing(world: Balancing, timeline: Timeline) -> None:
    """F§4.1: a no-op, in particular for its health."""
    group = world.used_group()
    register(group, A)
    timeline.run_for(3)
    register(group, A)
    assert health(group) == {f"{A}:8080": "healthy"}


def test_deregistering_a_stranger_is_no_error(world: Balancing) -> None:
    """F§4.1."""
    group = world.group()
    deregister(group, A)
    assert health(group) == {}


def test_a_named_target_that_is_not_registered_is_unused(world: Balancing) -> None:
    """F§4.1: no error."""
    assert health(world.group(), A) == {f"{A}:8080": "unused Target.NotRegistered"}


def test_an_address_of_the_vpc_finds_its_own_zone(world: Balancing) -> None:
    """F§4.1: the zone need not be named, and another one is refused."""
    group = world.group()
    register(group, B)
    shown = api.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["Target"]
    assert shown["AvailabilityZone"] == "eu-west-1b"
    for zone in ("eu-west-1a", "all"):
        with refused("InvalidTarget"):
            register(group, "127.20.144.11", AvailabilityZone=zone)


def test_an_address_outside_the_vpc_needs_a_zone(world: Balancing) -> None:
    """F§4.1: `all`, or one that the VPC has."""
    group = world.group()
    for zone in ({}, {"AvailabilityZone": "eu-west-1z"}):
        with refused("InvalidTarget"):
            register(group, "10.1.2.3", **zone)
    register(group, "10.1.2.3", AvailabilityZone="all")
    register(group, "100.64.0.1", AvailabilityZone="eu-west-1a")
    assert set(health(group)) == {"10.1.2.3:8080", "100.64.0.1:8080"}


@pytest.mark.parametrize("address", ["127.30.0.1", "52.1.2.3"])
def test_a_public_address_is_never_a_target(world: Balancing, address: str) -> None:
    """F§4.1: not even with a zone."""
    group = world.group()
    with refused("InvalidTarget"):
        register(group, address, AvailabilityZone="all")


def test_one_bad_target_keeps_all_out(world: Balancing) -> None:
    group = world.group()
    with refused("InvalidTarget"):
        register(group, A, "127.30.0.1")
    assert health(group) == {}


def test_an_instance_must_exist_and_is_found_by_its_private_address(world: Balancing) -> None:
    """F§4.1."""
    made = client("ec2").run_instances(
        ImageId="ami-0ec50000000000000", MinCount=1, MaxCount=1, SubnetId=world.network.private[0]
    )["Instances"][0]
    group = world.group(TargetType="instance")
    with refused("InvalidTarget"):
        register(group, "i-0123456789abcdef0")
    register(group, f"{made['InstanceId']}:32768")
    assert [(one.address, one.port) for one in elb.targets(group)] == [(made["PrivateIpAddress"], 32768)]
    client("ec2").terminate_instances(InstanceIds=[made["InstanceId"]])
    assert health(group) == {}


def test_a_group_can_be_full(world: Balancing) -> None:
    """F§4.2."""
    elb.settings().most_targets = 2
    group = world.group()
    register(group, A, B)
    register(group, A)
    with refused("TooManyTargets"):
        register(group, f"{A}:81")


def test_a_group_that_is_not_there(world: Balancing) -> None:
    group = world.group()
    api.delete_target_group(TargetGroupArn=group)
    for call in (register, deregister):
        with refused("TargetGroupNotFound"):
            call(group, A)
    with refused("TargetGroupNotFound"):
        health(group)


# how a target starts


def test_a_target_of_a_group_that_nobody_uses_stays_unused(world: Balancing, timeline: Timeline) -> None:
    """F§4.1, and it is checked only from when it comes into use."""
    tasks, group = Tasks(), world.group()
    register(group, A)
    timeline.run_for(600)
    assert health(group) == {f"{A}:8080": NOT_IN_USE}
    assert not tasks.asked
    rule = world.rule(world.listener(world.balancer()), group)
    assert health(group) == {f"{A}:8080": "initial Elb.RegistrationInProgress"}
    timeline.run_for(3)
    assert health(group) == {f"{A}:8080": "healthy"}
    api.delete_rule(RuleArn=rule)
    assert health(group) == {f"{A}:8080": NOT_IN_USE}


def test_a_target_in_a_zone_that_the_balancer_lacks_gets_nothing(
    world: Balancing, timeline: Timeline
) -> None:
    """F§4.1."""
    ec2 = client("ec2")
    ec2.create_subnet(VpcId=world.network.vpc, CidrBlock="127.20.160.0/20", AvailabilityZone="eu-west-1c")
    group = world.used_group()
    register(group, "127.20.160.10")
    timeline.run_for(60)
    assert health(group) == {"127.20.160.10:8080": NOT_IN_USE}


def test_a_new_target_is_healthy_after_one_check(world: Balancing, timeline: Timeline) -> None:
    """F§4.1: until its first answer it is initial."""
    tasks, group = Tasks(), world.used_group()
    tasks.found[A] = 503
    register(group, A)
    assert health(group) == {f"{A}:8080": "initial Elb.RegistrationInProgress"}
    timeline.run_for(2.5)
    assert health(group) == {f"{A}:8080": "initial Elb.InitialHealthChecking"}
    tasks.found.clear()
    timeline.run_for(30)
    assert health(group) == {f"{A}:8080": "healthy"}


def test_a_network_balancer_takes_its_time(world: Balancing, timeline: Timeline) -> None:
    """F§4.1: how long is not said; the farm wants as many checks as for one that was unhealthy."""
    group = world.used_group("TCP", HealthCheckIntervalSeconds=10, HealthyThresholdCount=2)
    register(group, A)
    timeline.run_for(5)
    assert health(group) == {f"{A}:8080": "initial Elb.InitialHealthChecking"}
    timeline.run_for(10)
    assert health(group) == {f"{A}:8080": "healthy"}


# how a target goes


def test_a_target_drains_and_then_is_gone(world: Balancing, timeline: Timeline) -> None:
    """F§4.1: for the group's delay, whether or not anybody still talks to it."""
    group = world.used_group()
    api.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
    )
    register(group, A)
    timeline.run_for(3)
    deregister(group, A)
    timeline.run_for(29)
    deregister(group, A)  # once more does not put it off
    assert health(group) == {f"{A}:8080": DRAINING}
    timeline.run_for(1)
    assert health(group) == {}


def test_who_registers_a_draining_target_loses_it(world: Balancing, timeline: Timeline) -> None:
    """F§4.1: one must wait for the delay to end before the address can be registered again."""
    group = world.used_group()
    register(group, A)
    deregister(group, A)
    register(group, A)
    assert health(group) == {f"{A}:8080": DRAINING}
    timeline.run_for(300)
    assert health(group) == {}
    register(group, A)
    timeline.run_for(3)
    assert health(group) == {f"{A}:8080": "healthy"}


def test_a_farm_can_be_kinder_to_who_registers_a_draining_target(
    world: Balancing, timeline: Timeline
) -> None:
    elb.settings().revive = True
    group = world.used_group()
    register(group, A)
    deregister(group, A)
    register(group, A)
    timeline.run_for(3)
    assert health(group) == {f"{A}:8080": "healthy"}
