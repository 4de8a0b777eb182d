"""The ledger: one DynamoDB table that remembers what we own, because ECS has nothing that would.

    pk                       sk                     holds
    SERVICE#<arn>            SERVICE                Memory: the service as last read
    SERVICE#<arn>            EXPOSURE#<tag>         Record: one exposure, what it owns, how it stands
    PIECE#<arn>              <sk of it>#<number>    what does not fit into one of those items, see `items`
    CLAIM#<name>             CLAIM                  see `names`
    SHARED#<kind>/<key>      SHARED                 see `shared`

Records and memories are written only over the version that was read, so two workers cannot overwrite each other. Where
another has written a record meanwhile, what both have changed is merged: what is gone may be withdrawn while the
service's other work goes on.
Status, message and addresses stand beside the packed body as attributes of their own, for people to read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expose.aws import Clients
from expose.bodies import dump_memory, dump_record
from expose.codec import Unreadable
from expose.items import EXPOSURE, PIECE, SERVICE, Heap, digests
from expose.records import Memory, Record, merged
from expose.table import ACTIONS, Overtaken, Table

if TYPE_CHECKING:
    from expose.table import Values

__all__ = ["ACTIONS", "Ledger", "Overtaken"]

_TRIES = 5
_READS = (
    False,
    True,
    True,
)  # whether consistently: again where an item was written while its pieces were read
_SAID = 1000  # characters of a message, and
_NAMED = 50  # addresses, that stand beside a body for people


class Ledger:
    def __init__(self, clients: Clients, table: str) -> None:
        self._clients = clients
        self._name = table
        self._table = Table(clients, table)
        self.met_another = False
        """Whether another worker has written any of them meanwhile: what both did in AWS may have crossed."""
        self._known: dict[str, Record] = {}
        """By tag, the records that were loaded to write, as they were last read or written here."""

    def load(self, service: str) -> tuple[Memory | None, list[Record]]:
        """What is remembered of a service, read consistently. What cannot be read is there, and says so."""
        for _ in _READS:
            items = self._table.of(f"{SERVICE}{service}")
            spread = any(map(digests, items))
            heap = Heap(items, self._table.of(f"{PIECE}{service}") if spread else ())
            if not heap.torn:
                break
        return heap.services().get(service, (None, []))

    def load_to_write(self, service: str) -> tuple[Memory | None, list[Record]]:
        """The same, for the worker that saves these records afterwards: one service at a time."""
        self.met_another = False
        memory, records = self.load(service)
        self._known = {record.tag: record for record in records}
        return memory, records

    def follows(self, service: str) -> bool:
        """Whether the service has, or had, any exposure that is not cleared away yet."""
        answer = self._clients.dynamodb.query(
            TableName=self._name,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :exposure)",
            ExpressionAttributeValues={":pk": {"S": f"{SERVICE}{service}"}, ":exposure": {"S": EXPOSURE}},
            ProjectionExpression="pk",
            Limit=1,
        )
        return bool(answer["Items"])

    def everything(self) -> dict[str, tuple[Memory | None, list[Record]]]:
        """All services that are remembered, by ARN. What cannot be read is there, and says so."""
        for consistent in _READS:
            heap = Heap(self._table.everything(consistent=consistent))
            if not heap.torn:
                break
        return heap.services()

    def save_record(self, record: Record, *, expires: float = 0.0) -> Record:
        """The record as saved, for good or until it `expires`; merged with what another worker has written since it was
        loaded. Raise `NotYet` where that cannot be done, `Unreadable` for what could not be read.
        """
        for _ in range(_TRIES):
            try:
                saved = self._save_record(record, expires)
            except Overtaken:
                self.met_another = True
                base = self._known.get(record.tag)
                theirs = {each.tag: each for each in self.load(record.service)[1]}.get(record.tag)
                if base is None or base.service != record.service or theirs is None:
                    raise
                record = merged(base, record, theirs)
                self._known[record.tag] = theirs
            else:
                self._known[record.tag] = saved
                return saved
        raise Overtaken(f"other workers keep writing {record.tag} of {record.service}", seconds=1)

    def _save_record(self, record: Record, expires: float) -> Record:
        _check(record)
        newer = replace(record, version=record.version + 1)
        bodies = [dump_record(each) for each in newer.parts()]
        more: Values = {"expires": {"N": f"{expires:.0f}"}} if expires else {}
        pieces = self._table.save(record, record.version, bodies, _for_people(record) | more)
        return replace(newer, stored=replace(record.stored, pieces=pieces))

    def save_memory(self, memory: Memory) -> Memory:
        """What could not be read is written over: it has been read anew from ECS. Raise `Overtaken`."""
        read = memory.stored.rev or memory.version
        newer = replace(memory, version=read + 1)
        bodies = [dump_memory(each) for each in newer.parts()]
        pieces = self._table.save(memory, read, bodies, {})
        return replace(newer, stored=replace(memory.stored, pieces=pieces, rev=0, unreadable=False))

    def tell(self, record: Record) -> None:
        """Of a record that cannot be read, how it stands and what was announced of it; all else of it stays."""
        said = _for_people(record) | {"announced": {"S": record.announced}}
        self._table.tell(record, {name: said[name] for name in ("status", "code", "message", "announced")})

    def forget_record(self, record: Record) -> None:
        """Raise `Unreadable` for what could not be read: nobody knows what it owns."""
        _check(record)
        self._table.delete(record)

    def forget_memory(self, memory: Memory) -> None:
        self._table.delete(memory)


def _check(record: Record) -> None:
    if record.unreadable:
        raise Unreadable(f"{record.tag} of {record.service}: {record.message}")


def _for_people(record: Record) -> Values:
    named = record.addresses
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return {
        "status": {"S": record.status},
        "code": {"S": record.code},
        "message": {"S": record.message[:_SAID]},
        "value": {"S": record.value},
        "addresses": {"S": " ".join(named[:_NAMED]) + more},
    }
