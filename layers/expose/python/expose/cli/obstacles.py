"""What stands in the way of an exposure, or of a task: each with what to do about it. The answers to "why not"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from expose.aws import code, throttled
from expose.cli.output import span
from expose.cli.trouble import in_words
from expose.foresight import Foresight
from expose.inspecting import Inspection
from expose.mechanisms import MECHANISMS
from expose.model import Service, Task
from expose.policy import counts, ready
from expose.refusals import Status

_WRONG = frozenset({Status.BLOCKED, Status.FAILED})


@dataclass(frozen=True, slots=True)
class Obstacle:
    """`kind` is a status, or Waiting for what passes by itself; `code` is stable, `message` for people."""

    kind: str
    code: str
    message: str


def of(each: Foresight, seen: Inspection, now: float) -> Iterator[Obstacle]:
    """Of one exposure, the one to look at first in front."""
    yield from _refusals(each, seen)
    yield from _of_policy(each)
    if each.ask.exposure and seen.service.active and not seen.barred:
        yield from _of_tasks(each, seen.service)
    yield from _waits(each, now)


def _refusals(each: Foresight, seen: Inspection) -> Iterator[Obstacle]:
    known = each.ask.record
    if each.refused:
        yield Obstacle(each.refused.status, each.refused.code, each.refused.message)
    if each.failed:
        said = "AWS asks for patience: too many calls in this account"
        yield Obstacle(
            Status.FAILED, code(each.failed), said if throttled(each.failed) else _said(each.failed)
        )
    for claim, holders in seen.held.items():
        if any(resource.identity == claim for resource in each.desired):
            who = " and ".join(holders)
            name = claim.key.rpartition("/")[2]
            yield Obstacle(
                Status.BLOCKED,
                "NameTaken",
                known.message
                if known.code == "NameTaken"
                else f"{name} is held by {who}: choose another name, or remove it there",
            )
    told_already = each.refused or each.failed or known.code == "NameTaken"
    if known.status in _WRONG and not told_already and (each.plan or each.withheld):
        yield Obstacle(known.status, known.code, f"when it was tried last: {known.message}")


def _of_policy(each: Foresight) -> Iterator[Obstacle]:
    if each.withheld:
        yield Obstacle(
            "Waiting",
            "Withheld",
            f"policy {each.ask.policy} keeps changes back: set the service's tag for the policy, or the stack's parameter "
            "Policy, to sync to let them be made",
        )


def _of_tasks(each: Foresight, service: Service) -> Iterator[Obstacle]:
    """A tag publishes tasks; without any that is ready there is nothing to publish."""
    if not service.wanted:
        yield Obstacle("Waiting", "NoTaskWanted", "the service wants no tasks: its desired count is 0")
        return
    mechanism = MECHANISMS[each.ask.exposure.mechanism] if each.ask.exposure else None
    able = [task for task in service.tasks if mechanism and mechanism.ready(task, service)]
    if not service.tasks:
        said = f"none of {service.wanted} tasks has started: `aws ecs describe-services` tells of placement and images"
        yield Obstacle("Waiting", "NoTaskReady", said)
    elif not able:
        reasons = Counter(of_task(task, service) for task in service.tasks)
        said = "; ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        yield Obstacle("Waiting", "NoTaskReady", f"none of {service.wanted} tasks is ready: {said}")
    troubles = Counter(entry.trouble for entry in each.record.owned if entry.task and entry.trouble)
    for trouble, count in sorted(troubles.items()):
        yield Obstacle(
            "Waiting",
            "Unhealthy",
            f"{count} of {len(each.record.tasks)} tasks: {trouble}. Look at the health check and the security groups",
        )


def _waits(each: Foresight, now: float) -> Iterator[Obstacle]:
    """What passes by itself, and when it is looked at again."""
    known = each.ask.record
    if each.waiting:
        yield Obstacle("Waiting", "Waiting", each.waiting.message)
    busy = [entry for entry in each.record.owned if entry.busy]
    if busy:
        yield Obstacle(
            "Waiting", "Waiting", f"AWS is still working on {_listed(str(e.identity) for e in busy)}"
        )
    if not each.plan:
        return
    again = max(known.retry_at, 0.0) or known.look_at
    if not known.version:
        yield Obstacle(
            "Waiting", "NotSeen", "the stack has not looked at this tag yet: it does within a minute or two"
        )
    elif again > now:
        yield Obstacle("Waiting", "Scheduled", f"the next try is in {span(again - now)}")


def hints(each: Foresight, service: Service) -> Iterator[Obstacle]:
    """What is published as asked, and still lets nobody in from the internet."""
    published = set(each.record.addresses)
    closed = [
        task
        for task in service.tasks
        if task.openings == () and published & {task.public_ipv4, task.ipv6} - {""}
    ]
    if closed:
        yield Obstacle(
            "Waiting",
            "NobodyGetsIn",
            f"nobody on the internet reaches {len(closed)} of {len(service.tasks)} tasks at their public addresses: no rule "
            "of their security groups lets anybody in, or the subnet's route table or network ACL stands before it",
        )


def of_task(task: Task, service: Service) -> str:
    """Why a task may not be published; empty where it may."""
    if not task.running:
        return "not running yet"
    if ready(task, service):
        return "ready"
    if task.definition not in service.definitions:
        return "its task definition cannot be read"
    if not counts(task, service):
        return f"running, but production traffic does not go to its deployment {task.started_by}"
    return "running, but its container's health check does not say HEALTHY"


def _listed(names: Iterator[str]) -> str:
    first, *more = names
    return f"{first} and {len(more)} more" if more else first


def _said(failure: Exception) -> str:
    return in_words(failure) if isinstance(failure, ClientError | BotoCoreError) else str(failure)
