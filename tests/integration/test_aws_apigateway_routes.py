"""Routes behave as AWS's (F§5.2): well formed, once, with variables of one name, and open only when somebody says so."""

from __future__ import annotations

from typing import Any

import pytest
from http_apis import Apis, api
from refusals import refused

from farm.aws import apigateway
from farm.timeline import Timeline


@pytest.fixture
def world(timeline: Timeline) -> Apis:
    return Apis(timeline)


@pytest.mark.parametrize(
    "key",
    [
        "$default",
        "GET /",
        "ANY /orders",
        "ANY /orders/{proxy+}",
        "PATCH /a/{id}/b",
        "OPTIONS /{proxy+}",
        "GET /a/",
    ],
)
def test_keys_that_a_route_may_have(world: Apis, key: str) -> None:
    """F§5.2: $default, or a method and a path, variables alone in their segment, a greedy one last."""
    assert world.known(world.route(key))["RouteKey"] == key


@pytest.mark.parametrize(
    "key",
    [
        "TRACE /a",
        "get /a",
        "GET a",
        "GET",
        "/a",
        "default",
        "GET  /a",
        "GET /{a+}/b",
        "GET /x{a}",
        "GET /{}",
        "GET /{a",
    ],
)
def test_keys_that_no_route_may_have(world: Apis, key: str) -> None:
    """F§5.2; TRACE is refused."""
    with refused("BadRequestException") as answer:
        world.route(key)
    assert "not formatted properly for HTTP protocol" in answer["Error"]["Message"]


def test_a_key_is_taken_once(world: Apis) -> None:
    """F§5.2: ConflictException, status 409."""
    world.route("ANY /{proxy+}")
    with refused("ConflictException") as answer:
        world.route("ANY /{proxy+}")
    assert answer["Error"]["Message"] == "Route with key ANY /{proxy+} already exists for this API"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 409
    other = world.route("GET /other")
    with refused("ConflictException"):
        api.update_route(ApiId=world.api, RouteId=other, RouteKey="ANY /{proxy+}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GET /a/{org_id}", "GET /a/{orgId}"),
        ("ANY /a/{x}/b", "GET /a/{y}/c"),
        ("ANY /a/{proxy+}", "ANY /a/{rest+}"),
    ],
)
def test_variables_in_one_place_have_one_name(world: Apis, one: str, other: str) -> None:
    """F§5.2: the same variable name at the same position, whatever the method."""
    world.route(one)
    with refused("ConflictException") as answer:
        world.route(other)
    assert answer["Error"]["Message"] == (
        f'The provided route key "{other}" has a conflicting variable on the same hierarchical level as "{one}"'
    )


def test_variables_elsewhere_have_names_of_their_own(world: Apis) -> None:
    """F§5.2."""
    for key in ("GET /a/{x}", "GET /b/{y}", "GET /a/{x}/c/{z}", "GET /a/fixed", "ANY /a/{proxy+}"):
        world.route(key)


@pytest.mark.parametrize("target", ["integration/abc", "integrations/", "abc", "integrations/a/b"])
def test_a_target_is_an_integration(world: Apis, target: str) -> None:
    """F§5.2: "Unexpected or malformed target in route"."""
    with refused("BadRequestException") as answer:
        world.route(Target=target)
    assert answer["Error"]["Message"].startswith("Unexpected or malformed target in route")


def test_a_target_is_there(world: Apis) -> None:
    with refused("NotFoundException"):
        world.route(Target="integrations/abcdefg")
    assert (
        world.known(world.route(integration=(made := world.integration())))["Target"]
        == f"integrations/{made}"
    )


def test_a_route_without_authorization_is_open(world: Apis) -> None:
    """F§5.2: the default is NONE."""
    assert world.known(world.route())["AuthorizationType"] == "NONE"


def test_authorization_needs_its_kind_of_authorizer(world: Apis) -> None:
    """F§5.2, F§5.3: JWT a JWT authorizer, CUSTOM one that asks a function, the others none."""
    jwt, asking = world.jwt(), world.asking()
    for kind, wrong in (
        ("JWT", ""),
        ("JWT", asking),
        ("CUSTOM", ""),
        ("CUSTOM", jwt),
        ("AWS_IAM", jwt),
        ("NONE", jwt),
    ):
        with refused("BadRequestException"):
            world.route(AuthorizationType=kind, **({"AuthorizerId": wrong} if wrong else {}))
    with refused("BadRequestException") as answer:
        world.route(AuthorizationType="JWT", AuthorizerId="abcdef")
    assert (
        answer["Error"]["Message"] == "Setting the authorization type to JWT requires a valid JWT authorizer."
    )
    assert (
        world.known(world.route("GET /1", AuthorizationType="JWT", AuthorizerId=jwt))["AuthorizerId"] == jwt
    )
    world.route("GET /2", AuthorizationType="CUSTOM", AuthorizerId=asking)
    world.route("GET /3", AuthorizationType="AWS_IAM")
    assert len(api.get_routes(ApiId=world.api)["Items"]) == 3


def test_scopes_go_with_tokens_only(world: Apis) -> None:
    """F§5.2; at most 10 of them (F§5.1)."""
    jwt = world.jwt()
    with refused("BadRequestException") as answer:
        world.route(AuthorizationType="AWS_IAM", AuthorizationScopes=["read"])
    assert answer["Error"]["Message"] == (
        "Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization type"
    )
    many = [f"scope-{number}" for number in range(11)]
    with refused("BadRequestException"):
        world.route(AuthorizationType="JWT", AuthorizerId=jwt, AuthorizationScopes=many)
    made = world.route(AuthorizationType="JWT", AuthorizerId=jwt, AuthorizationScopes=many[:10])
    assert world.known(made)["AuthorizationScopes"] == many[:10]


def test_api_keys_are_refused(world: Apis) -> None:
    """F§5.2."""
    with refused("BadRequestException") as answer:
        world.route(ApiKeyRequired=True)
    assert "not currently supported for HTTP APIs" in answer["Error"]["Message"]


def test_an_update_changes_what_it_names(world: Apis) -> None:
    """F§5.1: partial."""
    jwt, here = world.jwt(), world.integration()
    made = world.route(
        integration=here,
        AuthorizationType="JWT",
        AuthorizerId=jwt,
        AuthorizationScopes=["a"],
        OperationName="op",
    )
    before = world.known(made)
    api.update_route(ApiId=world.api, RouteId=made, AuthorizationScopes=["b"])
    assert world.known(made) == {**before, "AuthorizationScopes": ["b"]}
    there = world.integration()
    api.update_route(ApiId=world.api, RouteId=made, Target=f"integrations/{there}")
    assert world.known(made) == {**before, "AuthorizationScopes": ["b"], "Target": f"integrations/{there}"}


def test_authorization_changes_by_an_update(world: Apis) -> None:
    """F§5.2: the authorizer goes with the authorization that asked it; what is refused changes nothing."""
    jwt, asking = world.jwt(), world.asking()
    made = world.route(AuthorizationType="JWT", AuthorizerId=jwt, AuthorizationScopes=["a"])
    for change in (
        {"AuthorizationType": "CUSTOM"},
        {"AuthorizationType": "AWS_IAM"},
        {"AuthorizerId": asking},
    ):
        before = world.known(made)
        with refused("BadRequestException"):
            api.update_route(ApiId=world.api, RouteId=made, **change)
        assert world.known(made) == before
    custom: Any = {"AuthorizationType": "CUSTOM", "AuthorizerId": asking, "AuthorizationScopes": []}
    assert api.update_route(ApiId=world.api, RouteId=made, **custom)["AuthorizerId"] == asking
    api.update_route(ApiId=world.api, RouteId=made, AuthorizationType="AWS_IAM")
    assert "AuthorizerId" not in world.known(made)
    assert world.known(made)["AuthorizationType"] == "AWS_IAM"


def test_unknown_routes_are_not_found(world: Apis) -> None:
    for call in (api.get_route, api.delete_route, api.update_route):
        with refused("NotFoundException") as answer:
            call(ApiId=world.api, RouteId="abcdefg")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 404
    made = world.route()
    api.delete_route(ApiId=world.api, RouteId=made)
    with refused("NotFoundException"):
        api.delete_route(ApiId=world.api, RouteId=made)


def test_an_api_has_room_for_300_routes(world: Apis) -> None:
    """F§5.1."""
    assert apigateway.settings().most_routes == 300
    apigateway.settings().most_routes = 3
    for number in range(3):
        world.route(f"GET /{number}")
    with refused("ConflictException") as answer:
        world.route()
    assert answer["Error"]["Message"].startswith("Maximum number of Routes for this API has been reached.")


def test_routes_come_in_pages(world: Apis) -> None:
    """MaxResults is a string; pages go on until no token is left."""
    made = {world.route(f"GET /{number}") for number in range(5)}
    first = api.get_routes(ApiId=world.api, MaxResults="2")
    second = api.get_routes(ApiId=world.api, MaxResults="2", NextToken=first["NextToken"])
    third = api.get_routes(ApiId=world.api, MaxResults="2", NextToken=second["NextToken"])
    seen = [one["RouteId"] for some in (first, second, third) for one in some["Items"]]
    assert (set(seen), len(seen), "NextToken" in third) == (made, 5, False)
    for wrong in ({"MaxResults": "none"}, {"NextToken": "none!"}):
        with refused("BadRequestException"):
            api.get_routes(ApiId=world.api, **wrong)


def test_two_changes_at_once_are_one_too_many(world: Apis, timeline: Timeline) -> None:
    """F§5.1: concurrent modification, per API, for whatever is in it."""
    apigateway.settings().busy = 2.0
    other = world.new_api("other")
    world.route("GET /1")
    with refused("ConflictException") as answer:
        world.integration()
    assert answer["Error"]["Message"] == (
        "Unable to complete operation due to concurrent modification. Please try again later."
    )
    api.create_route(ApiId=other, RouteKey="GET /1")
    timeline.run_for(2)
    world.route("GET /2")
    assert len(api.get_routes(ApiId=world.api)["Items"]) == 2
