"""Working through a batch: each service gets its share of the time, and what came to nothing comes back later.

Nothing is left to the queue's own retries, which would hold up the service's message group and end as dead letters. A
dead letter is a message that is no work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from expose.controller import Controller
from expose.deadline import Deadline, OutOfTime
from expose.outbox import Outbox
from expose.refusals import NotYet
from expose.telemetry import Telemetry
from expose.work import Depth, Work, WorkerDied

_PAUSES = (2.0, 300.0)  # seconds before work that came to nothing comes back: at first, and at most
_SHARE = 20.0  # seconds that one service may take of a batch; doubled each time that they were not enough


class Worker:
    def __init__(
        self,
        *,
        controller: Controller,
        deadline: Deadline,
        outbox: Outbox,
        telemetry: Telemetry,
        clock: Callable[[], float],
    ) -> None:
        self._controller = controller
        self._deadline = deadline
        self._outbox = outbox
        self._telemetry = telemetry
        self._clock = clock

    def reconcile(self, work: Work) -> None:
        """Reconcile one service. What cannot be done now, and what this invocation has no time for, comes back later."""
        if self._deadline.passed:
            self._outbox.later(work, seconds=0)
            return
        try:
            with self._deadline.within(_SHARE * 2 ** min(work.attempts, 5)):
                self._controller.reconcile(work)
        except Exception as trouble:  # noqa: BLE001 - whatever it is, it is this service's own, and is tried again
            pause = trouble.seconds if isinstance(trouble, NotYet) else _pause(work)
            if not isinstance(trouble, OutOfTime):
                self._telemetry.troubled(work, trouble, now=self._clock())
            self._outbox.later(work.again(self._clock()), seconds=pause)

    def put_off(self, work: Work) -> None:
        """Bring back later what a worker died over: it may be what killed it, and some of it may be half done."""
        again = replace(work.again(self._clock()), depth=Depth.FULL, reason="a worker died over it")
        self._telemetry.troubled(work, WorkerDied(), now=self._clock())
        self._outbox.later(again, seconds=_pause(work))


def _pause(work: Work) -> float:
    first, longest = _PAUSES
    return float(min(first * 2 ** min(work.attempts, 10), longest))
