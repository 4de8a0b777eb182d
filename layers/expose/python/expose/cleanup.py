"""The end of the stack: every exposure is withdrawn, through the same queue and the same code as ever.

CloudFormation deletes the rules and the schedule first, so nothing starts anew; then it asks here, and waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from expose.ledger import Ledger
from expose.outbox import Outbox
from expose.records import Record
from expose.refusals import NotYet
from expose.work import Depth, Work

_ROUND = 5.0  # seconds between looks at how far the withdrawal has come


class Cleanup:
    def __init__(
        self, *, ledger: Ledger, outbox: Outbox, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._clock = clock
        self._sleep = sleep

    def withdraw(self, *, seconds: float) -> list[str]:
        """Withdraw everything within `seconds`. The exposures that are still there, as people would name them."""
        end = self._clock() + seconds
        left, unreadable = self._round()
        while left and self._clock() + _ROUND < end:
            self._sleep(_ROUND)
            left, unreadable = self._round()
        return [*left, *unreadable]

    def _round(self) -> tuple[list[str], list[str]]:
        """Close each exposure for good, and queue each service that still owns something. Those that do; and those of which
        nobody can read whether they do, which no waiting helps.
        """
        left: list[str] = []
        unreadable: list[str] = []
        works: list[Work] = []
        for arn, (_, records) in self._ledger.everything().items():
            for record in records:
                self._close(record)
            owning = [record for record in records if record.owned]
            left += map(_named, owning)
            unreadable += [_named(record) for record in records if record.unreadable]
            works += [Work(arn, "the stack is deleted", Depth.RECORD, since=self._clock())] if owning else []
        self._outbox.all_now(works, once=f"cleanup-{self._clock():.0f}")
        return left, unreadable

    def _close(self, record: Record) -> None:
        if record.closed or record.unreadable:
            return
        try:
            self._ledger.save_record(replace(record, closed=True))
        except NotYet:
            return  # a worker has just written it: the next round closes it


def _named(record: Record) -> str:
    why = "its record cannot be read: see `expose status`" if record.unreadable else record.message
    return f"{record.service.rsplit(':service/', 1)[-1]} {record.tag} ({why})"
