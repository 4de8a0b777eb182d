"""The screen: chapters, commands, what is seen, and the strips of the tasks while something happens.

On a terminal the strips move; anywhere else they are printed once, when it is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from farm.demo.verdict import Check, Timing

_WIDTH = 80


class Stage:
    """`pauses` stretches or shortens every pause: 1 for a person who watches, 0 for nobody."""

    def __init__(self, console: Console, *, pauses: float) -> None:
        self.console = console
        self._pauses = pauses

    def title(self, text: str, *lines: str) -> None:
        self.console.print(Text(f"\n{text}", "bold"))
        for line in lines:
            self.say(line)

    def chapter(self, number: int, title: str) -> None:
        head = Text.assemble((f"\n{number}  ", "cyan"), (title, "bold"), " ")
        head.append("─" * max(0, _WIDTH - len(head.plain.strip()) - 1), "dim")
        self.console.print(head)

    def say(self, text: str) -> None:
        """What to look for."""
        self._print(Text(text, "dim"), 0)
        self.pause(1.0)

    def type(self, *lines: str) -> None:
        """The command that does the same from a shell."""
        self._print(Text.assemble(("$ ", "cyan"), " \\\n  ".join(lines)), 2)
        self.pause(0.6)

    def show(self, text: str, style: str = "") -> None:
        """Something seen, as it is."""
        self._print(Text(text, style), 4)

    def picture(self, picture: RenderableType) -> None:
        """Something measured, drawn."""
        self.console.print(picture)

    def note(self, text: str) -> None:
        """What one may like to know."""
        self._print(Text(text, "dim"), 2)

    def fail(self, text: str) -> None:
        self._print(Text(text, "bold red"), 0)

    def check(self, check: Check) -> None:
        mark = ("✓ ", "green") if check.holds else ("✗ ", "bold red")
        seen = (check.observed, "green" if check.holds else "bold red")
        self._print(Text.assemble(mark, f"{check.expected}: ", seen), 2)
        self.pause(0.4)

    def timing(self, timing: Timing) -> None:
        self._print(Text.assemble(("• ", "cyan"), str(timing), (f", {timing.span}", "dim")), 2)

    @contextmanager
    def film(self, picture: Callable[[], RenderableType]) -> Iterator[None]:
        """Show a picture for as long as something happens, and what it was in the end."""
        live = Live(get_renderable=picture, console=self.console, refresh_per_second=8, transient=True)
        with live if self.console.is_terminal else nullcontext():
            yield
        self.console.print(picture())
        self.pause(0.6)

    def pause(self, seconds: float) -> None:
        time.sleep(seconds * self._pauses)

    def _print(self, text: Text, indent: int) -> None:
        self.console.print(
            Padding(text, (0, 0, 0, indent), expand=False), width=min(_WIDTH, self.console.width)
        )
