"""VPC Links behave as AWS's (F§5.1): slow to come and to go, immutable, ten, and not to be deleted while in use."""

from __future__ import annotations

from typing import Any

import pytest
from http_apis import Apis, api
from refusals import refused

from farm.account import client
from farm.aws import apigateway
from farm.aws.apigateway import Link
from farm.timeline import Timeline


@pytest.fixture
def world(timeline: Timeline) -> Apis:
    return Apis(timeline)


def status(link: str) -> str:
    return str(api.get_vpc_link(VpcLinkId=link)["VpcLinkStatus"])


def test_a_link_takes_its_time(world: Apis, timeline: Timeline) -> None:
    """F§5.1: PENDING, after a few minutes AVAILABLE; looking does not hasten it."""
    told: list[int] = []
    made = world.link(ready=False)
    apigateway.settings().changed = lambda: told.append(1)
    timeline.run_for(179)
    assert (status(made), status(made), told) == ("PENDING", "PENDING", [])
    timeline.run_for(1)
    assert (status(made), told) == ("AVAILABLE", [1])


def test_a_link_may_fail(world: Apis) -> None:
    """F§5.1: FAILED, with VpcLinkStatusMessage."""
    apigateway.settings().failing = "The subnets are full"
    shown = api.get_vpc_link(VpcLinkId=world.link())
    assert (shown["VpcLinkStatus"], shown["VpcLinkStatusMessage"]) == ("FAILED", "The subnets are full")
    apigateway.settings().failing = ""
    assert status(world.link()) == "AVAILABLE"


def test_a_link_knows_where_it_is(world: Apis) -> None:
    """Subnets, security groups and tags as they were given; without security groups it has none to show."""
    group = client("ec2").create_security_group(
        GroupName="link", Description="link", VpcId=world.network.vpc
    )["GroupId"]
    made = world.link(SecurityGroupIds=[group], Tags={"owner": "me"})
    shown = api.get_vpc_link(VpcLinkId=made)
    assert shown["SecurityGroupIds"] == [group]
    assert shown["SubnetIds"] == list(world.network.private)
    assert shown["Tags"] == {"owner": "me"}
    other = world.link("other")
    assert api.get_vpc_link(VpcLinkId=other)["SecurityGroupIds"] == []
    assert {one.id: one for one in apigateway.links()}[made] == Link(
        made, "link", "AVAILABLE", world.network.vpc, tuple(world.network.private), (group,)
    )


def test_where_no_link_can_be(world: Apis) -> None:
    """F§5.1: subnets are needed and must be there, ten at most, in zones that VPC Links are in."""
    with refused("BadRequestException") as answer:
        world.link(SubnetIds=[])
    assert answer["Error"]["Message"] == "SubnetIds for a vpc link cannot be empty"
    private = world.network.private
    zone = client("ec2").describe_subnets(SubnetIds=[private[1]])["Subnets"][0]["AvailabilityZoneId"]
    apigateway.settings().refused_zones = frozenset({zone})
    for wrong in (
        {"SubnetIds": ["subnet-0123456789abcdef0"]},
        {"SubnetIds": [*private] * 6},
        {"SubnetIds": [*private]},
        {"SubnetIds": [private[0]], "SecurityGroupIds": ["sg-0123456789abcdef0"]},
    ):
        with refused("BadRequestException"):
            world.link(**wrong)
    assert api.get_vpc_links()["Items"] == []
    world.link(SubnetIds=[private[0]])


def test_only_its_name_can_be_changed(world: Apis) -> None:
    """F§5.1: VPC links are immutable."""
    made = world.link()
    before = api.get_vpc_link(VpcLinkId=made)
    after = api.update_vpc_link(VpcLinkId=made, Name="new")
    assert after["Name"] == "new"
    assert {**after, "Name": "link", "ResponseMetadata": 0} == {**before, "ResponseMetadata": 0}


def test_the_same_link_once_more_is_another_one(world: Apis) -> None:
    """F§5.1: not idempotent, names not unique, ten per Region; those that are going count."""
    made = [world.link(ready=False) for _ in range(10)]
    assert len(set(made)) == 10
    api.delete_vpc_link(VpcLinkId=made[0])
    with refused("ConflictException") as answer:
        world.link()
    assert "Maximum number of VPC links" in answer["Error"]["Message"]
    world.timeline.run_for(180)
    world.link()


def test_a_deleted_link_takes_its_time_to_go(world: Apis, timeline: Timeline) -> None:
    """F§5.1: DELETING."""
    made = world.link()
    api.delete_vpc_link(VpcLinkId=made)
    assert status(made) == "DELETING"
    timeline.run_for(180)
    for call in (api.get_vpc_link, api.delete_vpc_link):
        with refused("NotFoundException"):
            call(VpcLinkId=made)


def test_a_link_that_is_deleted_before_it_is_ready_never_is(world: Apis, timeline: Timeline) -> None:
    made = world.link(ready=False)
    timeline.run_for(100)
    api.delete_vpc_link(VpcLinkId=made)
    timeline.run_for(100)
    assert status(made) == "DELETING"


def test_a_link_in_use_stays(world: Apis) -> None:
    """F§5.1: routes, then integrations, then the link."""
    link = world.link()
    integration = world.private(link, world.service())
    route = world.route(integration=integration)

    def stays(message: str) -> None:
        with refused("BadRequestException") as answer:
            api.delete_vpc_link(VpcLinkId=link)
        assert message in answer["Error"]["Message"]
        assert status(link) == "AVAILABLE"

    users = ", ".join(sorted((f"ANY:{integration}", f"ANY:{route}")))
    stays(f"Cannot delete vpc link. Vpc link '{link}', is referenced in [{users}]")
    api.delete_route(ApiId=world.api, RouteId=route)
    stays(f"[ANY:{integration}] in format of [Method:Resource]")
    api.delete_integration(ApiId=world.api, IntegrationId=integration)
    api.delete_vpc_link(VpcLinkId=link)


def test_what_is_deployed_holds_a_link_as_well(world: Apis) -> None:
    """F§5.1 [M], F§5.5: snapshots keep the reference until the next deployment."""
    link = world.link()
    integration = world.private(link, world.service())
    route = world.route(integration=integration)
    world.stage(auto=False)
    api.create_deployment(ApiId=world.api, StageName="$default")
    api.delete_route(ApiId=world.api, RouteId=route)
    api.delete_integration(ApiId=world.api, IntegrationId=integration)
    with refused("BadRequestException") as answer:
        api.delete_vpc_link(VpcLinkId=link)
    assert f"[ANY:{route}]" in answer["Error"]["Message"]
    api.create_deployment(ApiId=world.api, StageName="$default")
    api.delete_vpc_link(VpcLinkId=link)


def test_a_link_without_traffic_falls_asleep(world: Apis, timeline: Timeline) -> None:
    """F§5.1: INACTIVE after 60 days; a request brings it back, after minutes."""
    made = world.link()
    apigateway.rest(made)
    timeline.run_for(600)
    assert status(made) == "INACTIVE"
    apigateway.wake(made)
    timeline.run_for(100)
    apigateway.wake(made)
    assert status(made) == "PENDING"
    timeline.run_for(80)
    assert status(made) == "AVAILABLE"
    apigateway.wake(made)
    assert status(made) == "AVAILABLE"


def test_links_come_in_pages(world: Apis) -> None:
    made = {world.link(ready=False) for _ in range(3)}
    first: dict[str, Any] = api.get_vpc_links(MaxResults="2")
    second = api.get_vpc_links(MaxResults="2", NextToken=first["NextToken"])
    assert {one["VpcLinkId"] for one in [*first["Items"], *second["Items"]]} == made
    assert (len(first["Items"]), "NextToken" in second) == (2, False)
