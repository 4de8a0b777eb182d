"""One resource for each task of a service: shared by every mechanism, as all treat those alike that cannot be one."""

from __future__ import annotations

from collections.abc import Callable

from expose.definitions import Definition
from expose.model import Exposure, Resource, Service, Task
from expose.refusals import NotYet, Refused

LACKS = frozenset(
    {"NoPublicAddress", "NoPrivateAddress", "NoIpv6Address", "NoInstance", "NotAudited", "PortNotBound"}
)
"""The codes of what a task lacks and may still get: an address, a host, a port of it."""

_ADDRESS_TAKES = 30.0  # seconds in which a new task may still get its public address (F§1.6)


def members(
    exposure: Exposure, service: Service, member: Callable[[Task, Definition], Resource]
) -> list[Resource]:
    """Of the tasks that can be members. Raise the `Refused` of the first where none can; `NotYet` where they are young
    and lack nothing but what is still to come. One on a machine outside of AWS has no address that a service of AWS
    could lead to, so it is never a member.
    """
    refusals: list[Refused] = []
    found: list[Resource] = []
    for task in service.tasks:
        try:
            definition = service.definitions[task.definition]
            _check_host(exposure, task, definition)
            found.append(member(task, definition))
        except Refused as refusal:
            refusals.append(refusal)
    if refusals and not found:
        young = all(service.read_at - task.started_at < _ADDRESS_TAKES for task in service.tasks)
        told = next((each for each in refusals if each.code in LACKS), refusals[0])
        if young and told.code in LACKS:
            raise NotYet(told.message, seconds=5)
        raise told
    return found


def _check_host(exposure: Exposure, task: Task, definition: Definition) -> None:
    """Raise `Refused` for a task whose machine has no address here, or none yet."""
    if not task.instance and definition.network_mode in {"bridge", "host"}:
        raise Refused("NoInstance", exposure.said("the EC2 instance of the tasks is not known yet"))
    if not task.anywhere:
        return
    problem = (
        f"the tasks run on ECS Anywhere, on your own machine {task.instance}, whose addresses AWS does not know: run them on "
        "Fargate or EC2, or lead to your machines yourself"
    )
    raise Refused("OutsideOfAws", exposure.said(problem))
