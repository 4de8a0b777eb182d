"""What each chapter expected and what was observed, and the table that says so at the end."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from farm.demo.world import Counted

_LONGEST = 120  # characters of what was seen, where it was not what was expected; its chapter has told it all


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation and what was measured."""

    expected: str
    observed: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Timing:
    """How long from a change of state until the world knew: of what, and from when to when."""

    what: str
    seconds: float
    span: str

    def __str__(self) -> str:
        return f"{self.what} {self.seconds:.1f} s"


@dataclass(slots=True)
class Result:
    """One chapter. A chapter that was not played holds nothing."""

    title: str
    checks: list[Check] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    calls: Counted | None = None

    @property
    def holds(self) -> bool:
        return bool(self.checks) and all(check.holds for check in self.checks)


def table(results: Sequence[Result]) -> Table:
    """Chapter by chapter, each expectation on a line of its own."""
    made = Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False, width=80)
    made.add_column("", width=2)
    made.add_column("Expected", width=31)
    made.add_column("Observed", ratio=1, overflow="fold")
    made.add_column("Until\npublished", width=15)
    made.add_column("AWS\ncalls", justify="right", width=5)
    made.add_column("own\nbooks", justify="right", width=5)
    for number, result in enumerate(results, 1):
        _add(made, number, result)
    return made


def _add(made: Table, number: int, result: Result) -> None:
    calls = (str(result.calls.account), str(result.calls.books)) if result.calls else ("", "")
    played = "" if result.checks else Text("not played", "dim")
    made.add_row(Text(str(number), "cyan"), Text(result.title, "bold"), played, "", *calls)
    for check, timing in zip_longest(result.checks, result.timings):
        made.add_row(*_check(check), str(timing or ""), "", "")


def _check(check: Check | None) -> tuple[RenderableType, RenderableType, RenderableType]:
    if check is None:
        return "", "", ""
    if check.holds:
        return Text("✓", "green"), Text(check.expected), Text(check.observed)
    observed = textwrap.shorten(check.observed, _LONGEST, placeholder=" ...")
    return Text("✗", "bold red"), Text(check.expected), Text(observed, "bold red")
