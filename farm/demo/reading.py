"""Somebody who reads a list of addresses all the while, and what it held, moment by moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from farm.demo.watch import Life, Sample, Window

_MOMENT = 0.1  # seconds


class Reading:
    """`read` is asked again and again while a `with` lasts. `lives` are those of the tasks that may be in the list."""

    def __init__(self, read: Callable[[], frozenset[str]], lives: Callable[[], Iterable[Life]]) -> None:
        self._read = read
        self._lives = lives
        self._samples: list[Sample] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read_on, name="reading", daemon=True)
        self._began = 0.0

    def __enter__(self) -> Reading:
        self._began = time.time()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=5)

    def window(self) -> Window:
        return Window(self._began, tuple(self._lives()), tuple(self._samples))

    def _read_on(self) -> None:
        while not self._over.wait(_MOMENT):
            asked_at = time.time()
            addresses = self._read()
            self._samples.append(Sample(asked_at, time.time(), addresses))
