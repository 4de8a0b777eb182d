"""What Cloud Map knows: namespaces, services, instances, operations, and what the farm may turn.

Of moto's Cloud Map only the front is kept (HTTP, dispatch, serialisation): its models are too far from AWS. The state is
ours, and lives on moto's backend, so that moto's reset forgets it.
"""

from __future__ import annotations

import hashlib
import string
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import ServiceException
from moto.moto_api._internal import mock_random
from moto.servicediscovery.models import ServiceDiscoveryBackend, servicediscovery_backends

from farm.aws import ACCOUNT, REGION, clock

Params = dict[str, Any]
Result = dict[str, Any]


def now() -> datetime:
    return datetime.fromtimestamp(clock.now(), UTC)


@dataclass(slots=True)
class Instance:
    id: str
    attributes: dict[str, str]
    creator_request_id: str
    healthy: bool = True

    def describe(self) -> Result:
        return {"Id": self.id, "Attributes": dict(self.attributes), "CreatedByAccount": ACCOUNT}


@dataclass(slots=True)
class Namespace:
    id: str
    arn: str
    name: str
    type: str
    http_name: str
    creator_request_id: str
    description: str | None = None
    vpc: str | None = None
    zone_id: str | None = None
    soa_ttl: int = 15
    created: datetime = field(default_factory=now)

    @property
    def is_dns(self) -> bool:
        return self.type != "HTTP"


@dataclass(slots=True)
class Service:
    id: str
    arn: str
    name: str
    namespace: Namespace
    type: str
    creator_request_id: str
    description: str | None = None
    records: dict[str, int] = field(default_factory=dict)
    """TTL by record type."""
    routing: str = "MULTIVALUE"
    probe: dict[str, Any] | None = None
    """HealthCheckConfig: Route 53 looks."""
    custom_health: bool = False
    """HealthCheckCustomConfig: whoever registers says."""
    attributes: dict[str, str] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    listed: dict[str, Instance] = field(default_factory=dict)
    """What ListInstances shows: eventually the same as `instances`."""
    revision: int = 0
    created: datetime = field(default_factory=now)


@dataclass(slots=True)
class Operation:
    id: str
    type: str
    targets: dict[str, str]
    status: str = "SUBMITTED"
    error_code: str | None = None
    error_message: str | None = None
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class Failure:
    """How an operation fails, in the codes of F§3.2."""

    code: str
    message: str
    type: str | None = None
    """Only an operation of this type; None for any."""


@dataclass(slots=True)
class Settings:
    """What tests and the farm may turn."""

    operation_seconds: float = 1.5
    listing_lag: float = 1.0
    """Seconds from an operation's success until ListInstances shows it."""
    custom_health_seconds: float = 30.0
    page: int = 100
    """The page when none is asked for; small ones make empty filtered pages easy to come by."""
    most_per_service: int = 1000
    most_per_namespace: int = 2000
    changed: Callable[[], object] = lambda: None
    """Told whenever DNS would answer differently."""
    judge: Callable[[str, Namespace], Failure | None] = lambda *_: None
    """Asked when an operation of a type is submitted in a namespace: what Route 53 would refuse the caller (F§7)."""


@dataclass(slots=True)
class Registry:
    """All of one account's Cloud Map in one Region."""

    region: str
    settings: Settings = field(default_factory=Settings)
    namespaces: dict[str, Namespace] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    running: dict[str, str] = field(default_factory=dict)
    """Operation id by what it works on: one at a time."""
    tokens: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Operation id by request token."""
    failures: deque[Failure] = field(default_factory=deque)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def arn(self, kind: str, identity: str) -> str:
        return f"arn:aws:servicediscovery:{self.region}:{ACCOUNT}:{kind}/{identity}"

    def namespace(self, id_or_arn: str) -> Namespace:
        if found := self.namespaces.get(id_or_arn.rpartition("/")[2]):
            return found
        raise Refused("NamespaceNotFound", f"Namespace with ID {id_or_arn} not found.")

    def service(self, id_or_arn: str) -> Service:
        if found := self.services.get(id_or_arn.rpartition("/")[2]):
            return found
        raise Refused("ServiceNotFound", f"Service with ID {id_or_arn} not found.")

    def services_in(self, namespace: Namespace) -> list[Service]:
        return [service for service in self.services.values() if service.namespace is namespace]


class Refused(ServiceException):  # type: ignore[misc] # moto has no types
    """An error as AWS models it: code, message and the members that some errors have besides."""

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(code, message)
        for name, value in members.items():
            setattr(self, name, value)


def invalid(message: str) -> Refused:
    return Refused("InvalidInput", message)


def registry_of(backend: ServiceDiscoveryBackend) -> Registry:
    found: Registry = backend.__dict__.setdefault("farm_registry", Registry(backend.region_name))
    return found


def registry(region: str = REGION) -> Registry:
    return registry_of(servicediscovery_backends[ACCOUNT][region])


def settings(region: str = REGION) -> Settings:
    return registry(region).settings


def random_id(prefix: str, size: int) -> str:
    return prefix + "".join(mock_random.choices(string.ascii_lowercase + string.digits, k=size))


def lasting_id(prefix: str, *of: str) -> str:
    """The same for the same name: AWS may give a service that is made again its old id (F§3.1)."""
    digest = int.from_bytes(hashlib.sha256("/".join(of).encode()).digest()[:12], "big")
    signs = string.ascii_lowercase + string.digits
    return prefix + "".join(signs[digest // 36**place % 36] for place in range(16))
