"""Authorizers: who says whether a request may pass, a token's issuer or a function (F§5.3)."""

from __future__ import annotations

import re

from farm.aws.apigateway.changes import changing
from farm.aws.apigateway.issuers import check_issuer
from farm.aws.apigateway.model import (
    Gateway,
    Params,
    Result,
    check_room,
    conflict,
    find,
    given,
    invalid,
    random_id,
)
from farm.aws.apigateway.paging import page
from farm.aws.apigateway.routes import users

_MEMBERS = (
    "AuthorizerCredentialsArn",
    "AuthorizerPayloadFormatVersion",
    "AuthorizerResultTtlInSeconds",
    "AuthorizerType",
    "AuthorizerUri",
    "EnableSimpleResponses",
    "IdentitySource",
    "JwtConfiguration",
    "Name",
)
_TOKEN_SOURCE = re.compile(r"\$request\.(header|querystring)\.[\w-]+")
_SOURCE = re.compile(r"\$(request\.(header|querystring)|context|stageVariables)\.[\w.-]+")
_URI = re.compile(
    r"arn:aws:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/"
    r"arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[\w:-]+/invocations"
)


@changing
def create_authorizer(of: Gateway, asked: Params) -> Result:
    """Names need not be unique: the same once more is another authorizer."""
    api = of.api(asked)
    check_room(of, len(api.authorizers), of.settings.most_authorizers, "Authorizers")
    shown = given(asked, _MEMBERS)
    _check(of, shown)
    shown["AuthorizerId"] = random_id(6)
    api.authorizers[shown["AuthorizerId"]] = shown
    return shown


def get_authorizer(of: Gateway, asked: Params) -> Result:
    return find("Authorizer", of.api(asked).authorizers, asked["AuthorizerId"])


def get_authorizers(of: Gateway, asked: Params) -> Result:
    return page(of, of.api(asked).authorizers.values(), "AuthorizerId", asked)


@changing
def update_authorizer(of: Gateway, asked: Params) -> Result:
    api, identity = of.api(asked), asked["AuthorizerId"]
    present = find("Authorizer", api.authorizers, identity)
    shown = {**present, **given(asked, _MEMBERS)}
    if token := asked.get("JwtConfiguration"):
        shown["JwtConfiguration"] = {**present.get("JwtConfiguration", {}), **token}
    if shown["AuthorizerType"] != present["AuthorizerType"] and users(api, "AuthorizerId", identity):
        raise invalid("The type of an authorizer that routes use cannot be changed")
    _check(of, shown)
    api.authorizers[identity] = shown
    return shown


@changing
def delete_authorizer(of: Gateway, asked: Params) -> Result:
    """[M]: refused while a route asks it, as an integration is."""
    api, identity = of.api(asked), asked["AuthorizerId"]
    find("Authorizer", api.authorizers, identity)
    if routes := users(api, "AuthorizerId", identity):
        raise conflict(
            "Cannot delete Authorizer because it is referenced by the following Routes with Ids: "
            f"[{', '.join(routes)}]"
        )
    del api.authorizers[identity]
    return {}


def _check(of: Gateway, shown: Result) -> None:
    if not 1 <= len(shown["Name"]) <= 128:
        raise invalid("Name must have between 1 and 128 characters")
    if shown["AuthorizerType"] == "JWT":
        _check_token(of, shown)
    elif shown["AuthorizerType"] == "REQUEST":
        _check_request(shown)
    else:
        raise invalid(f"Invalid authorizer type specified {shown['AuthorizerType']}")


def _check_token(of: Gateway, shown: Result) -> None:
    sources, token = shown["IdentitySource"], shown.get("JwtConfiguration", {})
    audience = token.get("Audience", ())
    if len(sources) != 1 or not _TOKEN_SOURCE.fullmatch(sources[0]):
        raise invalid("Invalid identity source expression")
    if not audience:
        raise invalid("Audience list must have at least 1 value")
    if len(audience) > of.settings.most_audiences:
        raise invalid(f"An authorizer can have at most {of.settings.most_audiences} audiences")
    check_issuer(of.settings, token.get("Issuer", ""))


def _check_request(shown: Result) -> None:
    payload, ttl = shown.get("AuthorizerPayloadFormatVersion"), shown.get("AuthorizerResultTtlInSeconds", 0)
    if payload is None:
        raise invalid("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer")
    if payload not in {"1.0", "2.0"}:
        raise invalid("AuthorizerPayloadFormatVersion must be 1.0 or 2.0")
    if shown.get("EnableSimpleResponses") and payload != "2.0":
        raise invalid("Simple responses need AuthorizerPayloadFormatVersion 2.0")
    if not _URI.fullmatch(shown.get("AuthorizerUri", "")):
        raise invalid("Invalid Authorizer URI")
    if not all(_SOURCE.fullmatch(one) for one in shown["IdentitySource"]):
        raise invalid("Invalid identity source expression")
    if not 0 <= ttl <= 3600:
        raise invalid("AuthorizerResultTtlInSeconds must be between 0 and 3600")
    if ttl and not shown["IdentitySource"]:
        raise invalid("Identity source is required when authorizer caching is enabled")
