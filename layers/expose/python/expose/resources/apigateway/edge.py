"""What all calls to API Gateway share: whose something is, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from expose.aws import code
from expose.refusals import NotYet, Refused

OWNER_TAG = "ecs-expose:owner"
_AGAIN = 2.0  # seconds before a change is asked for again that met another one of the same API
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


def pages(call: Callable[..., Any], **asked: Any) -> Iterator[Any]:
    """All items: not every list of API Gateway has a paginator."""
    token: dict[str, str] = {}
    while True:
        answer = call(**asked, **token)
        yield from answer.get("Items", [])
        if not answer.get("NextToken"):
            return
        token = {"NextToken": answer["NextToken"]}
