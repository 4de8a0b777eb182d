"""One resource for each task of a service: shared by every mechanism, as all treat those alike that cannot be one."""

from __future__ import annotations

from collections.abc import Callable

from expose.model import Definition, Resource, Service, Task
from expose.refusals import NotYet, Refused

_ADDRESSLESS = frozenset({"NoPublicAddress", "NoPrivateAddress", "NoIpv6Address", "NoInstance", "NotAudited"})
_ADDRESS_TAKES = 30.0  # seconds in which a new task may still get its public address (F§1.6)


def members(service: Service, member: Callable[[Task, Definition], Resource]) -> list[Resource]:
    """Of the tasks that can be members. Raise the `Refused` of the first where none can; `NotYet` where they are young
    and lack nothing but an address.
    """
    refusals: list[Refused] = []
    found: list[Resource] = []
    for task in service.tasks:
        try:
            found.append(member(task, service.definitions[task.definition]))
        except Refused as refusal:
            refusals.append(refusal)
    if refusals and not found:
        young = all(service.read_at - task.started_at < _ADDRESS_TAKES for task in service.tasks)
        if young and refusals[0].code in _ADDRESSLESS:
            raise NotYet(refusals[0].message, seconds=5)
        raise refusals[0]
    return found
