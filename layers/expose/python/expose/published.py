"""Which public addresses our exposures publish, and for which task: what the ledger says, put beside what it remembers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from expose.model import Owned
from expose.records import Memory, Record

_LEAVES = 60.0  # seconds that AWS may take to withdraw what it was told to


@dataclass(frozen=True, slots=True)
class Published:
    """`private` is the task's private address; None where the task is not known any more."""

    address: str
    task: str
    private: str | None


def published(memory: Memory | None, records: Iterable[Record], *, now: float) -> Iterator[Published]:
    """Every address that stands for a task, but for its private one and for what is just being withdrawn."""
    private = {task.id: task.private_ipv4 for task in memory.service.tasks} if memory else {}
    for record in records:
        for entry in record.owned:
            if not entry.task or (entry.leaving and now - entry.since < _LEAVES):
                continue
            for address in _addresses(entry):
                if address != private.get(entry.task):
                    yield Published(address, entry.task, private.get(entry.task))


def stands_at(entry: Owned, addresses: Collection[str]) -> bool:
    """Whether something is there for a task at any of these addresses."""
    return bool(entry.task) and not set(addresses).isdisjoint(entry.address.split())


def _addresses(entry: Owned) -> Iterator[str]:
    for word in entry.address.split():
        try:
            ip_address(word)
        except ValueError:
            continue  # a name
        yield word
