"""HTTP APIs themselves: their own endpoint, CORS, and nothing that goes while a domain name leads to it (F§5.1, F§5.4)."""

from __future__ import annotations

from farm.aws.apigateway.changes import changing, telling
from farm.aws.apigateway.model import (
    Api,
    Gateway,
    Params,
    Result,
    check_room,
    given,
    invalid,
    now,
    random_id,
)
from farm.aws.apigateway.paging import page

_MEMBERS = ("Name", "Description", "Version", "DisableExecuteApiEndpoint", "IpAddressType")
_QUICK = ("Target", "RouteKey", "CredentialsArn")


def create_api(of: Gateway, asked: Params) -> Result:
    if asked["ProtocolType"] != "HTTP":
        raise invalid("The farm has HTTP APIs only")
    _check(asked)
    check_room(of, len(of.apis), of.settings.most_apis, "APIs", " for this account")
    identity = random_id(10)
    shown = {
        "ApiId": identity,
        "ApiEndpoint": f"https://{identity}.execute-api.{of.region}.amazonaws.com",
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "RouteSelectionExpression": "$request.method $request.path",
        "ProtocolType": "HTTP",
        "CreatedDate": now(),
        "DisableExecuteApiEndpoint": False,
        "IpAddressType": "ipv4",
        **given(asked, (*_MEMBERS, "CorsConfiguration")),
    }
    of.apis[identity] = Api(identity, shown)
    of.tags[of.arn("apis", identity)] = dict(asked.get("Tags", {}))
    of.settings.changed()
    return _shown(of, of.apis[identity])


def get_api(of: Gateway, asked: Params) -> Result:
    return _shown(of, of.api(asked))


def get_apis(of: Gateway, asked: Params) -> Result:
    return page(of, [_shown(of, api) for api in of.apis.values()], "ApiId", asked)


@changing
def update_api(of: Gateway, asked: Params) -> Result:
    if any(name in asked for name in _QUICK):
        raise invalid("Only an API that was quick-created has a target of its own")
    _check(asked)
    api = of.api(asked)
    api.shown |= given(asked, (*_MEMBERS, "CorsConfiguration"))
    return _shown(of, api)


@changing
def delete_cors_configuration(of: Gateway, asked: Params) -> Result:
    of.api(asked).shown.pop("CorsConfiguration", None)
    return {}


@telling
def delete_api(of: Gateway, asked: Params) -> Result:
    api = of.api(asked)
    if names := mapped(of, api.id):
        raise invalid(f"Cannot delete API '{api.id}' because it is mapped by the domain names {names}")
    del of.apis[api.id]
    for arn in [one for one in of.tags if f"{one}/".startswith(of.arn("apis", api.id, ""))]:
        del of.tags[arn]
    return {}


def mapped(of: Gateway, api: str, stage: str | None = None) -> list[str]:
    """The domain names that lead to an API, or to one of its stages."""
    return [
        name
        for name, domain in of.domains.items()
        if any(one["ApiId"] == api and stage in {None, one["Stage"]} for one in domain.mappings.values())
    ]


def _check(asked: Params) -> None:
    if not 1 <= len(asked.get("Name", "-")) <= 128:
        raise invalid("Name must have between 1 and 128 characters")
    cors = asked.get("CorsConfiguration") or {}
    if cors.get("AllowCredentials") and "*" in cors.get("AllowOrigins", ()):
        raise invalid("allow-credentials is not supported for origin *")


def _shown(of: Gateway, api: Api) -> Result:
    return of.tagged(api.shown, "apis", api.id)
