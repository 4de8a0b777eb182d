"""Requests through a load balancer all the while, and which tasks answered them, moment by moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from farm.balancers.traffic import Traffic
from farm.demo.watch import Life, Sample, Window

_MOMENT = 0.1  # seconds


class Load:
    """`traffic` while a `with` lasts. `lives` are those of the tasks that may answer, of which more come and go."""

    def __init__(self, traffic: Traffic, lives: Callable[[], Iterable[Life]]) -> None:
        self.traffic = traffic
        self._lives = lives
        self._samples: list[Sample] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="load", daemon=True)
        self._began = self._ended = 0.0

    def __enter__(self) -> Load:
        self.traffic.__enter__()
        self._began = time.time()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended = time.time()
        self._over.set()
        self._thread.join(timeout=5)
        self.traffic.__exit__(None, None, None)

    @property
    def rate(self) -> float:
        """Requests a second, over all."""
        return self.traffic.sent / ((self._ended or time.time()) - self._began)

    @property
    def lost(self) -> str:
        """How many of how many, and why."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.traffic.reasons.most_common())
        return f"{len(self.traffic.lost)} of {self.traffic.sent}{reasons and f' ({reasons})'}"

    def window(self) -> Window:
        """The tasks, by the beginning of their ids instead of an address, and which of them answered when."""
        lives = tuple(replace(life, address=short(life.task)) for life in self._lives())
        return Window(self._began, lives, tuple(self._samples))

    def _look_on(self) -> None:
        before, since = dict(self.traffic.tasks), self._began
        while not self._over.wait(_MOMENT):
            now, at = dict(self.traffic.tasks), time.time()
            answered = frozenset(short(task) for task in now if now[task] > before.get(task, 0))
            self._samples.append(Sample(since, at, answered))
            before, since = now, at


def short(task: str) -> str:
    """As much of a task's id as tells it from its neighbours."""
    return task[:8]
