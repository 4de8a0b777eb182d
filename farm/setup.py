"""How a farm is to be: what `Farm.virtual` and `Farm.wall` take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from farm.bus import Manners
from farm.pace import FAST, Pace
from farm.workers import Workers


@dataclass(frozen=True, slots=True)
class Setup:
    """How a farm is to be."""

    pace: Pace = FAST
    manners: Manners = field(default_factory=Manners.calm)
    seed: int = 0
    deploy: bool = True
    """Whether the product is there; without, the farm is only an account that lives."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The stack's."""
    watched: tuple[str, ...] = ()
    """Hosted zones that others keep: there before the stack is, which is told to watch them."""
    ipv6: bool = False
    """Whether the network is dual-stack."""
    workers: Workers | None = None
    """On virtual time: functions side by side, as Lambda runs them. Without, one handler at a time runs to its end."""
    throttle: bool = False
    """Whether AWS's token buckets are in force. They are the account's: its user and the product share them."""
