"""Dataclasses as JSON and back, as their type hints say: strict about types, tolerant of fields of other versions.

A field that is missing has its default; so a plain default is not written. A field that is not known here is no error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, NoReturn, get_args, get_origin

from expose.shapes import Shapes, Tree, other

_PLAIN: Mapping[Any, Set[type]] = {
    str: frozenset({str}),
    bool: frozenset({bool}),
    int: frozenset({int}),
    float: frozenset({float, int}),
}
"""What each plain type is in JSON."""

Load = Callable[[Any, list[type]], Any]
Dump = Callable[[Any], Any]


class Unreadable(Exception):  # noqa: N818 - it names what is wrong with what is stored
    """What is stored is not what this version can read. The text says where, and why."""


class Codec:
    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self._loads: dict[Any, Load] = {}
        self._dumps: dict[Any, Dump] = {}

    def load(self, kind: Any, tree: Tree) -> tuple[Any, bool]:
        """The value, and whether every field in the JSON was known. Raise `Unreadable`."""
        strange: list[type] = []
        return self._load(kind)(tree, strange), not strange

    def dump(self, kind: Any, value: Any) -> Tree:
        return self._dump(kind)(value)

    def _load(self, kind: Any) -> Load:
        if kind not in self._loads:
            self._loads[kind] = self._loader(kind)
        return self._loads[kind]

    def _dump(self, kind: Any) -> Dump:
        if kind not in self._dumps:
            self._dumps[kind] = self._dumper(kind)
        return self._dumps[kind]

    def _loader(self, kind: Any) -> Load:
        inner = get_args(kind)
        if kind is Any:
            return lambda data, _: data
        if kind in _PLAIN:
            return _plain(kind)
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return _enum(kind)
        if is_dataclass(kind):
            return _row(kind) if kind in self.shapes.rows else self._object(kind)
        if get_origin(kind) is UnionType:
            return self._either(kind)
        if get_origin(kind) is Mapping:
            return self._mapping(inner[1]) if inner[0] is str else self._rows(*inner)
        return self._list(inner[0]) if inner[1:] == (...,) else self._fixed(inner)

    def _object(self, kind: Any) -> Load:
        known = [
            (each.key, each.name, _PLAIN.get(each.kind, frozenset()), self._load(each.kind))
            for each in self.shapes.fields(kind)
        ]

        def load(data: Any, strange: list[type]) -> Any:
            _expect(data, dict, "an object")
            values: dict[str, Any] = {}
            for key, name, plain, each in known:
                if key in data:
                    value = data[key]
                    try:
                        values[name] = value if type(value) in plain else each(value, strange)
                    except Unreadable as problem:
                        raise Unreadable(f"{key}: {problem}") from problem
            if len(values) != len(data):
                strange.append(kind)
            try:
                return kind(**values)
            except TypeError as problem:
                raise Unreadable(f"a {kind.__name__} is not complete: {problem}") from problem

        return load

    def _list(self, kind: Any) -> Load:
        each = self._load(kind)

        def load(data: Any, strange: list[type]) -> Any:
            _expect(data, list, "a list")
            return tuple([each(one, strange) for one in data])

        return load

    def _fixed(self, kinds: tuple[Any, ...]) -> Load:
        """What another version says at the end of it is left out."""
        loads = [self._load(kind) for kind in kinds]

        def load(data: Any, strange: list[type]) -> Any:
            _expect(data, list, f"a list of {len(loads)}", least=len(loads))
            return tuple([each(one, strange) for each, one in zip(loads, data, strict=False)])

        return load

    def _mapping(self, kind: Any) -> Load:
        each = self._load(kind)

        def load(data: Any, strange: list[type]) -> Any:
            _expect(data, dict, "an object")
            return {name: each(one, strange) for name, one in data.items()}

        return load

    def _rows(self, key: Any, kind: Any) -> Load:
        """What is not named by plain text is a list of rows, each a key with its value after it."""
        named, each = self._load(key), self._load(kind)

        def load(data: Any, strange: list[type]) -> Any:
            _expect(data, list, "a list")
            for one in data:
                _expect(one, list, "a list", least=1)
            return {named(one[:-1], strange): each(one[-1], strange) for one in data}

        return load

    def _either(self, kind: Any) -> Load:
        """Text, nothing, or one other thing: JSON tells which."""
        rest = self._load(other(kind))
        plain = tuple(each for each in get_args(kind) if each in {str, NoneType})

        def load(data: Any, strange: list[type]) -> Any:
            return data if isinstance(data, plain) else rest(data, strange)

        return load

    def _dumper(self, kind: Any) -> Dump:
        inner = get_args(kind)
        if is_dataclass(kind):
            return _dump_row(kind) if kind in self.shapes.rows else self._dump_object(kind)
        if not inner:
            return lambda value: value
        if get_origin(kind) is UnionType:
            rest = self._dump(other(kind))
            return lambda value: value if isinstance(value, str | None) else rest(value)
        if get_origin(kind) is Mapping:
            named, each = self._dump(inner[0]), self._dump(inner[1])
            if inner[0] is str:
                return lambda value: {name: each(one) for name, one in value.items()}
            return lambda value: [[*named(name), each(one)] for name, one in value.items()]
        if inner[1:] == (...,):
            member = self._dump(inner[0])
            return lambda value: [member(one) for one in value]
        return list

    def _dump_object(self, kind: Any) -> Dump:
        known = [
            (
                each.key,
                each.name,
                each.default if _may_be_left_out(each.kind) else MISSING,
                self._dump(each.kind),
            )
            for each in self.shapes.fields(kind)
        ]

        def dump(value: Any) -> Tree:
            there = [(key, getattr(value, name), default, each) for key, name, default, each in known]
            return {key: each(one) for key, one, default, each in there if one != default}

        return dump


def _may_be_left_out(kind: Any) -> bool:
    return kind in _PLAIN or get_origin(kind) is UnionType


def _plain(kind: Any) -> Load:
    def load(data: Any, _: list[type]) -> Any:
        if type(data) not in _PLAIN[kind]:
            _unlike(kind.__name__, data)
        return data

    return load


def _enum(kind: type[StrEnum]) -> Load:
    def load(data: Any, _: list[type]) -> Any:
        _expect(data, str, "text")
        return kind(data)

    return load


def _row(kind: Any) -> Load:
    width = len(fields(kind))

    def load(data: Any, _: list[type]) -> Any:
        _expect(data, list, f"a list of {width}", least=width)
        for one in data:
            _expect(one, str, "text")
        return kind(*data[:width])

    return load


def _dump_row(kind: Any) -> Dump:
    names = [each.name for each in fields(kind)]
    return lambda value: [getattr(value, name) for name in names]


def _expect(data: Any, kind: Any, words: str, *, least: int = 0) -> None:
    if type(data) is not kind or (least and len(data) < least):
        _unlike(words, data)


def _unlike(words: str, data: Any) -> NoReturn:
    raise Unreadable(f"expected {words}, got {str(data)[:80]!r}")
