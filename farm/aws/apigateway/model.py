"""What API Gateway knows: HTTP APIs with all that is in them, VPC Links, domain names, and what the farm may turn.

Of moto's API Gateway v2 only the front is kept (HTTP, dispatch, serialisation): its models are too far from AWS. Routes,
integrations, authorizers and the like are kept as AWS shows them, under the names of AWS's model, so that a PATCH is an
update. The state is ours, and lives on moto's backend, so that moto's reset forgets it.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from moto.apigatewayv2.models import ApiGatewayV2Backend, apigatewayv2_backends
from moto.core.exceptions import ServiceException
from moto.moto_api._internal import mock_random

from farm.aws import ACCOUNT, REGION, clock
from farm.aws.apigateway.deployed import Snapshot

Params = dict[str, Any]
Result = dict[str, Any]
T = TypeVar("T")
Fetch = Callable[[str], Any]
"""Gets a JSON document by its URL. OSError or ValueError if it cannot."""


@dataclass(slots=True)
class Settings:
    """What tests and the farm may turn."""

    linking: float = 180.0
    """Seconds until a VPC Link is AVAILABLE, until an INACTIVE one is back, and until a deleted one is gone."""
    failing: str = ""
    """Why VPC Links that are made now will end as FAILED; empty if they will not."""
    refused_zones: frozenset[str] = frozenset()
    """Ids of the availability zones in which VPC Links cannot be."""
    deploying: float = 0.0
    """Seconds from a change until a stage with AutoDeploy serves it."""
    busy: float = 0.0
    """Seconds after a change of an API in which another one meets "concurrent modification"."""
    local_issuers: bool = False
    """Whether an issuer may be http on loopback; AWS takes https only."""
    fetch: Fetch | None = None
    """Asked for an issuer's openid-configuration when a JWT authorizer is made; None for not at all."""
    changed: Callable[[], object] = lambda: None
    """Told whenever requests would be answered differently. Called with `ONE_AT_A_TIME` held."""
    page: int = 100
    """The page when none is asked for."""
    quota_code: str = "ConflictException"
    """As which quotas refuse."""
    most_apis: int = 600
    most_routes: int = 300
    most_integrations: int = 300
    most_stages: int = 10
    most_authorizers: int = 10
    most_links: int = 10
    most_subnets: int = 10
    """Of one VPC Link."""
    most_audiences: int = 50
    most_scopes: int = 10
    most_domains: int = 120


@dataclass(slots=True)
class Stage:
    """A stage, as AWS shows it but for its tags, and what it serves."""

    shown: Result
    serves: Snapshot = field(default_factory=Snapshot)


@dataclass(slots=True)
class Api:
    """An HTTP API: `shown` as AWS shows it but for its tags, and so is what it holds, by id."""

    id: str
    shown: Result
    routes: dict[str, Result] = field(default_factory=dict)
    integrations: dict[str, Result] = field(default_factory=dict)
    authorizers: dict[str, Result] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    deployments: dict[str, Result] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    """By deployment."""
    changed_at: float = 0.0


@dataclass(slots=True)
class VpcLink:
    """A VPC Link, as AWS shows it but for its tags, and the VPC that its subnets are in."""

    shown: Result
    vpc: str


@dataclass(slots=True)
class Domain:
    """A domain name, as AWS shows it but for its tags, with its API mappings by id."""

    shown: Result
    mappings: dict[str, Result] = field(default_factory=dict)


@dataclass(slots=True)
class Gateway:
    """All of one account's HTTP APIs in one Region."""

    region: str
    settings: Settings = field(default_factory=Settings)
    apis: dict[str, Api] = field(default_factory=dict)
    links: dict[str, VpcLink] = field(default_factory=dict)
    domains: dict[str, Domain] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    """By ARN."""

    def arn(self, *path: str) -> str:
        """ARNs of API Gateway have no account."""
        return f"arn:aws:apigateway:{self.region}::/{'/'.join(path)}"

    def api(self, asked: Params) -> Api:
        if found := self.apis.get(asked["ApiId"]):
            return found
        raise unknown("API", asked["ApiId"])

    def link(self, identity: str) -> VpcLink:
        if found := self.links.get(identity):
            return found
        raise unknown("VpcLink", identity)

    def domain(self, name: str) -> Domain:
        if found := self.domains.get(name):
            return found
        raise Refused("NotFoundException", "Invalid domain name identifier specified")

    def tagged(self, shown: Result, *path: str) -> Result:
        """As AWS shows it, with its tags."""
        return {**shown, "Tags": dict(self.tags.get(self.arn(*path), {}))}


class Refused(ServiceException):  # type: ignore[misc] # moto has no types
    """An error as AWS models it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


def invalid(message: str) -> Refused:
    return Refused("BadRequestException", message)


def conflict(message: str) -> Refused:
    return Refused("ConflictException", message)


def unknown(kind: str, identity: str) -> Refused:
    return Refused("NotFoundException", f"Invalid {kind} identifier specified {identity}")


def find(kind: str, among: Mapping[str, T], identity: str) -> T:
    if (found := among.get(identity)) is None:
        raise unknown(kind, identity)
    return found


def check_idle(changed_at: float, busy: float) -> None:
    """An API takes one change at a time (F§5.1)."""
    if clock.now() < changed_at + busy:
        raise conflict("Unable to complete operation due to concurrent modification. Please try again later.")


def check_room(of: Gateway, present: int, most: int, kind: str, where: str = " for this API") -> None:
    if present >= most:
        raise Refused(
            of.settings.quota_code,
            f"Maximum number of {kind}{where} has been reached. "
            f"Please contact AWS if you need additional {kind}.",
        )


def check_unmanaged(shown: Result) -> None:
    """What API Gateway keeps hold of cannot be deleted by itself (F§5.2)."""
    if shown.get("ApiGatewayManaged"):
        raise invalid("Resources that are managed by API Gateway cannot be deleted or changed")


def given(asked: Params, members: Iterable[str]) -> Params:
    """What of these a call brings."""
    return {name: asked[name] for name in members if asked.get(name) is not None}


def gateway_of(backend: ApiGatewayV2Backend) -> Gateway:
    found: Gateway = backend.__dict__.setdefault("farm_gateway", Gateway(backend.region_name))
    return found


def gateway(region: str = REGION) -> Gateway:
    return gateway_of(apigatewayv2_backends[ACCOUNT][region])


def settings(region: str = REGION) -> Settings:
    return gateway(region).settings


def now() -> datetime:
    return datetime.fromtimestamp(clock.now(), UTC)


def random_id(size: int = 7) -> str:
    return "".join(mock_random.choices(string.ascii_lowercase + string.digits, k=size))
