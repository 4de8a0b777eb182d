"""Routes: what they lead to and who may pass, each refused in AWS's words rather than left open (F§5.2)."""

from __future__ import annotations

import re

from farm.aws.apigateway.changes import changing
from farm.aws.apigateway.keys import check_key
from farm.aws.apigateway.model import (
    Api,
    Gateway,
    Params,
    Result,
    check_room,
    check_unmanaged,
    find,
    given,
    invalid,
    random_id,
)
from farm.aws.apigateway.paging import page

_MEMBERS = (
    "ApiKeyRequired",
    "AuthorizationScopes",
    "AuthorizationType",
    "AuthorizerId",
    "OperationName",
    "RouteKey",
    "Target",
)
_TARGET = re.compile(r"integrations/([^/]+)")
_ASKS = {"JWT": "JWT", "CUSTOM": "REQUEST"}
"""The type of authorizer that each type of authorization needs."""


@changing
def create_route(of: Gateway, asked: Params) -> Result:
    api = of.api(asked)
    check_room(of, len(api.routes), of.settings.most_routes, "Routes")
    check_key(asked["RouteKey"], _keys(api))
    route = {"ApiKeyRequired": False, "AuthorizationType": "NONE", **given(asked, _MEMBERS)}
    _check(of, api, route)
    route["RouteId"] = random_id()
    api.routes[route["RouteId"]] = route
    return route


def get_route(of: Gateway, asked: Params) -> Result:
    return find("Route", of.api(asked).routes, asked["RouteId"])


def get_routes(of: Gateway, asked: Params) -> Result:
    return page(of, of.api(asked).routes.values(), "RouteId", asked)


@changing
def update_route(of: Gateway, asked: Params) -> Result:
    """What is not given stays; but an authorizer goes with the authorization that asked it ([M])."""
    api = of.api(asked)
    present = find("Route", api.routes, asked["RouteId"])
    check_unmanaged(present)
    route = {**present, **given(asked, _MEMBERS)}
    if route["AuthorizationType"] not in _ASKS and not asked.get("AuthorizerId"):
        route.pop("AuthorizerId", None)
    if route["RouteKey"] != present["RouteKey"]:
        check_key(route["RouteKey"], _keys(api, but=asked["RouteId"]))
    _check(of, api, route)
    api.routes[asked["RouteId"]] = route
    return route


@changing
def delete_route(of: Gateway, asked: Params) -> Result:
    api = of.api(asked)
    check_unmanaged(find("Route", api.routes, asked["RouteId"]))
    del api.routes[asked["RouteId"]]
    return {}


def users(api: Api, member: str, value: str) -> list[str]:
    """The ids of the routes that refer to something."""
    return [identity for identity, route in api.routes.items() if route.get(member) == value]


def _keys(api: Api, but: str = "") -> list[str]:
    return [route["RouteKey"] for identity, route in api.routes.items() if identity != but]


def _check(of: Gateway, api: Api, route: Result) -> None:
    if route["ApiKeyRequired"]:
        raise invalid("API key required is not currently supported for HTTP APIs")
    if len(route.get("OperationName", "")) > 64:
        raise invalid("OperationName must have at most 64 characters")
    _check_target(api, route)
    _check_authorization(of, api, route)


def _check_target(api: Api, route: Result) -> None:
    if "Target" not in route:
        return
    if (match := _TARGET.fullmatch(route["Target"])) is None:
        raise invalid(
            f"Unexpected or malformed target in route {route['RouteKey']}. "
            "Correct format should be integrations/<integration_id>."
        )
    find("Integration", api.integrations, match[1])


def _check_authorization(of: Gateway, api: Api, route: Result) -> None:
    kind, scopes = route["AuthorizationType"], route.get("AuthorizationScopes", ())
    authorizer = api.authorizers.get(route.get("AuthorizerId", ""), {})
    if kind not in {"NONE", "AWS_IAM", *_ASKS}:
        raise invalid(f"Invalid authorization type specified {kind}")
    if kind in _ASKS and authorizer.get("AuthorizerType") != _ASKS[kind]:
        raise invalid(f"Setting the authorization type to {kind} requires a valid {_ASKS[kind]} authorizer.")
    if kind not in _ASKS and route.get("AuthorizerId"):
        raise invalid(f"An authorizer is not valid for authorization type {kind}")
    if scopes and kind != "JWT":
        raise invalid("Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization type")
    if len(scopes) > of.settings.most_scopes:
        raise invalid(f"A route can have at most {of.settings.most_scopes} authorization scopes")
