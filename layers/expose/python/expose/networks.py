"""What EC2 says of interfaces and of what surrounds them: read in bulk, each group, table and ACL once.

Asked by filter throughout, as naming one thing that is gone would fail the whole call: an interface, a group or a
prefix list that is gone meanwhile is simply not there. An interface of another account, in a shared subnet, is none
of ours (F§8).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from expose import ec2
from expose.audit.network import Acl, Interface, Network, RouteTable, SecurityGroup
from expose.audit.reach import openings
from expose.aws import Clients, chunks, code
from expose.model import Opening

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import (
        FilterTypeDef,
        NetworkAclTypeDef,
        NetworkInterfaceTypeDef,
        RouteTableTypeDef,
    )

ACTIONS = frozenset(
    {
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:GetManagedPrefixListEntries",
    }
)

_MOST_VALUES = 200  # of one filter


class Networks:
    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def interfaces(self, ids: Iterable[str], *, account: str) -> Mapping[str, Interface]:
        """Those of this account that exist, by id."""
        return {
            interface.id: interface
            for described in self._described("network-interface-id", ids, account)
            for interface in [ec2.interface(described)]
        }

    def holding(self, addresses: Iterable[str], *, account: str) -> Mapping[str, Interface]:
        """Which interface of this account holds each public address (IPv4 or IPv6); no entry where none does.

        Its `private_ipv4` and `public_ipv4` are those that belong together, of the several that it may have.
        """
        asked = {str(ip_address(address)): address for address in addresses}
        ipv4 = [address for address in asked if ":" not in address]
        ipv6 = [address for address in asked if ":" in address]
        held = [
            *_by_public(self._described("addresses.association.public-ip", ipv4, account)),
            *_by_ipv6(self._described("ipv6-addresses.ipv6-address", ipv6, account)),
        ]
        return {asked[address]: interface for address, interface in held if address in asked}

    def beside(self, private: Iterable[str], *, account: str) -> dict[str, set[str]]:
        """All public and IPv6 addresses of the interfaces that have each of these private addresses; no entry where none
        has.
        """
        found: dict[str, set[str]] = {}
        for described in self._described("addresses.private-ip-address", private, account):
            interface = ec2.interface(described)
            public = {interface.public_ipv4, *(str(ip_address(each)) for each in interface.ipv6)}
            there = described.get("PrivateIpAddresses", [])
            public |= {each.get("Association", {}).get("PublicIp", "") for each in there}
            for each in (interface.private_ipv4, *(each.get("PrivateIpAddress", "") for each in there)):
                found.setdefault(each, set()).update(public - {""})
        return found

    def openings(
        self, tasks: Mapping[str, Iterable[str]], *, account: str
    ) -> dict[str, tuple[Opening, ...] | None]:
        """What the internet reaches of each task, given all its addresses; None where one of these is held by no interface
        of this account: who does not know one of them does not know what is open.
        """
        at = {task: set(addresses) for task, addresses in tasks.items()}
        held = self.holding(sorted({address for each in at.values() for address in each}), account=account)
        network = self.around({each.id: each for each in held.values()}.values())
        return {
            task: tuple(sorted({one for each in addresses for one in openings(held[each], network)}))
            if addresses <= held.keys()
            else None
            for task, addresses in at.items()
        }

    def around(self, interfaces: Iterable[Interface]) -> Network:
        """All that decides who reaches them. A subnet without a route table or ACL of its own has its VPC's (main,
        default), which stands under the VPC's id.
        """
        vpcs, groups = {}, set[str]()
        for each in interfaces:
            vpcs[each.subnet] = each.vpc
            groups.update(each.groups)
        known, tables = self._groups(groups), self._tables(vpcs)
        lists = {one for group in known.values() for rule in group.rules for one in rule.prefix_lists}
        ways = {route.destination for table in tables.values() for route in table.routes}
        lists |= {destination for destination in ways if destination.startswith("pl-")}
        entries = {one: found for one in sorted(lists) if (found := self._entries(one)) is not None}
        return Network(known, tables, self._acls(vpcs), entries)

    def _groups(self, ids: Iterable[str]) -> dict[str, SecurityGroup]:
        pages = self._clients.ec2.get_paginator("describe_security_groups")
        return {
            described.get("GroupId", ""): ec2.group(described)
            for filter_ in _filters("group-id", ids)
            for page in pages.paginate(Filters=[filter_])
            for described in page["SecurityGroups"]
        }

    def _tables(self, vpcs: Mapping[str, str]) -> dict[str, RouteTable]:
        own = {
            each["SubnetId"]: ec2.table(described)
            for described in self._route_tables("association.subnet-id", vpcs)
            for each in described.get("Associations", [])
            if "SubnetId" in each
        }
        bare = {vpc for subnet, vpc in vpcs.items() if subnet not in own}
        main: FilterTypeDef = {"Name": "association.main", "Values": ["true"]}
        return own | {
            each.get("VpcId", ""): ec2.table(each) for each in self._route_tables("vpc-id", bare, main)
        }

    def _acls(self, vpcs: Mapping[str, str]) -> dict[str, Acl]:
        own = {
            each["SubnetId"]: ec2.acl(described)
            for described in self._network_acls("association.subnet-id", vpcs)
            for each in described.get("Associations", [])
            if "SubnetId" in each
        }
        bare = {vpc for subnet, vpc in vpcs.items() if subnet not in own}
        default: FilterTypeDef = {"Name": "default", "Values": ["true"]}
        return own | {
            each.get("VpcId", ""): ec2.acl(each) for each in self._network_acls("vpc-id", bare, default)
        }

    def _entries(self, prefix_list: str) -> tuple[str, ...] | None:
        pages = self._clients.ec2.get_paginator("get_managed_prefix_list_entries")
        try:
            return tuple(
                entry.get("Cidr", "")
                for page in pages.paginate(PrefixListId=prefix_list)
                for entry in page["Entries"]
            )
        except ClientError as error:
            if code(error).lower() == "invalidprefixlistid.notfound":
                return None
            raise

    def _described(self, by: str, values: Iterable[str], account: str) -> Iterator[NetworkInterfaceTypeDef]:
        pages = self._clients.ec2.get_paginator("describe_network_interfaces")
        for filter_ in _filters(by, values):
            for page in pages.paginate(Filters=[filter_]):
                yield from (each for each in page["NetworkInterfaces"] if each.get("OwnerId") == account)

    def _route_tables(
        self, by: str, values: Iterable[str], *more: FilterTypeDef
    ) -> Iterator[RouteTableTypeDef]:
        pages = self._clients.ec2.get_paginator("describe_route_tables")
        for filter_ in _filters(by, values):
            for page in pages.paginate(Filters=[filter_, *more]):
                yield from page["RouteTables"]

    def _network_acls(
        self, by: str, values: Iterable[str], *more: FilterTypeDef
    ) -> Iterator[NetworkAclTypeDef]:
        pages = self._clients.ec2.get_paginator("describe_network_acls")
        for filter_ in _filters(by, values):
            for page in pages.paginate(Filters=[filter_, *more]):
                yield from page["NetworkAcls"]


def _filters(name: str, values: Iterable[str]) -> Iterator[FilterTypeDef]:
    """None for no values, as that would ask for everything."""
    for chunk in chunks(sorted(set(values)), _MOST_VALUES):
        yield {"Name": name, "Values": chunk}


def _by_public(found: Iterable[NetworkInterfaceTypeDef]) -> Iterator[tuple[str, Interface]]:
    for described in found:
        interface = ec2.interface(described)
        yield interface.public_ipv4, interface
        for each in described.get("PrivateIpAddresses", []):
            if public := each.get("Association", {}).get("PublicIp"):
                private = each.get("PrivateIpAddress", "")
                yield public, replace(interface, private_ipv4=private, public_ipv4=public)


def _by_ipv6(found: Iterable[NetworkInterfaceTypeDef]) -> Iterator[tuple[str, Interface]]:
    for described in found:
        interface = ec2.interface(described)
        yield from ((str(ip_address(address)), interface) for address in interface.ipv6)
