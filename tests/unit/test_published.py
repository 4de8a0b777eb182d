"""Which addresses count as published to the world: everything that stands for a task but its own private address."""

from __future__ import annotations

from typing import Any

from expose.model import Identity, Owned
from expose.published import Published, published, stands_at
from expose.records import Memory, Record
from tests.unit.values import ARN, NOW, service, task

PRIVATE, PUBLIC, IPV6 = task(1).private_ipv4, task(1).public_ipv4, "2a05:d018::1"


def owned(address: str, of: int = 1, **differences: Any) -> Owned:
    return Owned(Identity("instance", f"{of}"), task=task(of).id, address=address, since=NOW, **differences)


def found(*entries: Owned, memory: Memory | None = None, now: float = NOW) -> list[Published]:
    remembered = memory or Memory(service(task(1)))
    return list(published(remembered, [Record(str(ARN), "expose:dns", owned=entries)], now=now))


def test_each_address_of_an_entry_is_one_and_the_private_one_is_none() -> None:
    one = task(1).id

    assert found(owned(f"{PUBLIC} {IPV6}")) == [
        Published(PUBLIC, one, PRIVATE),
        Published(IPV6, one, PRIVATE),
    ]
    assert found(owned(PRIVATE)) == []


def test_of_a_task_that_is_not_known_the_private_address_is_not_known_either() -> None:
    assert found(owned(PUBLIC, of=2)) == [Published(PUBLIC, task(2).id, None)]
    assert list(published(None, [], now=NOW)) == []


def test_names_and_what_stands_for_no_task_are_left_out() -> None:
    assert found(owned("granja-alb.elb.amazonaws.com")) == []
    assert found(Owned(Identity("elb.balancer", "x"), address=PUBLIC)) == []


def test_what_is_just_being_withdrawn_is_left_out_for_a_minute() -> None:
    leaving = owned(PUBLIC, leaving=True, operation="op")

    assert found(leaving, now=NOW + 59) == []
    assert found(leaving, now=NOW + 60) == [Published(PUBLIC, task(1).id, PRIVATE)]


def test_what_is_only_claimed_may_be_there() -> None:
    assert found(owned(PUBLIC))[0].address == PUBLIC


def test_an_entry_stands_at_each_of_its_addresses() -> None:
    entry = owned(f"{PUBLIC} {IPV6}")

    assert stands_at(entry, [IPV6])
    assert not stands_at(entry, ["2a05:d018::"])
    assert not stands_at(entry, [])
    assert not stands_at(Owned(Identity("elb.balancer", "x"), address=PUBLIC), [PUBLIC])


def test_an_ipv6_address_of_a_private_range_is_not_public() -> None:
    assert tuple(task(1, ipv6="fd00::1").public.values()) == (PUBLIC,)
    assert tuple(task(1, public_ipv4="", ipv6=IPV6).public.values()) == (IPV6,)
