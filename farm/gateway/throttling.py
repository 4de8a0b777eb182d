"""Token buckets, one per route of a stage (F§5.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """Room for `burst` requests, refilled by `rate` a second. Without room, nothing passes."""

    rate: float
    burst: float


class Buckets:
    """Full at first, and full again when their limit changes."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._levels: dict[tuple[str, str, str], tuple[Limit, float, float]] = {}

    def draw(self, route: tuple[str, str, str], limit: Limit) -> bool:
        """Take one for a request of a route, given as API, stage and key. False if there is nothing left."""
        now = self._now()
        known, level, since = self._levels.get(route, (limit, limit.burst, now))
        level = min(limit.burst, level + (now - since) * limit.rate) if known == limit else limit.burst
        passes = level >= 1
        self._levels[route] = (limit, level - 1 if passes else level, now)
        return passes
