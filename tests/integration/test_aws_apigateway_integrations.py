"""Integrations behave as AWS's (F§5.1): what a private one must name, what may be done to a request, and what holds them."""

from __future__ import annotations

from typing import Any

import pytest
from balancing import Balancing
from http_apis import Apis, api
from refusals import refused

from farm.account import client
from farm.aws import apigateway
from farm.timeline import Timeline

NO_SUCH_URI = "For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid Cloud Map service ARN."


@pytest.fixture
def world(timeline: Timeline) -> Apis:
    return Apis(timeline)


def known(world: Apis, integration: str) -> dict[str, Any]:
    answer = api.get_integration(ApiId=world.api, IntegrationId=integration)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"IntegrationMethod": None},
            "HttpMethod parameter method must be specified for integrationType HTTPPROXY",
        ),
        (
            {"PayloadFormatVersion": "2.0"},
            "PayloadFormatVersion 2.0 is not supported for integration of type HTTP_PROXY",
        ),
        ({"IntegrationType": "MOCK"}, "Integration type MOCK is not supported for HTTP APIs"),
        ({"TimeoutInMillis": 30001}, "Timeout should be between 50 ms and 30000 ms"),
        ({"Description": "a" * 1025}, "Description must have at most 1024 characters"),
        ({"IntegrationUri": "backend"}, "Invalid HTTP endpoint specified for URI"),
    ],
)
def test_what_no_integration_may_say(world: Apis, wrong: dict[str, Any], message: str) -> None:
    """F§5.1, F§5.2."""
    wanted = {
        "IntegrationType": "HTTP_PROXY",
        "IntegrationMethod": "ANY",
        "IntegrationUri": "https://a.b",
        **wrong,
    }
    with refused("BadRequestException") as answer:
        api.create_integration(
            ApiId=world.api, **{key: value for key, value in wanted.items() if value is not None}
        )
    assert answer["Error"]["Message"] == message
    assert api.get_integrations(ApiId=world.api)["Items"] == []


def test_a_private_integration_needs_a_vpc_link(world: Apis) -> None:
    """F§5.1: ConnectionId, of a link that there is and that is not going."""
    service, link = world.service(), world.link()
    for wrong in ({}, {"ConnectionId": "abcdef"}):
        with refused("BadRequestException") as answer:
            world.integration(ConnectionType="VPC_LINK", IntegrationUri=service, **wrong)
        assert answer["Error"]["Message"].startswith("ConnectionId must be set to vpcLinkId")
    world.private(link, service)
    going = world.link()
    api.delete_vpc_link(VpcLinkId=going)
    with refused("BadRequestException"):
        world.private(going, service)


def test_a_private_integration_leads_to_a_cloud_map_service(world: Apis) -> None:
    """F§5.1: by its ARN, with query parameters or without; it must be there."""
    service, link = world.service(), world.link()
    for uri in (service, f"{service}?stage=prod&deployment=green"):
        assert known(world, world.private(link, uri))["IntegrationUri"] == uri
    client("servicediscovery").delete_service(Id=service.rpartition("/")[2])
    for uri in (service, "https://backend.example.com", service.replace("/srv-", "/ns-")):
        with refused("BadRequestException") as answer:
            world.private(link, uri)
        assert answer["Error"]["Message"] == NO_SUCH_URI


def test_a_private_integration_leads_to_a_listener(world: Apis, timeline: Timeline) -> None:
    """F§5.1: to the listener, not to its load balancer; either kind."""
    balancing, link = Balancing(timeline), world.link()
    for kind, protocol in (("application", "HTTP"), ("network", "TCP")):
        balancer = balancing.balancer(kind, kind)
        listener = balancing.listener(balancer, balancing.group(kind, protocol), protocol=protocol)
        assert known(world, world.private(link, listener))["IntegrationUri"] == listener
        for uri in (balancer, f"{listener}0"):
            with refused("BadRequestException") as answer:
                world.private(link, uri)
            assert answer["Error"]["Message"] == NO_SUCH_URI


def test_functions_may_be_led_to_as_well(world: Apis) -> None:
    function = "arn:aws:lambda:eu-west-1:123456789012:function:answer"
    made = api.create_integration(
        ApiId=world.api, IntegrationType="AWS_PROXY", IntegrationUri=function, PayloadFormatVersion="2.0"
    )
    assert made["IntegrationUri"] == function


@pytest.mark.parametrize(
    "parameters",
    [
        {"overwrite:path": "$request.path"},
        {"overwrite:path": "/$request.path.proxy"},
        {"overwrite:path": "/${request.path.proxy}", "remove:querystring.a": "''"},
        {"append:header.x-route": "$context.routeKey", "overwrite:header.host": "orders.example.com"},
        {"overwrite:querystring.a": "$request.header.b"},
    ],
)
def test_what_may_be_done_to_a_request(world: Apis, parameters: dict[str, str]) -> None:
    """F§5.1; the Host header is not reserved."""
    assert known(world, world.integration(RequestParameters=parameters))["RequestParameters"] == parameters


@pytest.mark.parametrize(
    "key", ["path", "overwrite:path.a", "append:path", "overwrite:body", "set:header.a", "append:header."]
)
def test_what_may_not_be_done_to_a_request(world: Apis, key: str) -> None:
    """F§5.1."""
    with refused("BadRequestException") as answer:
        world.integration(RequestParameters={key: "a"})
    assert "Invalid Request Actioned Parameter" in answer["Error"]["Message"]


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "authorization", "Connection", "Origin", "TE", "Via", "X-Forwarded-For"),
        *("x-amz-date", "x-amzn-trace", "Access-Control-Allow-Origin", "apigw-id"),
        *("Proxy-Authorization", "Content-Length"),
    ],
)
def test_reserved_headers_are_left_alone(world: Apis, name: str) -> None:
    """F§5.1."""
    with refused("BadRequestException"):
        world.integration(RequestParameters={f"overwrite:header.{name}": "a"})


def test_an_update_changes_what_it_names(world: Apis) -> None:
    """F§5.1: partial, each request parameter by itself; an empty one is removed."""
    made = world.integration(
        RequestParameters={"overwrite:path": "/", "append:header.a": "b"},
        Description="mine",
        TimeoutInMillis=1000,
    )
    before = known(world, made)
    api.update_integration(ApiId=world.api, IntegrationId=made, TimeoutInMillis=2000)
    assert known(world, made) == {**before, "TimeoutInMillis": 2000}
    changes = {"overwrite:path": "", "append:header.c": "d"}
    api.update_integration(ApiId=world.api, IntegrationId=made, RequestParameters=changes)
    assert known(world, made)["RequestParameters"] == {"append:header.a": "b", "append:header.c": "d"}


def test_an_update_that_is_refused_changes_nothing(world: Apis) -> None:
    service, link = world.service(), world.link()
    made = world.private(link, service)
    before = known(world, made)
    for wrong in ({"TimeoutInMillis": 30001}, {"IntegrationUri": "https://a.b"}, {"ConnectionId": "abcdef"}):
        with refused("BadRequestException"):
            api.update_integration(ApiId=world.api, IntegrationId=made, **wrong)
    assert known(world, made) == before


def test_tls_to_the_backend(world: Apis) -> None:
    """F§5.1: ServerNameToVerify."""
    made = world.private(
        world.link(), world.service(), TlsConfig={"ServerNameToVerify": "orders.example.com"}
    )
    assert known(world, made)["TlsConfig"] == {"ServerNameToVerify": "orders.example.com"}


def test_an_integration_in_use_stays(world: Apis) -> None:
    """F§5.2: ConflictException, naming the routes."""
    made = world.integration()
    route = world.route(integration=made)
    with refused("ConflictException") as answer:
        api.delete_integration(ApiId=world.api, IntegrationId=made)
    assert answer["Error"]["Message"] == (
        f"Cannot delete Integration because it is referenced by the following Routes with Ids: [{route}]"
    )
    api.delete_route(ApiId=world.api, RouteId=route)
    api.delete_integration(ApiId=world.api, IntegrationId=made)
    for call in (api.delete_integration, api.get_integration, api.update_integration):
        with refused("NotFoundException"):
            call(ApiId=world.api, IntegrationId=made)


def test_the_same_integration_once_more_is_another_one(world: Apis) -> None:
    """F§5.1: not idempotent; 300 of them, in pages."""
    assert apigateway.settings().most_integrations == 300
    apigateway.settings().most_integrations = 3
    made = {world.integration() for _ in range(3)}
    pages = [api.get_integrations(ApiId=world.api, MaxResults="2")]
    pages.append(api.get_integrations(ApiId=world.api, MaxResults="2", NextToken=pages[0]["NextToken"]))
    assert {one["IntegrationId"] for some in pages for one in some["Items"]} == made
    with refused("ConflictException") as answer:
        world.integration()
    assert "Maximum number of Integrations" in answer["Error"]["Message"]
