"""What is the process's and should be an invocation's: environment, caller, clock, output, modules.

Handlers in one process share all that. A guise is what one of them takes it for, put on while it runs.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections import deque
from collections.abc import Mapping
from types import ModuleType
from typing import Any, TextIO, cast

from farm.aws import clock
from farm.gate import GATE, Sandbox

OWN = ("aws_lambda_powertools", "expose")
"""The packages of the layer: every environment may have its own."""


class Lines:
    """A log to be: whole lines go to `log`, what was begun waits for its end."""

    def __init__(self, log: deque[str]) -> None:
        self.log = log
        self.begun = ""

    def write(self, text: str) -> None:
        *lines, self.begun = (self.begun + text).split("\n")
        self.log.extend(line for line in lines if line)


class _Output(io.TextIOBase):
    """Standard output while functions run. One object for good: loggers hold on to the stream that they began with."""

    def __init__(self) -> None:
        self.lines = Lines(deque(maxlen=0))

    def write(self, text: str) -> int:
        self.lines.write(text)
        return len(text)


_OUTPUT = _Output()


class Guise:
    """One function's. Guises nest: the last one put on is the first taken off."""

    def __init__(
        self,
        caller: str,
        environment: Mapping[str, str],
        lines: Lines,
        sandbox: Sandbox | None = None,
        modules: dict[str, ModuleType] | None = None,
    ) -> None:
        self._caller = caller
        self._environment = _encoded(environment)
        self._lines = lines
        self.sandbox = sandbox
        self._modules = modules
        self._before: tuple[Any, ...] = ()

    def put_on(self) -> None:
        environ = vars(os.environ)
        self._before = (
            environ["_data"], GATE.acting, GATE.sandbox, _OUTPUT.lines, sys.stdout, sys.stderr,
            time.time, time.monotonic, time.sleep,
        )  # fmt: skip
        environ["_data"] = self._environment
        GATE.acting = self._caller
        if self.sandbox:
            GATE.sandbox = self.sandbox
        _OUTPUT.lines = self._lines
        sys.stdout = sys.stderr = cast("TextIO", _OUTPUT)
        if clock.is_virtual():
            time.time = time.monotonic = clock.now
            time.sleep = lambda seconds: GATE.sandbox.sleep(float(seconds))
        if self._modules is not None:
            self._modules = exchange(self._modules)

    def take_off(self) -> None:
        if self._modules is not None:
            self._modules = exchange(self._modules)
        environ = vars(os.environ)
        (
            environ["_data"], GATE.acting, GATE.sandbox, _OUTPUT.lines, sys.stdout, sys.stderr,
            time.time, time.monotonic, time.sleep,
        ) = self._before  # fmt: skip

    def __enter__(self) -> Guise:
        self.put_on()
        return self

    def __exit__(self, *_: object) -> None:
        self.take_off()


def is_own(module: str) -> bool:
    """Whether it is of the layer."""
    return module.partition(".")[0] in OWN


def exchange(modules: dict[str, ModuleType]) -> dict[str, ModuleType]:
    """Have these as the layer's modules; returns those that were there."""
    before = {name: sys.modules.pop(name) for name in _own()}
    sys.modules.update(modules)
    _seen.names, _seen.count = list(modules), len(sys.modules)
    return before


class _Seen:
    """Which of all modules are the layer's, and of how many, so that they need not be looked through at every turn."""

    names: list[str] = []  # noqa: RUF012 - there is one of it
    count = 0


_seen = _Seen()


def _own() -> list[str]:
    if len(sys.modules) != _seen.count:
        _seen.names = [name for name in list(sys.modules) if is_own(name)]
        _seen.count = len(sys.modules)
    return _seen.names


def _encoded(environment: Mapping[str, str]) -> dict[Any, Any]:
    """As `os.environ` keeps it: swapping what it keeps is much quicker than setting each variable twice a call."""
    kept = dict(vars(os.environ)["_data"])
    for name, value in environment.items():
        kept[os.environ.encodekey(name)] = os.environ.encodevalue(value)
    return kept
