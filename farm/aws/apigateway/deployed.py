"""What a stage serves, as values: made when an API is deployed, unchanged by what happens to the API afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Integration:
    """Where a route leads."""

    id: str
    type: str
    """HTTP_PROXY or AWS_PROXY."""
    method: str
    uri: str
    """A listener's ARN, a Cloud Map service's ARN perhaps with query parameters, a URL, or a function's ARN."""
    link: str | None
    """Of which VPC Link it makes use; None if it goes over the internet."""
    payload: str
    timeout: float
    """In seconds."""
    parameters: Mapping[str, str]
    """RequestParameters, such as {"overwrite:path": "$request.path"}."""
    answers: Mapping[str, Mapping[str, str]]
    """ResponseParameters, by status."""
    server_name: str | None
    """What the backend's certificate must be for; None where the hop is plain HTTP."""


@dataclass(frozen=True, slots=True)
class Authorizer:
    """JWT with issuer and audience, or REQUEST with the function to ask."""

    id: str
    name: str
    type: str
    identity: tuple[str, ...]
    """Where the token is, such as $request.header.Authorization."""
    issuer: str
    audience: tuple[str, ...]
    uri: str
    payload: str
    """AuthorizerPayloadFormatVersion of a REQUEST authorizer."""
    simple: bool
    """Whether the function answers {"isAuthorized": ...} rather than a policy."""
    ttl: int
    """For how many seconds an answer is kept."""


@dataclass(frozen=True, slots=True)
class Route:
    """`authorization` is NONE, AWS_IAM, JWT or CUSTOM; an authorizer is there for the last two."""

    id: str
    key: str
    authorization: str
    scopes: tuple[str, ...]
    authorizer: Authorizer | None
    integration: Integration | None


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """Throttling and metrics of one route, or of all that have no settings of their own. None: as the account has it."""

    rate: float | None = None
    burst: int | None = None
    metrics: bool = False


@dataclass(frozen=True, slots=True)
class Cors:
    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: int | None = None
    credentials: bool = False


@dataclass(frozen=True, slots=True)
class AccessLogs:
    """The ARN of a log group, and the form of a line."""

    destination: str
    format: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What of an API is deployed together. `deployment` is empty before the first."""

    deployment: str = ""
    routes: tuple[Route, ...] = ()
    cors: Cors | None = None


@dataclass(frozen=True, slots=True)
class Deployed:
    """One stage of one API: what was deployed last, under the stage's settings as they are now."""

    api: str
    stage: str
    deployment: str
    routes: tuple[Route, ...]
    cors: Cors | None
    route_settings: Mapping[str, RouteSettings] = field(default_factory=dict)
    """By route key. They replace `default` wholly, unset members included (F§5.4)."""
    default: RouteSettings = RouteSettings()
    variables: Mapping[str, str] = field(default_factory=dict)
    access_logs: AccessLogs | None = None

    def settings_of(self, key: str) -> RouteSettings:
        """What holds for the route with this key."""
        return self.route_settings.get(key, self.default)


def snapshot(
    deployment: str,
    api: Mapping[str, Any],
    routes: Mapping[str, Mapping[str, Any]],
    integrations: Mapping[str, Mapping[str, Any]],
    authorizers: Mapping[str, Mapping[str, Any]],
) -> Snapshot:
    """An API as it is now; all of it as AWS shows it."""
    targets = {identity: _integration(one) for identity, one in integrations.items()}
    askers = {identity: _authorizer(one) for identity, one in authorizers.items()}
    found = tuple(
        replace(
            _route(one),
            integration=targets.get(one.get("Target", "").removeprefix("integrations/")),
            authorizer=askers.get(one.get("AuthorizerId", "")),
        )
        for one in routes.values()
    )
    return Snapshot(deployment, found, _cors(api.get("CorsConfiguration")))


def route_settings(shown: Mapping[str, Any]) -> RouteSettings:
    return RouteSettings(
        rate=shown.get("ThrottlingRateLimit"),
        burst=shown.get("ThrottlingBurstLimit"),
        metrics=shown.get("DetailedMetricsEnabled", False),
    )


def _route(shown: Mapping[str, Any]) -> Route:
    return Route(
        id=shown["RouteId"],
        key=shown["RouteKey"],
        authorization=shown["AuthorizationType"],
        scopes=tuple(shown.get("AuthorizationScopes", ())),
        authorizer=None,
        integration=None,
    )


def _integration(shown: Mapping[str, Any]) -> Integration:
    return Integration(
        id=shown["IntegrationId"],
        type=shown["IntegrationType"],
        method=shown.get("IntegrationMethod", ""),
        uri=shown.get("IntegrationUri", ""),
        link=shown.get("ConnectionId"),
        payload=shown.get("PayloadFormatVersion", "1.0"),
        timeout=shown["TimeoutInMillis"] / 1000,
        parameters=dict(shown.get("RequestParameters", {})),
        answers={status: dict(one) for status, one in shown.get("ResponseParameters", {}).items()},
        server_name=shown.get("TlsConfig", {}).get("ServerNameToVerify"),
    )


def _authorizer(shown: Mapping[str, Any]) -> Authorizer:
    token = shown.get("JwtConfiguration", {})
    return Authorizer(
        id=shown["AuthorizerId"],
        name=shown["Name"],
        type=shown["AuthorizerType"],
        identity=tuple(shown.get("IdentitySource", ())),
        issuer=token.get("Issuer", ""),
        audience=tuple(token.get("Audience", ())),
        uri=shown.get("AuthorizerUri", ""),
        payload=shown.get("AuthorizerPayloadFormatVersion", ""),
        simple=shown.get("EnableSimpleResponses", False),
        ttl=shown.get("AuthorizerResultTtlInSeconds", 0),
    )


def _cors(shown: Mapping[str, Any] | None) -> Cors | None:
    if not shown:
        return None
    return Cors(
        origins=tuple(shown.get("AllowOrigins", ())),
        methods=tuple(shown.get("AllowMethods", ())),
        headers=tuple(shown.get("AllowHeaders", ())),
        exposed=tuple(shown.get("ExposeHeaders", ())),
        max_age=shown.get("MaxAge"),
        credentials=shown.get("AllowCredentials", False),
    )
