"""Memories and records as bytes, and back.

They are two streams of compressed JSON. The first has the fields of the first schema, as it wrote them: its readers read that
stream alone, and write nothing after it. The second has the number of the schema, and all fields that came later, by
the path of the object that they stand in. So whichever version comes after which, a field that it does not know is
kept, and one that it does not find has its default: which has to mean "not known", for ever.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from expose.arn import ServiceArn
from expose.codec import Codec, Unreadable
from expose.mechanisms.surroundings import Lookup
from expose.model import Definition, Identity, Opening, Owned, Port, Service, Task
from expose.records import Memory, Record, Stored
from expose.refusals import Status
from expose.shapes import Extra, Shapes

SCHEMA = 2
"""What this version writes. 1 is that of the versions which did not say so."""

NEEDS = 1
"""The oldest schema that may read what this version writes: higher only where a field that exists has a new meaning."""


def dump_memory(memory: Memory) -> bytes:
    return _dump(Memory, memory)


def load_memory(packed: bytes) -> Memory:
    """Raise `Unreadable`."""
    memory: Memory = _load(Memory, packed)
    return memory


def dump_record(record: Record) -> bytes:
    return _dump(Record, record)


def load_record(packed: bytes) -> Record:
    """Raise `Unreadable`."""
    record: Record = _load(Record, packed)
    return record


def heard(packed: bytes) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Which tasks are stopping, and which have stopped, as far as a memory that cannot be read still tells: nothing else
    would tell it again.
    """
    try:
        tree, _ = _unpack(packed)
    except Unreadable:
        return {}, {}
    return _times(tree, "stopping"), _times(tree, "stopped")


def _times(tree: Any, name: str) -> Mapping[str, float]:
    try:
        times: Mapping[str, float] = _CODEC.load(Mapping[str, float], tree[name])[0]
    except (Unreadable, KeyError, TypeError):
        return {}
    return times


@dataclass(frozen=True, slots=True)
class _Beside:
    """The second stream. A version may read it whose schema is at least what it `needs`."""

    schema: int = 1
    needs: int = 1
    fields: Extra = field(default_factory=dict)


_CODEC = Codec(
    Shapes(
        rows=frozenset({Identity, Lookup}),
        keys={Task: "id", Owned: "is"},
        renamed={(Owned, "identity"): "is"},
    )
)

_FIRST = {
    Memory: "service stopping stopped none_ready_since replaced_at version",
    Service: "arn active wanted tags subnets minimum_healthy health_grace rolling native registries definitions tasks "
    "read_at",
    ServiceArn: "partition region account cluster name",
    Definition: "arn family network_mode ports health_checked",
    Port: "container number protocol",
    Task: "id definition running healthy started_at zone private_ipv4 public_ipv4 ipv6 instance bindings openings",
    Opening: "family protocol first last world sources groups",
    Record: "service tag value good status status_since code message owned found good_found attempts look_at retry_at "
    "watch_at since verified_at announced astray closed version",
    Owned: "is fingerprint aws_id refs task address shared operation leaving since trouble sick_since",
}
"""The fields of the first schema: never to be added to, for its readers stumble over any other."""

_FIRST_STATUSES = frozenset({"Active", "Pending", "Invalid", "Blocked", "Failed"})


def _first(kind: Any) -> frozenset[str]:
    return frozenset(_FIRST[kind].split()) if kind in _FIRST else _CODEC.shapes.known(kind)


def _dump(kind: Any, value: Any) -> bytes:
    tree, shapes = _CODEC.dump(kind, value), _CODEC.shapes
    shapes.graft(kind, tree, value.stored.unknown)
    later = shapes.strip(kind, tree, _first)
    if tree.get("status", "Active") not in _FIRST_STATUSES:
        later = {**later, "": {**later.get("", {}), "status": tree["status"]}}
        tree["status"] = Status.PENDING
    shapes.graft(kind, tree, value.stored.amid)
    return _pack(tree) + _pack(_CODEC.dump(_Beside, _Beside(SCHEMA, NEEDS, later)))


def _load(kind: Any, packed: bytes) -> Any:
    tree, beside = _unpack(packed)
    if beside.needs > SCHEMA:
        raise Unreadable(
            f"a newer version wrote it, with schema {beside.schema}, which schema {SCHEMA} does not do for"
        )
    shapes = _CODEC.shapes
    shapes.graft(kind, tree, beside.fields)
    value, whole = _CODEC.load(kind, tree)
    if whole:
        return value
    strange = shapes.strip(kind, tree, shapes.known)
    return replace(value, stored=Stored(*_parted(strange, beside.fields)))


def _parted(strange: Extra, later: Extra) -> tuple[Extra, Extra]:
    """What is unknown of the second stream, and of the first."""
    known = {path: later.get(path, {}) for path in strange}
    return (
        {path: {name: each[name] for name in each.keys() & known[path]} for path, each in strange.items()},
        {path: {name: each[name] for name in each.keys() - known[path]} for path, each in strange.items()},
    )


def _pack(tree: Any) -> bytes:
    return zlib.compress(json.dumps(tree, separators=(",", ":")).encode())


def _unpack(packed: bytes) -> tuple[Any, _Beside]:
    try:
        first = zlib.decompressobj()
        text, rest = first.decompress(packed), first.unused_data
        if not first.eof:
            raise Unreadable("its body is cut short")
        tree = json.loads(text)
        second = None if rest in _NOTHING_LATER else json.loads(zlib.decompress(rest))
    except (zlib.error, ValueError, RecursionError) as problem:
        raise Unreadable(f"its body is damaged: {problem}") from problem
    beside: _Beside = _CODEC.load(_Beside, second)[0] if second is not None else _Beside()
    return tree, beside


_NOTHING_LATER = frozenset({b"", _pack(_CODEC.dump(_Beside, _Beside(SCHEMA, NEEDS)))})
"""What most end with, and what those of the first schema do: it need not be read."""
