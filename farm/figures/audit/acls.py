"""Network ACLs: stateless, in the order of their numbers, the first match decides, and what no entry matches is denied."""

from __future__ import annotations

from expose.audit.network import ANY_PORT
from farm.figures.audit.case import (
    GLOBAL6,
    OFFICE,
    OTHER_OFFICE,
    WORLD4,
    WORLD6,
    Case,
    every,
    no,
    rule,
    yes,
)

_SSH = ((rule("tcp", 22, WORLD4, WORLD6),),)
_WEB = ((rule("tcp", (80, 8080), WORLD4),),)
_EPHEMERAL = (1024, 65535)

ACLS = (
    Case(
        "the default ACL of the VPC",
        "A subnet that no ACL names has the default one, which allows all.",
        groups=_SSH,
        own_acl=False,
        world="4/tcp/22",
    ),
    Case(
        "an ACL of one's own without entries",
        "A custom ACL denies all until somebody adds entries.",
        groups=_SSH,
        inbound=(no(32767),),
        outbound=(no(32767),),
    ),
    Case(
        "a denial before the permission",
        "The lowest number that matches decides: 90 denies before 100 allows.",
        groups=_SSH,
        inbound=(no(90, "tcp", (22, 22)), yes(100)),
    ),
    Case(
        "a denial after the permission",
        "Number 100 has decided before 110 is asked.",
        groups=_SSH,
        inbound=(no(110, "tcp", (22, 22)), yes(100)),
        world="4/tcp/22",
    ),
    Case(
        "one port denied in an allowed range",
        "Only the ports that the denial covers are closed.",
        groups=((rule("tcp", (22, 8080), WORLD4),),),
        inbound=(no(90, "tcp", (80, 443)), yes(100)),
        world="4/tcp/22 4/tcp/23 4/tcp/1024 4/tcp/5432 4/tcp/8080",
    ),
    Case(
        "one port denied in all traffic",
        "The denial is for TCP; every other protocol and port stays as open as before.",
        groups=((every(WORLD4),),),
        inbound=(no(90, "tcp", (22, 22)), yes(100)),
        world="4/tcp/0 4/tcp/23 4/tcp/80 4/tcp/443 4/tcp/1024 4/tcp/5432 4/tcp/8080 4/tcp/8443 4/tcp/65535 "
        "4/udp 4/icmp 4/47",
    ),
    Case(
        "only the web allowed",
        "What no entry matches is denied, and the ports of groups and ACL must both match.",
        groups=((rule("tcp", ANY_PORT, WORLD4),),),
        inbound=(yes(100, "tcp", (443, 443)),),
        world="4/tcp/443",
    ),
    Case(
        "one neighbour denied",
        "All of the internet less 256 addresses is still the world.",
        groups=_SSH,
        inbound=(no(90, cidr=OFFICE), yes(100)),
        world="4/tcp/22",
    ),
    Case(
        "only the office allowed",
        "A group for the world behind an ACL for the office lets in the office.",
        groups=_SSH,
        inbound=(yes(100, "tcp", (22, 22), OFFICE),),
        ranges="4/tcp/22",
    ),
    Case(
        "the group's office is the ACL's enemy",
        "What the group allows and the ACL denies has nobody left.",
        groups=((rule("tcp", 22, OFFICE),),),
        inbound=(no(90, cidr="198.51.0.0/16"), yes(100)),
    ),
    Case(
        "group and ACL know different offices",
        "The sources must be in both.",
        groups=((rule("tcp", 22, OFFICE),),),
        inbound=(yes(100, cidr=OTHER_OFFICE),),
    ),
    Case(
        "half of the internet denied",
        "Denying 0.0.0.0/1 leaves 96 of 221 blocks: less than half.",
        groups=_SSH,
        inbound=(no(90, cidr="0.0.0.0/1"), yes(100)),
        ranges="4/tcp/22",
    ),
    Case(
        "no answers out",
        "ACLs are stateless: without an outbound entry no answer leaves, and no connection comes about.",
        groups=_WEB,
        outbound=(no(32767),),
    ),
    Case(
        "answers to ephemeral ports only",
        "A client listens for the answer on a port of 1024-65535: that is all that has to get out.",
        groups=_WEB,
        outbound=(yes(100, "tcp", _EPHEMERAL),),
        world="4/tcp/80 4/tcp/443 4/tcp/1024 4/tcp/5432 4/tcp/8080",
    ),
    Case(
        "outbound for the service's own port",
        "Outbound 80 is for calling others; answers of port 80 go to the client's ephemeral port.",
        groups=_WEB,
        outbound=(yes(100, "tcp", (80, 80)), yes(110, "tcp", (443, 443))),
    ),
    Case(
        "part of the ephemeral ports",
        "Linux clients use 32768-60999 and get their answers: partly open is open.",
        groups=_WEB,
        outbound=(yes(100, "tcp", (32768, 60999)),),
        world="4/tcp/80 4/tcp/443 4/tcp/1024 4/tcp/5432 4/tcp/8080",
    ),
    Case(
        "all ephemeral ports denied first",
        "The denial has the lower number, so no client gets an answer.",
        groups=_WEB,
        outbound=(no(90, "tcp", _EPHEMERAL), yes(100)),
    ),
    Case(
        "some ephemeral ports denied first",
        "Clients at the other ports still get answers.",
        groups=_WEB,
        outbound=(no(90, "tcp", (1024, 32767)), yes(100)),
        world="4/tcp/80 4/tcp/443 4/tcp/1024 4/tcp/5432 4/tcp/8080",
    ),
    Case(
        "answers to the office only",
        "Whoever gets no answer has no connection: of the world that may ask, the office is served.",
        groups=_WEB,
        outbound=(yes(100, cidr=OFFICE),),
        ranges="4/tcp/80 4/tcp/443 4/tcp/1024 4/tcp/5432 4/tcp/8080",
    ),
    Case(
        "answers of TCP only",
        "Outbound entries have protocols too: a question by UDP is not answered by TCP.",
        groups=((rule("tcp", 53, WORLD4), rule("udp", 53, WORLD4), rule("tcp", 80, WORLD4)),),
        outbound=(yes(100, "tcp"),),
        world="4/tcp/80",
    ),
    Case(
        "ping denied",
        "A denial of ICMP closes no port.",
        groups=((rule("icmp", ANY_PORT, WORLD4), rule("tcp", 80, WORLD4)),),
        inbound=(no(90, "icmp"), yes(100)),
        world="4/tcp/80",
    ),
    Case(
        "an ACL for IPv4 only",
        "An entry for 0.0.0.0/0 says nothing about IPv6, which falls to the end and is denied.",
        groups=_SSH,
        ipv6=(GLOBAL6,),
        inbound=(yes(100),),
        world="4/tcp/22",
    ),
    Case(
        "an ACL that lets IPv6 in and not out",
        "Each family needs its own way in and out.",
        groups=_SSH,
        ipv6=(GLOBAL6,),
        outbound=(yes(100),),
        world="4/tcp/22",
    ),
    Case(
        "denied by all protocols",
        "A denial of protocol -1 covers every port.",
        groups=_WEB,
        inbound=(no(90), yes(100)),
    ),
)
