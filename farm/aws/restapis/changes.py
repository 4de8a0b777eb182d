"""Changes of a REST API: one at a time (F§5.1), and by PATCH operations, all of a call or none."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from farm.aws import clock
from farm.aws.apigateway.model import Params, Result, check_idle, invalid
from farm.aws.restapis.model import Rest

Act = Callable[[Rest, Params], Result]
Read = Callable[[str], Any]


def changing(act: Act) -> Act:
    """A call that changes what is in an API."""

    @functools.wraps(act)
    def change(of: Rest, asked: Params) -> Result:
        api = of.api(asked)
        check_idle(api.changed_at, of.settings.busy)
        result = act(of, asked)
        api.changed_at = clock.now()
        return result

    return change


def telling(act: Act) -> Act:
    """A call that changes how requests are answered."""

    @functools.wraps(act)
    def tell(of: Rest, asked: Params) -> Result:
        result = act(of, asked)
        of.both.settings.changed()
        return result

    return tell


def operations(asked: Params) -> Iterator[tuple[str, str, str]]:
    """Op, path and value of each; an operation that no PATCH of REST APIs has is refused."""
    for one in asked.get("patchOperations", ()):
        op, path = one.get("op", ""), one.get("path", "")
        if op not in {"add", "remove", "replace"}:
            raise invalid(f"Invalid patch operation specified: {op or None}")
        yield op, path, one.get("value", "")


def patched(shown: Result, op: str, path: str, value: str, members: Mapping[str, Read]) -> Result:
    """With a member replaced or removed, or one entry of a member that is a map: /requestParameters/KEY."""
    name, _, key = path.removeprefix("/").partition("/")
    if name not in members or not path.startswith("/"):
        known = ", ".join(f"/{one}" for one in members)
        raise invalid(f"Invalid patch path '{path}' specified for op '{op}'. Must be one of: [{known}]")
    if key:
        return {**shown, name: _put(shown.get(name, {}), op, _unescaped(key), value, members[name])}
    return _put(shown, op, name, value, members[name])


def flag(value: str) -> bool:
    return value.lower() == "true"


def rate(value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise invalid(f"Invalid patch value '{value}' specified") from error


def number(value: str) -> int:
    if not value.isdigit():
        raise invalid(f"Invalid patch value '{value}' specified")
    return int(value)


def _put(held: Mapping[str, Any], op: str, name: str, value: str, read: Read) -> dict[str, Any]:
    rest = {known: one for known, one in held.items() if known != name}
    return rest if op == "remove" else {**rest, name: read(value)}


def _unescaped(key: str) -> str:
    return key.replace("~1", "/").replace("~0", "~")
