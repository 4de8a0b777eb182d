"""What a stage of a REST API serves, as values: made when it is deployed, unchanged by what happens to the API afterwards.

Routes are those of HTTP APIs, one for each method of a resource, so that one data plane can serve both; what only REST
APIs have is added here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from farm.aws.apigateway.deployed import Authorizer, Integration, Route

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class RestIntegration(Integration):
    """`uri` is the ARN of the listener or load balancer; the parameters are named as in integration.request.path.proxy."""

    endpoint: str
    """The URI: its host, path and scheme are what the backend gets to see."""
    port: int
    """The URI's, or what its scheme stands for."""


@dataclass(frozen=True, slots=True)
class Pools(Authorizer):
    """User pools of Cognito: a token of any of them will do."""

    pools: tuple[str, ...]
    """Their issuers, as their tokens name them."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What of an API is deployed together, and its summary as AWS shows it. `id` of a route is its resource's."""

    deployment: str
    routes: tuple[Route, ...]
    summary: Mapping[str, Mapping[str, Mapping[str, Any]]]


def snapshot(
    deployment: str, resources: Iterable[Mapping[str, Any]], authorizers: Mapping[str, Mapping[str, Any]]
) -> Snapshot:
    """An API as it is now; all of it as AWS shows it."""
    askers = {identity: _authorizer(one) for identity, one in authorizers.items()}
    held = [(one, name, method) for one in resources for name, method in one["resourceMethods"].items()]
    summary: dict[str, dict[str, dict[str, Any]]] = {}
    for resource, name, method in held:
        summary.setdefault(resource["path"], {})[name] = {
            member: method[member] for member in ("authorizationType", "apiKeyRequired")
        }
    routes = tuple(
        Route(
            id=resource["id"],
            key=f"{name} {resource['path']}",
            authorization=method["authorizationType"],
            scopes=tuple(method.get("authorizationScopes", ())),
            authorizer=askers.get(method.get("authorizerId", "")),
            integration=_integration(method["methodIntegration"], f"{resource['id']}/{name}"),
        )
        for resource, name, method in held
    )
    return Snapshot(deployment, routes, summary)


def _integration(shown: Mapping[str, Any], identity: str) -> RestIntegration:
    uri = urlsplit(shown.get("uri", ""))
    return RestIntegration(
        id=identity,
        type=shown["type"],
        method=shown.get("httpMethod", ""),
        uri=shown.get("integrationTarget", ""),
        link=shown.get("connectionId"),
        payload="1.0",
        timeout=shown["timeoutInMillis"] / 1000,
        parameters=dict(shown.get("requestParameters", {})),
        answers={},
        server_name=uri.hostname if uri.scheme == "https" else None,
        endpoint=shown.get("uri", ""),
        port=uri.port or _PORTS.get(uri.scheme, 0),
    )


def _authorizer(shown: Mapping[str, Any]) -> Pools:
    return Pools(
        id=shown["id"],
        name=shown["name"],
        type=shown["type"],
        identity=(shown.get("identitySource", "").replace("method.", "$", 1),),
        issuer="",
        audience=(),
        uri=shown.get("authorizerUri", ""),
        payload="1.0",
        simple=False,
        ttl=shown.get("authorizerResultTtlInSeconds", 0),
        pools=tuple(_issuer(arn) for arn in shown.get("providerARNs", ())),
    )


def _issuer(pool: str) -> str:
    """arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID"""
    region, identity = pool.split(":")[3], pool.rpartition("/")[2]
    return f"https://cognito-idp.{region}.amazonaws.com/{identity}"
