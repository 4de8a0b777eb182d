"""Replacing sick tasks: what ECS does for target groups that it attaches itself, and for no others (F§4.2).

A task that its target group has found unhealthy for too long is stopped, and the service starts another. Who is
stopped, if anybody, is decided by `choose`, which is pure; before anything is done the service is read afresh.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from expose.ecs import Source
from expose.ledger import Ledger
from expose.model import Owned, Service
from expose.outbox import Outbox
from expose.policy import Replacing
from expose.records import Memory, Record
from expose.telemetry import Telemetry
from expose.verdict import Announcement

_COOL_DOWN = 120.0  # seconds after one task was stopped before the next one may be


class Replacer:
    def __init__(
        self,
        *,
        source: Source,
        ledger: Ledger,
        outbox: Outbox,
        telemetry: Telemetry,
        clock: Callable[[], float],
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._outbox = outbox
        self._telemetry = telemetry
        self._clock = clock

    def replace(self, wanted: Sequence[tuple[Record, Replacing]], memory: Memory) -> None:
        """Stop one sick task at most, of those that any of the exposures wants replaced."""
        now = self._clock()
        for record, replacing in wanted:
            if (
                choose(record.owned, memory.service, replacing, replaced_at=memory.replaced_at, now=now)
                is None
            ):
                continue
            service = self._source.service(memory.service.arn, memory.service, now=now)
            if sick := choose(record.owned, service, replacing, replaced_at=memory.replaced_at, now=now):
                self._ledger.save_memory(replace(memory, replaced_at=now))
                self._stop(record, sick, service)
                return

    def _stop(self, record: Record, sick: Owned, service: Service) -> None:
        """Told before it is done: rather in vain than never."""
        since = self._clock() - sick.sick_since
        said = f"ecs-expose, {record.tag} replace=yes: target {sick.aws_id} for {since:.0f} s {sick.trouble}"
        detail: Mapping[str, str] = {
            "service": record.service,
            "tag": record.tag,
            "task": sick.task,
            "target": sick.aws_id,
            "message": said,
        }
        self._outbox.publish([Announcement("Task Replaced", detail)])
        self._source.stop(service.arn, sick.task, said)
        self._telemetry.info(
            f"replacing task {sick.task}: {said}", service_arn=record.service, tag=record.tag
        )


def choose(
    owned: Sequence[Owned], service: Service, replacing: Replacing, *, replaced_at: float, now: float
) -> Owned | None:
    """The one to stop: sick for the longest, and longer than its grace period.

    Nobody while a deployment is rolling, while an earlier replacement may still be on its way, or where all are sick,
    which is the health check's fault. As many as the minimum healthy percent asks for go on running; a sick one does
    not count as healthy, so with 100 percent it is enough that all the others run.
    """
    started = {task.id: task.started_at for task in service.tasks if task.running}
    members = [entry for entry in owned if entry.task in started]
    sick = [
        entry
        for entry in members
        if entry.sick_since and now - max(entry.sick_since, started[entry.task]) > replacing.grace
    ]
    all_sick = all(entry.sick_since for entry in members if not entry.operation)  # of those that were checked
    floor = min(math.ceil(service.wanted * service.minimum_healthy / 100), service.wanted - 1)
    if service.rolling or all_sick or now - replaced_at < _COOL_DOWN or len(started) - 1 < floor:
        return None
    return min(sick, key=lambda entry: entry.sick_since, default=None)
