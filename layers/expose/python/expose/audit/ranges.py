"""Sets of addresses of one family: sorted ranges of numbers, both ends included, that neither touch nor overlap.

Addresses that no packet from the internet can have as its source are not `PUBLIC`: private ones, loopback, multicast
and what IANA keeps back.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_network, summarize_address_range

Ranges = tuple[tuple[int, int], ...]

_BITS = {4: 32, 6: 128}


@lru_cache(maxsize=4096)
def of(cidr: str, family: int) -> Ranges:
    """The addresses of a CIDR, none if it is of the other family."""
    network = ip_network(cidr, strict=False)
    if network.version != family:
        return ()
    return ((int(network.network_address), int(network.broadcast_address)),)


def everything(family: int) -> Ranges:
    return ((0, 2 ** _BITS[family] - 1),)


def union(parts: Iterable[Ranges]) -> Ranges:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(each for part in parts for each in part):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def without(whole: Ranges, taken: Ranges) -> Ranges:
    left: list[tuple[int, int]] = []
    for first, last in whole:
        start = first
        for low, high in taken:
            if high < start or low > last:
                continue
            if low > start:
                left.append((start, low - 1))
            start = high + 1
        if start <= last:
            left.append((start, last))
    return tuple(left)


def common(one: Ranges, other: Ranges) -> Ranges:
    return without(one, without(one, other))


def size(ranges: Ranges) -> int:
    return sum(last - first + 1 for first, last in ranges)


def cidrs(ranges: Ranges, family: int) -> tuple[str, ...]:
    address = IPv4Address if family == 4 else IPv6Address
    return tuple(
        str(network)
        for first, last in ranges
        for network in summarize_address_range(address(first), address(last))
    )


PUBLIC = {
    4: without(
        everything(4),
        union(
            of(cidr, 4)
            for cidr in (
                "0.0.0.0/8",
                "10.0.0.0/8",
                "100.64.0.0/10",
                "127.0.0.0/8",
                "169.254.0.0/16",
                "172.16.0.0/12",
                "192.168.0.0/16",
                "224.0.0.0/3",
            )
        ),
    ),
    6: of("2000::/3", 6),
}
