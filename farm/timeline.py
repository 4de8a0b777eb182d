"""Time as the farm has it: virtual in tests, the wall clock in a farm that runs.

Everything on the farm that happens later (a task that becomes RUNNING, a queue that is polled, an operation that ends)
is an action on one timeline. `Timeline` is virtual: nothing happens until a test lets time pass, and an hour costs
nothing. `WallTimeline` runs the same actions in a thread as their time comes.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

Action = Callable[[], object]
Due = tuple[float, int, Action]

_LOG = logging.getLogger(__name__)


class Timeline:
    """Virtual time, in seconds since the epoch. Actions due at the same instant run in the order they were added."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start
        self._due: list[Due] = []
        self._count = itertools.count()

    def now(self) -> float:
        return self._now

    def after(self, seconds: float, action: Action) -> Due:
        """Something to do later. What it returns can be cancelled."""
        due = (self.now() + max(0.0, seconds), next(self._count), action)
        heapq.heappush(self._due, due)
        return due

    def cancel(self, due: Due) -> None:
        """Never mind. Nothing happens if it has been done."""
        if due in self._due:
            self._due.remove(due)
            heapq.heapify(self._due)

    def run_for(self, seconds: float) -> None:
        """Let time pass, running what falls due on the way."""
        self.run_until(lambda: False, limit=seconds)

    def run_until(self, reached: Callable[[], bool], *, limit: float) -> bool:
        """Let time pass until `reached()`, looked at after each action, or for `limit` seconds. Says which it was."""
        end = self._now + limit
        while not reached():
            if not self._due or self._due[0][0] > end:
                self._now = end
                return reached()
            at, _, action = heapq.heappop(self._due)
            self._now = max(self._now, at)
            action()
        return True


class WallTimeline(Timeline):
    """The same on the wall clock: `start` runs due actions in one thread until `stop`."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._running = False
        self._thread = threading.Thread(target=self._run, name="timeline", daemon=True)

    def now(self) -> float:
        return time.time()

    def after(self, seconds: float, action: Action) -> Due:
        with self._changed:
            due = super().after(seconds, action)
            self._changed.notify()
        return due

    def cancel(self, due: Due) -> None:
        with self._changed:
            super().cancel(due)

    def run_until(self, reached: Callable[[], bool], *, limit: float) -> bool:
        end = self.now() + limit
        while not reached():
            if self.now() >= end:
                return False
            time.sleep(0.02)
        return True

    def start(self) -> None:
        self._running = True
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._running = False
            self._changed.notify()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while action := self._next():
            try:
                action()
            except Exception:  # noqa: BLE001 - one action's bug must not stop time for all others
                _LOG.exception("an action on the farm failed")

    def _next(self) -> Action | None:
        with self._changed:
            while self._running:
                wait = self._due[0][0] - self.now() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None
