"""Claims: names that exposures hold, reserved in the ledger before anything in AWS carries them.

A spec says with `together` that the name is shared with all who say so too, with `heir` whose exposures may take it over,
with `share` the option that says so, and with `said` how people say it. One with `match` claims requests at a listener,
which the reference `listener` names: what others claim there must not overlap it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from expose.model import Owned, Resource
from expose.names import Names
from expose.overlaps import Matched, Parts
from expose.refusals import Refused
from expose.resources.elb.priorities import Match
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
        """Raise `Refused` where another exposure holds the name, or what it matches."""
        name = resource.identity.key
        if "match" in resource.spec:
            self._match(resource, ids["listener"], mark)
        else:
            self._claim(resource, mark)
        return Made(name)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return self.create(resource, ids, mark)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        """What was asked for and refused is held by another."""
        return owned.identity.key if mark in self._names.holders(owned.identity.key) else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        if "listener" in ids:
            self._names.matched(ids["listener"]).remove(owned.identity.key, mark)
        self._names.release(owned.identity.key, mark)
        return ""

    def _claim(self, resource: Resource, mark: str) -> None:
        name, spec = resource.identity.key, resource.spec
        self._names.claim(
            name,
            mark,
            said=spec.get("said") or name.rpartition("/")[2],
            together=spec.get("together", False),
            heir=spec.get("heir", ""),
            share=spec.get("share", "weight="),
        )

    def _match(self, resource: Resource, listener: str, mark: str) -> None:
        """The name first, which is given back where what it matches overlaps what others hold."""
        spec, name = resource.spec, resource.identity.key
        mine = Matched(name, mark, spec["said"], spec["together"], spec["match"])
        at_listener = self._names.matched(listener)
        if self._names.held_from_before(name, mark):  # overlaps were allowed then: what works is left to work
            at_listener.add(mine, lambda _: ())
            self._claim(resource, mark)
            return
        held = mark in self._names.holders(name)
        self._stale(mine, at_listener.read())
        self._claim(resource, mark)
        try:
            at_listener.add(mine, lambda parts: self._stale(mine, parts))
        except Refused:
            if not held:
                self._names.release(name, mark)
            raise

    def _stale(self, mine: Matched, parts: Parts) -> Sequence[str]:
        """Those that overlap but whose name nobody holds: an older version of this program released it.

        Raise `Refused` where another service holds what overlaps, and not both share it.
        """
        standing = parts.get(mine.key)
        if standing and standing.together <= mine.together:
            return ()  # it has what it asks for already
        stale: list[str] = []
        for key, other in parts.items():
            if other.service == mine.service or other.name == mine.name or not _overlap(mine, other):
                continue
            if other.mark in self._names.holders(other.name):
                raise Refused(
                    "NameTaken",
                    f"{mine.said} has requests in common with {other.said}, which is held by {other.mark}: choose "
                    "another host or path, say weight= on both to let each have what it is more exact about, or "
                    "remove it there",
                )
            stale.append(key)
        return stale


def _overlap(mine: Matched, other: Matched) -> bool:
    if mine.together and other.together:
        return False
    return _matching(mine).overlaps(_matching(other))


def _matching(matched: Matched) -> Match:
    return Match(**{name: frozenset(values) for name, values in matched.match.items()})
