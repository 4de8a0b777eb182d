"""How a list of addresses is laid out in parameters of 4 KB: pure, and so that readers never miss an address that stays.

An entry stays in its part for as long as it is there, because moving it takes two writes, between which somebody may
read. Only the last part is emptied into the others, once all of it has room there: written there first, then removed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from expose.model import Resource

Entry = dict[str, Any]
Part = list[Entry]

_ROOM = 4096  # bytes of a standard parameter


def loads(text: str) -> Part:
    """The entries in it. Whatever else somebody has written there is not ours to keep."""
    try:
        found = json.loads(text)
    except ValueError:
        return []
    entries = found if isinstance(found, list) else []
    return [each for each in entries if isinstance(each, dict) and isinstance(each.get("task"), str)]


def dumps(part: Part) -> str:
    """In ASCII: as many bytes as characters."""
    return json.dumps(part, separators=(",", ":"))


def apart(parts: Iterable[Part]) -> list[Part]:
    """Each task once. One that is there twice was on its way from one part to another."""
    seen: set[str] = set()
    kept: list[Part] = []
    for part in parts:
        kept.append([each for each in part if each["task"] not in seen])
        seen.update(each["task"] for each in part)
    return kept


def without(parts: Iterable[Part], tasks: Collection[str]) -> list[Part]:
    return _gathered([[each for each in part if each["task"] not in tasks] for part in apart(parts)])


def having(parts: Iterable[Part], resources: Sequence[Resource]) -> list[Part]:
    """With the entries of these in the place of those that their tasks have. What is there as wanted does not move."""
    new = {resource.task: dict(resource.spec) for resource in resources}
    kept = [[each for each in part if new.get(each["task"], each) == each] for part in apart(parts)] or [[]]
    there = {each["task"] for part in kept for each in part}
    for task, entry in new.items():
        if task not in there and not _found_room(kept, entry):
            kept.append([entry])
    return _gathered(kept)


def _gathered(parts: list[Part]) -> list[Part]:
    """Without the parts at the end that the others have room for."""
    while len(parts) > 1:
        others = [list(part) for part in parts[:-1]]
        if not all(_found_room(others, entry) for entry in parts[-1]):
            break
        parts = others
    return parts


def _found_room(parts: Sequence[Part], entry: Entry) -> bool:
    """Put into the first part that has room, if any has."""
    for part in parts:
        if _size([*part, entry]) <= _ROOM:
            part.append(entry)
            return True
    return False


def _size(part: Part) -> int:
    return len(dumps(part))
