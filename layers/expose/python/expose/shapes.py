"""What stands where in the JSON of a dataclass: its objects, each with its path and its class.

Versions know different fields. `strip` takes fields out of the JSON, by the path of the object that they stand in; `graft`
puts them back into an object that still has this path, be it that all else of it has changed. Members of a list are
told apart by what they are, not by their place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field, fields, is_dataclass
from functools import reduce
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

Tree = Any
"""JSON."""

Extra = Mapping[str, Mapping[str, Any]]
"""Fields by the path of the object that they stand in."""

UNSTORED: Mapping[str, Any] = {"stored": False}
"""The metadata of a field that is no part of what is stored."""


@dataclass(frozen=True, slots=True)
class Field:
    """Of a dataclass. `key` is its name in JSON, `default` MISSING where it has none that is a plain value."""

    key: str
    name: str
    kind: Any
    default: Any


@dataclass(frozen=True, slots=True)
class Shapes:
    """`rows` are dataclasses that are written as lists of their fields. `keys` names the field that tells the
    members of a list apart, by their class. `renamed` are fields that have another name in JSON.
    """

    rows: Set[Any] = frozenset()
    keys: Mapping[Any, str] = field(default_factory=dict)
    renamed: Mapping[tuple[Any, str], str] = field(default_factory=dict)
    _fields: dict[Any, list[Field]] = field(default_factory=dict)

    def fields(self, kind: Any) -> list[Field]:
        """Those that are stored."""
        if kind not in self._fields:
            hints = get_type_hints(kind)
            self._fields[kind] = [
                Field(
                    self.renamed.get((kind, each.name), each.name), each.name, hints[each.name], each.default
                )
                for each in fields(kind)
                if each.metadata.get("stored", True)
            ]
        return self._fields[kind]

    def known(self, kind: Any) -> frozenset[str]:
        """The fields that a class has in JSON."""
        return frozenset(each.key for each in self.fields(kind))

    def strip(self, kind: Any, tree: Tree, keep: Callable[[Any], Set[str]]) -> Extra:
        """Take out, of each object, the fields that its class is not to keep."""
        extra: dict[str, dict[str, Any]] = {}
        for path, cls, data in self._objects(kind, tree, ""):
            if strange := data.keys() - keep(cls):
                extra[path] = {name: data.pop(name) for name in sorted(strange)}
        return extra

    def graft(self, kind: Any, tree: Tree, extra: Extra) -> None:
        """Put back what was stripped. What stood in an object that is not there any more has gone with it."""
        if extra:
            for path, _, data in self._objects(kind, tree, ""):
                data.update(extra.get(path, {}))

    def _objects(self, kind: Any, tree: Tree, path: str) -> Iterator[tuple[str, Any, dict[str, Any]]]:
        """Each object before those in it. What is not of the type expected holds none."""
        kind = other(kind)
        if kind in self.rows:
            return
        if is_dataclass(kind) and isinstance(tree, dict):
            yield path, kind, tree
        for key, inner, each in self._members(kind, tree):
            yield from self._objects(inner, each, f"{path}/{key}")

    def _members(self, kind: Any, tree: Tree) -> Iterator[tuple[str, Any, Tree]]:
        inner = get_args(kind)
        if is_dataclass(kind) and isinstance(tree, dict):
            yield from (
                (each.key, each.kind, tree[each.key]) for each in self.fields(kind) if each.key in tree
            )
        elif get_origin(kind) is Mapping and isinstance(tree, dict):
            yield from ((key, inner[1], each) for key, each in tree.items())
        elif get_origin(kind) is tuple and is_dataclass(inner[0]) and isinstance(tree, list):
            yield from ((self._key(inner[0], each), inner[0], each) for each in tree)

    def _key(self, kind: Any, data: Tree) -> str:
        """What tells a member of a list from the others: all of it where nothing less is said to."""
        if not isinstance(data, dict):
            return ""
        if kind in self.keys:
            return str(reduce(lambda inner, name: inner.get(name, {}), self.keys[kind].split("."), data))
        return "|".join(str(data.get(each.key, each.default)) for each in self.fields(kind))


def other(kind: Any) -> Any:
    """Of a union the member that is neither text nor nothing, if there is one; what is no union is itself."""
    if get_origin(kind) is not UnionType:
        return kind
    return next((each for each in get_args(kind) if each not in {str, NoneType}), str)
