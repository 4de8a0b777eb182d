"""The reader and the writer of schema 1, as commit 46bb9c9 had them: what a stack that is rolled back does with our ledger.

Its values without what they can do; everything else is copied. Never to be changed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    ACTIVE = "Active"
    PENDING = "Pending"
    INVALID = "Invalid"
    BLOCKED = "Blocked"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class ServiceArn:
    partition: str
    region: str
    account: str
    cluster: str
    name: str


@dataclass(frozen=True, slots=True)
class Lookup:
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Port:
    container: str
    number: int
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Definition:
    arn: str
    family: str
    network_mode: str
    ports: tuple[Port, ...] = ()
    health_checked: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    family: int
    protocol: str
    first: int
    last: int
    world: bool
    sources: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
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
    bindings: tuple[tuple[str, int, int, str], ...] = ()
    openings: tuple[Opening, ...] | None = None


@dataclass(frozen=True, slots=True)
class Service:
    arn: ServiceArn
    active: bool = True
    wanted: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    subnets: tuple[str, ...] = ()
    minimum_healthy: int = 100
    health_grace: int = 0
    rolling: bool = False
    native: tuple[str, ...] = ()
    registries: tuple[tuple[str, bool], ...] = ()
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    tasks: tuple[Task, ...] = ()
    read_at: float = 0.0


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Owned:
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


@dataclass(frozen=True, slots=True)
class Memory:
    service: Service
    stopping: Mapping[str, float] = field(default_factory=dict)
    stopped: Mapping[str, float] = field(default_factory=dict)
    none_ready_since: float = 0.0
    replaced_at: float = 0.0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    service: str
    tag: str
    value: str = ""
    good: str = ""
    status: Status = Status.PENDING
    status_since: float = 0.0
    code: str = ""
    message: str = ""
    owned: tuple[Owned, ...] = ()
    found: Mapping[Lookup, Any] = field(default_factory=dict)
    good_found: Mapping[Lookup, Any] = field(default_factory=dict)
    attempts: int = 0
    look_at: float = 0.0
    retry_at: float = 0.0
    watch_at: float = 0.0
    since: float = 0.0
    verified_at: float = 0.0
    announced: str = ""
    astray: tuple[str, ...] = ()
    closed: bool = False
    version: int = 0


def dump_memory(memory: Memory) -> bytes:
    return _pack(asdict(memory))


def load_memory(packed: bytes) -> Memory:
    data = _unpack(packed)
    service = data.pop("service")
    return Memory(
        service=Service(
            arn=ServiceArn(**service.pop("arn")),
            definitions={arn: _definition(each) for arn, each in service.pop("definitions").items()},
            tasks=tuple(_task(each) for each in service.pop("tasks")),
            subnets=tuple(service.pop("subnets")),
            native=tuple(service.pop("native", ())),
            registries=tuple((arn, has_port) for arn, has_port in service.pop("registries", ())),
            **service,
        ),
        **data,
    )


def dump_record(record: Record) -> bytes:
    data = asdict(replace(record, found={}, good_found={}, owned=()))
    for name in ("found", "good_found"):
        data[name] = [[lookup.kind, lookup.key, answer] for lookup, answer in getattr(record, name).items()]
    data["owned"] = [_dump_owned(entry) for entry in record.owned]
    return _pack(data)


def load_record(packed: bytes) -> Record:
    data = _unpack(packed)
    return Record(
        status=Status(data.pop("status")),
        found=_load_found(data.pop("found")),
        good_found=_load_found(data.pop("good_found")),
        owned=tuple(_load_owned(each) for each in data.pop("owned")),
        astray=tuple(data.pop("astray", ())),
        **data,
    )


def _pack(data: dict[str, Any]) -> bytes:
    """Compressed, because what a service with a thousand tasks owns has to fit into one item of 400 KB."""
    return zlib.compress(json.dumps(data, separators=(",", ":")).encode())


def _unpack(packed: bytes) -> dict[str, Any]:
    return dict(json.loads(zlib.decompress(packed)))


def _load_found(data: list[list[Any]]) -> dict[Lookup, Any]:
    return {Lookup(kind, key): answer for kind, key, answer in data}


def _definition(data: dict[str, Any]) -> Definition:
    return Definition(ports=tuple(Port(**port) for port in data.pop("ports")), **data)


def _task(data: dict[str, Any]) -> Task:
    bindings = tuple(
        (name, inside, outside, *(protocol or ["tcp"]))
        for name, inside, outside, *protocol in data.pop("bindings")
    )
    found = data.pop("openings", None)
    openings = None if found is None else tuple(map(_opening, found))
    return Task(bindings=bindings, openings=openings, **data)


def _opening(data: dict[str, Any]) -> Opening:
    return Opening(sources=tuple(data.pop("sources")), groups=tuple(data.pop("groups")), **data)


_OWNED = {
    field_: getattr(Owned(Identity("", "")), field_) for field_ in Owned.__slots__ if field_ != "identity"
}


def _dump_owned(entry: Owned) -> dict[str, Any]:
    """Without what is at its default."""
    data: dict[str, Any] = {
        name: getattr(entry, name) for name, default in _OWNED.items() if getattr(entry, name) != default
    }
    refs = {
        name: [ref.kind, ref.key] if isinstance(ref, Identity) else ref for name, ref in entry.refs.items()
    }
    return {"is": [entry.identity.kind, entry.identity.key]} | data | ({"refs": refs} if refs else {})


def _load_owned(data: dict[str, Any]) -> Owned:
    refs = {
        name: Identity(*ref) if isinstance(ref, list) else ref for name, ref in data.pop("refs", {}).items()
    }
    return Owned(identity=Identity(*data.pop("is")), refs=refs, **data)
