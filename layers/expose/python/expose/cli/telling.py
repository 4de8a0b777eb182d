"""From an inspection to its story: what was read, put into words. Pure, and told alike to people and to programs."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from expose.cli import obstacles
from expose.cli.obstacles import Obstacle
from expose.cli.output import plain
from expose.cli.story import Piece, Reading, Running, Step, Story, Told
from expose.foresight import Foresight
from expose.inspecting import Inspection
from expose.mechanisms import MECHANISMS
from expose.model import WATCHED, Identity, Opening, Owned, Resource, Service, Task
from expose.plan import Change, Create, Delete, Forget, Plan, Update, subject
from expose.policy import ready


def story(seen: Inspection, *, prefix: str, now: float) -> Story:
    service = seen.service
    return Story(
        service=str(service.arn) if service.arn.cluster else "",
        label=service.arn.label.strip("/"),
        active=service.active,
        wanted=service.wanted,
        tags=tuple(_told(each, seen, now) for each in seen.foresights),
        tasks=tuple(_running(task, seen) for task in service.tasks),
        notes=tuple(_notes(seen, prefix)),
    )


def steps(plan: Plan, *, withheld: bool = False) -> Iterator[Step]:
    for change in (*plan.openings, *plan.closings):
        what = subject(change)
        yield Step(
            _verb(change), what.identity.kind, what.identity.key, what.task, what.address, withheld=withheld
        )


def _verb(change: Change) -> str:
    match change:
        case Create():
            return "create"
        case Update():
            return "update"
        case Delete():
            return "delete"
        case Forget():
            return "forget"


def _notes(seen: Inspection, prefix: str) -> Iterator[Obstacle]:
    """What stands in the way of all of the service's tags, or why it has none."""
    if seen.barred:
        yield Obstacle("Blocked", seen.barred.code, seen.barred.message)
    elif not seen.service.active:
        yield Obstacle("Waiting", "Gone", "the service is gone; what its tags made goes with it")
    elif not seen.foresights:
        near = [
            key
            for key in seen.service.tags
            if get_close_matches(key.partition(":")[0].lower(), [prefix], cutoff=0.8)
            and key != f"{prefix}:policy"
        ]
        also = (
            f" ({', '.join(map(repr, sorted(near)))} comes near, but keys are read to the letter)"
            if near
            else ""
        )
        examples = "".join(
            f"\n  {prefix}:{name} = {mechanism.grammar.example}" for name, mechanism in MECHANISMS.items()
        )
        yield Obstacle(
            "Blocked",
            "NoTag",
            f"no tag of this service begins with {prefix}:{also}, so nothing exposes it. Tags are such as{examples}\n"
            f"set with aws ecs tag-resource --resource-arn {seen.service.arn} --tags 'key=...,value=...'",
        )


def _told(each: Foresight, seen: Inspection, now: float) -> Told:
    record, attempt = each.record, each.attempt
    behind = attempt is not None and not attempt.now and attempt.exposure is not None
    return Told(
        tag=record.tag,
        value=record.value,
        policy=each.ask.policy,
        reading=_reading(each),
        status=record.status if record.version else None,
        code=record.code,
        message=record.message,
        since=record.status_since,
        addresses=tuple(record.addresses),
        follows=attempt.exposure.value if behind and attempt and attempt.exposure else "",
        pieces=tuple(_pieces(each, seen.service)),
        steps=(*steps(each.plan), *steps(each.withheld, withheld=True)),
        obstacles=tuple(obstacles.of(each, seen, now)),
        hints=tuple(obstacles.hints(each, seen.service)),
    )


def _reading(each: Foresight) -> Reading | None:
    exposure = each.ask.exposure
    if exposure is None:
        return None
    known = MECHANISMS[exposure.mechanism].grammar.options
    return Reading(
        exposure.mechanism,
        plain(exposure.target),
        {name: plain(value) for name, value in exposure.options.items()},
        tuple(sorted(known.keys() - exposure.options.keys())),
    )


def _pieces(each: Foresight, service: Service) -> Iterator[Piece]:
    owned = each.record.by_identity
    wanted = {resource.identity: resource for resource in each.desired}
    for identity in (*wanted, *(identity for identity in owned if identity not in wanted)):
        entry, resource = owned.get(identity), wanted.get(identity)
        yield Piece(
            kind=identity.kind,
            key=identity.key,
            state=_state(identity, resource, entry, each, service),
            aws_id=entry.aws_id if entry else "",
            address=(resource or entry or Owned(identity)).address or (entry.address if entry else ""),
            task=(resource or entry or Owned(identity)).task,
            trouble=entry.trouble if entry else "",
            desired=plain(resource.spec) if resource else None,
        )


def _state(
    identity: Identity, resource: Resource | None, entry: Owned | None, each: Foresight, service: Service
) -> str:
    """In a word or two; a failed look says nothing of AWS."""
    there = identity in each.current
    if entry and entry.busy:
        return "going" if entry.leaving else "being made"
    if resource is None:
        decided = each.attempt is not None or (entry and entry.task and entry.task not in service.alive)
        return ("to go" if there else "gone") if decided else "there" if there else "not seen"
    if not there:
        return "missing"
    if each.current[identity] != resource.fingerprint:
        return "differs"
    return "being checked" if entry and entry.operation == WATCHED else "there"


def _running(task: Task, seen: Inspection) -> Running:
    service = seen.service
    exposed = {each.record.tag: _exposed(task, each, service) for each in seen.foresights}
    return Running(
        id=task.id,
        ready=ready(task, service),
        said=obstacles.of_task(task, service),
        private_ipv4=task.private_ipv4,
        public_ipv4=task.public_ipv4,
        ipv6=task.ipv6,
        open=None if task.openings is None else tuple(dict.fromkeys(map(_open, task.openings))),
        exposed=exposed,
    )


def _open(opening: Opening) -> str:
    protocol = {"-1": "all traffic"}.get(opening.protocol, f"{opening.protocol} {opening.ports}")
    few = "+".join(opening.sources[:2]) + ("+..." if len(opening.sources) > 2 else "")
    return f"{protocol} to {'the world' if opening.world else few}"


def _exposed(task: Task, each: Foresight, service: Service) -> str:
    """Whether a tag publishes this task."""
    entries = [entry for entry in each.record.owned if entry.task == task.id]
    made = [entry for entry in entries if entry.aws_id and entry.identity in each.current]
    if made and not any(entry.busy for entry in entries):
        troubles = "; ".join(sorted({entry.trouble for entry in made if entry.trouble}))
        return f"published, but {troubles}" if troubles else "published"
    if entries and any(entry.busy for entry in entries):
        return "on its way"
    if each.failed:
        return "not known"
    if not any(resource.task for resource in each.desired):
        leads_there = each.desired and not each.refused and ready(task, service)
        return "reached without an entry of its own" if leads_there else "not published"
    return "to be published" if any(r.task == task.id for r in each.desired) else "not published"
