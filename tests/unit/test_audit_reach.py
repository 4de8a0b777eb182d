"""Who gets in, over a table derived from AWS's rules; and what an opening says of it."""

from __future__ import annotations

import pytest

from expose.audit.network import ALL, Interface, Network, Route, SecurityGroup
from expose.audit.reach import openings
from expose.model import Opening
from farm.figures.audit import CASES, Case, judged, score
from farm.figures.audit.case import (
    LOCAL,
    OFFICE,
    OTHER_OFFICE,
    OUT4,
    WORLD4,
    WORLD6,
    every,
    no,
    rule,
    yes,
)


def opened(*groups: object, **differences: object) -> tuple[Opening, ...]:
    case = Case("", "", groups, **differences)
    return openings(case.interface, case.network)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_says_what_aws_does(case: Case) -> None:
    assert judged(case, world=True) == case.to_world, case.why
    assert judged(case, world=False) == case.to_ranges, case.why


def test_the_table_is_as_large_as_promised_and_every_reason_is_there() -> None:
    assert len(CASES) >= 45
    assert len({case.name for case in CASES}) == len({case.why for case in CASES}) == len(CASES)


def test_over_the_table_the_audit_misses_nothing_and_makes_nothing_up() -> None:
    found = score(CASES)

    assert found.true > 100
    assert (found.precision, found.recall) == (1.0, 1.0)


def test_neighbouring_ports_with_the_same_sources_are_one_opening() -> None:
    first, second = (rule("tcp", 80, WORLD4), rule("tcp", (82, 90), WORLD4)), (rule("tcp", 81, WORLD4),)

    assert opened(first, second) == (Opening(4, "tcp", 80, 90, True, (WORLD4,), ("sg-0", "sg-1")),)


def test_all_traffic_is_one_opening_of_each_family() -> None:
    assert opened((every(WORLD4, WORLD6), rule("47", 0, WORLD4)), ipv6=("2600::1",)) == (
        Opening(4, ALL, 0, 65535, True, (WORLD4,), ("sg-0",)),
        Opening(6, ALL, 0, 65535, True, (WORLD6,), ("sg-0",)),
    )


def test_all_traffic_with_a_hole_names_what_is_left() -> None:
    found = opened((every(WORLD4),), inbound=(no(90, "tcp", (22, 22)), yes(100)))

    assert {(each.protocol, each.first, each.last) for each in found} == {
        ("icmp", 0, 65535),
        ("other", 0, 65535),
        ("tcp", 0, 21),
        ("tcp", 23, 65535),
        ("udp", 0, 65535),
    }


def test_sources_are_those_that_get_in() -> None:
    (found,) = opened((rule("tcp", 22, "198.51.100.0/25", "198.51.100.128/25", OTHER_OFFICE, "10.0.0.0/8"),))

    assert found.sources == (OTHER_OFFICE, OFFICE)


def test_holes_that_are_private_anyway_do_not_break_up_a_range() -> None:
    (found,) = opened((rule("tcp", 22, "0.0.0.0/4"),), routes=(*LOCAL, OUT4, Route("10.0.0.0/8", "vgw-1")))

    assert found.sources == ("0.0.0.0/4",)


def test_only_groups_that_let_somebody_in_are_named() -> None:
    (found,) = opened(
        (rule("tcp", 22, "10.0.0.0/8"),), (rule("tcp", 22, WORLD4),), (rule("udp", 22, WORLD4),)
    )[:1]

    assert found.groups == ("sg-1",)


def test_what_could_not_be_read_is_taken_to_let_in() -> None:
    interface = Interface("eni-1", "subnet-1", "vpc-1", ("sg-0",), "10.0.0.10", "203.0.113.10")
    network = Network(groups={"sg-0": SecurityGroup("sg-0", (rule("tcp", 22, WORLD4),))})

    assert [each.world for each in openings(interface, network)] == [True]
