"""Authorizers behave as AWS's (F§5.3): issuers that are https and answer, audiences, functions to ask, ten per API."""

from __future__ import annotations

from typing import Any

import pytest
from http_apis import ISSUER, Apis, api
from refusals import refused

from farm.aws import apigateway
from farm.timeline import Timeline

DOCUMENT = f"{ISSUER}/.well-known/openid-configuration"


@pytest.fixture
def world(timeline: Timeline) -> Apis:
    return Apis(timeline)


def known(world: Apis, authorizer: str) -> dict[str, Any]:
    answer = api.get_authorizer(ApiId=world.api, AuthorizerId=authorizer)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def test_what_an_authorizer_of_tokens_is(world: Apis) -> None:
    """F§5.3."""
    made = world.jwt()
    assert known(world, made) == {
        "AuthorizerId": made,
        "AuthorizerType": "JWT",
        "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": {"Audience": ["orders"], "Issuer": ISSUER},
        "Name": "jwt",
    }


@pytest.mark.parametrize(
    "issuer",
    [
        "http://issuer.example.com",
        "issuer.example.com",
        "https://",
        "",
        "https://a b",
        "https://a?b=c",
        "https://[a",
    ],
)
def test_an_issuer_is_an_https_url(world: Apis, issuer: str) -> None:
    """F§5.3."""
    with refused("BadRequestException") as answer:
        world.jwt(JwtConfiguration={"Issuer": issuer, "Audience": ["orders"]})
    assert answer["Error"]["Message"] == "Invalid issuer: Issuer is not a valid URL for JWT Authorizer"


def test_a_local_issuer_only_where_the_farm_is_told_so(world: Apis) -> None:
    """F§5.3: AWS takes https only."""
    for issuer in ("http://127.0.0.1:8000", "http://localhost/realm"):
        with refused("BadRequestException"):
            world.jwt(issuer)
    apigateway.settings().local_issuers = True
    for issuer in ("http://127.0.0.1:8000", "http://127.20.1.2/realm", "http://localhost/realm", ISSUER):
        world.jwt(issuer)
    for issuer in ("http://issuer.example.com", "http://10.0.0.1"):
        with refused("BadRequestException"):
            world.jwt(issuer)


def test_an_issuer_is_asked_when_its_authorizer_is_made(world: Apis) -> None:
    """F§5.3 [M]: its openid-configuration; one that cannot be reached is refused."""
    asked: list[str] = []
    answers: dict[str, Any] = {DOCUMENT: {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}}

    def fetch(url: str) -> Any:
        asked.append(url)
        if url not in answers:
            raise ConnectionRefusedError("refused")
        return answers[url]

    apigateway.settings().fetch = fetch
    made = world.jwt()
    assert asked == [DOCUMENT]
    with refused("BadRequestException") as answer:
        world.jwt("https://other.example.com")
    assert "https://other.example.com/.well-known/openid-configuration" in answer["Error"]["Message"]
    with refused("BadRequestException"):
        api.update_authorizer(
            ApiId=world.api, AuthorizerId=made, JwtConfiguration={"Issuer": "https://other.example.com"}
        )
    answers[DOCUMENT] = {"error": "not here"}
    with refused("BadRequestException"):
        world.jwt()
    assert [one["AuthorizerId"] for one in api.get_authorizers(ApiId=world.api)["Items"]] == [made]


@pytest.mark.parametrize("audience", [[], [f"a-{number}" for number in range(51)]])
def test_audiences(world: Apis, audience: list[str]) -> None:
    """F§5.3, F§5.1: at least one, at most 50."""
    with refused("BadRequestException"):
        world.jwt(JwtConfiguration={"Issuer": ISSUER, "Audience": audience})


@pytest.mark.parametrize(
    "sources", [[], ["Authorization"], ["$request.body.a"], ["$request.header.a", "$request.header.b"]]
)
def test_where_a_token_is(world: Apis, sources: list[str]) -> None:
    """F§5.3."""
    with refused("BadRequestException") as answer:
        world.jwt(IdentitySource=sources)
    assert answer["Error"]["Message"] == "Invalid identity source expression"


@pytest.mark.parametrize(
    "wrong",
    [
        {"AuthorizerPayloadFormatVersion": "3.0"},
        {"AuthorizerPayloadFormatVersion": "1.0", "EnableSimpleResponses": True},
        {"AuthorizerUri": "arn:aws:lambda:eu-west-1:123456789012:function:judge"},
        {"IdentitySource": ["Authorization"]},
        {"IdentitySource": [], "AuthorizerResultTtlInSeconds": 60},
        {"AuthorizerResultTtlInSeconds": 3601},
        {"AuthorizerType": "TOKEN"},
    ],
)
def test_what_no_authorizer_that_asks_a_function_may_say(world: Apis, wrong: dict[str, Any]) -> None:
    """F§5.3."""
    with refused("BadRequestException"):
        world.asking(**wrong)
    assert api.get_authorizers(ApiId=world.api)["Items"] == []


def test_asking_a_function(world: Apis) -> None:
    """F§5.3: the payload's version is needed; keeping answers needs an identity source."""
    with refused("BadRequestException") as answer:
        api.create_authorizer(
            ApiId=world.api, AuthorizerType="REQUEST", Name="judge", IdentitySource=[], AuthorizerUri="arn"
        )
    assert (
        answer["Error"]["Message"]
        == "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"
    )
    sources = ["$request.header.a", "$context.routeKey", "$stageVariables.b"]
    made = world.asking(EnableSimpleResponses=True, AuthorizerResultTtlInSeconds=60, IdentitySource=sources)
    assert known(world, made)["IdentitySource"] == sources
    world.asking(IdentitySource=[])


def test_an_update_changes_what_it_names(world: Apis) -> None:
    """F§5.3: partial; what is refused changes nothing."""
    made = world.jwt()
    before = known(world, made)
    api.update_authorizer(ApiId=world.api, AuthorizerId=made, JwtConfiguration={"Audience": ["other"]})
    after = {**before, "JwtConfiguration": {"Issuer": ISSUER, "Audience": ["other"]}}
    assert known(world, made) == after
    with refused("BadRequestException"):
        api.update_authorizer(ApiId=world.api, AuthorizerId=made, JwtConfiguration={"Audience": []})
    assert known(world, made) == after


def test_an_authorizer_in_use_stays(world: Apis) -> None:
    """F§5.2 [M]: ConflictException, as with integrations."""
    made = world.jwt()
    route = world.route(AuthorizationType="JWT", AuthorizerId=made)
    with refused("ConflictException") as answer:
        api.delete_authorizer(ApiId=world.api, AuthorizerId=made)
    assert route in answer["Error"]["Message"]
    api.update_route(ApiId=world.api, RouteId=route, AuthorizationType="AWS_IAM")
    api.delete_authorizer(ApiId=world.api, AuthorizerId=made)
    for call in (api.get_authorizer, api.delete_authorizer, api.update_authorizer):
        with refused("NotFoundException"):
            call(ApiId=world.api, AuthorizerId=made)


def test_an_api_has_room_for_ten_authorizers(world: Apis) -> None:
    """F§5.3: the same once more is another one; in pages."""
    made = {world.jwt() for _ in range(10)}
    with refused("ConflictException") as answer:
        world.jwt()
    assert answer["Error"]["Message"].startswith(
        "Maximum number of Authorizers for this API has been reached."
    )
    first = api.get_authorizers(ApiId=world.api, MaxResults="6")
    second = api.get_authorizers(ApiId=world.api, MaxResults="6", NextToken=first["NextToken"])
    assert {one["AuthorizerId"] for one in [*first["Items"], *second["Items"]]} == made
