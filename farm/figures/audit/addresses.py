"""Addresses: only who has a public one of a family is reached by it."""

from __future__ import annotations

from expose.audit.network import ANY_PORT
from farm.figures.audit.case import GLOBAL6, OFFICE6, WORLD4, WORLD6, Case, every, rule

_SSH = ((rule("tcp", 22, WORLD4, WORLD6),),)

ADDRESSES = (
    Case(
        "no public address",
        "A private address behind an internet gateway is reached by nobody.",
        groups=_SSH,
        public_ipv4="",
    ),
    Case(
        "both families",
        "The rule has both CIDRs, the routes lead out for both, and the task has an address of each.",
        groups=_SSH,
        ipv6=(GLOBAL6,),
        world="4/tcp/22 6/tcp/22",
    ),
    Case(
        "IPv6 only",
        "An address of IPv6 is public by nature; without one of IPv4 that family is closed.",
        groups=_SSH,
        public_ipv4="",
        ipv6=(GLOBAL6,),
        world="6/tcp/22",
    ),
    Case(
        "IPv6 with a rule for IPv4",
        "0.0.0.0/0 lets no IPv6 in.",
        groups=((rule("tcp", 22, WORLD4),),),
        public_ipv4="",
        ipv6=(GLOBAL6,),
    ),
    Case(
        "a unique local address",
        "fd00::/8 is private to whoever uses it.",
        groups=_SSH,
        public_ipv4="",
        ipv6=("fd00:ec2::10",),
    ),
    Case(
        "a link-local and a global address",
        "One global address is enough.",
        groups=_SSH,
        public_ipv4="",
        ipv6=("fe80::10", GLOBAL6),
        world="6/tcp/22",
    ),
    Case(
        "blocked for the internet",
        "DenyAllIgwTraffic drops what comes from an internet gateway, whatever groups and routes say.",
        groups=((every(WORLD4, WORLD6),),),
        ipv6=(GLOBAL6,),
        blocks_internet=True,
    ),
    Case(
        "global unicast in one block",
        "All addresses in use on the internet are in 2000::/3.",
        groups=((rule("tcp", 22, "2000::/3"),),),
        ipv6=(GLOBAL6,),
        world="6/tcp/22",
    ),
    Case(
        "the lower half of IPv6",
        "::/1 contains all of 2000::/3.",
        groups=((rule("tcp", 22, "::/1"),),),
        ipv6=(GLOBAL6,),
        world="6/tcp/22",
    ),
    Case(
        "the upper half of IPv6",
        "8000::/1 contains no address of the internet.",
        groups=((rule("tcp", 22, "8000::/1"),),),
        ipv6=(GLOBAL6,),
    ),
    Case(
        "IPv4 written as IPv6",
        "::ffff:0:0/96 never is on the wire: a packet of IPv4 matches the CIDRs of IPv4, and this is none of them.",
        groups=((rule("tcp", 22, "::ffff:0:0/96", "64:ff9b::/96"),),),
        ipv6=(GLOBAL6,),
    ),
    Case(
        "an office of IPv6",
        "A range of global addresses is not the world.",
        groups=((rule("tcp", 22, OFFICE6),),),
        ipv6=(GLOBAL6,),
        ranges="6/tcp/22",
    ),
    Case(
        "all traffic of IPv6",
        "Protocol -1 from ::/0 opens all of IPv6 and nothing of IPv4.",
        groups=((every(WORLD6),),),
        ipv6=(GLOBAL6,),
        world="6/*",
    ),
    Case(
        "ping of IPv6",
        "ICMPv6 is a protocol of its own, 58, and says nothing about ICMP.",
        groups=((rule("icmpv6", ANY_PORT, WORLD6),),),
        ipv6=(GLOBAL6,),
        world="6/icmpv6",
    ),
    Case(
        "IPv4 and IPv6 for different people",
        "Each family is judged by its own CIDRs.",
        groups=((rule("tcp", 443, WORLD4, OFFICE6),),),
        ipv6=(GLOBAL6,),
        world="4/tcp/443",
        ranges="6/tcp/443",
    ),
)
