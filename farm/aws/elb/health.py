"""Health checks: what one asks, what its answer means, and when the next is due.

A target is checked as soon as its registration has taken effect and then once an interval, on the account's timeline,
for as long as its group is in use. What a check finds is somebody else's to say: see `Settings.probe`. The actions that
this module puts on the timeline are ticks: a farm with nothing else to do is at rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from farm.aws import ONE_AT_A_TIME, clock

Finding = int | Literal["timeout", "refused", "connected"]
"""The status of an HTTP or gRPC answer, or what became of the connection."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question to one target."""

    address: str
    port: int
    protocol: str
    """HTTP, HTTPS, GRPC or TCP."""
    path: str
    """Empty for TCP."""
    timeout: float


Probe = Callable[[Check], Finding]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a group demands of its targets."""

    interval: float
    healthy: int
    unhealthy: int
    first: int
    """Passed checks in a row that make a new target healthy."""
    matcher: str
    """The statuses that pass, as in `200,300-399`; empty if it is enough to connect."""


@dataclass(frozen=True, slots=True)
class Round:
    """The next check of a target: what to ask, whom, and what counts."""

    check: Check
    terms: Terms
    probe: Probe


def all_well(check: Check) -> Finding:
    """The probe of an account without a data plane. A gRPC server without a health service says 12, and AWS expects it."""
    return "connected" if check.protocol == "TCP" else 12 if check.protocol == "GRPC" else 200


def statuses(matcher: str) -> list[tuple[int, int]]:
    """The ranges that a matcher names. ValueError if it is none."""
    ranges = [part.partition("-") for part in matcher.split(",")]
    return [(int(first), int(last if dash else first)) for first, dash, last in ranges]


def passes(finding: Finding, matcher: str) -> bool:
    if not matcher:
        return finding not in {"refused", "timeout"}
    return isinstance(finding, int) and any(first <= finding <= last for first, last in statuses(matcher))


@dataclass(slots=True, eq=False)
class Health:
    """What the checks of one target have come to."""

    ready_at: float
    """When its registration has taken effect."""
    healthy: bool | None = None
    """None until enough checks have agreed."""
    passed: int = 0
    failed: int = 0
    failure: Finding | None = None
    """What the latest failed check found."""

    def hear(self, finding: Finding, terms: Terms) -> None:
        """One more check is over. Only so many in a row that say the same change the verdict."""
        if passes(finding, terms.matcher):
            self.passed, self.failed = self.passed + 1, 0
            if self.passed >= (terms.first if self.healthy is None else terms.healthy):
                self.healthy = True
        else:
            self.passed, self.failed, self.failure = 0, self.failed + 1, finding
            if self.failed >= terms.unhealthy:
                self.healthy = False

    def describe(self) -> tuple[str, str, str]:
        """State, reason and description, as DescribeTargetHealth has them."""
        if clock.now() < self.ready_at:
            return "initial", "Elb.RegistrationInProgress", "Target registration is in progress"
        match self.healthy, self.failure:
            case None, _:
                return "initial", "Elb.InitialHealthChecking", "Initial health checks in progress"
            case True, _:
                return "healthy", "", ""
            case False, "timeout":
                return "unhealthy", "Target.Timeout", "Request timed out"
            case False, int(status):
                words = f"Health checks failed with these codes: [{status}]"
                return "unhealthy", "Target.ResponseCodeMismatch", words
            case _:
                return "unhealthy", "Target.FailedHealthChecks", "Health checks failed"


def watch(health: Health, following: Callable[[], Round | None]) -> None:
    """Check one target from now on. `following` says what comes next; None ends it."""

    def look() -> None:
        with ONE_AT_A_TIME:
            due = following()
        if due is None:
            return
        clock.after(due.terms.interval, look)
        finding = due.probe(due.check)  # may take its time: others go on meanwhile
        with ONE_AT_A_TIME:
            if following() is not None:
                health.hear(finding, due.terms)

    clock.after(health.ready_at - clock.now(), look)
