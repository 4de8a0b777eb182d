"""`make demo`: the main job on real input, for a person to watch, with a verdict at the end.

`world`, `balancing`, `apis` and `lists` measure what is there, `watch` asks the name server all the while and knows which
tasks live, `load` sends requests through what stands before the tasks, `reading` reads a list, `stage` is the screen,
`story`, `troubles`, `balanced`, `gated`, `public` and `ending` are the chapters, `show` plays them, `verdict` is the table
at the end.
"""

from __future__ import annotations

import io
import sys

from rich.console import Console

from farm.demo.show import run

__all__ = ["main", "run"]


def main(*, fast: bool) -> int:
    """On the terminal, or wherever its output goes. The exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that cannot draw bars shows ? instead
    return run(Console(highlight=False), fast=fast)
