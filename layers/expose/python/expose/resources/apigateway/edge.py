"""What all calls to API Gateway share: what its refusals mean, and how what is in an API is listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from expose.aws import code
from expose.model import Identity, Owned, resolve
from expose.refusals import NotYet, Refused

_AGAIN = 2.0  # seconds before a change is asked for again that met another one of the same API
_USED = 5.0  # seconds before something is removed that another one referred to
_MET = "concurrent modification"
_FULL = "maximum number"


def said(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


@contextmanager
def changing() -> Iterator[None]:
    """A change that meets another one waits for it; a quota is for the owner to know (F§5.1)."""
    try:
        yield
    except ClientError as error:
        words = said(error).lower()
        if _MET in words:
            raise NotYet("another change of the same API is under way", seconds=_AGAIN) from error
        if _FULL in words:
            problem = (
                f"API Gateway has no room left: {said(error)} Remove some, or ask for more in Service Quotas"
            )
            raise Refused("QuotaReached", problem) from error
        raise


@contextmanager
def unless_gone() -> Iterator[None]:
    """What is gone need not be removed. It is looked for before: IAM knows no mark on what is gone, and refuses."""
    try:
        yield
    except ClientError as error:
        if code(error) != "NotFoundException":
            raise


@contextmanager
def unless_used(what: str) -> Iterator[None]:
    """What something refers to goes after that."""
    try:
        yield
    except ClientError as error:
        if code(error) != "ConflictException":
            raise
        raise NotYet(f"{what} is still in use: {said(error)}", seconds=_USED) from error


def pages(call: Callable[..., Any], **asked: Any) -> Iterator[Any]:
    """All items: not every list of API Gateway has a paginator."""
    token: dict[str, str] = {}
    while True:
        answer = call(**asked, **token)
        yield from answer.get("Items", [])
        if not answer.get("NextToken"):
            return
        token = {"NextToken": answer["NextToken"]}


def by_id(call: Callable[..., Any], name: str, **asked: Any) -> dict[str, Any]:
    """All items by their id, which is called `name`; none where what they are in is gone."""
    try:
        return {each[name]: each for each in pages(call, **asked)}
    except ClientError as error:
        if code(error) != "NotFoundException":
            raise
        return {}


def there(
    kind: str, owned: Iterable[Owned], listed: Callable[[str], Mapping[str, Any]]
) -> Iterator[tuple[Owned, Mapping[str, str], Any]]:
    """Those of a kind that are in their API, the ids that they refer to, and what AWS says of them. Each API is
    `listed` once.
    """
    known = {entry.identity: entry for entry in owned}
    apis: dict[str, Mapping[str, Any]] = {}
    for entry in known.values():
        ids = resolve(entry.refs, known) if entry.identity.kind == kind and entry.aws_id else {}
        if api := ids.get("api", ""):
            if api not in apis:
                apis[api] = listed(api)
            if found := apis[api].get(entry.aws_id):
                yield entry, ids, found


def named(entry: Owned, ids: Mapping[str, str], ref: str, value: str) -> str:
    """An id that AWS says, under our own name where it is that of what `entry` refers to."""
    mine = entry.refs.get(ref)
    return mine.key if isinstance(mine, Identity) and value and ids.get(ref) == value else value
