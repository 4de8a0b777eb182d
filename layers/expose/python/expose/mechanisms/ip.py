"""The `ip` mechanism: the tasks' own public addresses, published as a list for whoever wants to dial them.

    expose:ip = PORT[/udp][+PORT ...] [container=NAME] [guard=report|enforce]

One list, and one entry in it for each ready task: its id, its public IPv4 and IPv6 addresses, and for each port of the
container that the tag names the port to dial. The list is a parameter of Systems Manager,
`/expose/STACK/CLUSTER/SERVICE[/LABEL]`. Nothing stands between the tasks and the internet but their security groups:
with `guard=enforce`, a task that answers the whole internet at any other port is not published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from expose.audit.findings import Declared, said, undeclared
from expose.definitions import Definition
from expose.mechanisms.members import members
from expose.mechanisms.ports import dialled
from expose.mechanisms.surroundings import Lookup, Surroundings
from expose.model import Exposure, Identity, Opening, Resource, Service, Task
from expose.policy import Detail, Limits, Replacing, ready
from expose.refusals import Invalid, NotYet, Partly, Refused
from expose.tags import Grammar, asking, container, one_of, port, read_one

__all__ = ["declared", "desired", "detail", "grammar", "lookups", "opens", "ready", "replacing"]

LIST, ADDRESS = "ssm.list", "ssm.address"

_FAMILIES = {"ipv4": 4, "ipv6": 6}

_LABEL = re.compile(r"[A-Za-z0-9_-]+")


def _ports(text: str) -> str:
    """As `_asked` takes them apart: without the protocol that goes without saying, and each once."""
    found: dict[str, None] = {}
    for each in text.split("+"):
        number, slash, protocol = each.lower().partition("/")
        if slash and protocol not in {"tcp", "udp"}:
            raise ValueError(f"expected ports such as 8080 or 8080+53/udp, got {each!r}")
        try:
            found[f"{port(number)}{'/udp' if protocol == 'udp' else ''}"] = None
        except ValueError as problem:
            raise ValueError(f"{problem}, such as 8080 or 8080+53/udp, got {each!r}") from problem
    return "+".join(found)


grammar = Grammar(
    example="8080+8443 guard=enforce",
    target=_ports,
    options={"container": container, "guard": one_of("report", "enforce")},
)


def lookups(exposure: Exposure, service: Service, limits: Limits) -> Sequence[Lookup]:
    return ()


def detail(exposure: Exposure, surroundings: Surroundings) -> Detail:
    return Detail.OPEN if _enforces(exposure) else Detail.PUBLIC


def replacing(exposure: Exposure, service: Service) -> Replacing | None:
    """Nobody watches the tasks."""
    return None


def declared(service: Service, task: Task, *, prefix: str) -> tuple[Declared, ...]:
    """The ports of a task that any `ip` tag of its service names. A tag that cannot be read declares nothing."""
    definition = service.definitions[task.definition]
    found = {
        Declared(protocol, number, dial)
        for tag, value in asking(service.tags, prefix=prefix).items()
        for exposure in _readable(service, tag, value)
        for family in _FAMILIES.values()
        for number, protocol, dial in _dials(exposure, task, definition, family)
    }
    return tuple(sorted(found, key=lambda each: (each.protocol, each.port, each.dial)))


def opens(value: str, limits: Limits) -> bool:
    """An address lets nobody pass whom the security groups do not."""
    return False


def desired(exposure: Exposure, service: Service, surroundings: Surroundings) -> Sequence[Resource]:
    """Raise `Refused` where no ready task has what the tag asks for, `Partly` where the guard holds some of them back."""
    list_ = Resource(Identity(LIST, _name(exposure, surroundings)), spec={"tidy": True})
    open_ = _guarded(exposure, service) if _enforces(exposure) else {}
    others = replace(service, tasks=tuple(task for task in service.tasks if task.id not in open_))

    def entry(task: Task, definition: Definition) -> Resource:
        return _entry(exposure, task, definition, list_)

    try:
        resources = [list_, *members(exposure, others, entry)]
    except (NotYet, Refused):
        if not open_:
            raise
        resources = [list_]  # those held back go in any case
    if open_:
        raise Partly("WorldOpen", exposure.said(_advice(open_, len(service.tasks))), resources)
    return resources


def _name(exposure: Exposure, surroundings: Surroundings) -> str:
    """Of the parameter."""
    label = exposure.tag.split(":")[2:]
    if label and not _LABEL.fullmatch(label[0]):
        problem = (
            f"{label[0]!r} cannot be part of a parameter's name: expected a label of letters, digits, _ and -"
        )
        raise Refused("UnfitLabel", exposure.said(problem))
    service = exposure.service
    return "/".join(("/expose", surroundings.stack, service.cluster, service.name, *label))


def _entry(exposure: Exposure, task: Task, definition: Definition, list_: Resource) -> Resource:
    if _enforces(exposure) and task.openings is None:
        raise Refused(
            "NotAudited", exposure.said("it is not known yet what else is open at the tasks' addresses")
        )
    by_family = {
        family: _ports_of(exposure, task, definition, family)
        for family in _addresses(exposure, task, definition)
    }
    ports = next(iter(by_family.values()))  # those of IPv4, where it has both
    addresses = {family: task.public[family] for family, each in by_family.items() if each == ports}
    return Resource(
        Identity(ADDRESS, f"{list_.identity.key}#{task.id}"),
        spec={"task": task.id, **addresses, "ports": ports},
        refs={"list": list_.identity},
        task=task.id,
        address=" ".join(addresses.values()),
    )


def _ports_of(exposure: Exposure, task: Task, definition: Definition, family: str) -> dict[str, int]:
    """Which to dial at the address of a family: where that is not as the entry says, the address is left out."""
    of = _FAMILIES[family]
    return {
        _said(number, protocol): dialled(exposure, task, definition, number, protocol, family=of)
        for number, protocol in _asked(exposure)
    }


def _addresses(exposure: Exposure, task: Task, definition: Definition) -> dict[str, str]:
    """By family, whichever the task has."""
    if task.public:
        return task.public
    advice = "the container instances have none: run them in public subnets that assign public addresses"
    if definition.network_mode == "awsvpc":
        advice = (
            "on Fargate set assignPublicIp=ENABLED in a public subnet and deploy; awsvpc tasks on EC2 never have "
            "one, so run them in bridge or host mode, or on Fargate"
        )
    raise Refused("NoPublicAddress", exposure.said(f"the tasks have no public address: {advice}"))


def _guarded(exposure: Exposure, service: Service) -> dict[str, tuple[Opening, ...]]:
    """What the whole internet reaches beside the declared ports, of each task of which that is so."""
    prefix = exposure.tag.partition(":")[0]
    tagged = replace(service, tags={**service.tags, exposure.tag: exposure.value})
    found = {
        task.id: undeclared(task.openings or (), declared(tagged, task, prefix=prefix))
        for task in service.tasks
    }
    return {task: openings for task, openings in found.items() if openings}


def _advice(open_: Mapping[str, Sequence[Opening]], tasks: int) -> str:
    ports = sorted({f"{said(each)} ({', '.join(each.groups)})" for found in open_.values() for each in found})
    return (
        f"{len(open_)} of {tasks} tasks are not published, for the whole internet reaches what no tag declares: "
        f"{'; '.join(ports)}. Close it in the security group named, declare it in the tag, or say guard=report"
    )


def _readable(service: Service, tag: str, value: str) -> Iterator[Exposure]:
    try:
        yield read_one(service.arn, tag, value, {"ip": grammar})
    except Invalid:
        return


def _dials(
    exposure: Exposure, task: Task, definition: Definition, family: int
) -> Iterator[tuple[int, str, int]]:
    for number, protocol in _asked(exposure):
        try:
            yield number, protocol, dialled(exposure, task, definition, number, protocol, family=family)
        except Refused:
            continue  # it is told by the exposure that asks for it


def _asked(exposure: Exposure) -> list[tuple[int, str]]:
    words = (each.partition("/") for each in exposure.target.split("+"))
    return [(int(number), protocol or "tcp") for number, _, protocol in words]


def _said(number: int, protocol: str) -> str:
    return str(number) if protocol == "tcp" else f"{number}/{protocol}"


def _enforces(exposure: Exposure) -> bool:
    return bool(exposure.options.get("guard") == "enforce")
