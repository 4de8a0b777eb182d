"""Pages as AWS hands them out: a stable order, an opaque token, and no repetition when things come and go in between."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


class BadTokenError(ValueError):
    """A token that no page ever gave."""


def page(
    items: Iterable[T], key: Callable[[T], str], size: int, token: str | None
) -> tuple[list[T], str | None]:
    """The items after the token, at most `size` of them in the order of their keys, and the token for the rest."""
    after = _read(token) if token else ""
    rest = sorted((item for item in items if key(item) > after), key=key)
    return rest[:size], _token(key(rest[size - 1])) if len(rest) > size else None


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _read(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadTokenError(token) from error
