"""What of a VPC decides who gets in, as values. `expose.networks` reads them, `reach` reasons about them.

Protocols are `tcp`, `udp`, `icmp`, `icmpv6`, the number of any other as text, or `-1` for all of them. Ports matter
for tcp and udp only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ALL = "-1"
ANY_PORT = (0, 65535)


@dataclass(frozen=True, slots=True)
class Rule:
    """One ingress permission of a security group. Its sources are CIDRs of both families, prefix lists and groups."""

    protocol: str
    first: int = ANY_PORT[0]
    last: int = ANY_PORT[1]
    sources: tuple[str, ...] = ()
    prefix_lists: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    id: str
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class AclEntry:
    number: int
    allow: bool
    protocol: str
    first: int
    last: int
    cidr: str


@dataclass(frozen=True, slots=True)
class Acl:
    id: str
    inbound: tuple[AclEntry, ...] = ()
    outbound: tuple[AclEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """`destination` is a CIDR or the id of a prefix list, `target` the id of a gateway or `local`."""

    destination: str
    target: str
    blackhole: bool = False


@dataclass(frozen=True, slots=True)
class RouteTable:
    id: str
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class Interface:
    """`blocks_internet` is EC2's DenyAllIgwTraffic, `owner` the account that it belongs to."""

    id: str
    subnet: str
    vpc: str
    groups: tuple[str, ...] = ()
    private_ipv4: str = ""
    public_ipv4: str = ""
    ipv6: tuple[str, ...] = ()
    blocks_internet: bool = False
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """What surrounds some interfaces: security groups and prefix lists by id; route tables and ACLs by subnet, the
    main table and the default ACL of a VPC by the VPC's id.
    """

    groups: Mapping[str, SecurityGroup] = field(default_factory=dict)
    tables: Mapping[str, RouteTable] = field(default_factory=dict)
    acls: Mapping[str, Acl] = field(default_factory=dict)
    prefix_lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def table(self, interface: Interface) -> RouteTable | None:
        return self.tables.get(interface.subnet) or self.tables.get(interface.vpc)

    def acl(self, interface: Interface) -> Acl | None:
        return self.acls.get(interface.subnet) or self.acls.get(interface.vpc)
