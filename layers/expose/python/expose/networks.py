"""What EC2 says of interfaces and of what surrounds them: read in bulk, each group, table and ACL once.

An interface, a group or a prefix list that is gone meanwhile is simply not there; one of another account, in a shared
subnet, is none of ours (F§8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from expose.audit.network import Interface, Network
from expose.aws import Clients

ACTIONS = frozenset(
    {
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:GetManagedPrefixListEntries",
    }
)


class Networks:
    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def interfaces(self, ids: Iterable[str], *, account: str) -> Mapping[str, Interface]:
        """Those of this account that exist, by id."""
        raise NotImplementedError

    def holding(self, addresses: Iterable[str], *, account: str) -> Mapping[str, Interface]:
        """Which interface of this account holds each public address (IPv4 or IPv6); no entry where none does.

        Its `private_ipv4` is the one that the address stands for.
        """
        raise NotImplementedError

    def around(self, interfaces: Iterable[Interface]) -> Network:
        raise NotImplementedError
