"""Claims: names that exposures hold, reserved in the ledger before anything in AWS carries them.

A spec says with `together` that the name is shared with all who say so too, with `heir` whose exposures may take it over,
with `share` the option that says so, and with `said` how people say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from expose.model import Owned, Resource
from expose.names import Names
from expose.resources.kind import Ids, Made


class Claims:
    """A holder is named by its mark, which two exposures never share."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry in owned:
            if entry.identity.kind == "claim" and mark in self._names.holders(entry.identity.key):
                yield entry

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Raise `Refused` where another exposure holds the name."""
        name = resource.identity.key
        said = resource.spec.get("said") or name.rpartition("/")[2]
        together, heir = resource.spec.get("together", False), resource.spec.get("heir", "")
        share = resource.spec.get("share", "weight=")
        self._names.claim(name, mark, said=said, together=together, heir=heir, share=share)
        return Made(name)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return self.create(resource, ids, mark)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        """What was asked for and refused is held by another."""
        return owned.identity.key if mark in self._names.holders(owned.identity.key) else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        self._names.release(owned.identity.key, mark)
        return ""
