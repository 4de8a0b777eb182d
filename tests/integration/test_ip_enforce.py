"""`guard=enforce`: whom the whole internet reaches at a port that no tag declares is not published, or not any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from farm.farm import Farm
from farm.gate import GATE, Fault
from tests.integration.listed import TAG, entries, expose, parameters, published
from tests.integration.world import become, status

GUARDED = "8080 guard=enforce"
VERIFIED = 130  # seconds in which every exposure is verified, with VerifyMinutes at 1
WORLD: dict[str, Any] = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
WORLD_6: dict[str, Any] = {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}


@pytest.fixture
def farm() -> Iterator[Farm]:
    """Its tasks' one security group lets the whole internet in to 8080."""
    with Farm.virtual(ipv6=True, parameters={"VerifyMinutes": "1"}) as farm:
        open_(farm, 8080)
        yield farm


def rule(port: int, whom: dict[str, Any]) -> Any:
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **whom}]


def open_(farm: Farm, port: int, whom: dict[str, Any] = WORLD, group: str = "") -> None:
    farm.ec2.authorize_security_group_ingress(
        GroupId=group or farm.network.security_group, IpPermissions=rule(port, whom)
    )


def close(farm: Farm, port: int, whom: dict[str, Any] = WORLD) -> None:
    farm.ec2.revoke_security_group_ingress(
        GroupId=farm.network.security_group, IpPermissions=rule(port, whom)
    )


def regroup(farm: Farm, interface: str, group: str) -> None:
    farm.ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[group])


def interfaces(farm: Farm) -> dict[str, str]:
    """The interface of each public address of the service."""
    found = farm.ec2.describe_network_interfaces()["NetworkInterfaces"]
    public = {each.get("Association", {}).get("PublicIp", ""): each["NetworkInterfaceId"] for each in found}
    return {address: public[address] for address in farm.addresses("conejo")}


def test_who_is_open_only_where_it_says_is_published(farm: Farm) -> None:
    expose(farm, GUARDED)
    assert published(farm) == farm.addresses("conejo") != []


@pytest.mark.parametrize("whom", [WORLD, WORLD_6], ids=["IPv4", "IPv6"])
def test_who_is_open_elsewhere_is_not_and_the_owner_is_told_what_to_do(
    farm: Farm, whom: dict[str, Any]
) -> None:
    open_(farm, 22, whom)
    farm.create_service("conejo", 2, tags={TAG: GUARDED})
    found = become(farm, "Blocked", tag=TAG)
    assert found["code"] == "WorldOpen"
    for said in ("tcp 22", farm.network.security_group, "2 of 2", "declare it", "guard=report"):
        assert said in found["message"]
    assert not entries(farm)
    farm.run_for(300)
    assert not entries(farm)
    assert [event["detail"]["code"] for event in farm.published("Exposure Blocked")] == ["WorldOpen"]


def test_with_the_port_closed_it_is_published_soon(farm: Farm) -> None:
    open_(farm, 22)
    farm.create_service("conejo", 2, tags={TAG: GUARDED})
    become(farm, "Blocked", tag=TAG)
    close(farm, 22)
    become(farm, "Active", tag=TAG, limit=VERIFIED)
    assert published(farm) == farm.addresses("conejo")


def test_that_takes_no_verification_and_no_audit() -> None:
    """What is blocked is tried again by itself, with all of it read afresh."""
    with Farm.virtual(parameters={"VerifyMinutes": "60", "AuditMinutes": "1440"}) as farm:
        open_(farm, 22)
        farm.create_service("conejo", 2, tags={TAG: GUARDED})
        become(farm, "Blocked", tag=TAG)
        close(farm, 22)
        become(farm, "Active", tag=TAG, limit=200)
        assert published(farm) == farm.addresses("conejo")


def test_a_port_that_opens_later_withdraws_who_is_published_and_lets_the_others_be(farm: Farm) -> None:
    expose(farm, GUARDED, count=3)
    group = farm.ec2.create_security_group(GroupName="o", Description="open", VpcId=farm.network.vpc)[
        "GroupId"
    ]
    open_(farm, 5432, group=group)
    address, interface = next(iter(interfaces(farm).items()))
    regroup(farm, interface, group)
    farm.run_for(VERIFIED)
    assert published(farm) == [each for each in farm.addresses("conejo") if each != address]
    found = status(farm, tag=TAG)
    assert (found["status"], found["code"]) == ("Blocked", "WorldOpen")
    assert "1 of 3" in found["message"]
    assert group in found["message"]
    regroup(farm, interface, farm.network.security_group)
    become(farm, "Active", tag=TAG, limit=VERIFIED)
    assert published(farm) == farm.addresses("conejo")


def test_the_last_ones_go_as_well(farm: Farm) -> None:
    """No rule that keeps a name from being emptied keeps who must not be reached."""
    expose(farm, GUARDED)
    open_(farm, 22)
    farm.run_for(VERIFIED)
    assert status(farm, tag=TAG)["code"] == "WorldOpen"
    assert not entries(farm)


def test_new_tasks_are_held_to_it_while_they_roll_over(farm: Farm) -> None:
    expose(farm, GUARDED)
    open_(farm, 22)
    farm.deploy_new_revision("conejo")
    farm.run_for(VERIFIED)
    assert not entries(farm)
    close(farm, 22)
    become(farm, "Active", tag=TAG, limit=VERIFIED)
    assert published(farm) == farm.addresses("conejo")


@pytest.mark.parametrize(
    "tags",
    [{TAG: "8080+22 guard=enforce"}, {TAG: GUARDED, f"{TAG}:ssh": "22"}, {TAG: "8080 guard=report"}],
    ids=["declared", "declared by another tag", "reported only"],
)
def test_what_is_declared_or_only_to_be_reported_holds_nobody_back(farm: Farm, tags: dict[str, str]) -> None:
    open_(farm, 22)
    farm.create_service("conejo", 2, ports=(8080, 22), tags=tags)
    become(farm, "Active", tag=TAG)
    assert published(farm) == farm.addresses("conejo")


def test_a_tag_that_cannot_be_read_any_more_lifts_no_guard(farm: Farm) -> None:
    farm.create_service("conejo", 2, tags={TAG: "8080"})
    become(farm, "Active", tag=TAG)
    open_(farm, 22)
    farm.tag("conejo", {TAG: GUARDED})
    become(farm, "Blocked", tag=TAG)
    assert not entries(farm)
    farm.tag("conejo", {TAG: "8080 guard=enforced"})
    become(farm, "Invalid", tag=TAG)
    farm.run_for(VERIFIED)
    assert not entries(farm)


def test_where_it_cannot_be_known_what_is_open_nothing_new_is_published(farm: Farm) -> None:
    GATE.faults.append(Fault("error", code="InternalFailure", operation="DescribeSecurityGroups"))
    farm.create_service("conejo", 2, tags={TAG: GUARDED})
    farm.run_for(120)
    assert not entries(farm)
    GATE.faults.clear()
    become(farm, "Active", tag=TAG, limit=600)
    assert published(farm) == farm.addresses("conejo")


def test_what_was_published_stays_while_it_cannot_be_known(farm: Farm) -> None:
    """Rule 4: what could not be read was not removed."""
    expose(farm, GUARDED)
    GATE.faults.append(Fault("error", code="InternalFailure", operation="DescribeSecurityGroups"))
    farm.run_for(VERIFIED)
    assert published(farm) == farm.addresses("conejo") != []


def test_without_the_tag_nothing_is_left(farm: Farm) -> None:
    expose(farm, GUARDED)
    open_(farm, 22)
    farm.run_for(VERIFIED)
    farm.untag("conejo", TAG)
    become(farm, "", tag=TAG)
    assert not parameters(farm)
