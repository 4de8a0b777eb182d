"""What the ledger remembers, as values: of a service, of each of its exposures. Here they become bytes and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from expose.arn import ServiceArn
from expose.definitions import Binding, Definition, Port
from expose.mechanisms.surroundings import Lookup
from expose.model import Identity, Opening, Owned, Service, Task
from expose.refusals import Status

CLOCKS_DIFFER = 0.1  # seconds by which a message may come before its time, as the functions' clocks tell it


@dataclass(frozen=True, slots=True)
class Memory:
    """A service as last read, and what is known of its tasks beyond that.

    `stopping` are ids of tasks that are to stop and may still have been serving when we heard of it, `stopped` of those that do
    not serve any more, each with the time of hearing it: that never reverts, so no stale answer brings them back.
    `none_ready_since` is 0 while any task is ready. `replaced_at` is when a task was last stopped for being sick. Times
    are seconds since the epoch.
    """

    service: Service
    stopping: Mapping[str, float] = field(default_factory=dict)
    stopped: Mapping[str, float] = field(default_factory=dict)
    none_ready_since: float = 0.0
    replaced_at: float = 0.0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """An exposure as the ledger knows it.

    `value` is the tag's value as last seen, `good` the last one that could be carried out: while the new one cannot,
    the good one goes on being followed. `found` and `good_found` are the answers to their look-ups. `look_at` is when the service is
    to be looked at again, `retry_at` when everything is read and tried anew after a refusal or a failure; both 0 for
    not at all. `watch_at` is when AWS is asked again how healthy they are that it owns, 0 for not at all. `since` is when
    the change happened that is not published yet. `announced` tells what was said last, `astray` which addresses were said to be
    published in vain, and stay.
    `status_since` is when the status became what it is, 0 where that is not known. `closed` is set for good when the
    stack is being deleted. `limits` is the digest of those under which it was decided last.
    """

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
    limits: str = ""
    version: int = 0

    @property
    def by_identity(self) -> dict[Identity, Owned]:
        return {entry.identity: entry for entry in self.owned}

    def owning(self, entries: Mapping[Identity, Owned]) -> Record:
        return replace(self, owned=tuple(entries.values()))

    @property
    def tasks(self) -> frozenset[str]:
        """The ids of the tasks that are, or may be, published."""
        return frozenset(entry.task for entry in self.owned if entry.task)

    @property
    def addresses(self) -> list[str]:
        """Where the tasks are reachable: what is only claimed, or being withdrawn, is promised to nobody."""
        there = [each for each in self.owned if each.aws_id and not each.leaving]
        return sorted({address for each in there for address in each.address.split()})


def merged(base: Record, mine: Record, theirs: Record) -> Record:
    """`mine` upon `theirs`, where another worker has written the record since both were as `base`.

    What I have changed stands, else what they have: of what is owned, each resource by itself.
    """
    changed = {
        each.name: getattr(mine, each.name)
        for each in fields(Record)
        if each.name not in {"owned", "version"} and getattr(mine, each.name) != getattr(base, each.name)
    }
    before, ours, others = base.by_identity, mine.by_identity, theirs.by_identity
    owned = {
        identity: entry
        for identity in dict.fromkeys([*ours, *others])
        if (entry := (others if ours.get(identity) == before.get(identity) else ours).get(identity))
    }
    return replace(theirs, **changed).owning(owned)


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
            serving=_if_any(service.pop("serving", None)),
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
    ports = tuple(Port(**port) for port in data.pop("ports"))
    return Definition(ports=ports, edition=data.pop("edition", 1), **data)


def _if_any(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _task(data: dict[str, Any]) -> Task:
    bindings = tuple(Binding(*each) for each in data.pop("bindings"))
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
