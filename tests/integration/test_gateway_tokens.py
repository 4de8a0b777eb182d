"""JWT authorisers at an HTTP API: real tokens against a real issuer's keys, over HTTP (F§5.3)."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from farm import gateway
from farm.aws import apigateway, clock
from farm.aws.apigateway import Route
from farm.farm import Farm
from farm.gateway import Reply, tokens
from farm.gateway.authorizing import Guard
from farm.gateway.functions import Asked
from farm.gateway.issuer import Issuer, issuing
from farm.gateway.refusing import RefusedError
from farm.gateway.routing import Request
from tests.integration.gateways import Exposed, expose

AUDIENCE = "orders"
SCOPES = ["orders:read", "orders:write"]


@dataclass
class Guarded:
    exposed: Exposed
    issuer: Issuer

    def get(self, token: str, path: str = "/orders", prefix: str = "Bearer ") -> Reply:
        headers = {"authorization": f"{prefix}{token}"} if token else {}
        reply = self.exposed.get(path, headers=headers)
        assert (reply.task != "") == (reply.status == 200)
        return reply


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    with Farm.virtual(deploy=False) as farm, issuing() as issuer:
        farm.create_service("conejo", 1, public=False)
        farm.settle()
        found = expose(farm, "conejo")
        by_token: dict[str, Any] = {
            "AuthorizationType": "JWT",
            "AuthorizerId": found.jwt(issuer.url, AUDIENCE, "client-1"),
        }
        found.route("ANY /orders", **by_token)
        found.route("ANY /scoped", **by_token, AuthorizationScopes=SCOPES)
        found.stage()
        yield Guarded(found, issuer)


@pytest.mark.parametrize(
    "claims",
    [
        {"audience": AUDIENCE},
        {"audience": ["other", AUDIENCE]},
        {"client_id": "client-1"},
        {"audience": AUDIENCE, "nbf": None, "iat": None},
        {"audience": AUDIENCE, "algorithm": "RS512"},
    ],
)
@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", ""])
def test_a_good_token_is_let_in(guarded: Guarded, claims: dict[str, Any], prefix: str) -> None:
    assert guarded.get(guarded.issuer.token(**claims), prefix=prefix).status == 200


def test_without_a_token_nobody_is_let_in(guarded: Guarded) -> None:
    reply = guarded.get("")
    assert (reply.status, reply.body) == (401, b'{"message":"Unauthorized"}')
    assert reply.header("www-authenticate") == "Bearer"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"audience": AUDIENCE, "expires_in": 0}, "the token has expired"),
        ({"audience": AUDIENCE, "exp": None}, "the token has expired"),
        ({"audience": AUDIENCE, "exp": "tomorrow"}, "the token has expired"),
        ({"audience": AUDIENCE, "iss": "https://other.example"}, "the token is from another issuer"),
        ({"audience": AUDIENCE, "iss": None}, "the token is from another issuer"),
        ({"audience": "other"}, "the token is for another audience"),
        ({}, "the token is for another audience"),
        ({"audience": "other", "client_id": "client-1"}, "the token is for another audience"),
        ({"audience": AUDIENCE, "nbf": 4_000_000_000}, "the token is not valid yet"),
        ({"audience": AUDIENCE, "iat": 4_000_000_000}, "the token is not valid yet"),
        ({"audience": AUDIENCE, "forged": True}, "the token is not one that the issuer signed"),
        ({"audience": AUDIENCE, "algorithm": "PS256"}, "the token is not one that the issuer signed"),
    ],
)
def test_a_bad_token_is_refused(guarded: Guarded, claims: dict[str, Any], reason: str) -> None:
    reply = guarded.get(guarded.issuer.token(**claims))
    assert (reply.status, reply.body, reply.reason) == (401, b'{"message":"Unauthorized"}', reason)
    assert 'error="invalid_token"' in reply.header("www-authenticate")


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def good_claims(issuer: Issuer) -> dict[str, Any]:
    return {"iss": issuer.url, "aud": AUDIENCE, "exp": int(clock.now()) + 100}


def test_a_token_without_a_real_signature_is_refused(guarded: Guarded) -> None:
    claims = good_claims(guarded.issuer)
    header, body, signature = guarded.issuer.token(audience=AUDIENCE).split(".")
    for token in (
        f"{encoded({'alg': 'none', 'kid': 'farm-1'})}.{encoded(claims)}.",
        f"{encoded({'alg': 'None', 'kid': 'farm-1'})}.{encoded(claims)}.{signature}",
        f"{header}.{encoded(claims)}.{signature}",
        f"{header}.{body}.",
        f"{header}.{body}",
        "x",
        "x.y.z",
        "é.é.é",
    ):
        assert guarded.get(token).status == 401, token


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(guarded: Guarded) -> None:
    text = f"{encoded({'alg': 'HS256', 'kid': 'farm-1'})}.{encoded(good_claims(guarded.issuer))}"
    made = hmac.digest(guarded.issuer.public_pem(), text.encode(), "sha256")
    signature = base64.urlsafe_b64encode(made).decode().rstrip("=")
    assert guarded.get(f"{text}.{signature}").status == 401


def test_a_token_must_name_a_key_of_the_issuers(guarded: Guarded) -> None:
    for name in (None, "farm-2"):
        token = guarded.issuer.token(audience=AUDIENCE, kid=name)
        assert guarded.get(token).reason == "the token's key is not one of the issuer's"


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"scopes": ["orders:read"]}, 200),
        ({"scopes": ["openid", "orders:write"]}, 200),
        ({"scp": ["orders:read"]}, 200),
        ({"scopes": ["orders"]}, 403),
        ({"scopes": []}, 403),
        ({"scope": 7}, 403),
    ],
)
def test_one_of_the_scopes_is_needed(guarded: Guarded, claims: dict[str, Any], status: int) -> None:
    reply = guarded.get(guarded.issuer.token(audience=AUDIENCE, **claims), "/scoped")
    assert reply.status == status
    if status == 403:
        assert reply.body == b'{"message":"Forbidden"}'
        assert reply.header("www-authenticate") == (
            'Bearer scope="orders:read orders:write" error="insufficient_scope"'
        )


def test_keys_are_asked_for_once_in_a_while(guarded: Guarded) -> None:
    token = guarded.issuer.token(audience=AUDIENCE, expires_in=20_000)
    assert guarded.get(token).status == 200
    before = guarded.issuer.requests
    assert guarded.get(token).status == 200
    assert guarded.issuer.requests == before
    guarded.exposed.farm.run_for(gateway.settings().jwks + 1)
    assert guarded.get(token).status == 200
    assert guarded.issuer.requests == before + 2


def test_an_issuer_that_does_not_answer_lets_nobody_in(guarded: Guarded) -> None:
    address = gateway.settings().issuers.pop(guarded.issuer.url)
    guarded.exposed.farm.run_for(gateway.settings().jwks + 1)
    try:
        reply = guarded.get(guarded.issuer.token(audience=AUDIENCE))
        assert (reply.status, reply.reason) == (401, "the issuer's keys cannot be had")
    finally:
        gateway.settings().issuers[guarded.issuer.url] = address


@pytest.mark.parametrize("authorization", ["JWT", "CUSTOM", "COGNITO_USER_POOLS", "", "none"])
def test_an_authorisation_that_cannot_be_made_out_lets_nobody_in(
    guarded: Guarded, authorization: str
) -> None:
    request = Request(guarded.exposed.host, "/orders")
    asked = Asked(request, lambda _: "x", {}, {}, {}, "arn:aws:execute-api:eu-west-1:1:a/b/GET/")
    route = Route("r", "ANY /orders", authorization, (), None, None)
    with pytest.raises(RefusedError) as refused:
        Guard(clock.now).admit(route, asked, gateway.settings())
    assert refused.value.status == 500


def test_an_authoriser_may_be_held_to_an_issuer_that_answers(guarded: Guarded) -> None:
    apigateway.settings().fetch = tokens.fetch
    try:
        assert guarded.exposed.jwt(guarded.issuer.url, AUDIENCE)
        with pytest.raises(ClientError, match="does not answer"):
            guarded.exposed.jwt("https://nobody.example", AUDIENCE)
    finally:
        apigateway.settings().fetch = None
