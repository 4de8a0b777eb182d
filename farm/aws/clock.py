"""The timeline in force, shared by all mends: moto's queues, tasks and operations live on the farm's time, not the wall's."""

from __future__ import annotations

from collections.abc import Callable

from farm.timeline import Timeline

_timeline = Timeline()


def use(timeline: Timeline) -> None:
    """From now on the account lives on this timeline."""
    global _timeline  # noqa: PLW0603 - moto's models have no place to hand a clock in
    _timeline = timeline


def now() -> float:
    """Seconds since the epoch, as the account has it."""
    return _timeline.now()


def after(seconds: float, action: Callable[[], object]) -> None:
    """Something that happens in the account later."""
    _timeline.after(seconds, action)
