"""Threads that take turns on virtual time: one runs, from one wait to the next, while the timeline and all others stand.

A turn is an action on the timeline. It hands over to the worker's thread and goes on when the worker waits or ends: so
at every moment one thread runs, and which one follows from the timeline alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from farm.aws import clock

_here = threading.local()


class Guise(Protocol):
    """What has to be put on whenever a worker's turn begins, and taken off whenever it ends."""

    def put_on(self) -> None: ...

    def take_off(self) -> None: ...


class Dismissed(BaseException):
    """Raised where a worker waits and will have no further turn. Nothing in its job may catch it."""


def current() -> Worker | None:
    """The worker whose turn it is, asked from its own thread."""
    return getattr(_here, "worker", None)


class Worker:
    """Does one job, a turn at a time, the first as soon as the timeline comes to it."""

    def __init__(self, job: Callable[[], object]) -> None:
        self.done = False
        self._job = job
        self._guise: Guise | None = None
        self._interruption: BaseException | None = None
        self._bug: BaseException | None = None
        self._go, self._back = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._back.acquire()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._next = clock.after(0, self._begin)

    def wait(self, seconds: float) -> None:
        """End this turn; the next comes after so many seconds. From its own thread."""
        self._next = clock.after(seconds, self._turn)
        if self._guise:
            self._guise.take_off()
        self._back.release()
        self._go.acquire()
        if self._guise:
            self._guise.put_on()
        interruption, self._interruption = self._interruption, None
        if interruption:
            raise interruption

    def interrupt(self, interruption: BaseException) -> None:
        """Have its next turn now, which begins with this raised where it waits. From the timeline's thread."""
        clock.cancel(self._next)
        self._interruption = interruption
        self._turn()

    def dismiss(self) -> None:
        """It goes no further, wherever it is."""
        clock.cancel(self._next)
        while self._thread.is_alive() and not self.done:
            self.interrupt(Dismissed())

    @contextmanager
    def wearing(self, guise: Guise) -> Iterator[None]:
        """From its own thread: in this guise, turn by turn."""
        guise.put_on()
        self._guise = guise
        try:
            yield
        finally:
            self._guise = None
            guise.take_off()

    def _begin(self) -> None:
        self._thread.start()
        self._turn()

    def _turn(self) -> None:
        self._go.release()
        self._back.acquire()
        if self.done:
            self._thread.join()
        bug, self._bug = self._bug, None
        if bug:
            raise bug

    def _run(self) -> None:
        self._go.acquire()
        _here.worker = self
        try:
            self._job()
        except Dismissed:
            pass
        except BaseException as bug:  # noqa: BLE001 - raised again in the timeline's thread
            self._bug = bug
        self.done = True
        self._back.release()
