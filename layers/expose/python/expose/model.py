"""The words of the project as values: services, tasks, exposures, resources.

Everything else speaks in these. Nothing here knows AWS, the clock or the environment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network
from typing import Any

from expose.arn import ServiceArn
from expose.definitions import Binding, Definition

_GLOBAL = IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True)
class Task:
    """A task as last read. In bridge and host mode, `bindings` tells the host's ports, and `instance` which EC2 instance, in
    which `vpc`, lends its addresses. `started_by` is the deployment or task set that it belongs to. `openings` are None
    where nobody asked.
    """

    id: str
    definition: str
    running: bool
    healthy: bool = False
    started_at: float = 0.0
    zone: str = ""
    private_ipv4: str = ""
    public_ipv4: str = ""
    ipv6: str = ""
    instance: str = ""
    bindings: tuple[Binding, ...] = ()
    openings: tuple[Opening, ...] | None = None
    started_by: str = ""
    vpc: str = ""

    @property
    def anywhere(self) -> bool:
        """Whether it runs on a machine of ECS Anywhere, outside of AWS (F§11.8)."""
        return self.instance.startswith("mi-")

    @property
    def public(self) -> dict[str, str]:
        """By family, where the internet might reach it. An IPv6 address of a private range is none of these."""
        ipv6 = self.ipv6 if self.ipv6 and IPv6Address(self.ipv6) in _GLOBAL else ""
        found = {"ipv4": self.public_ipv4, "ipv6": ipv6}
        return {family: address for family, address in found.items() if address}


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """Ports of a task that the internet reaches, over IPv4 or IPv6 (`family`), through the security `groups` named.

    `protocol` is tcp, udp, icmp, icmpv6, another's number, `other` for all not named beside it, or `-1` for all. What
    has no ports counts as 0-65535. `world` means half of the internet at least; `sources` are then the whole of it.
    """

    family: int
    protocol: str
    first: int
    last: int
    world: bool
    sources: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def ports(self) -> str:
        """As people say them."""
        return f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"

    def lets_in(self, protocol: str, port: int) -> bool:
        return self.protocol in {protocol, "-1"} and self.first <= port <= self.last


@dataclass(frozen=True, slots=True)
class Service:
    """A service as last read, at `read_at`. `tasks` are those that are not stopping.

    `minimum_healthy` is in percent, `health_grace` in seconds. `rolling` says that a deployment is under way. `serving` are
    the deployments or task sets whose tasks take production traffic, None where those of all do. `native` are the ARNs
    of the target groups that ECS itself keeps for it.
    """

    arn: ServiceArn
    active: bool = True
    wanted: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    subnets: tuple[str, ...] = ()
    minimum_healthy: int = 100
    health_grace: int = 0
    rolling: bool = False
    serving: tuple[str, ...] | None = None
    native: tuple[str, ...] = ()
    registries: tuple[tuple[str, bool], ...] = ()
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    tasks: tuple[Task, ...] = ()
    read_at: float = 0.0

    @property
    def alive(self) -> frozenset[str]:
        """The ids of its tasks."""
        return frozenset(task.id for task in self.tasks)


@dataclass(frozen=True, slots=True)
class Exposure:
    """One way in to one service, as one tag asks for it. Options hold the values that the mechanism's grammar read."""

    service: ServiceArn
    tag: str
    value: str
    mechanism: str
    target: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def said(self, problem: str) -> str:
        """`problem` with the tag before it, so that its owner knows where to look."""
        return f"{self.tag} = {self.value!r}: {problem}"


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """What a resource is matched by. What AWS cannot change afterwards belongs into the key."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.key}"


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that should exist in AWS.

    `spec` holds JSON values. `refs` names what it needs first: another resource by identity, whose id is filled in
    when it is applied, or a plain id of something that was there before us. `shared` ones are counted and outlive
    their first user. `open` ones let everybody on the internet pass, or belong to what does.
    """

    identity: Identity
    spec: Mapping[str, Any] = field(default_factory=dict)
    refs: Mapping[str, Identity | str] = field(default_factory=dict)
    task: str = ""
    address: str = ""
    shared: bool = False
    open: bool = False

    @property
    def parents(self) -> tuple[Identity, ...]:
        return tuple(ref for ref in self.refs.values() if isinstance(ref, Identity))

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.spec)


MAKING = "making"
"""The operation of what has an id already, and is of no use before it is made."""

WATCHED = "watched"
"""The operation of what is made, and of which AWS is only finding out how it is."""


@dataclass(frozen=True, slots=True)
class Owned:
    """The ledger's memory of a resource: claimed before it is created, forgotten after it is seen gone.

    `aws_id` is empty while only claimed. `operation` is AWS's id of a change that is still on its way; `leaving`
    says that the change is the deletion. `refs` are those of the resource, for whoever must delete it. `trouble` is
    what AWS last said is wrong with it, `sick_since` when it was first found unhealthy, 0 while it is not. `open` says
    that it lets everybody on the internet pass, or may do so.
    """

    identity: Identity
    fingerprint: str = ""
    aws_id: str = ""
    refs: Mapping[str, Identity | str] = field(default_factory=dict)
    task: str = ""
    address: str = ""
    shared: bool = False
    operation: str = ""
    leaving: bool = False
    since: float = 0.0
    trouble: str = ""
    sick_since: float = 0.0
    open: bool = False

    @classmethod
    def of(cls, resource: Resource, *, since: float) -> Owned:
        """As it stands in the ledger before it is made."""
        return cls(
            identity=resource.identity,
            fingerprint=resource.fingerprint,
            refs=resource.refs,
            task=resource.task,
            address=resource.address,
            shared=resource.shared,
            since=since,
            open=resource.open,
        )

    @property
    def busy(self) -> bool:
        """Whether nothing else may be done to it now."""
        return self.operation not in {"", WATCHED}

    @property
    def reachable(self) -> bool:
        """Whether it surely leads to its task now."""
        return bool(self.task and self.aws_id) and not (self.operation or self.leaving or self.trouble)

    @property
    def parents(self) -> tuple[Identity, ...]:
        return tuple(ref for ref in self.refs.values() if isinstance(ref, Identity))


def fingerprint(spec: Mapping[str, Any]) -> str:
    """Equal for equal specs, whatever the order in which they were written."""
    return digest(json.dumps(spec, sort_keys=True, separators=(",", ":")))


def digest(text: str) -> str:
    """A short stable name for a long one."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def ids_of(entries: Mapping[Identity, Owned]) -> dict[Identity, str]:
    return {identity: entry.aws_id for identity, entry in entries.items()}


def resolve(refs: Mapping[str, Identity | str], entries: Mapping[Identity, Owned]) -> dict[str, str]:
    """The ids that references stand for. One that was never made has none, and is left out."""
    known = ids_of(entries)
    ids = {name: ref if isinstance(ref, str) else known.get(ref, "") for name, ref in refs.items()}
    return {name: aws_id for name, aws_id in ids.items() if aws_id}
