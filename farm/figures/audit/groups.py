"""Security groups: they add up, are stateful, and have no denials."""

from __future__ import annotations

from expose.audit.network import ANY_PORT
from farm.figures.audit.case import OFFICE, OFFICE6, OTHER_OFFICE, WORLD4, WORLD6, Case, every, rule

GROUPS = (
    Case(
        "one port to the world",
        "A rule for 0.0.0.0/0 lets every IPv4 source in to its ports and to nothing else.",
        groups=((rule("tcp", 8080, WORLD4),),),
        world="4/tcp/8080",
    ),
    Case("no rules", "A security group without ingress rules lets nothing in.", groups=((),)),
    Case(
        "a range of ports",
        "A rule covers every port from FromPort to ToPort, both included.",
        groups=((rule("tcp", (22, 80), WORLD4),),),
        world="4/tcp/22 4/tcp/23 4/tcp/80",
    ),
    Case(
        "all TCP",
        "Ports 0-65535 of TCP are TCP only: UDP and ICMP are protocols of their own.",
        groups=((rule("tcp", ANY_PORT, WORLD4),),),
        world="4/tcp",
    ),
    Case(
        "all traffic",
        "Protocol -1 is every protocol on every port, whatever the ports of the rule say.",
        groups=((every(WORLD4),),),
        world="4/*",
    ),
    Case(
        "all traffic from the office",
        "Protocol -1 opens to its sources only.",
        groups=((every(OFFICE),),),
        ranges="4/*",
    ),
    Case(
        "UDP",
        "A UDP rule says nothing about the same port of TCP.",
        groups=((rule("udp", 53, WORLD4),),),
        world="4/udp/53",
    ),
    Case(
        "ping",
        "ICMP has types instead of ports: no port opens with it.",
        groups=((rule("icmp", ANY_PORT, WORLD4),),),
        world="4/icmp",
    ),
    Case(
        "another protocol by number",
        "A rule for a protocol number (GRE, 47) is for that protocol only, and has no ports.",
        groups=((rule("47", ANY_PORT, WORLD4),),),
        world="4/47",
    ),
    Case(
        "two halves of the internet",
        "0.0.0.0/1 and 128.0.0.0/1 are all of IPv4: splitting it hides it from a look at the text, not from anybody.",
        groups=((rule("tcp", 22, "0.0.0.0/1", "128.0.0.0/1"),),),
        world="4/tcp/22",
    ),
    Case(
        "two halves in two groups",
        "The rules of all groups of an interface add up, as if they were one group's.",
        groups=((rule("tcp", 22, "0.0.0.0/1"),), (rule("tcp", (20, 30), "128.0.0.0/1"),)),
        world="4/tcp/22",
        ranges="4/tcp/23",
    ),
    Case(
        "the lower half alone",
        "0.0.0.0/1 has 125 of the 221 blocks of eight bits that are public: more than half.",
        groups=((rule("tcp", 22, "0.0.0.0/1"),),),
        world="4/tcp/22",
    ),
    Case(
        "the upper half alone",
        "128.0.0.0/1 has 96 of them, as 224.0.0.0/3 is multicast and reserved: less than half.",
        groups=((rule("tcp", 22, "128.0.0.0/1"),),),
        ranges="4/tcp/22",
    ),
    Case(
        "the world in sixteen pieces",
        "What counts is how many addresses get in together, not how many rules say so.",
        groups=((rule("tcp", 443, *(f"{16 * number}.0.0.0/4" for number in range(16))),),),
        world="4/tcp/443",
    ),
    Case(
        "the office",
        "A range of public addresses is not the world.",
        groups=((rule("tcp", 22, OFFICE, OTHER_OFFICE),),),
        ranges="4/tcp/22",
    ),
    Case(
        "private ranges",
        "No packet from the internet has a private source: RFC 1918, shared and link-local addresses are not routed.",
        groups=((rule("tcp", 22, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),),),
    ),
    Case(
        "another group as the source",
        "A group as source means the private addresses of its members, never a public one.",
        groups=((rule("tcp", 5432, groups=("sg-app",)),),),
    ),
    Case(
        "a group and the world in one rule",
        "The sources of one permission are alternatives.",
        groups=((rule("tcp", 5432, WORLD4, groups=("sg-app",)),),),
        world="4/tcp/5432",
    ),
    Case(
        "a wide and a narrow group",
        "Groups add up: a narrow one takes nothing away from a wide one.",
        groups=((rule("tcp", 22, OFFICE),), (rule("tcp", 22, WORLD4),)),
        world="4/tcp/22",
    ),
    Case(
        "overlapping ranges with different sources",
        "Each port has the sources of all the rules that cover it.",
        groups=((rule("tcp", (0, 1024), OFFICE), rule("tcp", (443, 8080), WORLD4)),),
        world="4/tcp/443 4/tcp/1024 4/tcp/5432 4/tcp/8080",
        ranges="4/tcp/0 4/tcp/22 4/tcp/23 4/tcp/80",
    ),
    Case(
        "a prefix list of the office",
        "A prefix list stands for its entries.",
        groups=((rule("tcp", 22, lists=("pl-office",)),),),
        prefix_lists={"pl-office": (OFFICE, OTHER_OFFICE)},
        ranges="4/tcp/22",
    ),
    Case(
        "a prefix list of the world",
        "A prefix list may hold all of the internet, in pieces.",
        groups=((rule("tcp", 22, lists=("pl-all",)),),),
        prefix_lists={"pl-all": ("0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2")},
        world="4/tcp/22",
    ),
    Case(
        "a prefix list without entries",
        "An empty prefix list lets nobody in.",
        groups=((rule("tcp", 22, lists=("pl-none",)),),),
        prefix_lists={"pl-none": ()},
    ),
    Case(
        "a prefix list that is gone",
        "AWS does not delete a list that a rule refers to; one that cannot be read adds no source that is known.",
        groups=((rule("tcp", 22, lists=("pl-gone",)), rule("tcp", 80, WORLD4)),),
        world="4/tcp/80",
    ),
    Case(
        "a group that was deleted meanwhile",
        "A group that is not there has no rules; the others stay.",
        groups=((rule("tcp", 443, WORLD4),),),
        deleted=("sg-gone",),
        world="4/tcp/443",
    ),
    Case(
        "one address with bits of the host set",
        "AWS reads 198.51.100.7/24 as 198.51.100.0/24.",
        groups=((rule("tcp", 22, "198.51.100.7/24"),),),
        ranges="4/tcp/22",
    ),
    Case(
        "both families in one rule",
        "The CIDRs of IPv6 say nothing about an address of IPv4.",
        groups=((rule("tcp", 22, OFFICE, WORLD6), rule("tcp", 23, OFFICE6)),),
        ranges="4/tcp/22",
    ),
)
