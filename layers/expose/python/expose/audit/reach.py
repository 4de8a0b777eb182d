"""Which ports of an interface the internet reaches, and from where.

A source gets in to a port if a security group lets it in, the subnet's network ACL lets it in and the answer out, and
the subnet's route table sends the answer to an internet gateway. So for each family, protocol and stretch of ports in
which no rule begins or ends, that is a set of addresses: what the groups allow together, cut by the others.

- Security groups are stateful and add up; a rule whose source is a group means private addresses only.
- ACLs are stateless: the first entry that matches decides, on the way in for the port, on the way out for the
  client's own (1024-65535). If answers to some of these come through, it counts as open.
- Of the routes the longest prefix decides. NAT and egress-only gateways let nobody in. What a firewall between the
  gateway and the subnet lets in is not known here: then the route is not to the gateway, and it counts as closed.
- What could not be read, a route table or an ACL, is taken to let in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from itertools import pairwise

from expose.audit.network import ALL, ANY_PORT, Acl, AclEntry, Interface, Network, Route, RouteTable, Rule
from expose.audit.ranges import PUBLIC, Ranges, cidrs, common, everything, of, size, union, without
from expose.model import Opening

OTHER = "other"
"""Every protocol that nothing names."""

_WITH_PORTS = frozenset({"tcp", "udp"})
_PING = {4: "icmp", 6: "icmpv6"}
_WORLD = {4: ("0.0.0.0/0",), 6: ("::/0",)}
_EPHEMERAL = (1024, 65535)
_OPEN = (
    AclEntry(1, True, ALL, *ANY_PORT, cidr="0.0.0.0/0"),
    AclEntry(2, True, ALL, *ANY_PORT, cidr="::/0"),
)


def openings(interface: Interface, network: Network) -> tuple[Opening, ...]:
    """What is open, each protocol and port of a family once at most."""
    if interface.blocks_internet:
        return ()
    return tuple(
        opening
        for family in _families(interface)
        for opening in _folded(_side(interface, network, family).openings())
    )


def _families(interface: Interface) -> Iterator[int]:
    if interface.public_ipv4:
        yield 4
    if any(common(of(address, 6), PUBLIC[6]) for address in interface.ipv6):
        yield 6


@dataclass(frozen=True, slots=True)
class _Permission:
    """A rule of a group, and the addresses of one family that it lets in."""

    group: str
    rule: Rule
    sources: Ranges


@dataclass(frozen=True, slots=True)
class _Side:
    """All that decides about one family. `routed` is where answers find the way to the internet gateway, `internet`
    where packets from there can come from.
    """

    family: int
    permissions: Sequence[_Permission]
    acl: Acl
    routed: Ranges
    internet: Ranges

    def openings(self) -> dict[str, list[Opening]]:
        """By protocol."""
        named = {each.rule.protocol for each in self.permissions}
        named |= {each.protocol for each in (*self.acl.inbound, *self.acl.outbound)}
        ours = {"tcp", "udp", _PING[self.family], OTHER, *named} - {ALL, _PING[10 - self.family]}
        return {protocol: self._of(protocol) for protocol in sorted(ours)}

    def _of(self, protocol: str) -> list[Opening]:
        permissions = [each for each in self.permissions if each.rule.protocol in {ALL, protocol}]
        inbound, outbound = _matching(self.acl.inbound, protocol), _matching(self.acl.outbound, protocol)
        way = common(self.routed, _answered(outbound, protocol, self.family))
        open_: list[Opening] = []
        for first, last in _stretches(protocol, [*(each.rule for each in permissions), *inbound]):
            passed = common(way, _passed(inbound, protocol, first, self.family))
            reached = [
                replace(each, sources=common(each.sources, passed))
                for each in permissions
                if _covers(each.rule, protocol, first)
            ]
            if opening := self._opening(protocol, first, last, reached):
                _add(open_, opening)
        return open_

    def _opening(
        self, protocol: str, first: int, last: int, reached: Iterable[_Permission]
    ) -> Opening | None:
        counting = [each for each in reached if common(each.sources, self.internet)]
        if not counting:
            return None
        sources = union(each.sources for each in counting)
        world = 2 * size(common(sources, self.internet)) >= size(self.internet)
        said = _WORLD[self.family] if world else cidrs(_rounded(sources, self.internet), self.family)
        groups = tuple(sorted({each.group for each in counting}))
        return Opening(self.family, protocol, first, last, world, said, groups)


def _side(interface: Interface, network: Network, family: int) -> _Side:
    table = network.table(interface)
    local = (route.destination for route in table.routes if route.target == "local") if table else ()
    return _Side(
        family,
        tuple(_permissions(interface, network, family)),
        network.acl(interface) or Acl("", _OPEN, _OPEN),
        _routed(table, network, family) if table else everything(family),
        without(PUBLIC[family], union(of(cidr, family) for cidr in local)),
    )


def _permissions(interface: Interface, network: Network, family: int) -> Iterator[_Permission]:
    for group in interface.groups:
        if group in network.groups:
            for rule in network.groups[group].rules:
                listed = (cidr for one in rule.prefix_lists for cidr in network.prefix_lists.get(one, ()))
                yield _Permission(group, rule, union(of(cidr, family) for cidr in (*rule.sources, *listed)))


def _routed(table: RouteTable, network: Network, family: int) -> Ranges:
    """The addresses whose answers go to an internet gateway: the longest prefix decides, and of two equal ones the
    route that names it rather than a prefix list.
    """
    ways = sorted(
        (ip_network(cidr, strict=False).prefixlen, cidr == route.destination, cidr, _to_gateway(route))
        for route in table.routes
        for cidr in network.prefix_lists.get(route.destination, _plain(route.destination))
        if route.target != "local" and of(cidr, family)
    )
    routed: Ranges = ()
    for _, _, cidr, out in ways:
        routed = union((routed, of(cidr, family))) if out else without(routed, of(cidr, family))
    return routed


def _plain(destination: str) -> tuple[str, ...]:
    """None for a prefix list that could not be read."""
    return () if destination.startswith("pl-") else (destination,)


def _to_gateway(route: Route) -> bool:
    return route.target.startswith("igw-") and not route.blackhole


def _matching(entries: Iterable[AclEntry], protocol: str) -> list[AclEntry]:
    """In the order in which they are asked."""
    return sorted(
        (each for each in entries if each.protocol in {ALL, protocol}), key=lambda each: each.number
    )


def _passed(entries: Iterable[AclEntry], protocol: str, port: int, family: int) -> Ranges:
    """The addresses to which an ACL says yes at this port; at its end it says no."""
    undecided, allowed = everything(family), []
    for entry in entries:
        if _covers(entry, protocol, port):
            if entry.allow:
                allowed.append(common(of(entry.cidr, family), undecided))
            undecided = without(undecided, of(entry.cidr, family))
    return union(allowed)


def _answered(outbound: Sequence[AclEntry], protocol: str, family: int) -> Ranges:
    """The addresses that get an answer, at some of the ports that clients use."""
    starts = {first for first, _ in _stretches(protocol, outbound)} | {_EPHEMERAL[0]}
    return union(
        _passed(outbound, protocol, start, family)
        for start in starts
        if start >= _EPHEMERAL[0] or protocol not in _WITH_PORTS
    )


def _covers(ports: Rule | AclEntry, protocol: str, port: int) -> bool:
    first, last = _span(ports, protocol)
    return first <= port <= last


def _span(ports: Rule | AclEntry, protocol: str) -> tuple[int, int]:
    with_ports = ports.protocol != ALL and protocol in _WITH_PORTS
    return (ports.first, ports.last) if with_ports else ANY_PORT


def _stretches(protocol: str, ports: Iterable[Rule | AclEntry]) -> Iterator[tuple[int, int]]:
    """All ports, cut wherever a rule begins or ends."""
    spans = [_span(each, protocol) for each in ports]
    starts = {0, *(first for first, _ in spans), *(last + 1 for _, last in spans)}
    starts = {start for start in starts if start <= ANY_PORT[1]}
    for start, following in pairwise([*sorted(starts), ANY_PORT[1] + 1]):
        yield start, following - 1


def _rounded(sources: Ranges, internet: Ranges) -> Ranges:
    """Without what cannot come from the internet, and without the holes that only such addresses make."""
    counting = [each for each in sources if common((each,), internet)]
    holes = (((one[1] + 1, other[0] - 1),) for one, other in pairwise(counting))
    return union((tuple(counting), *(hole for hole in holes if not common(hole, internet))))


def _add(open_: list[Opening], opening: Opening) -> None:
    """To the one before it, where the same get in to both."""
    last = open_[-1] if open_ else None
    if last and last.last + 1 == opening.first and _who(last) == _who(opening):
        groups = tuple(sorted({*last.groups, *opening.groups}))
        open_[-1] = replace(last, last=opening.last, groups=groups)
    else:
        open_.append(opening)


def _folded(found: Mapping[str, list[Opening]]) -> tuple[Opening, ...]:
    """One opening of all protocols, where the same get in by each."""
    every = [opening for open_ in found.values() for opening in open_]
    rest = found[OTHER]
    if not rest or any(len(open_) != 1 or _all(open_[0]) != _all(rest[0]) for open_ in found.values()):
        return tuple(every)
    return (replace(rest[0], protocol=ALL, groups=tuple(sorted({g for each in every for g in each.groups}))),)


def _who(opening: Opening) -> tuple[bool, tuple[str, ...]]:
    return opening.world, opening.sources


def _all(opening: Opening) -> tuple[int, int, bool, tuple[str, ...]]:
    return opening.first, opening.last, opening.world, opening.sources
