"""Integrations of REST APIs behave as AWS's (F§5.5): private ones through a link of V2 to a load balancer only."""

from __future__ import annotations

from typing import Any

import pytest
from http_apis import Apis
from refusals import refused
from rest_apis import MAPPED, PROXY, Rests, rest, shown

from farm.account import client
from farm.aws import restapis
from farm.timeline import Timeline

links: Any = client("apigatewayv2")


@pytest.fixture
def world(timeline: Timeline) -> Rests:
    return Rests(timeline)


@pytest.fixture
def proxy(world: Rests) -> str:
    found = world.resource("{proxy+}")
    world.method(found, requestParameters=PROXY)
    return found


def private(link: str, target: str, **asked: Any) -> dict[str, Any]:
    return {
        "uri": "http://orders.internal/orders/{proxy}",
        "connectionType": "VPC_LINK",
        "connectionId": link,
        "integrationTarget": target,
        "requestParameters": MAPPED,
        **asked,
    }


def test_a_private_integration_is_shown_as_it_was_put(world: Rests, proxy: str) -> None:
    """F§5.5: connectionType, connectionId and integrationTarget are in every answer."""
    asked = private(world.link(), world.listener()[1], timeoutInMillis=5000)
    made = world.integrate(proxy, **asked)
    assert asked.items() <= made.items()
    assert (made["type"], made["httpMethod"]) == ("HTTP_PROXY", "ANY")
    place = {"restApiId": world.api, "resourceId": proxy, "httpMethod": "ANY"}
    assert shown(rest.get_integration(**place)) == made
    assert shown(rest.get_method(**place))["methodIntegration"] == made


def test_an_integration_is_put_in_place_of_the_former(world: Rests, proxy: str) -> None:
    world.integrate(proxy, **private(world.link(), world.listener()[1]))
    made = world.integrate(proxy, uri="http://elsewhere.example/")
    assert (made["connectionType"], "integrationTarget" in made) == ("INTERNET", False)


@pytest.mark.parametrize(
    ("targets", "listener", "balancer"),
    [("listener", True, False), ("balancer", False, True), ("either", True, True)],
)
def test_what_a_target_may_be(
    world: Rests, proxy: str, targets: restapis.Targets, listener: bool, balancer: bool
) -> None:
    """F§5.5 [?]: AWS's sources disagree; one switch decides."""
    restapis.settings().targets = targets
    link, arns = world.link(), world.listener()
    for arn, taken in zip(arns, (balancer, listener), strict=True):
        if taken:
            world.integrate(proxy, **private(link, arn))
        else:
            with refused("BadRequestException"):
                world.integrate(proxy, **private(link, arn))


def test_where_no_private_integration_leads(world: Rests, proxy: str, timeline: Timeline) -> None:
    """F§5.5: no Cloud Map, nothing that is not there, and no link that is not there or on its way out."""
    link, target, other = world.link(), world.listener()[1], world.link()
    links.delete_vpc_link(VpcLinkId=other)
    service = Apis(timeline).service()
    for wrong in (
        private(link, service),
        private(link, target[:-1]),
        private(link, ""),
        private("gone12", target),
        private(other, target),
        private(link, target, type="AWS_PROXY"),
    ):
        with refused("BadRequestException"):
            world.integrate(proxy, **wrong)
    with refused("BadRequestException"):
        world.integrate(proxy, integrationTarget=target)


def test_a_link_of_v1_leads_to_its_own_balancer(world: Rests, proxy: str) -> None:
    """F§5.5: legacy; its target is in the link."""
    link = rest.create_vpc_link(name="old", targetArns=[world.listener()[0]])["id"]
    made = world.integrate(proxy, uri="http://x.internal/", connectionType="VPC_LINK", connectionId=link)
    assert made["connectionId"] == link
    with refused("BadRequestException"):
        world.integrate(proxy, **private(link, world.listener("other")[1]))


@pytest.mark.parametrize("late", [49, 29001])
def test_how_long_an_integration_may_take(world: Rests, proxy: str, late: int) -> None:
    """F§5.5: 29 seconds at most, which is the default."""
    assert world.integrate(proxy)["timeoutInMillis"] == 29000
    with refused("BadRequestException") as answer:
        world.integrate(proxy, timeoutInMillis=late)
    assert answer["Error"]["Message"] == "Timeout should be between 50 ms and 29000 ms"


@pytest.mark.parametrize(
    "asked",
    [
        {"uri": "orders.internal/x"},
        {"uri": "http://"},
        {"type": "TCP"},
        {"integrationHttpMethod": ""},
        {"requestParameters": {"integration.request.path.proxy": "method.request.path.id"}},
        {"requestParameters": {"request.path.proxy": "method.request.path.proxy"}},
    ],
)
def test_what_no_integration_may_be(world: Rests, proxy: str, asked: dict[str, Any]) -> None:
    with refused("BadRequestException"):
        world.integrate(proxy, **asked)
    with refused("NotFoundException"):
        rest.get_integration(restApiId=world.api, resourceId=proxy, httpMethod="ANY")


def test_an_integration_needs_its_method(world: Rests) -> None:
    with refused("NotFoundException") as answer:
        world.integrate(world.resource("orders"))
    assert answer["Error"]["Message"] == "Invalid Method identifier specified"


def test_a_change_of_an_integration_is_checked_as_well(world: Rests, proxy: str) -> None:
    world.integrate(proxy, **private(world.link(), world.listener()[1]))

    def change(path: str, value: str) -> dict[str, Any]:
        patch = [{"op": "replace", "path": path, "value": value}]
        place = {"restApiId": world.api, "resourceId": proxy, "httpMethod": "ANY"}
        return shown(rest.update_integration(**place, patchOperations=patch))

    other = world.listener("other")[1]
    assert change("/integrationTarget", other)["integrationTarget"] == other
    assert change("/timeoutInMillis", "1000")["timeoutInMillis"] == 1000
    for path, value in (("/timeoutInMillis", "30000"), ("/connectionId", "gone12"), ("/type", "HTTP")):
        with refused("BadRequestException"):
            change(path, value)


def test_a_link_stays_while_an_api_leads_through_it(world: Rests, proxy: str, timeline: Timeline) -> None:
    """F§5.5: what is deployed keeps the reference until every stage is deployed anew."""
    link = world.link()
    world.integrate(proxy, **private(link, world.listener()[1]))
    world.deploy("prod")

    def refusal() -> str:
        timeline.run_for(30)
        with refused("BadRequestException") as answer:
            links.delete_vpc_link(VpcLinkId=link)
        return str(answer["Error"]["Message"])

    said = refusal()
    assert f"{world.api}:ANY:{proxy}:prod" in said
    assert said.endswith("in format of [RESTApiId:Method:Resource:Stage]")
    rest.delete_resource(restApiId=world.api, resourceId=proxy)
    assert f"[{world.api}:ANY:{proxy}:prod]" in refusal()
    world.ready()
    world.deploy("prod")
    links.delete_vpc_link(VpcLinkId=link)
