"""Parts of one run, each alone: what stops one of them is told and counted, and the others go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from expose.aws import AwsError
from expose.outbox import Unsent
from expose.refusals import NotYet
from expose.telemetry import Telemetry

T = TypeVar("T")


class Apart:
    """Trouble of AWS is a metric, as the next run may do better. A bug is raised, but only at the end."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._failed = 0
        self._bugs: list[Exception] = []

    def run(self, what: str, part: Callable[[], T]) -> T | None:
        """What the part returns; None where it failed to `what`."""
        try:
            return part()
        except (*AwsError, NotYet, Unsent) as trouble:
            self.skip(what, str(trouble))
        except Exception as bug:  # noqa: BLE001 - it must not stop the other parts; it is raised at the end
            self._bugs.append(bug)
            self.skip(what, f"{type(bug).__name__}: {bug}")
        return None

    def skip(self, what: str, why: str) -> None:
        self._failed += 1
        self._telemetry.warn(f"could not {what}: {why}")

    def finish(self) -> None:
        """Count what failed. Raise the bugs."""
        self._telemetry.failed_apart(self._failed)
        if self._bugs:
            raise ExceptionGroup("parts that could not be carried out", self._bugs)
