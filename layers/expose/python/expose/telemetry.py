"""What the functions say of themselves: a structured line for each decision, and metrics. Nothing when nothing happened."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from expose.audit.findings import Finding
from expose.aws import AwsError
from expose.records import Record
from expose.refusals import NotYet, Status
from expose.work import Work


class Telemetry:
    """Logs by Powertools; metrics in its embedded format, written out by `flush` at the end of an invocation."""

    def __init__(self) -> None:
        self._logger = Logger()
        self._metrics = Metrics()

    def decided(self, record: Record, before: Record, *, changes: int, reason: str, removed: bool) -> None:
        told = record.announced != before.announced
        if not (changes or removed or told) and (record.status, record.code) == (before.status, before.code):
            return
        status = "Removed" if removed else str(record.status)
        bad = record.status in {Status.INVALID, Status.BLOCKED, Status.FAILED}
        (self._logger.warning if bad else self._logger.info)(
            f"{record.tag} of {record.service.rsplit(':', 1)[-1]}: {status} {record.message}",
            extra={
                "service_arn": record.service,
                "tag": record.tag,
                "status": status,
                "code": record.code,
                "changes": changes,
                "reason": reason,
                "addresses": record.addresses,
            },
        )
        self._metrics.add_metric(f"Exposure{status}", MetricUnit.Count, 1)
        if changes:
            self._metrics.add_metric("ChangesApplied", MetricUnit.Count, changes)
        if record.code in {"Throttled", "LeftStanding", "RemovalRefused"}:
            self._metrics.add_metric(record.code, MetricUnit.Count, 1)

    def published(self, seconds: float, *, endpoints: int) -> None:
        """How long a change took from its happening to its being seen in AWS, and what is published now."""
        self._metrics.add_metric("TimeToPublished", MetricUnit.Seconds, seconds)
        self._metrics.add_metric("EndpointsPublished", MetricUnit.Count, endpoints)

    def swept(self, *, services: int, queued: int) -> None:
        self._metrics.add_metric("ServicesSwept", MetricUnit.Count, services)
        self._metrics.add_metric("DriftQueued", MetricUnit.Count, queued)

    def troubled(self, work: Work, trouble: Exception, *, now: float) -> None:
        """Work that came to nothing, and comes back. What is no refusal of AWS is a bug: with its trace."""
        expected = isinstance(trouble, (*AwsError, NotYet))
        said = f"{work.service.rsplit(':', 1)[-1]}: {type(trouble).__name__}: {trouble}; it is tried again"
        self._logger.warning(
            said,
            exc_info=None if expected else trouble,
            extra={"service_arn": work.service, "reason": work.reason, "attempts": work.attempts},
        )
        self._metrics.add_metric("ServicesInTrouble", MetricUnit.Count, 1)
        self._metrics.add_metric(
            "TroubledFor", MetricUnit.Seconds, now - work.troubled_since if work.troubled_since else 0.0
        )

    def failed_apart(self, count: int) -> None:
        """Parts of a sweep that could not be carried out."""
        self._metrics.add_metric("SweepPartsFailed", MetricUnit.Count, count)

    def adopted(self, record: Record, found: Collection[str]) -> None:
        """What carried our mark and was not in the ledger."""
        message = f"{record.tag}: found what we had made and lost sight of: {', '.join(found)}"
        self.warn(message, service_arn=record.service, tag=record.tag)
        self._metrics.add_metric("ResourcesAdopted", MetricUnit.Count, len(found))

    def astray(self, count: int) -> None:
        """Public addresses that are published and not held."""
        self._metrics.add_metric("StaleAddresses", MetricUnit.Count, count)

    def found(self, finding: Finding, state: str) -> None:
        bad = state == "open" and finding.grade in {"critical", "high"}
        (self._logger.warning if bad else self._logger.info)(
            f"{finding.service.rsplit(':', 1)[-1]}: {state}, {finding.grade}: {finding.message}",
            extra={
                "service_arn": finding.service,
                "finding": finding.id,
                "state": state,
                "kind": finding.kind,
                "grade": finding.grade,
            },
        )

    def audited(self, grades: Mapping[str, int]) -> None:
        """How many findings of each grade are open."""
        for grade, count in grades.items():
            self._metrics.add_metric(f"AuditFindings{grade.capitalize()}", MetricUnit.Count, count)

    def warn(self, message: str, **fields: Any) -> None:
        self._logger.warning(message, extra=fields)

    def info(self, message: str, **fields: Any) -> None:
        self._logger.info(message, extra=fields)

    def flush(self) -> None:
        if self._metrics.metric_set:
            self._metrics.flush_metrics()
