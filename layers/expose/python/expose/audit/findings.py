"""What the audit has to say about a service: findings that are graded, and the same as long as the cause is.

A finding's identity is made of what opens, never of the task or the address that happens to show it: tasks rotate,
the finding stays one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from expose.audit.network import ALL, ANY_PORT
from expose.audit.ranges import union, without
from expose.audit.reach import OTHER
from expose.model import Opening, digest

WORLD = "open-to-world"
RANGES = "open-to-ranges"
UNREACHABLE = "unreachable"
PUBLIC_ADDRESS = "public-address"

GRADES = ("critical", "high", "medium", "low", "info")
"""The worst first."""

_ADMINISTRATION = (
    22,
    23,
    111,
    135,
    139,
    445,
    512,
    513,
    514,
    873,
    2049,
    2375,
    2376,
    2379,
    3389,
    5900,
    5985,
    5986,
    6443,
    10250,
)
_DATABASES = (1433, 1521, 3306, 5432, 5984, 6379, 7000, 9042, 9092, 9200, 9300, 11211, 27017, 50000)

SENSITIVE = frozenset(("tcp", port) for port in (*_ADMINISTRATION, *_DATABASES)) | {
    ("udp", 161),
    ("udp", 389),
    ("udp", 623),
    ("udp", 11211),
}
"""Ports that administer a machine or hold its data: nothing that the whole internet should try its keys on."""

_PING = frozenset({"icmp", "icmpv6"})
_WORDS = {
    "icmp": "ping (icmp)",
    "icmpv6": "ping (icmpv6)",
    OTHER: "every protocol not named",
    ALL: "all traffic",
}


@dataclass(frozen=True, slots=True)
class Declared:
    """A port that a tag asks for: the container's, and the one to `dial` (another one on bridge networks)."""

    protocol: str
    port: int
    dial: int


@dataclass(frozen=True, slots=True)
class Finding:
    """`service` is an ARN or a task group, `subject` what of it is meant, as people say it. Family 0 is both.

    `tasks` show it now; two findings of the same id are the same whichever tasks those are.
    """

    id: str
    kind: str
    grade: str
    service: str
    subject: str
    family: int = 0
    protocol: str = ""
    first: int = 0
    last: int = 0
    sources: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    declared: bool = False
    message: str = ""
    tasks: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """A task that has a public address: what is open there, and what its tags declare (None: no tag asks for it)."""

    task: str
    openings: tuple[Opening, ...]
    declared: tuple[Declared, ...] | None = None


def findings(service: str, seen: Iterable[Seen]) -> tuple[Finding, ...]:
    """Of one service, the worst first, each once for all the tasks that show it."""
    merged: dict[str, Finding] = {}
    for task in seen:
        for finding in (*_declared(service, task), *_surplus(service, task), *_unasked(service, task)):
            other = merged.get(finding.id, finding)
            merged[finding.id] = replace(
                finding,
                grade=min(finding.grade, other.grade, key=GRADES.index),
                groups=tuple(sorted({*finding.groups, *other.groups})),
                tasks=tuple(sorted({*finding.tasks, *other.tasks})),
            )
    return tuple(sorted(merged.values(), key=lambda each: (GRADES.index(each.grade), each.subject, each.id)))


def undeclared(openings: Iterable[Opening], declared: Collection[Declared]) -> tuple[Opening, ...]:
    """Those to the world that let in to more ports than are declared. Answering a ping is no port."""
    return tuple(
        opening
        for opening in openings
        if opening.world and opening.protocol not in _PING and _beyond(opening, declared)
    )


def changes(
    before: Iterable[Finding], now: Iterable[Finding]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Which have opened, and which have closed."""
    old, new = {each.id: each for each in before}, {each.id: each for each in now}
    opened = tuple(each for one, each in new.items() if one not in old)
    return opened, tuple(each for one, each in old.items() if one not in new)


def identity(*parts: object) -> str:
    """A finding's id, from what makes it this one and no other."""
    return digest("\n".join(map(str, parts)))


def said(opening: Opening) -> str:
    """As people say it."""
    what = _WORDS.get(opening.protocol, f"{opening.protocol} {opening.ports}")
    if opening.protocol.isdigit():
        what = f"protocol {opening.protocol}"
    return f"{what} over IPv{opening.family}"


def _declared(service: str, task: Seen) -> Iterator[Finding]:
    """Each declared port: how it is open, or that it is not."""
    for port in task.declared or ():
        letting = [each for each in task.openings if each.lets_in(port.protocol, port.dial)]
        for opening in letting:
            alone = replace(opening, protocol=port.protocol, first=port.port, last=port.port)
            yield _open(service, task.task, alone, "info", declared=True)
        if not letting:
            subject = f"{port.protocol} {port.port}"
            yield Finding(
                identity(service, UNREACHABLE, port.protocol, port.port),
                UNREACHABLE,
                "low",
                service,
                subject,
                protocol=port.protocol,
                first=port.port,
                last=port.port,
                declared=True,
                message=f"{subject} is declared, but nobody on the internet reaches it: look at the security groups, "
                "the subnet's route table and its network ACL",
                tasks=(task.task,),
            )


def _surplus(service: str, task: Seen) -> Iterator[Finding]:
    """What is open beyond the declared ports. Named as it is opened, so that it stays the same whatever ports of it
    the tasks happen to have.
    """
    for opening in task.openings:
        if beyond := _beyond(opening, task.declared or ()):
            yield _open(service, task.task, opening, _grade(opening, beyond), declared=False)


def _unasked(service: str, task: Seen) -> Iterator[Finding]:
    if task.declared is None:
        yield Finding(
            identity(service, PUBLIC_ADDRESS),
            PUBLIC_ADDRESS,
            "low",
            service,
            "public address",
            message="has a public address that no tag asks for: set assignPublicIp to DISABLED if it needs none",
            tasks=(task.task,),
        )


def _open(service: str, task: str, opening: Opening, grade: str, *, declared: bool) -> Finding:
    kind, subject = (WORLD if opening.world else RANGES), said(opening)
    whom = "the whole internet" if opening.world else ", ".join(opening.sources)
    groups = ", ".join(opening.groups)
    wish = "as declared" if declared else f"and not declared: narrow {groups}, or declare it in the tag"
    ports = (opening.family, opening.protocol, opening.first, opening.last)
    return Finding(
        identity(service, kind, *ports, *opening.sources, declared),
        kind,
        grade,
        service,
        subject,
        *ports,
        sources=opening.sources,
        groups=opening.groups,
        declared=declared,
        message=f"{subject} is open to {whom} by {groups}, {wish}",
        tasks=(task,),
    )


def _grade(opening: Opening, beyond: Sequence[tuple[int, int]]) -> str:
    if not opening.world or opening.protocol in _PING:
        return "medium"
    ports = {"tcp", "udp"} if opening.protocol == ALL else {opening.protocol}
    every = (opening.first, opening.last) == ANY_PORT and ports & {"tcp", "udp"}
    sensitive = any(
        first <= port <= last and port_protocol in ports
        for first, last in beyond
        for port_protocol, port in SENSITIVE
    )
    return "critical" if every or sensitive else "high"


def _beyond(opening: Opening, declared: Collection[Declared]) -> tuple[tuple[int, int], ...]:
    """The ports that it opens and no tag declares, as ranges."""
    taken = union(((each.dial, each.dial),) for each in declared if each.protocol == opening.protocol)
    return without(((opening.first, opening.last),), taken)
