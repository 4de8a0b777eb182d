"""Methods of REST APIs behave as AWS's (F§5.5): none without the authorizer that it names, none made twice."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused
from rest_apis import POOL, PROXY, Rests, rest, shown

from farm.timeline import Timeline

COGNITO = "COGNITO_USER_POOLS"


@pytest.fixture
def world(timeline: Timeline) -> Rests:
    return Rests(timeline)


def change(world: Rests, resource: str, *operations: tuple[str, ...]) -> dict[str, Any]:
    patch = [dict(zip(("op", "path", "value"), one, strict=False)) for one in operations]
    made = rest.update_method(
        restApiId=world.api, resourceId=resource, httpMethod="ANY", patchOperations=patch
    )
    return shown(made)


def known(world: Rests, resource: str) -> dict[str, Any]:
    return shown(rest.get_method(restApiId=world.api, resourceId=resource, httpMethod="ANY"))


def test_a_method_is_kept_as_it_was_put(world: Rests) -> None:
    orders, pools = world.resource("orders"), world.pools()
    asked = {"authorizerId": pools, "authorizationScopes": ["orders/read"], "requestParameters": PROXY}
    world.method(orders, authorizationType=COGNITO, **asked)
    assert known(world, orders) == {
        "httpMethod": "ANY",
        "authorizationType": COGNITO,
        "apiKeyRequired": False,
        **asked,
    }


def test_a_method_is_there_once(world: Rests) -> None:
    """ConflictException 409; another method of the same resource is another."""
    orders = world.resource("orders")
    world.method(orders, authorizationType="AWS_IAM")
    world.method(orders, "GET")
    with refused("ConflictException") as answer:
        world.method(orders)
    assert answer["Error"]["Message"] == "Method already exists for this resource"
    assert known(world, orders)["authorizationType"] == "AWS_IAM"


@pytest.mark.parametrize(
    "asked",
    [
        {"authorizationType": COGNITO},
        {"authorizationType": COGNITO, "authorizerId": "gone12"},
        {"authorizationType": "CUSTOM"},
        {"authorizationType": "JWT"},
        {"authorizationType": "NONE", "authorizationScopes": ["orders/read"]},
        {"authorizationType": "AWS_IAM", "authorizationScopes": ["orders/read"]},
        {"authorizationType": "NONE", "requestParameters": {"request.path.proxy": True}},
    ],
)
def test_what_no_method_may_be(world: Rests, asked: dict[str, Any]) -> None:
    orders = world.resource("orders")
    with refused("BadRequestException"):
        world.method(orders, **asked)
    with refused("NotFoundException"):
        known(world, orders)


def test_a_method_is_of_http(world: Rests) -> None:
    with refused("BadRequestException"):
        world.method(world.resource("orders"), "TRACE")


def test_a_change_is_whole_or_not_at_all(world: Rests) -> None:
    """All patch operations together make a method that may be, or nothing is changed."""
    orders, pools = world.resource("orders"), world.pools()
    world.method(orders, authorizationType="AWS_IAM")
    with refused("BadRequestException"):
        change(
            world, orders, ("add", "/authorizationScopes", "a"), ("replace", "/authorizationType", COGNITO)
        )
    assert known(world, orders)["authorizationType"] == "AWS_IAM"
    changed = change(
        world,
        orders,
        ("replace", "/authorizationType", COGNITO),
        ("replace", "/authorizerId", pools),
        ("add", "/authorizationScopes", "a"),
        ("add", "/authorizationScopes", "b"),
        ("remove", "/authorizationScopes", "a"),
        ("add", "/requestParameters/method.request.path.proxy", "true"),
    )
    assert (changed["authorizationType"], changed["authorizerId"]) == (COGNITO, pools)
    assert (changed["authorizationScopes"], changed["requestParameters"]) == (["b"], PROXY)
    with refused("BadRequestException"):
        change(world, orders, ("replace", "/authorizationType", "AWS_IAM"))
    change(world, orders, ("remove", "/authorizationScopes", "b"), ("replace", "/authorizationType", "NONE"))
    assert "authorizerId" not in known(world, orders)


@pytest.mark.parametrize(
    "operation", [("replace", "/httpMethod", "GET"), ("move", "/authorizationType", "x")]
)
def test_only_what_can_be_patched_is(world: Rests, operation: tuple[str, ...]) -> None:
    orders = world.ready()
    with refused("BadRequestException"):
        change(world, orders, operation)


def test_a_method_that_is_gone_is_gone(world: Rests) -> None:
    orders = world.ready()
    gone = {"restApiId": world.api, "resourceId": orders, "httpMethod": "ANY"}
    rest.delete_method(**gone)
    for call in (rest.delete_method, rest.get_method, rest.get_integration):
        with refused("NotFoundException") as answer:
            call(**gone)
        assert answer["Error"]["Message"] == "Invalid Method identifier specified"


def test_an_authorizer_is_of_user_pools_that_have_arns(world: Rests) -> None:
    found = world.pools()
    made = shown(rest.get_authorizer(restApiId=world.api, authorizerId=found))
    assert (made["type"], made["providerARNs"], made["authType"]) == (COGNITO, [POOL], "cognito_user_pools")
    with refused("ConflictException"):
        world.pools()
    with refused("BadRequestException"):
        world.pools("other", "arn:aws:cognito-idp:eu-west-1:1:userpool/x")
    with refused("BadRequestException"):
        rest.create_authorizer(restApiId=world.api, name="bare", type=COGNITO, identitySource="x")
    assert len(rest.get_authorizers(restApiId=world.api)["items"]) == 1


def test_an_authorizer_that_is_asked_stays(world: Rests) -> None:
    """409 while a method asks it."""
    orders, pools = world.resource("orders"), world.pools()
    world.method(orders, authorizationType=COGNITO, authorizerId=pools)
    with refused("ConflictException") as answer:
        rest.delete_authorizer(restApiId=world.api, authorizerId=pools)
    assert "ANY /orders" in answer["Error"]["Message"]
    rest.delete_method(restApiId=world.api, resourceId=orders, httpMethod="ANY")
    rest.delete_authorizer(restApiId=world.api, authorizerId=pools)
    with refused("NotFoundException") as answer:
        rest.get_authorizer(restApiId=world.api, authorizerId=pools)
    assert answer["Error"]["Message"] == "Invalid Authorizer identifier specified"
