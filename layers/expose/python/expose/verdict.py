"""Judging how an exposure stands after a pass: its status in words, when to look again, what to announce."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from expose.aws import code, throttled
from expose.mechanisms.members import LACKS
from expose.model import Owned, Service, Task, digest
from expose.outcome import Outcome
from expose.policy import counts, ready
from expose.published import stands_at
from expose.records import CLOCKS_DIFFER, Record
from expose.refusals import Refused, Status
from expose.work import Depth

_FAILED_AGAIN = (5.0, 300.0)  # seconds before what failed is tried again: at first, and at most
_BLOCKED_AGAIN = (60.0, 900.0)
_UNREADY_AGAIN = (5.0, 60.0)  # no event tells when a running task becomes healthy (F§1.2)
_LACKING_AGAIN = (5.0, 300.0)  # nor when it gets what it still lacks
_BEGINNING_AGAIN = 45.0  # an event tells when a task runs, and may be late or lost
_SHIFTING_AGAIN = 30.0  # none tells when production traffic shifts to tasks that run already

_EVENTS = {
    Status.ACTIVE: "Exposure Changed",
    Status.INVALID: "Exposure Blocked",
    Status.BLOCKED: "Exposure Blocked",
    Status.FAILED: "Exposure Failed",
}


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event for whoever listens on the default bus."""

    kind: str
    detail: Mapping[str, Any]


def judge(
    before: Record, outcome: Outcome, service: Service, *, gone: bool, now: float, held_until: float
) -> Record:
    """The record with its status, the reason in words, and the times of the next look and of the next fresh try.

    `gone` says that the tag asks for nothing any more. `held_until` is when tasks that are not ready, but published
    so as not to empty the name, will be withdrawn; 0 for none.
    """
    status, reason, message = _standing(outcome, service, gone=gone)
    attempts = before.attempts + 1 if outcome.refused or outcome.failed else 0
    retry_at = 0.0
    if attempts and before.retry_at > now:  # it is not its turn yet
        attempts, retry_at = before.attempts, before.retry_at
    elif outcome.failed:
        retry_at = now + _backoff(attempts, _FAILED_AGAIN)
    elif status is Status.BLOCKED:
        retry_at = now + _backoff(attempts, _BLOCKED_AGAIN)
    waits = [
        retry_at,
        held_until,
        outcome.record.watch_at,
        now + outcome.waiting.seconds if outcome.waiting else 0.0,
    ]
    if not gone and (outcome.refused is None or outcome.record.good or outcome.refused.code in LACKS):
        waits.append(_unready(service, outcome.record, now))
    return replace(
        outcome.record,
        status=status,
        status_since=(before.status is status and before.status_since) or now,
        code=reason,
        message=message,
        attempts=attempts,
        retry_at=retry_at,
        look_at=_sooner(min((at for at in waits if at > now), default=0.0), before.look_at, now),
    )


@dataclass(frozen=True, slots=True)
class Look:
    """When a service comes back, and how deep it is read then."""

    seconds: float
    depth: Depth


def next_look(
    followed: Sequence[Record], before: Sequence[Record], service: Service, *, now: float
) -> Look | None:
    """For the earliest time that any exposure asks for; none where a message for as early is already under way.

    Where all that is missing is the end of AWS's operations, the tasks need not be read again. Which of them take
    production traffic, only the service tells.
    """
    at = min((record.look_at for record in followed if record.look_at), default=0.0)
    scheduled = min((record.look_at for record in before if record.look_at), default=0.0)
    if not at or now + CLOCKS_DIFFER < scheduled <= at:
        return None
    on_its_way = all(
        record.code != "Waiting" or any(e.operation for e in record.owned) for record in followed
    )
    due = [
        task
        for record in followed
        for task in service.tasks
        if (again := _again(task, service, record, now)) and (again <= at or task.running)
    ]
    if any(task.running and not counts(task, service) for task in due):
        return Look(at - now, Depth.SERVICE)
    return Look(at - now, Depth.TASKS if due or not service.tasks or not on_its_way else Depth.RECORD)


def lacking(records: Iterable[Record], service: Service, *, now: float) -> frozenset[str]:
    """The tasks that an exposure may not have published for want of something that they may have got by now."""
    return frozenset(
        task.id
        for record in records
        for task in service.tasks
        if task.id not in record.tasks
        and (record.tasks or record.code in LACKS or now - task.started_at < _UNREADY_AGAIN[1])
    )


def announcement(record: Record, *, removed: bool) -> tuple[str, Announcement | None]:
    """What is worth telling, and its digest; None while things are on their way or as they were told last."""
    withheld = record.message if record.code == "Withheld" else ""
    if not removed and record.status not in _EVENTS and not withheld:
        return record.announced, None
    addresses = [] if removed else record.addresses
    said = digest(f"{record.status} {record.code} {record.value} {addresses} {removed}{withheld}")
    if said == record.announced:
        return said, None
    detail = {
        "service": record.service,
        "tag": record.tag,
        "value": record.value,
        "status": "Removed" if removed else record.status,
        "code": record.code,
        "message": record.message,
        "addresses": addresses,
    }
    return said, Announcement("Exposure Changed" if removed or withheld else _EVENTS[record.status], detail)


def adoption(record: Record, found: Sequence[str]) -> Announcement:
    """That something was found that we had made, and had lost sight of."""
    detail = {
        "service": record.service,
        "tag": record.tag,
        "value": record.value,
        "resources": list(found),
        "message": f"{len(found)} things carried the mark of {record.tag} and were not in the ledger: what the tag asks for "
        "stays, and the rest is withdrawn",
    }
    return Announcement("Resource Adopted", detail)


def stale_withdrawn(
    before: Record, after: Record, going: Iterable[Owned], addresses: Collection[str], *, reason: str
) -> Announcement | None:
    """Of what was to go at addresses that nobody of ours holds, what went, or what could not: that once only."""
    there = {each.identity for each in after.owned if stands_at(each, addresses) and not each.leaving}
    stale = [each for each in going if stands_at(each, addresses)]
    gone = [each for each in stale if each.identity not in there]
    kept = [each for each in stale if each.identity in there]
    told = gone or [each for each in kept if not stands_at(each, before.astray)]
    if not told:
        return None
    found = sorted({word for each in told for word in each.address.split()} & {*addresses})
    detail = {
        "service": after.service,
        "tag": after.tag,
        "value": after.value,
        "state": "withdrawn" if gone else "kept",
        "addresses": found,
        "tasks": sorted({each.task for each in told}),
        "message": f"{', '.join(found)}: published, and held by no task of ours any more; "
        + ("withdrawn" if gone else f"not withdrawn: {reason}"),
    }
    return Announcement("Stale Address Withdrawn", detail)


def _standing(outcome: Outcome, service: Service, *, gone: bool) -> tuple[Status, str, str]:
    if outcome.refused:
        return outcome.refused.status, outcome.refused.code, outcome.refused.message
    if outcome.failed and not throttled(outcome.failed):
        said = f"{outcome.record.tag} = {outcome.record.value!r}: {outcome.failed}"
        return Status.FAILED, code(outcome.failed), said
    if outcome.failed:
        return Status.PENDING, "Throttled", "AWS asks for patience: too many calls in this account"
    if outcome.withheld:
        return Status.PENDING, "Withheld", f"the policy keeps back:\n{outcome.withheld}"
    if outcome.waiting:
        return Status.PENDING, "Waiting", outcome.waiting.message
    if gone:
        return Status.PENDING, "Removing", "the tag is gone; what it made is being removed"
    return _as_asked(outcome.record, service)


def _as_asked(record: Record, service: Service) -> tuple[Status, str, str]:
    """Where nothing stands in the way."""
    published = len(record.tasks)
    if service.wanted and not published:
        if any(ready(task, service) for task in service.tasks):
            return Status.ACTIVE, "", "it leads to where the tasks already are"
        return Status.PENDING, "NoTaskReady", f"none of {service.wanted} tasks is ready"
    reason, troubles = _troubles(record)
    return Status.ACTIVE, reason, f"{published} of {service.wanted}{troubles}"


def _troubles(record: Record) -> tuple[str, str]:
    """What AWS finds wrong with the tasks that it lets in: a code, and the most frequent words for it."""
    members = [entry for entry in record.owned if entry.task]
    said = [entry.trouble for entry in members if entry.trouble]
    if not said:
        return "", ""
    words = max(sorted(set(said)), key=said.count)
    if len(said) < len(members):
        return "Unhealthy", f", of which {len(said)} are not healthy: {words}"
    return (
        "AllUnhealthy",
        f", none of them healthy: {words}. Look at the health check and the security groups",
    )


def _backoff(attempts: int, bounds: tuple[float, float]) -> float:
    first, longest = bounds
    return float(min(first * 2 ** min(attempts - 1, 10), longest))


def _sooner(look_at: float, scheduled: float, now: float) -> float:
    """The message that is under way comes first; when it has come, a later time gets one of its own."""
    return min(look_at, scheduled) if look_at and scheduled > now else look_at


def _unready(service: Service, record: Record, now: float) -> float:
    """When to look at the first of the tasks that are not published; 0 where all are."""
    times = (_again(task, service, record, now) for task in service.tasks)
    return min(filter(None, times), default=0.0)


def _again(task: Task, service: Service, record: Record, now: float) -> float:
    """When to look at a task that is not published, or not well; 0 for not at all.

    What its events tell, or nothing does, as long after it was last read; what it lacks since it runs, more rarely the
    longer it has run.
    """
    if not task.running or not counts(task, service):
        pause = _SHIFTING_AGAIN if task.running else _BEGINNING_AGAIN
        return max(service.read_at + pause, now + _UNREADY_AGAIN[0])
    if ready(task, service) and task.id in record.tasks:
        return 0.0
    first, longest = _LACKING_AGAIN if ready(task, service) else _UNREADY_AGAIN
    return now + min(max((now - task.started_at) / 4, first), longest)


def refusal_record(service: str, tag: str, refused: Refused) -> Record:
    """How a service stands that cannot be looked at, as if under one tag of this name."""
    return Record(service, tag, status=refused.status, code=refused.code, message=refused.message)
