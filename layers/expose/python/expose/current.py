"""Current: what AWS says is there of an exposure's, whether the ledger knows of it or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from expose.adopting import forgotten, inherited, left_behind
from expose.model import Identity, Owned, Service
from expose.plan import recorded
from expose.records import Record
from expose.resources import Adapters

_LISTING_LAG = 60.0  # seconds for which what was just made counts as there although a list lacks it (F§3.2)


class Current:
    def __init__(self, adapters: Adapters, clock: Callable[[], float]) -> None:
        self._adapters = adapters
        self._clock = clock

    def read(
        self, record: Record, mark: str, service: Service
    ) -> tuple[Record, Mapping[Identity, str], tuple[str, ...]]:
        """The record, the fingerprints of what is there, and what of it was forgotten: it carries our mark, and is ours again.
        What is only claimed stays so, for not all that is seen carries a mark.
        """
        seen = {
            each.identity: each
            for adapter in self._adapters.kinds.values()
            for each in adapter.read(record.owned, mark)
        }
        recent = [each for each in record.owned if each.task and self._clock() - each.since < _LISTING_LAG]
        current = recorded(recent) | {identity: each.fingerprint for identity, each in seen.items()}
        owned = {
            identity: replace(entry, open=True) if identity in seen and seen[identity].open else entry
            for identity, entry in record.by_identity.items()
        }
        adopted = forgotten(seen, record, service)
        return record.owning(adopted | owned), current, tuple(map(str, adopted))

    def inherited(
        self, before: Record, after: Record, mark: str, service: Service
    ) -> Mapping[Identity, Owned]:
        """What was there for tasks already in what seems to have been made just now."""
        return inherited(before, after, self._adapters, mark, service)

    def left_behind(self, record: Record, mark: str) -> Mapping[Identity, Owned]:
        """What carries the mark, and is none of what is owned."""
        return left_behind(record, self._adapters, mark)
