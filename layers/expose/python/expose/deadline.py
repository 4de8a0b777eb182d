"""How long an invocation may go on: no call to AWS begins that could outlast it.

Lambda kills a function at its timeout, and the queue shows what it held again only after the visibility timeout. So
each invocation says when it ends, each service may use only a part of that, and what was not begun is handed back.
`Clients` checks the deadline before each call; saving what was done is exempt and has its time kept free.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from expose.refusals import NotYet


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call may take: seconds for connecting, seconds for an answer, and how often it is tried."""

    connect: float
    read: float
    attempts: int

    @property
    def longest(self) -> float:
        """Seconds that one call takes at worst, with botocore's pauses between its attempts."""
        return self.attempts * self.read + sum(2.0**attempt for attempt in range(self.attempts - 1))


PATIENT = Patience(connect=2, read=5, attempts=3)
HURRIED = Patience(connect=1, read=3, attempts=1)
"""For what must not wait behind a call that hangs: it is tried again by a message of its own."""

SAVING = 12.0
"""Seconds that are kept free for saving what was done, and for handing back what was not begun."""


class OutOfTime(NotYet):
    """No time is left in the invocation for another call; the next one goes on."""

    def __init__(self) -> None:
        super().__init__("more to do than one invocation has time for: going on in the next", seconds=0)


class Deadline:
    """Of the invocation under way; none until one says when it ends."""

    def __init__(self, clock: Callable[[], float], call: float = PATIENT.longest) -> None:
        self._clock = clock
        self._call = call
        self._end = math.inf

    def begin(self, seconds: float) -> None:
        """An invocation begins that is killed in so many `seconds`."""
        self._end = self._clock() + seconds - SAVING - self._call

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Allow so many `seconds` for a part of the work, or what is left for all of it if that is less."""
        whole = self._end
        self._end = min(whole, self._clock() + seconds)
        try:
            yield
        finally:
            self._end = whole

    @property
    def passed(self) -> bool:
        return self._clock() > self._end

    def check(self) -> None:
        """Raise `OutOfTime` where no call may begin any more."""
        if self.passed:
            raise OutOfTime
