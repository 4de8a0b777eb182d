"""Route keys: how they must look, and which of them an API cannot hold together (F§5.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from farm.aws.apigateway.model import conflict, invalid

_KEY = re.compile(r"(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|ANY) (/\S*)")
_PLAIN = re.compile(r"[^{}/]*")
_VARIABLE = re.compile(r"\{[A-Za-z0-9._-]+\+?\}")


def check_key(key: str, present: Iterable[str]) -> None:
    """Refuse a key that has no route's form, that another route has, or whose variables are called otherwise there."""
    if key != "$default" and not _is_formed(key):
        raise invalid(
            "The provided route key is not formatted properly for HTTP protocol. "
            'Format should be "[HTTP METHOD] /[RESOURCE PATH]" or "$default"'
        )
    others = list(present)
    if key in others:
        raise conflict(f"Route with key {key} already exists for this API")
    for other in others:
        if _disagree(_segments(key), _segments(other)):
            raise conflict(
                f'The provided route key "{key}" has a conflicting variable on the same hierarchical level '
                f'as "{other}"'
            )


def _is_formed(key: str) -> bool:
    if (match := _KEY.fullmatch(key)) is None:
        return False
    *inner, last = match[2].split("/")[1:]
    return all(
        _PLAIN.fullmatch(one) or (_VARIABLE.fullmatch(one) and not _is_greedy(one)) for one in inner
    ) and (_PLAIN.fullmatch(last) is not None or _VARIABLE.fullmatch(last) is not None)


def _segments(key: str) -> list[str]:
    return key.partition(" ")[2].split("/")[1:]


def _disagree(one: list[str], other: list[str]) -> bool:
    """Whether the first difference of two paths is the name of a variable."""
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            both = mine.startswith("{") and theirs.startswith("{")
            return both and _is_greedy(mine) == _is_greedy(theirs)
    return False


def _is_greedy(segment: str) -> bool:
    return segment.endswith("+}")
