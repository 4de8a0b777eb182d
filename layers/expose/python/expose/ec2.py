"""EC2's descriptions of what makes up a network, as the values that the audit reasons about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expose.audit.network import (
    ALL,
    ANY_PORT,
    Acl,
    AclEntry,
    Interface,
    Route,
    RouteTable,
    Rule,
    SecurityGroup,
)

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import (
        IpPermissionOutputTypeDef,
        NetworkAclEntryTypeDef,
        NetworkAclTypeDef,
        NetworkInterfaceTypeDef,
        RouteTableTypeDef,
        RouteTypeDef,
        SecurityGroupTypeDef,
    )

_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}


def interface(described: NetworkInterfaceTypeDef) -> Interface:
    return Interface(
        id=described.get("NetworkInterfaceId", ""),
        subnet=described.get("SubnetId", ""),
        vpc=described.get("VpcId", ""),
        groups=tuple(sorted(group.get("GroupId", "") for group in described.get("Groups", []))),
        private_ipv4=described.get("PrivateIpAddress", ""),
        public_ipv4=described.get("Association", {}).get("PublicIp", ""),
        ipv6=tuple(each.get("Ipv6Address", "") for each in described.get("Ipv6Addresses", [])),
        blocks_internet=described.get("DenyAllIgwTraffic", False),
        owner=described.get("OwnerId", ""),
    )


def group(described: SecurityGroupTypeDef) -> SecurityGroup:
    return SecurityGroup(
        described.get("GroupId", ""), tuple(_rule(each) for each in described.get("IpPermissions", []))
    )


def _rule(permission: IpPermissionOutputTypeDef) -> Rule:
    protocol = _protocol(permission.get("IpProtocol", ALL))
    first, last = _ports(protocol, permission.get("FromPort"), permission.get("ToPort"))
    ipv4 = (each.get("CidrIp", "") for each in permission.get("IpRanges", []))
    ipv6 = (each.get("CidrIpv6", "") for each in permission.get("Ipv6Ranges", []))
    return Rule(
        protocol,
        first,
        last,
        sources=(*ipv4, *ipv6),
        prefix_lists=tuple(each.get("PrefixListId", "") for each in permission.get("PrefixListIds", [])),
        groups=tuple(each.get("GroupId", "") for each in permission.get("UserIdGroupPairs", [])),
    )


def _protocol(said: str) -> str:
    return _NAMES.get(said, said)


def _ports(protocol: str, first: int | None, last: int | None) -> tuple[int, int]:
    """What has no ports counts as having all: there AWS leaves them out, or puts types of ICMP into their place."""
    if protocol not in {"tcp", "udp"} or first is None or last is None or first < 0:
        return ANY_PORT
    return first, last


def table(described: RouteTableTypeDef) -> RouteTable:
    return RouteTable(
        described.get("RouteTableId", ""), tuple(_route(each) for each in described.get("Routes", []))
    )


def _route(described: RouteTypeDef) -> Route:
    destination = (
        described.get("DestinationCidrBlock")
        or described.get("DestinationIpv6CidrBlock")
        or described.get("DestinationPrefixListId", "")
    )
    # What is not a gateway of the internet need not be told apart.
    return Route(destination, described.get("GatewayId", ""), described.get("State") == "blackhole")


def acl(described: NetworkAclTypeDef) -> Acl:
    entries = [each for each in described.get("Entries", []) if not _narrow_denial(each)]
    return Acl(
        described.get("NetworkAclId", ""),
        inbound=tuple(_entry(each) for each in entries if not each.get("Egress")),
        outbound=tuple(_entry(each) for each in entries if each.get("Egress")),
    )


def _narrow_denial(entry: NetworkAclEntryTypeDef) -> bool:
    """Of one type of ICMP: the others still get in, and what is partly open counts as open."""
    return entry.get("RuleAction") == "deny" and entry.get("IcmpTypeCode", {}).get("Type", -1) != -1


def _entry(described: NetworkAclEntryTypeDef) -> AclEntry:
    protocol, ports = _protocol(described.get("Protocol", ALL)), described.get("PortRange", {})
    first, last = _ports(protocol, ports.get("From"), ports.get("To"))
    return AclEntry(
        number=described.get("RuleNumber", 0),
        allow=described.get("RuleAction") == "allow",
        protocol=protocol,
        first=first,
        last=last,
        cidr=described.get("CidrBlock") or described.get("Ipv6CidrBlock", ""),
    )
