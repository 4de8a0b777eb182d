"""What the audit has to say about a service: findings that are graded, and the same as long as the cause is.

A finding's identity is made of what opens, never of the task or the address that happens to show it: tasks rotate,
the finding stays one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from expose.model import Opening

WORLD = "open-to-world"
RANGES = "open-to-ranges"
UNREACHABLE = "unreachable"
PUBLIC_ADDRESS = "public-address"

GRADES = ("critical", "high", "medium", "low", "info")
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A port that a tag asks for: the container's, and the one to `dial` (another one on bridge networks)."""

    protocol: str
    port: int
    dial: int


@dataclass(frozen=True, slots=True)
class Finding:
    """`service` is an ARN or a task group, `subject` what of it is meant, as people say it. Family 0 is both.

    `tasks` show it now; two findings of the same id are the same whichever tasks those are.
    """

    id: str
    kind: str
    grade: str
    service: str
    subject: str
    family: int = 0
    protocol: str = ""
    first: int = 0
    last: int = 0
    sources: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    declared: bool = False
    message: str = ""
    tasks: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """A task that has a public address: what is open there, and what its tags declare (None: no tag asks for it)."""

    task: str
    openings: tuple[Opening, ...]
    declared: tuple[Declared, ...] | None = None


def findings(service: str, seen: Iterable[Seen]) -> tuple[Finding, ...]:
    """Of one service, the worst first."""
    raise NotImplementedError


def undeclared(openings: Iterable[Opening], declared: Collection[Declared]) -> tuple[Opening, ...]:
    """Those open to the world that let in to more ports than `declared` (guard=enforce holds such tasks back)."""
    raise NotImplementedError


def changes(
    before: Iterable[Finding], now: Iterable[Finding]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Which have opened, and which have closed."""
    raise NotImplementedError


def identity(*parts: object) -> str:
    """A finding's id, from what makes it this one and no other."""
    raise NotImplementedError
