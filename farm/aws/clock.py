"""The timeline in force, shared by all mends: moto's queues, tasks and operations live on the farm's time, not the wall's."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from farm.timeline import Due, Timeline, WallTimeline

_timeline = Timeline()
_real_sleep = time.sleep


def use(timeline: Timeline) -> None:
    """From now on the account lives on this timeline."""
    global _timeline  # noqa: PLW0603 - moto's models have no place to hand a clock in
    _timeline = timeline


def now() -> float:
    """Seconds since the epoch, as the account has it."""
    return _timeline.now()


def iso() -> str:
    """Now, as AWS writes it in an event's envelope."""
    return datetime.fromtimestamp(now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def after(seconds: float, action: Callable[[], object]) -> Due:
    """Something that happens in the account later. What it returns can be cancelled."""
    return _timeline.after(seconds, action)


def cancel(due: Due) -> None:
    """Something that will not happen after all."""
    _timeline.cancel(due)


def is_virtual() -> bool:
    """Whether time passes only when a test lets it."""
    return not isinstance(_timeline, WallTimeline)


def run_until(reached: Callable[[], bool], *, limit: float) -> bool:
    """Let time pass until `reached()`, or for `limit` seconds. Says which it was."""
    return _timeline.run_until(reached, limit=limit)


def sleep(seconds: float) -> None:
    """Wait, while the rest of the account goes on."""
    if is_virtual():
        _timeline.run_for(seconds)
    else:
        _real_sleep(seconds)


def hold(seconds: float) -> None:
    """Let time pass while nobody else acts: what falls due meanwhile happens late. For waits in the middle of a call."""
    if is_virtual():
        _timeline._now += seconds
    else:
        _real_sleep(seconds)
