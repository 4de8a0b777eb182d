"""Authorizers: user pools of Cognito, or a function, that methods ask who may pass (F§5.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from farm.aws.apigateway.model import Params, Result, conflict, given, invalid, random_id
from farm.aws.restapis.changes import Read, changing, number, operations, patched
from farm.aws.restapis.methods import asking
from farm.aws.restapis.model import Rest, RestApi, check_room, find
from farm.aws.restapis.paging import page

_MEMBERS = (
    "authType",
    "authorizerCredentials",
    "authorizerResultTtlInSeconds",
    "authorizerUri",
    "identitySource",
    "identityValidationExpression",
    "name",
    "providerARNs",
    "type",
)
_PATCHED: Mapping[str, Read] = {
    "authorizerResultTtlInSeconds": number,
    "authorizerUri": str,
    "identitySource": str,
    "identityValidationExpression": str,
    "name": str,
}
_POOL = re.compile(r"arn:aws:cognito-idp:[a-z0-9-]+:\d{12}:userpool/[a-z0-9-]+_[0-9a-zA-Z]+")
_SOURCE = re.compile(r"method\.request\.header\.[\w-]+")
_TYPES = {"COGNITO_USER_POOLS": "cognito_user_pools", "REQUEST": "custom", "TOKEN": "custom"}
_POOLS = "/providerARNs"


@changing
def create_authorizer(of: Rest, asked: Params) -> Result:
    api = of.api(asked)
    check_room(len(api.authorizers), of.settings.most_authorizers, "Authorizers for this API")
    shown = {
        "id": random_id(6),
        "authType": _TYPES.get(asked["type"]),
        "authorizerResultTtlInSeconds": 300,
        **given(asked, _MEMBERS),
    }
    _check(api, shown)
    api.authorizers[shown["id"]] = shown
    return shown


def get_authorizer(of: Rest, asked: Params) -> Result:
    return find("Authorizer", of.api(asked).authorizers, asked["authorizerId"])


def get_authorizers(of: Rest, asked: Params) -> Result:
    return page(of, of.api(asked).authorizers.values(), asked)


@changing
def update_authorizer(of: Rest, asked: Params) -> Result:
    api, identity = of.api(asked), asked["authorizerId"]
    shown = find("Authorizer", api.authorizers, identity)
    for op, path, value in operations(asked):
        shown = _provided(shown, op, value) if path == _POOLS else patched(shown, op, path, value, _PATCHED)
    _check(api, shown)
    api.authorizers[identity] = shown
    return shown


@changing
def delete_authorizer(of: Rest, asked: Params) -> Result:
    api, identity = of.api(asked), asked["authorizerId"]
    find("Authorizer", api.authorizers, identity)
    if methods := asking(api, identity):
        raise conflict(
            f"Cannot delete authorizer '{identity}', is referenced in method: {', '.join(methods)}"
        )
    del api.authorizers[identity]
    return {}


def _provided(shown: Result, op: str, value: str) -> Result:
    others = [one for one in shown.get("providerARNs", ()) if one != value]
    return {**shown, "providerARNs": others if op == "remove" else [*others, value]}


def _check(api: RestApi, shown: Result) -> None:
    if shown["type"] not in _TYPES:
        raise invalid(f"Invalid authorizer type specified {shown['type']}")
    if not shown.get("name"):
        raise invalid("Authorizer name must not be blank")
    if any(one["name"] == shown["name"] and one["id"] != shown["id"] for one in api.authorizers.values()):
        raise conflict(
            f"Authorizer name must be unique. Authorizer {shown['name']} already exists in this RestApi."
        )
    if shown["type"] == "COGNITO_USER_POOLS":
        _check_pools(shown)
    elif not shown.get("authorizerUri"):
        raise invalid("Invalid Authorizer URI")


def _check_pools(shown: Result) -> None:
    pools = shown.get("providerARNs", ())
    if not pools or not all(_POOL.fullmatch(one) for one in pools):
        raise invalid("Invalid Cognito User Pool ARN specified: at least one is needed")
    if not _SOURCE.fullmatch(shown.get("identitySource", "")):
        raise invalid("Invalid mapping expression specified: an identity source is needed")
