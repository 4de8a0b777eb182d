"""Letting go of public addresses that nobody of ours holds any more: before anything else is asked of anybody.

Neither the tag nor ECS is consulted, for both may be unreadable while a stranger gets what is sent there. Only the
policy `observe` holds it back, and even then it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from expose.asks import Ask, Reader
from expose.exposing import Exposing
from expose.ledger import Ledger
from expose.model import Service
from expose.outbox import Outbox
from expose.published import stands_at
from expose.records import Memory, Record
from expose.telemetry import Telemetry
from expose.verdict import stale_withdrawn
from expose.work import Depth, Work


class Straying:
    def __init__(
        self, *, ledger: Ledger, exposing: Exposing, reader: Reader, outbox: Outbox, telemetry: Telemetry
    ) -> None:
        self._ledger = ledger
        self._exposing = exposing
        self._reader = reader
        self._outbox = outbox
        self._telemetry = telemetry

    def withdraw(self, memory: Memory, records: Sequence[Record], work: Work) -> tuple[Memory, list[Record]]:
        """What is left. The tasks whose addresses they were are not known any more, so they are read afresh."""
        theirs = {each.task for record in records for each in record.owned if stands_at(each, work.astray)}
        tasks = tuple(task for task in memory.service.tasks if task.id not in theirs)
        service = replace(memory.service, tasks=tasks)
        asks = {ask.record.tag: ask for ask in self._reader.read(memory.service, records, Depth.RECORD)}
        left = [
            self._let_go(replace(asks[record.tag], record=record), service, work)
            if any(stands_at(each, work.astray) for each in record.owned)
            else record
            for record in records
        ]
        return replace(memory, service=service), left

    def _let_go(self, ask: Ask, service: Service, work: Work) -> Record:
        """The record as saved, without what stands at these addresses, as far as it may and could go."""
        outcome = self._exposing.withdraw(ask, service, work.astray)
        reason = str(outcome.failed or outcome.waiting or "") or f"the policy is {ask.policy}"
        told = stale_withdrawn(ask.record, outcome.record, work.astray, reason=reason)
        record = self._ledger.save_record(replace(outcome.record, astray=work.astray))
        if told:
            self._telemetry.warn(
                f"{record.tag}: {told.detail['message']}", service_arn=record.service, tag=record.tag
            )
            self._outbox.publish([told])
        return record
