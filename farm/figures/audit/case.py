"""One combination, how it is written down, and how a verdict on it is scored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rich.table import Table

from expose.audit import reach
from expose.audit.network import (
    ALL,
    ANY_PORT,
    Acl,
    AclEntry,
    Interface,
    Network,
    Route,
    RouteTable,
    Rule,
    SecurityGroup,
)
from expose.model import Opening

WORLD4, WORLD6 = "0.0.0.0/0", "::/0"
VPC4, VPC6 = "10.0.0.0/16", "2600:1f18:aaaa::/56"
OFFICE, OTHER_OFFICE = "198.51.100.0/24", "192.0.2.0/24"
OFFICE6 = "2a00:1450:4001::/48"
GLOBAL6 = "2600:1f18:aaaa:1::10"

_PORTS = {"tcp": (0, 22, 23, 80, 443, 1024, 5432, 8080, 8443, 65535), "udp": (53, 123, 8080)}
_PING = {4: "icmp", 6: "icmpv6"}
_UNNAMED = "47"


class Probe(NamedTuple):
    """What a packet from the internet could knock at. Port 0 of what has no ports."""

    family: int
    protocol: str
    port: int

    def __str__(self) -> str:
        return f"{self.family}/{self.protocol}/{self.port}"


PROBES = frozenset(
    Probe(family, protocol, port)
    for family in (4, 6)
    for protocol, ports in (_PORTS | {_PING[family]: (0,), _UNNAMED: (0,)}).items()
    for port in ports
)


def rule(
    protocol: str,
    ports: int | tuple[int, int],
    *sources: str,
    lists: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
) -> Rule:
    first, last = (ports, ports) if isinstance(ports, int) else ports
    return Rule(protocol, first, last, sources, lists, groups)


def every(*sources: str) -> Rule:
    """All traffic."""
    return rule(ALL, ANY_PORT, *sources)


def yes(number: int, protocol: str = ALL, ports: tuple[int, int] = ANY_PORT, cidr: str = WORLD4) -> AclEntry:
    return AclEntry(number, True, protocol, *ports, cidr)


def no(number: int, protocol: str = ALL, ports: tuple[int, int] = ANY_PORT, cidr: str = WORLD4) -> AclEntry:
    return AclEntry(number, False, protocol, *ports, cidr)


LOCAL = (Route(VPC4, "local"), Route(VPC6, "local"))
OUT4, OUT6 = Route(WORLD4, "igw-1"), Route(WORLD6, "igw-1")
PUBLIC = (*LOCAL, OUT4, OUT6)
DEFAULT = (yes(100), yes(101, cidr=WORLD6), no(32767), no(32768, cidr=WORLD6))


@dataclass(frozen=True, slots=True)
class Case:
    """`world` and `ranges` are the probes that AWS lets in from (almost) everywhere, and from some ranges only; `*` is
    all of a kind. All else is closed.
    """

    name: str
    why: str
    groups: tuple[tuple[Rule, ...], ...]
    world: str = ""
    ranges: str = ""
    routes: tuple[Route, ...] = PUBLIC
    inbound: tuple[AclEntry, ...] = DEFAULT
    outbound: tuple[AclEntry, ...] = DEFAULT
    public_ipv4: str = "203.0.113.10"
    ipv6: tuple[str, ...] = ()
    blocks_internet: bool = False
    own_table: bool = True
    own_acl: bool = True
    prefix_lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deleted: tuple[str, ...] = ()

    @property
    def interface(self) -> Interface:
        return Interface(
            id="eni-1",
            subnet="subnet-1",
            vpc="vpc-1",
            groups=tuple(f"sg-{number}" for number, _ in enumerate(self.groups)) + self.deleted,
            private_ipv4="10.0.0.10",
            public_ipv4=self.public_ipv4,
            ipv6=self.ipv6,
            blocks_internet=self.blocks_internet,
        )

    @property
    def network(self) -> Network:
        nowhere, closed = RouteTable("rtb-other", LOCAL), Acl("acl-other")
        table, acl = RouteTable("rtb-1", self.routes), Acl("acl-1", self.inbound, self.outbound)
        groups = (SecurityGroup(f"sg-{number}", rules) for number, rules in enumerate(self.groups))
        return Network(
            groups={group.id: group for group in groups},
            tables={"subnet-1": table, "vpc-1": nowhere} if self.own_table else {"vpc-1": table},
            acls={"subnet-1": acl, "vpc-1": closed} if self.own_acl else {"vpc-1": acl},
            prefix_lists=self.prefix_lists,
        )

    @property
    def to_world(self) -> frozenset[Probe]:
        return frozenset(_meant(self.world))

    @property
    def to_ranges(self) -> frozenset[Probe]:
        return frozenset(_meant(self.ranges))


def _meant(text: str) -> Iterable[Probe]:
    """`4/tcp/22` and `6/tcp/*`; `4/*` is the whole family."""
    for word in text.split():
        family, protocol, port = (*word.split("/"), "*")[:3]
        found = [
            probe
            for probe in PROBES
            if family == str(probe.family)
            and protocol in {"*", probe.protocol}
            and port in {"*", str(probe.port)}
        ]
        if not found:
            raise ValueError(f"no probe is {word}")
        yield from found


def judged(case: Case, *, world: bool) -> frozenset[Probe]:
    """What the audit says of it."""
    openings = [each for each in reach.openings(case.interface, case.network) if each.world == world]
    return frozenset(
        probe for probe in PROBES for each in openings if each.family == probe.family and _hit(each, probe)
    )


def _hit(opening: Opening, probe: Probe) -> bool:
    rest = opening.protocol == reach.OTHER and probe.protocol == _UNNAMED
    return rest or opening.lets_in(probe.protocol, probe.port)


@dataclass(frozen=True, slots=True)
class Score:
    """Of world-open verdicts over many combinations."""

    right: int
    claimed: int
    true: int

    @property
    def precision(self) -> float:
        return self.right / self.claimed if self.claimed else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 1.0


def score(cases: Iterable[Case]) -> Score:
    pairs = [(judged(case, world=True), case.to_world) for case in cases]
    return Score(
        right=sum(len(said & true) for said, true in pairs),
        claimed=sum(len(said) for said, _ in pairs),
        true=sum(len(true) for _, true in pairs),
    )


def table(cases: Iterable[Case]) -> Table:
    """As a figure."""
    known = tuple(cases)
    found = score(known)
    drawn = Table(title=f"The audit over {len(known)} combinations of groups, routes, ACLs and addresses")
    for heading in ("world-open in truth", "said to be", "precision", "recall"):
        drawn.add_column(heading, justify="right")
    drawn.add_row(str(found.true), str(found.claimed), f"{found.precision:.3f}", f"{found.recall:.3f}")
    return drawn
