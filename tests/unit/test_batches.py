"""Batches: neighbours of a plan that go to AWS in one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from expose.model import Identity, Owned, Resource
from expose.plan import Change, Create, Delete, Forget, Update, batches, subject

SIZES = {"elb.target": 3}
Refs = Mapping[str, Identity | str]
BLUE: Refs = {"group": Identity("elb.group", "blue")}
GREEN: Refs = {"group": "arn:green"}


def target(name: str, refs: Refs | None = None, kind: str = "elb.target") -> Resource:
    return Resource(Identity(kind, name), refs=refs or {})


def owned(name: str, refs: Refs | None = None, kind: str = "elb.target") -> Owned:
    return Owned(Identity(kind, name), refs=refs or {})


def sizes(changes: Iterable[Change]) -> list[int]:
    return [len(batch) for batch in batches(changes, SIZES)]


def test_nothing_makes_no_batch() -> None:
    assert sizes([]) == []


@pytest.mark.parametrize(("count", "expected"), [(1, [1]), (3, [3]), (4, [3, 1]), (9, [3, 3, 3])])
def test_neighbours_go_together_up_to_the_size(count: int, expected: list[int]) -> None:
    assert sizes(Create(target(str(number))) for number in range(count)) == expected
    assert sizes(Delete(owned(str(number))) for number in range(count)) == expected


def test_what_no_size_is_given_for_goes_alone() -> None:
    assert sizes(Create(target(name, kind="elb.rule")) for name in "ab") == [1, 1]
    assert [len(each) for each in batches([Create(target("a")), Create(target("b"))], {})] == [1, 1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Create(target("a", BLUE)), Create(target("b", GREEN))),
        (Create(target("a")), Create(target("b", kind="elb.rule"))),
        (Create(target("a")), Delete(owned("b"))),
        (Update(target("a"), owned("a")), Delete(owned("b"))),
        (Delete(owned("a")), Forget(owned("b"))),
        (Delete(owned("a", BLUE)), Delete(owned("b", GREEN))),
    ],
)  # fmt: skip
def test_what_differs_in_kind_in_sort_or_in_what_it_refers_to_is_kept_apart(
    one: Change, other: Change
) -> None:
    changes: list[Change] = [one, other]
    assert list(batches(changes, SIZES)) == [[one], [other]]


def test_creating_and_updating_are_the_same_to_a_batch() -> None:
    changes: list[Change] = [Create(target("a")), Update(target("b"), owned("b")), Create(target("c"))]

    assert list(batches(changes, SIZES)) == [changes]


def test_the_order_is_kept_and_nothing_is_lost_or_gathered_from_afar() -> None:
    changes: list[Change] = [
        Create(target("a", BLUE)), Create(target("x", kind="elb.rule")), Create(target("b", BLUE)),
        Create(target("c", BLUE)), Delete(owned("d", BLUE)), Delete(owned("e", BLUE)),
    ]  # fmt: skip
    made = list(batches(iter(changes), SIZES))

    assert [change for batch in made for change in batch] == changes
    assert [[subject(change).identity.key for change in batch] for batch in made] == [
        ["a"], ["x"], ["b", "c"], ["d", "e"]
    ]  # fmt: skip


def test_equal_references_are_enough() -> None:
    again: Refs = {"group": Identity("elb.group", "blue")}
    assert sizes([Create(target("a", BLUE)), Create(target("b", again))]) == [2]
