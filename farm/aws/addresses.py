"""The farm's addresses: private ones from a subnet, public ones from 127.30.0.0/16, each in use by one thing at a time.

A public address goes back to the pool when its task stops, and somebody else may get it next: that is what makes a
stale record dangerous.
"""

from __future__ import annotations

import ipaddress
from collections import deque
from dataclasses import dataclass, field

from moto.ec2 import ec2_backends
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.subnets import Subnet

from farm.aws import ACCOUNT, REGION

PUBLIC = ipaddress.IPv4Network("127.30.0.0/16")
_RESERVED = 4  # the first addresses of a subnet belong to AWS


@dataclass(slots=True)
class Settings:
    """What tests and the living ECS may turn. It lives on moto's backend, so that moto's reset forgets it."""

    visible_after: float = 0.0
    """Seconds until DescribeNetworkInterfaces knows a new interface (EC2 is eventually consistent, F§1.6)."""
    public_after: float = 0.0
    """Seconds until it also shows the interface's public address."""
    eager_reuse: bool = False
    """Give a returned public address to the very next interface, as the worst neighbour would."""


@dataclass(slots=True)
class Addresses:
    settings: Settings = field(default_factory=Settings)
    taken: set[str] = field(default_factory=set)
    returned: deque[str] = field(default_factory=deque)
    fresh: int = 0
    last: dict[str, int] = field(default_factory=dict)


def settings(region: str = REGION) -> Settings:
    return addresses(ec2_backends[ACCOUNT][region]).settings


def take_public(backend: EC2Backend) -> str:
    """A public address that nobody has: a fresh one, else the one that has been free for longest."""
    pool = addresses(backend)
    if pool.returned and (pool.settings.eager_reuse or pool.fresh >= PUBLIC.num_addresses - 2):
        address = pool.returned.pop() if pool.settings.eager_reuse else pool.returned.popleft()
    else:
        pool.fresh += 1
        address = str(PUBLIC[pool.fresh])
    pool.taken.add(address)
    return address


def give_back_public(backend: EC2Backend, address: str | None) -> None:
    pool = addresses(backend)
    if address in pool.taken:
        pool.taken.remove(address)
        pool.returned.append(address)


def addresses(backend: EC2Backend) -> Addresses:
    found: Addresses = backend.__dict__.setdefault("farm_addresses", Addresses())
    return found


def private_address(backend: EC2Backend, subnet: Subnet) -> str:
    """The next free address of the subnet, so that one given back is not the next to be used."""
    network, last = subnet.cidr, addresses(backend).last
    usable = network.num_addresses - _RESERVED - 1
    for _ in range(usable):
        last[subnet.id] = last.get(subnet.id, -1) + 1
        address = str(network[_RESERVED + last[subnet.id] % usable])
        if address not in subnet._subnet_ips:
            return address
    raise EC2ClientError(
        "InsufficientFreeAddressesInSubnet", f"There are not enough free addresses in {subnet.id}."
    )


def is_dual_stack(subnet: Subnet) -> bool:
    return bool(subnet.ipv6_cidr_block_associations)


def ipv6_address(backend: EC2Backend, subnet: Subnet) -> str:
    block = next(iter(subnet.ipv6_cidr_block_associations.values()))["ipv6CidrBlock"]
    last = addresses(backend).last
    last[block] = last.get(block, 0) + 1
    return str(ipaddress.IPv6Network(block)[0x1000 + last[block]])
