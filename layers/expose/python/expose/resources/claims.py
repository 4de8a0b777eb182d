"""Claims: names that one exposure holds, reserved in the ledger before anything in AWS carries them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from expose.ledger import Ledger
from expose.model import Owned, Resource
from expose.resources.kind import Ids, Made


class Claims:
    """The holder is named by its mark, which two exposures never share."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry in owned:
            if entry.identity.kind == "claim" and self._ledger.holder(entry.identity.key) == mark:
                yield entry

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Raise `Refused` where another exposure holds the name."""
        self._ledger.claim(resource.identity.key, mark)
        return Made(resource.identity.key)

    def update(self, resource: Resource, aws_id: str, ids: Ids) -> Made:
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return owned.identity.key

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        self._ledger.release(owned.identity.key, mark)
        return ""
