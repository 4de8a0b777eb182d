"""Items of the ledger's table, put together: what is too long for one stands in a first one, and in pieces beside it.

The first names the digests of its pieces, so what was read while it was written is seen to be torn. Pieces stand under a
key of their own, for versions that know of none take every item beside a service for a record. An item that cannot be
read becomes a memory or a record that says so; what could not be read was not removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from expose.arn import ServiceArn
from expose.bodies import heard, load_memory, load_record
from expose.codec import Unreadable
from expose.model import Service, digest
from expose.records import Memory, Record, Stored
from expose.refusals import Refused, Status

SERVICE = "SERVICE#"
PIECE = "PIECE#"
EXPOSURE = "EXPOSURE#"
MEMORY = "SERVICE"

UNREADABLE = "UnreadableRecord"

Item = Mapping[str, Any]
T = TypeVar("T", Memory, Record)


class Heap:
    """Items in any order, as they were read."""

    def __init__(self, items: Iterable[Item], pieces: Iterable[Item] = ()) -> None:
        self._pieces: dict[tuple[str, str], bytes] = {}
        self._firsts: list[tuple[str, str, Item]] = []
        for item in (*items, *pieces):
            key, sk = item["pk"]["S"], item["sk"]["S"]
            if key.startswith(PIECE):
                self._pieces[key.removeprefix(PIECE), sk] = _body(item)
            elif key.startswith(SERVICE):
                self._firsts.append((key.removeprefix(SERVICE), sk, item))

    @property
    def torn(self) -> bool:
        """Whether pieces are missing, or are not those that were written with the first."""
        return any(self._lacks(arn, sk, item) for arn, sk, item in self._firsts)

    def services(self) -> dict[str, tuple[Memory | None, list[Record]]]:
        """By ARN. Other sorts of items beside them are for other versions."""
        memories: dict[str, Memory | None] = {}
        records: dict[str, list[Record]] = {}
        for arn, sk, item in self._firsts:
            if sk == MEMORY:
                memories[arn] = self._memory(arn, item)
            elif sk.startswith(EXPOSURE):
                records.setdefault(arn, []).append(self._record(arn, sk, item))
        return {arn: (memories.get(arn), records.get(arn, [])) for arn in {**memories, **records}}

    def _memory(self, arn: str, item: Item) -> Memory | None:
        """What cannot be read is begun anew."""
        try:
            return self._joined(load_memory, arn, MEMORY, item)
        except Unreadable:
            stored = Stored(unreadable=True, rev=_rev(item), pieces=digests(item))
        try:
            return Memory(Service(ServiceArn.parse(arn)), *heard(_body(item)), stored=stored)
        except (Refused, ValueError):
            return None  # nobody follows such a service

    def _record(self, arn: str, sk: str, item: Item) -> Record:
        try:
            return self._joined(load_record, arn, sk, item)
        except Unreadable as problem:
            return Record(
                arn,
                sk.removeprefix(EXPOSURE),
                value=_text(item, "value"),
                status=Status.FAILED,
                code=UNREADABLE,
                message=f"what the ledger remembers of it cannot be read ({problem}): it is not followed, and what it made "
                "stays as it is. If a newer version wrote it, deploy that version again; else restore the item "
                f"(pk {SERVICE}{arn}, sk {sk}) from the table's backup, or delete it: then the exposure is made anew, and "
                "takes over what carries its mark",
                announced=_text(item, "announced"),
                stored=Stored(unreadable=True, rev=_rev(item)),
            )

    def _joined(self, load: Callable[[bytes], T], arn: str, sk: str, item: Item) -> T:
        first = load(_body(item))
        if not (wanted := digests(item)):
            return first
        if self._lacks(arn, sk, item):
            raise Unreadable("not all of its pieces are there")
        pieces = [load(self._pieces[arn, piece_of(sk, number)]) for number in range(len(wanted))]
        return first.with_pieces(pieces, wanted)

    def _lacks(self, arn: str, sk: str, item: Item) -> bool:
        return any(
            digest_of(self._pieces.get((arn, piece_of(sk, number)), b"")) != each
            for number, each in enumerate(digests(item))
        )


def piece_of(sk: str, number: int) -> str:
    return f"{sk}#{number}"


def digest_of(body: bytes) -> str:
    return digest(body.hex())


def digests(item: Item) -> tuple[str, ...]:
    """Those of the pieces of an item, in their order."""
    return tuple(_text(item, "pieces").split())


def _body(item: Item) -> bytes:
    return bytes(item.get("body", {}).get("B", b""))


def _text(item: Item, name: str) -> str:
    return str(item.get(name, {}).get("S", ""))


def _rev(item: Item) -> int:
    return int(item.get("rev", {}).get("N", "0"))
