"""What a resolver hears from the farm's name server, over real sockets, and what a client gets from a task."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from farm.dns import Propagation, RecordSet, Server, Zone
from farm.tasks import DataPlane, Identity, Listener
from farm.timeline import Timeline

MANY = tuple(f"127.30.0.{n}" for n in range(1, 13))
ZONES = [
    Zone(
        "granja.animales.com",
        {
            ("conejo.granja.animales.com", "A"): RecordSet(15, ("127.30.0.1", "127.30.0.2")),
            ("conejo.granja.animales.com", "AAAA"): RecordSet(15, ("2600:1f18::1",)),
            ("rebano.granja.animales.com", "A"): RecordSet(60, MANY),
            ("_http._tcp.granja.animales.com", "SRV"): RecordSet(
                60, ("1 1 8080 t1._http._tcp.granja.animales.com.",)
            ),
            ("t1._http._tcp.granja.animales.com", "A"): RecordSet(60, ("127.30.0.9",)),
            ("alias.granja.animales.com", "CNAME"): RecordSet(60, ("otra.example.com.",)),
            ("largo.granja.animales.com", "TXT"): RecordSet(
                60, tuple(f'"{chr(97 + n) * 200}"' for n in range(8))
            ),
        },
        negative_ttl=30,
    ),
    Zone("animales.com", {("conejo.granja.animales.com", "A"): RecordSet(1, ("127.30.9.9",))}),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(lambda: ZONES)
    server.start()
    yield server
    server.stop()


def ask(server: Server, name: str, kind: str = "A", *, tcp: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, kind, use_edns=False)
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, server.address, port=server.port, timeout=60)


def values(response: dns.message.Message) -> set[str]:
    return {rdata.to_text() for rrset in response.answer for rdata in rrset}


@pytest.mark.parametrize("tcp", [False, True])
def test_a_name_answers_with_its_values_and_their_ttl(server: Server, tcp: bool) -> None:
    response = ask(server, "conejo.granja.animales.com", tcp=tcp)
    assert values(response) == {"127.30.0.1", "127.30.0.2"}
    assert response.answer[0].ttl == 15
    assert response.flags & dns.flags.AA


def test_names_are_the_same_in_capitals(server: Server) -> None:
    assert values(ask(server, "Conejo.GRANJA.animales.COM")) == {"127.30.0.1", "127.30.0.2"}


def test_each_type_is_answered_by_itself(server: Server) -> None:
    assert values(ask(server, "conejo.granja.animales.com", "AAAA")) == {"2600:1f18::1"}


def test_at_most_eight_values_are_answered_and_every_one_has_its_turn(server: Server) -> None:
    """F§3.3: MULTIVALUE answers with up to eight healthy records."""
    answers = [values(ask(server, "rebano.granja.animales.com")) for _ in range(40)]
    assert all(len(one) == 8 for one in answers)
    assert set().union(*answers) == set(MANY)


def test_srv_brings_the_addresses_of_its_targets_along(server: Server) -> None:
    response = ask(server, "_http._tcp.granja.animales.com", "SRV")
    assert values(response) == {"1 1 8080 t1._http._tcp.granja.animales.com."}
    assert [rdata.to_text() for rrset in response.additional for rdata in rrset] == ["127.30.0.9"]


def test_a_cname_is_answered_whatever_type_is_asked(server: Server) -> None:
    assert values(ask(server, "alias.granja.animales.com")) == {"otra.example.com."}


def test_an_unknown_name_is_nxdomain_and_says_for_how_long(server: Server) -> None:
    """F§3.3: a negative answer is cached for the zone's SOA minimum."""
    response = ask(server, "gallina.granja.animales.com")
    assert response.rcode() == dns.rcode.NXDOMAIN
    assert response.authority[0].rdtype == dns.rdatatype.SOA
    assert (response.authority[0].ttl, response.authority[0][0].minimum) == (30, 30)


@pytest.mark.parametrize(
    ("name", "kind"), [("conejo.granja.animales.com", "TXT"), ("_tcp.granja.animales.com", "A")]
)
def test_a_name_without_that_type_has_no_data_but_exists(server: Server, name: str, kind: str) -> None:
    response = ask(server, name, kind)
    assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])
    assert response.authority[0].rdtype == dns.rdatatype.SOA


def test_the_longest_zone_is_in_charge(server: Server) -> None:
    assert "127.30.9.9" not in values(ask(server, "conejo.granja.animales.com"))


def test_a_zone_that_is_not_ours_is_refused(server: Server) -> None:
    assert ask(server, "conejo.example.com").rcode() == dns.rcode.REFUSED


def test_an_answer_too_long_for_udp_is_cut_and_whole_over_tcp(server: Server) -> None:
    short = ask(server, "largo.granja.animales.com", "TXT")
    assert short.flags & dns.flags.TC
    assert len(values(ask(server, "largo.granja.animales.com", "TXT", tcp=True))) == 8


def test_nonsense_is_not_answered_and_harms_nobody(server: Server) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"\x00garbage", (server.address, server.port))
    assert values(ask(server, "conejo.granja.animales.com"))


def test_a_change_reaches_the_name_servers_after_a_while() -> None:
    """F§3.3: changes propagate to all name servers in up to a minute."""
    timeline, records = Timeline(), dict(ZONES[0].records)
    known = Propagation(timeline, lambda: [Zone("granja.animales.com", dict(records))], delay=20)
    records["gallina.granja.animales.com", "A"] = RecordSet(15, ("127.30.0.5",))
    known.changed()
    timeline.run_for(19)
    assert not known.zones()
    timeline.run_for(2)
    assert known.zones()[0].has("gallina.granja.animales.com")


def test_a_port_in_use_is_an_error_at_the_start(server: Server) -> None:
    with pytest.raises(OSError, match="in use"):
        Server(list, port=server.port).start()


@pytest.fixture
def plane() -> Iterator[DataPlane]:
    plane = DataPlane()
    plane.start()
    yield plane
    plane.stop()


def get(address: str, port: int = 18080) -> dict[str, str]:
    with urllib.request.urlopen(f"http://{address}:{port}/orders?id=1", timeout=60) as response:
        return json.load(response)


def test_every_task_answers_at_its_own_addresses(plane: DataPlane) -> None:
    for n in range(1, 61):
        plane.open(
            Identity("conejo", f"task-{n}", "granja"),
            [Listener(f"127.30.200.{n}", 18080), Listener(f"127.20.200.{n}", 18080)],
        )
    assert get("127.30.200.7") == {
        "service": "conejo",
        "task": "task-7",
        "cluster": "granja",
        "method": "GET",
        "path": "/orders?id=1",
    }
    assert get("127.20.200.60")["task"] == "task-60"


def test_a_task_that_is_gone_refuses_and_its_address_can_be_anothers(plane: DataPlane) -> None:
    plane.open(Identity("conejo", "first", "granja"), [Listener("127.30.201.1", 18080)])
    assert get("127.30.201.1")["task"] == "first"
    plane.close("first")
    with pytest.raises(OSError, match="refused"):
        get("127.30.201.1")
    plane.open(Identity("gallina", "second", "granja"), [Listener("127.30.201.1", 18080)])
    assert get("127.30.201.1")["service"] == "gallina"
