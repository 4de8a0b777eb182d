"""How things are printed: tables for people, JSON for programs, times as either reads them."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table

from expose.refusals import Status

_WIDTH = 100  # columns, where the output is no terminal and nobody says how wide it is

COLOURS = {
    Status.ACTIVE: "green",
    Status.PENDING: "yellow",
    Status.INVALID: "red",
    Status.BLOCKED: "red",
    Status.FAILED: "red",
}

SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red"), "forget": (" ", "dim")}


def show(*drawn: RenderableType, wrap: bool = True) -> None:
    """Print. Where it goes to no terminal, without the blanks that fill up a table's lines."""
    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH
    console = Console(highlight=False, markup=False, emoji=False, width=wide)
    if console.is_terminal:
        for each in drawn:
            console.print(each, soft_wrap=not wrap)
        return
    with console.capture() as captured:
        for each in drawn:
            console.print(each, soft_wrap=not wrap)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def print_json(document: Any) -> None:
    sys.stdout.write(json.dumps(plain(document), indent=2, ensure_ascii=False) + "\n")


def complain(text: str) -> None:
    Console(stderr=True, highlight=False).print(f"[red]error:[/] {_escaped(text)}", soft_wrap=True)


def plain(value: Any) -> Any:
    """As JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def iso(at: float) -> str | None:
    """In UTC, to the second; None where the time is not known."""
    return (
        datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
    )


def local(at: float) -> str:
    """As a clock on the wall here shows it, with the day."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def ago(at: float) -> str:
    return f"{span(time.time() - at)} ago" if at else "-"


def span(seconds: float) -> str:
    """A time in the largest unit that is there at least twice: 90 s, 5 min, 30 h, 12 d."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def grid(*columns: str, **more: Any) -> Table:
    """A table without lines, each column under its name."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", **more)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")
