"""What of the openings is a finding, how bad it is, and that it stays one finding while tasks come and go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expose.audit.findings import Declared, Finding, Seen, changes, findings, undeclared
from expose.model import Opening

SERVICE = "arn:aws:ecs:eu-west-1:123456789012:service/granja/conejo"
WEB = Declared("tcp", 8080, 8080)
WORLD, OFFICE = ("0.0.0.0/0",), ("198.51.100.0/24",)


def world(protocol: str, first: int, last: int | None = None, family: int = 4) -> Opening:
    return Opening(family, protocol, first, first if last is None else last, True, WORLD, ("sg-1",))


def office(protocol: str, port: int) -> Opening:
    return Opening(4, protocol, port, port, False, OFFICE, ("sg-1",))


def found(*openings: Opening, declared: tuple[Declared, ...] | None = (WEB,)) -> tuple[Finding, ...]:
    return findings(SERVICE, [Seen("task-1", openings, declared)])


def grades(*openings: Opening, declared: tuple[Declared, ...] | None = (WEB,)) -> dict[str, str]:
    return {f"{each.kind} {each.subject}": each.grade for each in found(*openings, declared=declared)}


@pytest.mark.parametrize(
    ("opening", "grade"),
    [
        (world("tcp", 22), "critical"),
        (world("tcp", 3000, 4000), "critical"),  # 3306 and 3389 are among them
        (world("tcp", 6379), "critical"),
        (world("tcp", 0, 65535), "critical"),
        (world("udp", 0, 65535), "critical"),
        (world("-1", 0, 65535), "critical"),
        (world("udp", 11211), "critical"),
        (world("udp", 22), "high"),
        (world("tcp", 9999), "high"),
        (world("tcp", 22, family=6), "critical"),
        (world("47", 0, 65535), "high"),
        (world("icmp", 0, 65535), "medium"),
        (office("tcp", 22), "medium"),
        (office("tcp", 9999), "medium"),
    ],
)
def test_what_nobody_declared_is_graded_by_who_gets_in_where(opening: Opening, grade: str) -> None:
    (finding,) = found(opening, declared=())

    assert (finding.grade, finding.declared) == (grade, False)


def test_what_is_declared_is_told_and_no_more() -> None:
    assert grades(world("tcp", 8080)) == {"open-to-world tcp 8080 over IPv4": "info"}
    assert grades(office("tcp", 8080)) == {"open-to-ranges tcp 8080 over IPv4": "info"}


def test_declaring_a_port_of_tcp_declares_none_of_udp() -> None:
    assert grades(world("udp", 8080)) == {
        "open-to-world udp 8080 over IPv4": "high",
        "unreachable tcp 8080": "low",
    }


def test_a_wide_opening_around_a_declared_port_is_a_finding_beside_it() -> None:
    assert grades(world("tcp", 8080, 8081)) == {
        "open-to-world tcp 8080-8081 over IPv4": "high",
        "open-to-world tcp 8080 over IPv4": "info",
    }


def test_a_declared_administration_port_is_no_reason_to_cry_over_its_neighbours() -> None:
    ssh = Declared("tcp", 22, 22)

    assert grades(world("tcp", 20, 22), declared=(ssh,)) == {
        "open-to-world tcp 20-22 over IPv4": "high",
        "open-to-world tcp 22 over IPv4": "info",
    }


def test_a_declared_port_that_nobody_reaches_is_told() -> None:
    (finding,) = found()

    assert (finding.kind, finding.grade, finding.declared) == ("unreachable", "low", True)
    assert "route table" in finding.message


def test_a_public_address_that_no_tag_asks_for_is_told() -> None:
    assert grades(declared=None) == {"public-address public address": "low"}
    assert grades(declared=()) == {}


def test_the_message_says_what_to_whom_by_which_group_and_what_to_do() -> None:
    (finding,) = found(world("tcp", 22), declared=())

    assert finding.message == (
        "tcp 22 over IPv4 is open to the whole internet by sg-1, and not declared: narrow sg-1, "
        "or declare it in the tag"
    )


def test_a_finding_is_the_same_after_all_tasks_and_groups_were_replaced() -> None:
    before = findings(
        SERVICE, [Seen("task-1", (world("tcp", 22),), ()), Seen("task-2", (world("tcp", 22),), ())]
    )
    after = findings(SERVICE, [Seen("task-3", (replace(world("tcp", 22), groups=("sg-2",)),), ())])

    assert len(before) == 1
    assert before[0].tasks == ("task-1", "task-2")
    assert changes(before, after) == ((), ())


def test_on_a_bridge_the_container_port_names_the_finding_and_the_host_port_is_looked_at() -> None:
    """Each task of the service has another host port, of a range that is open as a whole."""
    dynamic = world("tcp", 32768, 65535)
    before = findings(SERVICE, [Seen("task-1", (dynamic,), (Declared("tcp", 8080, 32768),))])
    after = findings(SERVICE, [Seen("task-2", (dynamic,), (Declared("tcp", 8080, 40001),))])

    assert {each.subject for each in before} == {
        "tcp 32768-65535 over IPv4",
        "tcp 8080 over IPv4",
    }
    assert changes(before, after) == ((), ())


def test_on_a_bridge_the_port_to_dial_is_what_has_to_be_open() -> None:
    web = Declared("tcp", 8080, 32768)

    assert grades(world("tcp", 32768), declared=(web,)) == {"open-to-world tcp 8080 over IPv4": "info"}
    assert grades(world("tcp", 8080), declared=(web,)) == {
        "open-to-world tcp 8080 over IPv4": "high",
        "unreachable tcp 8080": "low",
    }


@pytest.mark.parametrize(
    "other",
    [
        world("tcp", 23),
        world("udp", 22),
        world("tcp", 22, 23),
        world("tcp", 22, family=6),
        office("tcp", 22),
    ],
)
def test_another_port_protocol_family_or_source_is_another_finding(other: Opening) -> None:
    before, now = found(world("tcp", 22), declared=()), found(other, declared=())

    assert changes(before, now) == (now, before)


def test_declaring_what_was_open_closes_the_finding() -> None:
    before, now = found(world("tcp", 8080), declared=()), found(world("tcp", 8080))
    opened, closed = changes(before, now)

    assert [each.grade for each in opened] == ["info"]
    assert [each.grade for each in closed] == ["high"]


def test_another_service_has_findings_of_its_own() -> None:
    seen = [Seen("task-1", (world("tcp", 22),), ())]

    assert {each.id for each in findings("a", seen)}.isdisjoint(each.id for each in findings("b", seen))


def test_the_worst_comes_first() -> None:
    order = [
        each.grade
        for each in found(office("tcp", 1), world("icmp", 0, 65535), world("tcp", 22), world("tcp", 9))
    ]

    assert order == ["critical", "high", "medium", "medium", "low"]


def test_enforcing_holds_back_what_is_open_to_the_world_and_not_declared() -> None:
    web, ssh = world("tcp", 8080), world("tcp", 22)

    assert undeclared([web, ssh, office("tcp", 23)], [WEB]) == (ssh,)
    assert undeclared([world("tcp", 8080, 8081)], [WEB]) == (world("tcp", 8080, 8081),)
    assert undeclared([world("-1", 0, 65535)], [WEB]) == (world("-1", 0, 65535),)


def test_enforcing_lets_a_task_answer_a_ping() -> None:
    assert undeclared([world("icmp", 0, 65535), world("icmpv6", 0, 65535, family=6)], []) == ()
