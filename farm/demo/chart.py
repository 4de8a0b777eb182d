"""A strip for each task of a service: when it ran, and when its name answered with its address."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group
from rich.text import Text

from farm.demo.watch import Life, Sample, Window

LEAD = 1.0  # seconds that a chart shows before whatever it is about, which is at 0
_STEP = 0.2  # seconds a cell, at least
_WIDTH = 62  # cells
_MARGIN = 15  # before them
_STYLES = {"█": "green", "▓": "yellow", "X": "bold white on red", "░": "dim", "·": "dim"}
_LEGEND = {
    "█": "answered",
    "▓": "answered, will stop",
    "X": "answered, STOPPED",
    "░": "not answered",
}


def chart(window: Window, *, until: float) -> Group:
    """The tasks that lived in the window, oldest first. The longer it is, the more seconds has a cell."""
    step = max(_STEP, (until - window.since) / _WIDTH)
    columns = [window.since + number * step for number in range(int((until - window.since) / step))]
    heard = [[each for each in window.samples if at <= each.heard_at < at + step] for at in columns]
    lives = [life for life in window.lives if life.seen_at < until and life.stopped_at > window.since]
    rows = [_row(life, window, columns, heard) for life in sorted(lives, key=lambda life: life.seen_at)]
    return Group(_axis(len(columns), step), *rows, _legend())


def bars(counts: Mapping[str, int]) -> Group:
    """A bar for each, as long as its number."""
    return Group(
        *(
            Text.assemble(f"    {name:<{_MARGIN - 4}}", ("█" * min(count, _WIDTH), "green"), f" {count}")
            for name, count in counts.items()
        )
    )


def pairs(told: Mapping[str, str]) -> Group:
    """A line for each, with what there is to tell of it."""
    return Group(*(Text(f"    {name:<{_MARGIN - 4}}{text}") for name, text in told.items()))


def _axis(count: int, step: float) -> Text:
    """Seconds, at least six cells apart."""
    every = next(seconds for seconds in (1, 2, 5, 10, 30, 60) if seconds / step >= 6 or seconds == 60)
    axis = ""
    for second in range(0, int(count * step - LEAD) + 1, every):
        axis = f"{axis:<{round((second + LEAD) / step)}}{second}"
    return Text(f"{'':{_MARGIN}}{axis} s", "dim")


def _row(life: Life, window: Window, columns: list[float], heard: list[list[Sample]]) -> Text:
    row = Text(f"  {life.address or '...':<{_MARGIN - 2}}")
    for at, samples in zip(columns, heard, strict=True):
        cell = _cell(life, window, at, samples)
        row.append(cell, _STYLES.get(cell, ""))
    return row


def _cell(life: Life, window: Window, at: float, samples: list[Sample]) -> str:
    answered = [sample for sample in samples if life.address in sample.addresses]
    if any(window.is_wrong(sample, life.address) for sample in answered):
        return "X"
    if at < life.seen_at or at >= life.stopped_at:
        return " "
    if answered:
        return "▓" if at >= life.told_at else "█"
    return "░" if at >= life.running_at else "·"


def _legend() -> Text:
    parts = [
        part
        for cell, meaning in _LEGEND.items()
        for part in ((cell, _STYLES[cell]), (f" {meaning}   ", "dim"))
    ]
    return Text.assemble("  ", *parts)
