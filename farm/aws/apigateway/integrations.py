"""Integrations: what a route leads to. A private one goes through a VPC Link to a listener or a Cloud Map service (F§5.1)."""

from __future__ import annotations

from farm.aws.apigateway.backends import check_backend
from farm.aws.apigateway.changes import changing
from farm.aws.apigateway.model import (
    Gateway,
    Params,
    Result,
    check_room,
    check_unmanaged,
    conflict,
    find,
    given,
    invalid,
    random_id,
)
from farm.aws.apigateway.paging import page
from farm.aws.apigateway.parameters import check_parameters
from farm.aws.apigateway.routes import users

_MEMBERS = (
    "ConnectionId",
    "ConnectionType",
    "CredentialsArn",
    "Description",
    "IntegrationMethod",
    "IntegrationSubtype",
    "IntegrationType",
    "IntegrationUri",
    "PayloadFormatVersion",
    "RequestParameters",
    "ResponseParameters",
    "TimeoutInMillis",
    "TlsConfig",
)
_PAYLOADS = {"HTTP_PROXY": {"1.0"}, "AWS_PROXY": {"1.0", "2.0"}}


@changing
def create_integration(of: Gateway, asked: Params) -> Result:
    api = of.api(asked)
    check_room(of, len(api.integrations), of.settings.most_integrations, "Integrations")
    shown = _merged(
        {"ConnectionType": "INTERNET", "PayloadFormatVersion": "1.0", "TimeoutInMillis": 30000}, asked
    )
    _check(of, shown)
    shown["IntegrationId"] = random_id()
    api.integrations[shown["IntegrationId"]] = shown
    return shown


def get_integration(of: Gateway, asked: Params) -> Result:
    return find("Integration", of.api(asked).integrations, asked["IntegrationId"])


def get_integrations(of: Gateway, asked: Params) -> Result:
    return page(of, of.api(asked).integrations.values(), "IntegrationId", asked)


@changing
def update_integration(of: Gateway, asked: Params) -> Result:
    """What is not given stays, each request parameter by itself; an empty one is removed."""
    api, identity = of.api(asked), asked["IntegrationId"]
    present = find("Integration", api.integrations, identity)
    check_unmanaged(present)
    shown = _merged(present, asked)
    _check(of, shown)
    api.integrations[identity] = shown
    return shown


@changing
def delete_integration(of: Gateway, asked: Params) -> Result:
    api, identity = of.api(asked), asked["IntegrationId"]
    check_unmanaged(find("Integration", api.integrations, identity))
    if routes := users(api, "Target", f"integrations/{identity}"):
        raise conflict(
            "Cannot delete Integration because it is referenced by the following Routes with Ids: "
            f"[{', '.join(routes)}]"
        )
    del api.integrations[identity]
    return {}


def _merged(present: Result, asked: Params) -> Result:
    shown = {**present, **given(asked, _MEMBERS)}
    for name in ("RequestParameters", "ResponseParameters", "TlsConfig"):
        both = {**present.get(name, {}), **asked.get(name, {})}
        shown[name] = {key: value for key, value in both.items() if value}
    return {key: value for key, value in shown.items() if value != {}}


def _check(of: Gateway, shown: Result) -> None:
    kind = shown["IntegrationType"]
    if kind not in _PAYLOADS:
        raise invalid(f"Integration type {kind} is not supported for HTTP APIs")
    if kind == "HTTP_PROXY" and not shown.get("IntegrationMethod"):
        raise invalid("HttpMethod parameter method must be specified for integrationType HTTPPROXY")
    if shown["PayloadFormatVersion"] not in _PAYLOADS[kind]:
        raise invalid(
            f"PayloadFormatVersion {shown['PayloadFormatVersion']} is not supported for integration of type {kind}"
        )
    if not 50 <= shown["TimeoutInMillis"] <= 30000:
        raise invalid("Timeout should be between 50 ms and 30000 ms")
    if len(shown.get("Description", "")) > 1024:
        raise invalid("Description must have at most 1024 characters")
    check_backend(of, shown)
    check_parameters(shown.get("RequestParameters", {}))
