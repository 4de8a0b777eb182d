"""A list of addresses in parameters of 4 KB: nothing is lost, nothing is there twice, and what stays does not move."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import pytest

from expose.model import Identity, Resource
from expose.resources.ssm.parts import Part, dumps, having, loads, without

PORTS = {str(port): port for port in range(8080, 8090)}


def resource(number: int, port: int = 8080) -> Resource:
    spec = {"task": f"{number:032x}", "ipv4": f"203.0.0.{number}", "ports": {**PORTS, "8080": port}}
    return Resource(Identity("ssm.address", str(number)), spec=spec, task=f"{number:032x}")


def resources(numbers: Iterable[int]) -> list[Resource]:
    return [resource(number) for number in numbers]


def tasks(parts: Sequence[Part]) -> list[str]:
    return [entry["task"] for part in parts for entry in part]


def ids(numbers: Iterable[int]) -> list[str]:
    return [f"{number:032x}" for number in numbers]


def test_a_list_goes_on_in_another_part_where_one_is_full_and_none_is_longer_than_may_be() -> None:
    parts = having([], resources(range(60)))

    assert len(parts) > 2
    assert tasks(parts) == ids(range(60))
    assert all(3700 < len(dumps(part).encode()) <= 4096 for part in parts[:-1])
    assert len(dumps(parts[-1]).encode()) <= 4096


def test_parts_that_the_others_have_room_for_go() -> None:
    parts = having([], resources(range(60)))

    assert without(parts, set(ids(range(2, 60)))) == [[dict(resource(n).spec) for n in (0, 1)]]
    assert len(without(parts, set(ids(range(58))))) == 1
    assert without(parts, set(ids(range(60)))) == [[]]


def test_what_stays_does_not_move_while_others_come_and_go() -> None:
    before = having([], resources(range(60)))
    after = having(without(before, set(ids([3, 40]))), resources([70, 71]))

    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        assert [each for each in old if each["task"] not in ids([3, 40])] == [
            each for each in new if each["task"] not in ids([70, 71])
        ]


def test_an_entry_that_is_there_as_wanted_is_not_written_again_and_one_that_differs_is() -> None:
    before = having([], resources(range(60)))

    assert having(before, resources(range(60))) == before
    changed = having(before, [resource(5, port=9999)])
    assert sorted(tasks(changed)) == sorted(tasks(before))
    assert [e["ports"]["8080"] for part in changed for e in part if e["task"] == ids([5])[0]] == [9999]


def test_a_task_that_a_crash_has_left_in_two_parts_is_in_one_again() -> None:
    twice: list[Part] = [[dict(resource(1).spec)], [dict(resource(1).spec), dict(resource(2).spec)]]

    assert tasks(having(twice, [])) == ids([1, 2])
    assert tasks(without(twice, set(ids([1])))) == ids([2])


@pytest.mark.parametrize("text", ["", "null", "{}", "[1, null, {}]", '[{"task": 7}]', "[{", "\ud7ff", '"a"'])
def test_what_others_have_written_is_nobody_s_address(text: str) -> None:
    assert loads(text) == []


def test_many_comings_and_goings_lose_nothing() -> None:
    chance, parts, there = random.Random(7), list[Part](), set[int]()
    for _ in range(60):
        come = {chance.randrange(100) for _ in range(chance.randrange(9))}
        go = {each for each in there if chance.random() < 0.2}
        parts = without(having(parts, resources(sorted(come))), set(ids(go)))
        there = (there | come) - go
        assert sorted(tasks(parts)) == ids(sorted(there))
        assert all(len(dumps(part)) <= 4096 for part in parts)
