"""A DNS server that answers from Cloud Map's state as Route 53 would, so that what a client would see can be asked for.

`answer` is the name server: a pure function from a query and the zones to a response. `Propagation` is the time that
a change takes to reach it. `Server` carries both over UDP and TCP on loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from farm.timeline import Timeline

MOST_VALUES = 8  # Route 53 multivalue answers: at most eight, at random (F§3.3)
SOA_TTL = 900
NAME_SERVERS = ("ns-1.farm.internal.", "ns-2.farm.internal.")
_UDP_SIZE = 512


@dataclass(frozen=True, slots=True)
class RecordSet:
    """The values that one name has for one type, in presentation form."""

    ttl: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Zone:
    """One hosted zone: record sets by (name, type), names lower-cased and without the last dot."""

    name: str
    records: Mapping[tuple[str, str], RecordSet] = field(default_factory=dict)
    negative_ttl: int = SOA_TTL

    def has(self, name: str) -> bool:
        """Whether the name exists, be it only as the parent of others."""
        return name == self.name or any(
            known == name or known.endswith(f".{name}") for known, _ in self.records
        )

    def find(self, name: str, kind: str) -> RecordSet | None:
        if name == self.name and kind == "NS":
            return RecordSet(172800, NAME_SERVERS)
        if name == self.name and kind == "SOA":
            return self.soa()
        return self.records.get((name, kind))

    def soa(self) -> RecordSet:
        soa = f"{NAME_SERVERS[0]} hostmaster.farm.internal. 1 7200 900 1209600 {self.negative_ttl}"
        return RecordSet(min(SOA_TTL, self.negative_ttl), (soa,))


Shuffle = Callable[[list[str]], None]


def zone_of(name: str, zones: Sequence[Zone]) -> Zone | None:
    """The zone in charge of a name: the longest one that it ends in."""
    mine = [zone for zone in zones if name == zone.name or name.endswith(f".{zone.name}")]
    return max(mine, key=lambda zone: len(zone.name), default=None)


def look_up(name: str, kind: str, zones: Sequence[Zone]) -> RecordSet | None:
    """All that the zones hold for a name, unlike an answer, which is at most eight of it."""
    zone = zone_of(plain(name), zones)
    return zone.find(plain(name), kind) if zone else None


def ask(name: str, kind: str, address: str, port: int) -> dns.message.Message:
    """A real query, over TCP where the answer is too long for UDP."""
    query = dns.message.make_query(name, kind)
    return dns.query.udp_with_fallback(query, address, port=port, timeout=3)[0]


def plain(name: str) -> str:
    return name.rstrip(".").lower()


def answer(query: dns.message.Message, zones: Sequence[Zone], shuffle: Shuffle) -> dns.message.Message:
    """What an authoritative server says: records, NODATA, NXDOMAIN, or REFUSED for a zone that is not ours."""
    response = dns.message.make_response(query)
    if len(query.question) != 1:
        response.set_rcode(dns.rcode.FORMERR)
        return response
    question = query.question[0]
    name, kind = plain(question.name.to_text()), dns.rdatatype.to_text(question.rdtype)
    zone = zone_of(name, zones)
    if zone is None or question.rdclass != dns.rdataclass.IN:
        response.set_rcode(dns.rcode.REFUSED)
        return response
    response.flags |= dns.flags.AA
    for found in (kind, "CNAME"):
        if records := zone.find(name, found):
            response.answer.append(_rrset(question.name, found, records, shuffle))
            _add_targets(response, zone, shuffle)
            return response
    if not zone.has(name):
        response.set_rcode(dns.rcode.NXDOMAIN)
    response.authority.append(_rrset(dns.name.from_text(zone.name), "SOA", zone.soa(), shuffle))
    return response


def _rrset(name: dns.name.Name, kind: str, records: RecordSet, shuffle: Shuffle) -> dns.rrset.RRset:
    values = list(records.values)
    shuffle(values)
    return dns.rrset.from_text_list(name, records.ttl, "IN", kind, values[:MOST_VALUES])


def _add_targets(response: dns.message.Message, zone: Zone, shuffle: Shuffle) -> None:
    """The addresses behind SRV records, so that a client need not ask again."""
    for rdata in response.answer[0]:
        target = getattr(rdata, "target", None)
        if target is None or response.answer[0].rdtype != dns.rdatatype.SRV:
            continue
        for kind in ("A", "AAAA"):
            if records := zone.find(plain(target.to_text()), kind):
                response.additional.append(_rrset(target, kind, records, shuffle))


class Propagation:
    """What the name servers have heard so far: every change is visible `delay` seconds after it was made."""

    def __init__(self, timeline: Timeline, read: Callable[[], Sequence[Zone]], delay: float) -> None:
        self.delay = delay
        self.watchers: list[Callable[[], object]] = []
        """Told when what is visible has changed."""
        self._timeline = timeline
        self._read = read
        self._visible: Sequence[Zone] = ()

    def changed(self) -> None:
        """To be called on every change of a record."""
        zones = self._read()
        if self.delay <= 0:
            self._show(zones)
        else:
            self._timeline.after(self.delay, lambda: self._show(zones))

    def zones(self) -> Sequence[Zone]:
        return self._visible

    def _show(self, zones: Sequence[Zone]) -> None:
        self._visible = zones
        for watcher in self.watchers:
            watcher()


class Server:
    """The name server on a loopback address and port, UDP and TCP, in a thread of its own."""

    def __init__(
        self, zones: Callable[[], Sequence[Zone]], *, address: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.address = address
        self.port = port
        self._zones = zones
        self._random = random.Random()
        self._sockets: list[asyncio.Server | asyncio.BaseTransport] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dns", daemon=True)

    def start(self) -> None:
        """Raises OSError if the port is in use."""
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(timeout=10)
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        for socket in self._sockets:
            socket.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _listen(self) -> None:
        tcp = await asyncio.start_server(self._converse, self.address, self.port)
        self._sockets.append(tcp)
        self.port = tcp.sockets[0].getsockname()[1]
        udp, _ = await self._loop.create_datagram_endpoint(
            lambda: _Datagrams(self._reply), local_addr=(self.address, self.port)
        )
        self._sockets.append(udp)

    def _reply(self, wire: bytes, most: int | None) -> bytes | None:
        """The response on the wire, cut to `most` octets (or to what the client says it takes) and marked so."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        response = answer(query, self._zones(), self._random.shuffle)
        if most is None:
            return response.to_wire(max_size=65535)
        try:
            return response.to_wire(max_size=max(most, query.payload))
        except dns.exception.TooBig:
            response.answer, response.authority, response.additional = [], [], []
            response.flags |= dns.flags.TC
            return response.to_wire(max_size=max(most, query.payload))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError, TimeoutError):
            while True:
                size = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), timeout=10))[0]
                wire = self._reply(await asyncio.wait_for(reader.readexactly(size), timeout=10), most=None)
                if wire is None:
                    break
                writer.write(struct.pack("!H", len(wire)) + wire)
                await writer.drain()
        writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, reply: Callable[[bytes, int | None], bytes | None]) -> None:
        self._reply = reply

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if wire := self._reply(data, _UDP_SIZE):
            self._transport.sendto(wire, addr)
