"""What a rule's target receives: the event, a part of it, a constant, or a template filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any


def payload(target: Mapping[str, Any], envelope: Mapping[str, Any]) -> Any:
    """The JSON value that this target gets of this event."""
    if "Input" in target:
        return json.loads(target["Input"])
    if "InputPath" in target:
        return _at(target["InputPath"], envelope)
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], envelope)
    return envelope


def _at(path: str, value: Any) -> Any:
    """What stands at a path such as `$.detail.containers[0].name`; None when nothing does."""
    for name, index in re.findall(r"\.([^.\[]+)|\[(\d+)\]", path):
        try:
            value = value[name] if name else value[int(index)]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _transformed(transformer: Mapping[str, Any], envelope: Mapping[str, Any]) -> Any:
    values = {name: _at(path, envelope) for name, path in transformer.get("InputPathsMap", {}).items()}
    values["aws.events.event"] = values["aws.events.event.json"] = envelope
    first, *rest = re.split(r"<([\w.-]+)>", transformer["InputTemplate"])
    filled = first
    for name, text in zip(rest[::2], rest[1::2], strict=True):
        filled += _filled_in(values.get(name), quoted=_ends_inside_quotes(filled)) + text
    return json.loads(filled)


def _filled_in(value: Any, *, quoted: bool) -> str:
    if not quoted:
        return json.dumps(value)
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]


def _ends_inside_quotes(text: str) -> bool:
    return len(re.findall(r'(?<!\\)"', text)) % 2 == 1
