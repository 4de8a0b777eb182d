"""Route tables: answers must find the way back to the internet gateway; the longest prefix decides."""

from __future__ import annotations

from expose.audit.network import Route
from farm.figures.audit.case import (
    GLOBAL6,
    LOCAL,
    OFFICE,
    OFFICE6,
    OUT4,
    OUT6,
    VPC6,
    WORLD4,
    WORLD6,
    Case,
    rule,
)

_SSH = ((rule("tcp", 22, WORLD4, WORLD6),),)

ROUTES = (
    Case(
        "a private subnet",
        "Without a route to an internet gateway a subnet is private, whatever its groups and addresses.",
        groups=_SSH,
        routes=LOCAL,
    ),
    Case(
        "a NAT gateway",
        "NAT lets out, and in only what answers; a connection from outside ends nowhere.",
        groups=_SSH,
        routes=(*LOCAL, Route(WORLD4, "")),
    ),
    Case(
        "a gateway that is gone",
        "A route is a blackhole once its gateway is detached or deleted: its traffic is dropped.",
        groups=_SSH,
        routes=(*LOCAL, Route(WORLD4, "igw-1", blackhole=True)),
    ),
    Case(
        "an egress-only gateway",
        "An egress-only internet gateway lets IPv6 out, and nobody in.",
        groups=_SSH,
        routes=(*LOCAL, OUT4, Route(WORLD6, "")),
        ipv6=(GLOBAL6,),
        world="4/tcp/22",
    ),
    Case(
        "IPv6 goes out and IPv4 does not",
        "Each family has routes of its own.",
        groups=_SSH,
        routes=(*LOCAL, OUT6, Route(WORLD4, "")),
        ipv6=(GLOBAL6,),
        world="6/tcp/22",
    ),
    Case(
        "a virtual private gateway",
        "A VPN's gateway leads to the company's network, not to the internet.",
        groups=_SSH,
        routes=(*LOCAL, Route(WORLD4, "vgw-1")),
    ),
    Case(
        "only the office goes to the gateway",
        "Sources that no route sends to the gateway get no answer.",
        groups=_SSH,
        routes=(*LOCAL, Route(OFFICE, "igw-1")),
        ranges="4/tcp/22",
    ),
    Case(
        "the office goes elsewhere",
        "The longer prefix of the VPN takes the office out of the world; the rest still gets in.",
        groups=_SSH,
        routes=(*LOCAL, OUT4, Route(OFFICE, "vgw-1")),
        world="4/tcp/22",
    ),
    Case(
        "the only source goes elsewhere",
        "Answers to the office take the longer prefix into the VPN, so nobody on the internet is served.",
        groups=((rule("tcp", 22, OFFICE),),),
        routes=(*LOCAL, OUT4, Route(OFFICE, "vgw-1")),
    ),
    Case(
        "the only source falls into a blackhole",
        "A blackhole of a longer prefix drops; it does not fall back to the shorter one.",
        groups=((rule("tcp", 22, OFFICE),),),
        routes=(*LOCAL, OUT4, Route(OFFICE, "igw-2", blackhole=True)),
    ),
    Case(
        "back to the gateway by a longer prefix still",
        "Of three routes that match, the longest prefix wins, wherever it stands in the table.",
        groups=((rule("tcp", 22, "198.51.100.128/25"),),),
        routes=(*LOCAL, Route("198.51.100.128/25", "igw-1"), OUT4, Route(OFFICE, "vgw-1")),
        ranges="4/tcp/22",
    ),
    Case(
        "the internet in two halves",
        "Two routes of one bit each to the gateway are as good as one of none.",
        groups=_SSH,
        routes=(*LOCAL, Route("0.0.0.0/1", "igw-1"), Route("128.0.0.0/1", "igw-1"), Route(WORLD4, "vgw-1")),
        world="4/tcp/22",
    ),
    Case(
        "the main table",
        "A subnet that no table names has the main one of its VPC.",
        groups=_SSH,
        own_table=False,
        world="4/tcp/22",
    ),
    Case(
        "a private main table",
        "The main one, too, makes a subnet private.",
        groups=_SSH,
        own_table=False,
        routes=LOCAL,
    ),
    Case(
        "a prefix list goes elsewhere",
        "A route may name a prefix list: its entries are longer than the way out.",
        groups=((rule("tcp", 22, OFFICE),),),
        routes=(*LOCAL, OUT4, Route("pl-office", "vgw-1")),
        prefix_lists={"pl-office": (OFFICE,)},
    ),
    Case(
        "a prefix list as the way out",
        "A list of the world's halves leads out as the halves themselves would.",
        groups=_SSH,
        routes=(*LOCAL, Route("pl-world", "igw-1")),
        prefix_lists={"pl-world": ("0.0.0.0/1", "128.0.0.0/1")},
        world="4/tcp/22",
    ),
    Case(
        "a route and a list for the same range",
        "Where a static route and a prefix list name the same destination, the static route has priority.",
        groups=((rule("tcp", 22, OFFICE),),),
        routes=(*LOCAL, Route(OFFICE, "igw-1"), Route("pl-office", "vgw-1"), OUT4),
        prefix_lists={"pl-office": (OFFICE,)},
        ranges="4/tcp/22",
    ),
    Case(
        "peered networks beside the way out",
        "Private ranges that go to a peer have no part in the internet.",
        groups=_SSH,
        routes=(*LOCAL, OUT4, Route("10.0.0.0/8", ""), Route("172.16.0.0/12", "")),
        world="4/tcp/22",
    ),
    Case(
        "the VPC's own global range",
        "Addresses of the VPC are local, so a rule for them lets in no packet from the internet.",
        groups=((rule("tcp", 22, VPC6),),),
        ipv6=(GLOBAL6,),
    ),
    Case(
        "an office of IPv6 through the VPN",
        "Longest prefix for IPv6 as well.",
        groups=((rule("tcp", 22, OFFICE6),),),
        routes=(*LOCAL, OUT6, Route(OFFICE6, "vgw-1")),
        ipv6=(GLOBAL6,),
    ),
)
