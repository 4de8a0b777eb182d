"""A service's story, as values: each tag, what it makes, each task. `telling` fills them, `explain` and `plan` print them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from expose.cli.obstacles import Obstacle
from expose.refusals import Status


@dataclass(frozen=True, slots=True)
class Piece:
    """A resource: what is desired of it (nothing where it is to go), and how it stands in AWS."""

    kind: str
    key: str
    state: str
    aws_id: str = ""
    address: str = ""
    task: str = ""
    trouble: str = ""
    desired: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A change. `withheld` where the policy keeps it back."""

    change: str
    kind: str
    key: str
    task: str = ""
    address: str = ""
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """How a tag was read; None of it where it cannot be."""

    mechanism: str
    target: Any
    options: Mapping[str, Any]
    defaults: tuple[str, ...]
    """The options that it leaves to their defaults."""


@dataclass(frozen=True, slots=True)
class Told:
    """One tag. `status` to `since` are the ledger's; `follows` is an earlier value of the tag that is followed instead."""

    tag: str
    value: str
    policy: str
    reading: Reading | None
    status: Status | None
    code: str
    message: str
    since: float
    addresses: tuple[str, ...]
    follows: str
    pieces: tuple[Piece, ...]
    steps: tuple[Step, ...]
    obstacles: tuple[Obstacle, ...]
    hints: tuple[Obstacle, ...]
    """What keeps people from it although all is as the tag asks."""

    @property
    def as_asked(self) -> bool:
        return not self.steps and not self.obstacles


@dataclass(frozen=True, slots=True)
class Running:
    """A task, and why it is published by each tag, or is not."""

    id: str
    ready: bool
    said: str
    private_ipv4: str
    public_ipv4: str
    ipv6: str
    open: tuple[str, ...] | None
    """The ports that the internet reaches, as people say it; None where that could not be read."""
    exposed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """A service."""

    service: str
    label: str
    active: bool
    wanted: int
    tags: tuple[Told, ...]
    tasks: tuple[Running, ...]
    notes: tuple[Obstacle, ...]

    @property
    def as_asked(self) -> bool:
        return not self.notes and all(told.as_asked for told in self.tags)
