"""What of a remembered task need not be asked for again: where it is, and all of it where nothing of it changes."""

from __future__ import annotations

from dataclasses import replace

from expose.model import Service, Task
from expose.policy import Detail, reverts


def is_placed(task: Task, detail: Detail) -> bool:
    """Whether all is known of where it is. A public IPv4 address may take a while, and so may a host (F§1.6)."""
    has_address = bool(task.private_ipv4 or task.ipv6 if detail is Detail.PRIVATE else task.public_ipv4)
    return (has_address or task.anywhere) and (task.openings is not None or detail < Detail.OPEN)


def is_final(task: Task, service: Service) -> bool:
    """Whether nothing else of it changes until it stops."""
    named = task.started_by or service.serving is None
    return bool(task.running and named) and not reverts(task, service)


def where(task: Task, known: Task) -> Task:
    """As it is now, where it was."""
    return replace(
        known,
        running=task.running,
        healthy=task.healthy,
        bindings=task.bindings,
        started_at=task.started_at,
        started_by=task.started_by,
    )
