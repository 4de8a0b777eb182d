"""EventBridge's event patterns: which are legal, and what they match.

Moto takes an operator that it does not know for one that always matches, and does not look into arrays of objects.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Pattern = Mapping[str, Any]

_MISSING = object()
_NUMERIC = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


class InvalidPatternError(ValueError):
    """What EventBridge would say of the pattern when the rule is put."""


def check(pattern: Any) -> None:
    """Raise `InvalidPatternError` for what PutRule refuses."""
    if not isinstance(pattern, dict) or not pattern:
        raise InvalidPatternError("Filter is not an object")
    for name, wanted in pattern.items():
        if name == "$or":
            for alternative in wanted:
                check(alternative)
        elif isinstance(wanted, dict):
            check(wanted)
        elif not isinstance(wanted, list):
            raise InvalidPatternError(f'"{name}" must be an object or an array')
        elif not wanted:
            raise InvalidPatternError("Empty arrays are not allowed")
        else:
            _check_leaf(wanted)


def matches(pattern: Pattern, event: Any) -> bool:
    """Whether the event has, for every name of the pattern, one of the values wanted."""
    if isinstance(event, list):
        return any(matches(pattern, item) for item in event)
    if not isinstance(event, dict):
        event = {}
    return all(_matches_name(name, wanted, event) for name, wanted in pattern.items())


def _matches_name(name: str, wanted: Any, event: Mapping[str, Any]) -> bool:
    if name == "$or":
        return any(matches(alternative, event) for alternative in wanted)
    if isinstance(wanted, dict):
        return matches(wanted, event.get(name, {}))
    values = _leaves(event.get(name, _MISSING))
    return any(_matches_leaf(alternative, values) for alternative in wanted)


def _leaves(value: Any) -> list[Any]:
    """The values that a name holds: none when it is missing, each of an array's. An object is not a value."""
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [] if value is _MISSING or isinstance(value, dict) else [value]


def _matches_leaf(wanted: Any, values: Sequence[Any]) -> bool:
    if not isinstance(wanted, dict):
        return any(_equal(wanted, value) for value in values)
    name, argument = next(iter(wanted.items()))
    if name == "exists":
        return bool(values) is argument
    return any(_OPERATORS[name](argument, value) for value in values)


def _equal(wanted: Any, value: Any) -> bool:
    same_kind = isinstance(wanted, bool) is isinstance(value, bool)
    return same_kind and bool(wanted == value)


def _anything_but(argument: Any, value: Any) -> bool:
    if isinstance(argument, dict):
        name, inner = next(iter(argument.items()))
        return not any(_OPERATORS[name](one, value) for one in _listed(inner))
    return not any(_equal(one, value) for one in _listed(argument))


def _affix(holds: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def test(argument: Any, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if isinstance(argument, dict):
            return holds(value.lower(), argument["equals-ignore-case"].lower())
        return holds(value, argument)

    return test


def _numeric(argument: Sequence[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(
        _NUMERIC[sign](value, limit) for sign, limit in zip(argument[::2], argument[1::2], strict=True)
    )


def _wildcard(argument: str, value: Any) -> bool:
    parts = re.split(r"(\\[*\\]|\*)", argument)
    expression = "".join(".*" if part == "*" else re.escape(part.removeprefix("\\")) for part in parts)
    return isinstance(value, str) and re.fullmatch(expression, value, re.DOTALL) is not None


def _cidr(argument: str, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(argument)
    except ValueError:
        return False


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _affix(str.startswith),
    "suffix": _affix(str.endswith),
    "equals-ignore-case": lambda argument, value: (
        isinstance(value, str) and value.lower() == argument.lower()
    ),
    "anything-but": _anything_but,
    "numeric": _numeric,
    "wildcard": _wildcard,
    "cidr": _cidr,
}
_INSIDE_ANYTHING_BUT = {"prefix", "suffix", "equals-ignore-case", "wildcard"}


def _check_leaf(alternatives: Sequence[Any]) -> None:
    for alternative in alternatives:
        if isinstance(alternative, list):
            raise InvalidPatternError("Nested arrays are not allowed")
        if isinstance(alternative, dict):
            _check_operator(alternative, {*_OPERATORS, "exists"})


def _check_operator(alternative: Mapping[str, Any], known: set[str]) -> None:
    if len(alternative) != 1:
        raise InvalidPatternError("Only one key allowed in match expression")
    name, argument = next(iter(alternative.items()))
    if name not in known:
        raise InvalidPatternError(f"Unrecognized match type {name}")
    if name == "exists" and not isinstance(argument, bool):
        raise InvalidPatternError("exists match pattern must be either true or false.")
    if name == "numeric" and (len(argument) % 2 or not set(argument[::2]) <= set(_NUMERIC)):
        raise InvalidPatternError("Bad numeric range operator")
    if name == "anything-but" and isinstance(argument, dict):
        _check_operator(argument, _INSIDE_ANYTHING_BUT)
    if (
        name in {"prefix", "suffix"}
        and isinstance(argument, dict)
        and set(argument) != {"equals-ignore-case"}
    ):
        raise InvalidPatternError(f"Unrecognized match type in {name}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
