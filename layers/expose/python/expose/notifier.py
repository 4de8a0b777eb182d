"""From events to the work queue. It never asks ECS anything: at most one look into the ledger tells what to drop."""

from __future__ import annotations

from collections.abc import Callable

from expose.events import Event, Malformed, read
from expose.ledger import Ledger
from expose.outbox import Outbox
from expose.policy import Limits
from expose.telemetry import Telemetry
from expose.work import Depth, Work, load


class Notifier:
    def __init__(
        self,
        *,
        ledger: Ledger,
        outbox: Outbox,
        telemetry: Telemetry,
        limits: Limits,
        window: float,
        clock: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._telemetry = telemetry
        self._limits = limits
        self._window = window
        self._clock = clock

    def event(self, event: Event) -> None:
        """Queue the work that an event asks for. What is malformed is logged once and dropped."""
        try:
            works = read(event)
        except Malformed as problem:
            self._telemetry.warn(f"dropped an event: {problem}")
            return
        for number, work in enumerate(works):
            if self._may_be_new(work) or self._ledger.follows(work.service):
                self._queue(work, once=f"{event.get('id', self._clock())}-{number}")

    def come_back(self, body: str, message: str) -> None:
        """Queue work whose time has come. Raise `ValueError` for a body that is none; it ends as a dead letter."""
        work, once = load(body)
        self._outbox.now(work, once or message)

    def _may_be_new(self, work: Work) -> bool:
        """Whether it may tell of a service that nobody has exposed yet. Tasks of those are none of our business."""
        cluster = work.service.split("/")[1]
        return work.depth >= Depth.SERVICE and self._limits.allow_cluster(cluster)

    def _queue(self, work: Work, once: str) -> None:
        """Tasks that start, start in numbers: they are gathered. One that stops is withdrawn at once."""
        if work.patient and self._window:
            self._outbox.gathered(work, window=self._window)
        else:
            self._outbox.now(work, once)
