"""Methods: who may call a resource how. A method that asks user pools names an authorizer that is there (F§5.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from farm.aws.apigateway.model import Params, Result, conflict, given, invalid
from farm.aws.restapis.changes import Read, changing, flag, operations, patched
from farm.aws.restapis.model import Rest, RestApi

_MEMBERS = (
    "apiKeyRequired",
    "authorizationScopes",
    "authorizationType",
    "authorizerId",
    "operationName",
    "requestModels",
    "requestParameters",
    "requestValidatorId",
)
_PATCHED: Mapping[str, Read] = {
    "apiKeyRequired": flag,
    "authorizationType": str,
    "authorizerId": str,
    "operationName": str,
    "requestParameters": flag,
}
_METHODS = {"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
_ASKS = {"COGNITO_USER_POOLS": {"COGNITO_USER_POOLS"}, "CUSTOM": {"REQUEST", "TOKEN"}}
"""The types of authorizer that each type of authorization may have."""
_PARAMETER = re.compile(r"method\.request\.(path|querystring|header|multivalue\w+)\.[\w.$-]+")
_SCOPES = "/authorizationScopes"
_MOST_SCOPES = 10


@changing
def put_method(of: Rest, asked: Params) -> Result:
    api, name = of.api(asked), asked["httpMethod"]
    methods = api.resource(asked)["resourceMethods"]
    if name not in _METHODS:
        raise invalid(
            f"Invalid HttpMethod specified. Valid options are {','.join(sorted(_METHODS - {'ANY'}))},ANY"
        )
    if name in methods:
        raise conflict("Method already exists for this resource")
    method = {"httpMethod": name, "apiKeyRequired": False, **given(asked, _MEMBERS)}
    _check(api, method)
    methods[name] = method
    return method


def get_method(of: Rest, asked: Params) -> Result:
    return of.api(asked).method(asked)


@changing
def update_method(of: Rest, asked: Params) -> Result:
    """An authorizer goes with the authorization that asked it ([M]); scopes do not."""
    api = of.api(asked)
    method = api.method(asked)
    for op, path, value in operations(asked):
        method = _scoped(method, op, value) if path == _SCOPES else patched(method, op, path, value, _PATCHED)
    if method.get("authorizationType") not in _ASKS:
        method = {name: value for name, value in method.items() if name != "authorizerId"}
    _check(api, method)
    api.resource(asked)["resourceMethods"][asked["httpMethod"]] = method
    return method


@changing
def delete_method(of: Rest, asked: Params) -> Result:
    api = of.api(asked)
    api.method(asked)
    del api.resource(asked)["resourceMethods"][asked["httpMethod"]]
    return {}


def asking(api: RestApi, authorizer: str) -> list[str]:
    """The methods that ask an authorizer."""
    return [
        f"{name} {resource['path']}"
        for resource in api.resources.values()
        for name, method in resource["resourceMethods"].items()
        if method.get("authorizerId") == authorizer
    ]


def _scoped(method: Result, op: str, value: str) -> Result:
    """One scope is added or removed at a time; there is no replacing."""
    if op == "replace":
        raise invalid(
            f"Invalid patch path '{_SCOPES}' specified for op 'replace'. Must be one of: [add, remove]"
        )
    others = [one for one in method.get("authorizationScopes", ()) if one != value]
    return {**method, "authorizationScopes": [*others, value] if op == "add" else others}


def _check(api: RestApi, method: Result) -> None:
    kind, scopes = method.get("authorizationType"), method.get("authorizationScopes", ())
    authorizer = api.authorizers.get(method.get("authorizerId", ""), {})
    if kind not in {"NONE", "AWS_IAM", *_ASKS}:
        raise invalid(
            "Invalid authorization type specified. Valid options are NONE, AWS_IAM, CUSTOM, COGNITO_USER_POOLS"
        )
    if kind in _ASKS and authorizer.get("type") not in _ASKS[kind]:
        raise invalid(
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS "
            "requires a valid authorizer."
        )
    if scopes and kind != "COGNITO_USER_POOLS":
        raise invalid("Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization type")
    if len(scopes) > _MOST_SCOPES:
        raise invalid(f"A method can have at most {_MOST_SCOPES} authorization scopes")
    for name in method.get("requestParameters", {}):
        if not _PARAMETER.fullmatch(name):
            raise invalid(f"Invalid mapping expression specified: {name}")
