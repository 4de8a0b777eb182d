"""The audit against packets: networks made at random, and a simulator that follows one packet in and its answer out.

The simulator asks rule after rule, as AWS describes it, and knows nothing of sets of addresses.
"""

from __future__ import annotations

from functools import cache
from ipaddress import IPv4Address, IPv4Network
from random import Random

import pytest

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
from expose.audit.reach import OTHER, openings

RANGES = (
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "52.0.0.0/8",
    "52.10.0.0/16",
    "52.10.3.0/24",
    "198.18.0.0/15",
)
PROTOCOLS = ("tcp", "udp", "icmp", "47", ALL)
TARGETS = ("igw-1", "igw-1", "vgw-1", "")
SOURCES = (
    "8.8.8.8",
    "52.9.0.1",
    "52.10.0.1",
    "52.10.3.7",
    "52.11.0.1",
    "130.1.1.1",
    "198.18.0.1",
    "198.51.100.7",
)
PORTS = (0, 21, 22, 23, 80, 1023, 1024, 8080, 40000, 65535)
CLIENT_PORTS = (1024, 1025, 8080, 8081, 39999, 40000, 40001, 65535)  # one of each stretch that rules can make
TASK = Interface("eni-1", "subnet-1", "vpc-1", ("sg-1", "sg-2"), "10.0.0.10", "203.0.113.10")


block = cache(IPv4Network)


def ports(random: Random, protocol: str) -> tuple[int, int]:
    first, last = sorted(random.choices(PORTS, k=2))
    return (first, last) if protocol in {"tcp", "udp"} else ANY_PORT


def rules(random: Random) -> tuple[Rule, ...]:
    chosen = random.choices(PROTOCOLS, k=random.randint(0, 3))
    return tuple(
        Rule(each, *ports(random, each), tuple(random.sample(RANGES, random.randint(1, 3))))
        for each in chosen
    )


def entries(random: Random) -> tuple[AclEntry, ...]:
    numbers = random.sample(range(1, 100), random.randint(0, 4))
    protocols = [random.choice(PROTOCOLS) for _ in numbers]
    some = [
        AclEntry(number, random.random() < 0.5, each, *ports(random, each), random.choice(RANGES))
        for number, each in zip(numbers, protocols, strict=True)
    ]
    return (*some, AclEntry(100, random.random() < 0.8, ALL, *ANY_PORT, "0.0.0.0/0"))


def network(random: Random) -> Network:
    destinations = random.sample(RANGES, random.randint(1, 4))
    routes = (Route(each, random.choice(TARGETS), random.random() < 0.1) for each in destinations)
    return Network(
        groups={group: SecurityGroup(group, rules(random)) for group in TASK.groups},
        tables={"subnet-1": RouteTable("rtb-1", (Route("10.0.0.0/16", "local"), *routes))},
        acls={"subnet-1": Acl("acl-1", entries(random), entries(random))},
    )


def concerns(rule: Rule | AclEntry, protocol: str, port: int) -> bool:
    if rule.protocol == ALL or protocol not in {"tcp", "udp"}:
        return rule.protocol in {ALL, protocol}
    return rule.protocol == protocol and rule.first <= port <= rule.last


def allowed(acl: tuple[AclEntry, ...], protocol: str, port: int, peer: IPv4Address) -> bool:
    for entry in sorted(acl, key=lambda each: each.number):
        if concerns(entry, protocol, port) and peer in block(entry.cidr):
            return entry.allow
    return False


def gets_in(net: Network, protocol: str, port: int, peer: IPv4Address) -> bool:
    """Whether a client there, at some port of its own, gets an answer."""
    permitted = any(
        concerns(rule, protocol, port) and any(peer in block(source) for source in rule.sources)
        for group in net.groups.values()
        for rule in group.rules
    )
    matching = [route for route in net.tables["subnet-1"].routes if peer in block(route.destination)]
    route = max(matching, key=lambda each: block(each.destination).prefixlen, default=Route("", ""))
    acl = net.acls["subnet-1"]
    return (
        permitted
        and route.target == "igw-1"
        and not route.blackhole
        and allowed(acl.inbound, protocol, port, peer)
        and any(allowed(acl.outbound, protocol, each, peer) for each in CLIENT_PORTS)
    )


@pytest.mark.parametrize("seed", range(500))
def test_what_the_audit_says_is_what_happens_to_packets(seed: int) -> None:
    net = network(Random(seed))
    found = openings(TASK, net)
    named = {each.protocol for group in net.groups.values() for each in group.rules}
    named |= {each.protocol for acl in net.acls.values() for each in (*acl.inbound, *acl.outbound)}
    for protocol in ("tcp", "udp", "icmp", "47"):
        kind = protocol if protocol in {"tcp", "udp", "icmp", *named} else OTHER
        for port in PORTS if protocol in {"tcp", "udp"} else (0,):
            letting = [each for each in found if each.lets_in(kind, port)]
            truth = {peer for peer in SOURCES if gets_in(net, protocol, port, IPv4Address(peer))}
            said = {
                peer
                for peer in SOURCES
                for each in letting
                for source in each.sources
                if IPv4Address(peer) in block(source)
            }

            assert len(letting) <= 1
            assert truth <= said
            assert truth == said or letting[0].world  # then the whole world is named, less nobody
