"""Adopting: what carries our mark, and is found rather than made, stands in the ledger from then on like what we made.

So it is after a stack was installed again, or its ledger was lost or restored: what was kept comes back with whatever
was published there meanwhile. Which task something is for decides whether it stays; where that cannot be told it is
nobody's, so that no policy keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from expose.model import Identity, Owned, Service, Task
from expose.records import Record
from expose.resources import Adapters

NOBODY = "unknown"
"""The task of what is there for a task, none of the service's."""

_MEMBERS = {"cloudmap.instance": "cloudmap.service", "elb.target": "elb.group", "ssm.address": "ssm.list"}


def forgotten(seen: Mapping[Identity, Owned], record: Record, service: Service) -> dict[Identity, Owned]:
    """What is seen and not in the record, each with the task that it is for."""
    known = record.by_identity
    return {
        each.identity: _with_task(each, service.tasks) for each in seen.values() if each.identity not in known
    }


def inherited(
    before: Record, after: Record, adapters: Adapters, mark: str, service: Service
) -> dict[Identity, Owned]:
    """What was there for tasks already in what seems to have been made just now."""
    had = {each.identity for each in before.owned if each.aws_id}
    made = (each for each in after.owned if each.aws_id and each.identity not in had)
    parents = [each for each in made if each.identity.kind in _MEMBERS.values()]
    return forgotten(_read(_MEMBERS, parents, adapters, mark), after, service)


def left_behind(record: Record, adapters: Adapters, mark: str) -> dict[Identity, Owned]:
    """What carries the exposure's mark, is there, and is none of what it owns; with what is in it for tasks.

    Nothing while it is not known which of all is its own.
    """
    if not all(each.aws_id for each in record.owned):
        return {}
    ids = {each.aws_id for each in record.owned}
    found = [each for each in adapters.marked(mark) if each.aws_id not in ids]
    there = _read(_MEMBERS.values(), found, adapters, mark)
    members = _read(_MEMBERS, there.values(), adapters, mark)
    return there | {each.identity: replace(each, task=each.task or NOBODY) for each in members.values()}


def _read(
    kinds: Iterable[str], entries: Iterable[Owned], adapters: Adapters, mark: str
) -> dict[Identity, Owned]:
    listed = list(entries)
    return {
        each.identity: each for kind in kinds if listed for each in adapters.kinds[kind].read(listed, mark)
    }


def _with_task(entry: Owned, tasks: Iterable[Task]) -> Owned:
    """A target does not say for which task it is, but where that is reached."""
    if entry.task or entry.identity.kind not in _MEMBERS:
        return entry
    name, _, port = entry.aws_id.rpartition(":")
    return replace(entry, task=next((task.id for task in tasks if _stands_at(task, name, port)), NOBODY))


def _stands_at(task: Task, name: str, port: str) -> bool:
    if name == task.instance:
        return any(each.is_at(int(port)) for each in task.bindings)
    return name in {task.private_ipv4, task.public_ipv4, task.ipv6} - {""}
