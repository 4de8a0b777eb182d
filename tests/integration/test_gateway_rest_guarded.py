"""Who may call a REST API: signatures checked for real, tokens of user pools against their keys (F§5.5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from farm import gateway
from farm.aws import clock
from farm.farm import Farm
from farm.gateway import Reply
from farm.gateway.issuer import Issuer, issuing
from farm.gateway.routing import Request
from farm.gateway.signing import signed
from tests.integration.rest_gateways import ISSUER, POOL, Rested, rest_expose

OTHER = "eu-west-1_Other1234"


@dataclass
class Guarded:
    rested: Rested
    issuer: Issuer

    def get(self, token: str, path: str = "/orders", prefix: str = "Bearer ") -> Reply:
        reply = self.rested.get(path, headers={"authorization": f"{prefix}{token}"} if token else {})
        assert (reply.task != "") == (reply.status == 200)
        return reply

    def send(self, request: Request) -> Reply:
        return self.rested.farm.invoke(
            request.host, request.path, method=request.method, headers=request.headers, body=request.body
        )


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    with Farm.virtual(deploy=False) as farm, issuing(ISSUER) as issuer:
        farm.create_service("conejo", 1, public=False)
        farm.settle()
        group = farm.create_target_group("conejo")
        farm.register(group, *((address, 8080) for address in farm.addresses("conejo", public=False)))
        farm.create_balancer("inner", group=group)
        farm.run_for(120)
        found = rest_expose(farm, farm.listener_arn("inner", 80))
        pools: dict[str, Any] = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": found.pools()}
        two = {**pools, "authorizerId": found.pools(OTHER, POOL)}
        found.route("ANY /orders", method=pools)
        found.route("ANY /scoped", method={**pools, "authorizationScopes": ["orders/read", "orders/write"]})
        found.route("ANY /two", method=two)
        found.route("ANY /signed", method={"authorizationType": "AWS_IAM"})
        found.deploy()
        yield Guarded(found, issuer)


@pytest.mark.parametrize("prefix", ["Bearer ", ""])
def test_an_id_token_of_any_client_is_let_in(guarded: Guarded, prefix: str) -> None:
    token = guarded.issuer.token(audience="any-client", token_use="id")
    assert guarded.get(token, prefix=prefix).status == 200
    assert guarded.get(token, "/two").status == 200


def test_without_a_token_nobody_is_let_in(guarded: Guarded) -> None:
    reply = guarded.get("")
    assert (reply.status, reply.body) == (401, b'{"message":"Unauthorized"}')
    assert reply.header("x-amzn-ErrorType") == "UnauthorizedException"


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"token_use": "id", "expires_in": 0}, "The incoming token has expired"),
        ({"token_use": "id", "iss": "https://other.example"}, "Unauthorized"),
        ({"token_use": "id", "iss": ISSUER.replace(POOL, OTHER)}, "Unauthorized"),
        ({"token_use": "id", "iss": None}, "Unauthorized"),
        ({"token_use": "id", "forged": True}, "Unauthorized"),
        ({"token_use": "id", "kid": "farm-2"}, "Unauthorized"),
        ({"token_use": "access", "scopes": ["orders/read"]}, "Unauthorized"),
        ({}, "Unauthorized"),
    ],
)
def test_a_bad_token_is_refused(guarded: Guarded, claims: dict[str, Any], message: str) -> None:
    reply = guarded.get(guarded.issuer.token(**claims))
    assert (reply.status, reply.body.decode()) == (401, f'{{"message":"{message}"}}')
    assert guarded.get("x.y.z").status == 401


def test_another_issuer_that_the_gateway_knows_is_another(guarded: Guarded) -> None:
    """Its keys are real and its tokens good, but not for this method."""
    with issuing() as other:
        assert guarded.get(other.token(token_use="id")).status == 401
        assert guarded.get(other.token(token_use="id"), "/two").status == 401


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"token_use": "access", "scopes": ["orders/write", "openid"]}, 200),
        ({"token_use": "access", "scopes": ["orders"]}, 401),
        ({"token_use": "access"}, 401),
        ({"token_use": "id", "scopes": ["orders/read"]}, 401),
    ],
)
def test_a_method_with_scopes_wants_an_access_token_with_one(
    guarded: Guarded, claims: dict[str, Any], status: int
) -> None:
    """F§5.3, F§5.5."""
    assert guarded.get(guarded.issuer.token(**claims), "/scoped").status == status


def test_a_signature_is_checked(guarded: Guarded) -> None:
    asked = Request(guarded.rested.host, "/prod/signed?a=b", "POST", body=b"{}")
    assert guarded.send(signed(asked)).status == 200
    for wrong, said in (
        (asked, "Missing Authentication Token"),
        (replace(signed(asked), body=b"{1}"), "does not match the signature you provided"),
        (signed(asked, "stranger", "x"), "The security token included in the request is invalid."),
        (signed(asked, at=clock.now() - 301), "does not match the signature you provided"),
        (replace(asked, headers={"Authorization": "Bearer x"}), "Authorization header"),
    ):
        reply = guarded.send(wrong)
        assert (reply.status, reply.task) == (403, "")
        assert said in reply.body.decode()


def test_iam_decides_after_the_signature(guarded: Guarded) -> None:
    asked: list[str] = []
    gateway.settings().allow = lambda _, arn: bool(asked.append(arn))
    try:
        assert guarded.rested.get("/signed", sign=True).status == 403
    finally:
        gateway.settings().allow = lambda *_: True
    assert asked == [f"arn:aws:execute-api:eu-west-1:123456789012:{guarded.rested.api}/prod/GET/signed"]
