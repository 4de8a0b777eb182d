"""How an exposure stands, and the ways to say no: the owner has to act, or it only takes time.

Whatever stands in the way of an exposure is raised as one of these, and becomes its status.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How an exposure stands, as its owner sees it."""

    ACTIVE = "Active"
    PENDING = "Pending"
    INVALID = "Invalid"
    BLOCKED = "Blocked"
    FAILED = "Failed"


_TAKES_BACK = frozenset({"BadPreset", "NoPreset", "NotAllowed"})


class Refused(Exception):  # noqa: N818 - it names what happened, and is no bug
    """The owner must act. `code` is stable and for machines; the text says what, which and what to do."""

    status = Status.BLOCKED

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def takes_back(self) -> bool:
        """Whether it is the stack that does not allow it. Then what was made under an earlier word goes as well."""
        return self.code in _TAKES_BACK

    def taking_back(self, before: Refused) -> Refused:
        """The same, and why what the tag asked for before may not be had either."""
        if self.message == before.message:
            return self
        return self.and_also(f"what it asked for before is withdrawn: {before.message}")

    def and_also(self, more: str) -> Refused:
        """The same, with more to say."""
        return type(self)(self.code, f"{self.message}; {more}")


class Invalid(Refused):
    """The tag cannot be read."""

    status = Status.INVALID


class Partly(Refused):
    """The owner must act for the whole of it. What may be had, as resources, is `desired` all the same: the rest goes."""

    def __init__(self, code: str, message: str, desired: Sequence[Any]) -> None:
        super().__init__(code, message)
        self.desired = desired


class Lingering(Refused):
    """What is not needed any more stays. What is needed stands all the same; the owner should see to the rest."""


class NotYet(Exception):  # noqa: N818 - waiting is normal
    """Come back in `seconds`: something is still on its way."""

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.message = message
        self.seconds = seconds


class InTheWay(NotYet):
    """Wait for something of our own to go first: here the old way in has to close before the new one can open."""


class NoRoom(InTheWay):
    """It is room that is missing: where nothing of our own is to go, the owner must see to it."""


class Behind(NotYet):
    """Wait for another one of our own, which says itself what it waits for."""


class Gone(Exception):  # noqa: N818 - it names what was found
    """What was to be changed is not there any more, or of no use: it has to be made anew."""
