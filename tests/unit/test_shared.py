"""What exposures use together, as the ledger knows it: who uses it, what each adds, who makes and who removes it."""

from __future__ import annotations

import re
from itertools import permutations

import pytest

from expose.aws import Clients
from expose.model import Identity
from expose.refusals import NotYet
from expose.shared import Common, Shared
from farm.timeline import Timeline
from tests.unit.tables import TABLE, items, table

RULE = Identity("elb.rule", "granja-alb:80/a.com||")
A, B, C = "corral/granja/a/expose:lb", "corral/granja/b/expose:lb", "corral/granja/c/expose:lb"


@pytest.fixture
def clients(timeline: Timeline) -> Clients:
    return table()


@pytest.fixture
def shared(clients: Clients) -> Shared:
    return Shared(clients, TABLE)


def test_what_nobody_uses_was_never_made(shared: Shared) -> None:
    assert shared.look(RULE) == Common()


def test_who_joins_finds_what_is_made(shared: Shared) -> None:
    assert shared.join(RULE, A) == Common()
    shared.made(RULE, "arn:1", "name.elb")

    assert shared.join(RULE, B) == Common("arn:1", "name.elb")
    assert shared.look(RULE) == Common("arn:1", "name.elb")


@pytest.mark.parametrize("order", list(permutations((A, B, C))))
def test_parts_are_kept_by_mark_until_each_withdraws_its_own(shared: Shared, order: tuple[str, ...]) -> None:
    for mark in order:
        assert shared.take_part(RULE, mark, f"part of {mark}").parts[mark] == f"part of {mark}"
    left = {mark: f"part of {mark}" for mark in order}
    for mark in order:
        del left[mark]
        assert shared.withdraw(RULE, mark).parts == left
        assert shared.look(RULE).parts == left


def test_a_part_may_be_said_anew_and_repeated(shared: Shared) -> None:
    for said in ("one", "two", "two"):
        shared.take_part(RULE, A, said)
    shared.take_part(RULE, B, "other")

    assert shared.look(RULE).parts == {A: "two", B: "other"}
    shared.withdraw(RULE, A)
    assert shared.withdraw(RULE, A).parts == {B: "other"}


# making


def test_one_at_a_time_makes_it(shared: Shared) -> None:
    shared.take_part(RULE, A, "a")
    shared.begin(RULE, A)
    with pytest.raises(NotYet, match=f"another service is just making {re.escape(str(RULE))}"):
        shared.begin(RULE, B)

    shared.begin(RULE, A)  # after a lost answer, or a crash
    shared.made(RULE, "arn:1")
    shared.begin(RULE, B)


def test_a_maker_that_withdraws_lets_another_make_it(shared: Shared) -> None:
    """Such as one that was refused, or whose function died, and whose tag is gone now."""
    for mark in (A, B):
        shared.take_part(RULE, mark, mark)
    shared.begin(RULE, A)
    shared.withdraw(RULE, A)

    shared.begin(RULE, B)
    shared.withdraw(RULE, A)  # it is not the maker any more
    with pytest.raises(NotYet):
        shared.begin(RULE, C)


# leaving


def test_the_last_one_to_leave_learns_since_when_nobody_uses_it(shared: Shared) -> None:
    for mark in (A, B):
        shared.join(RULE, mark)

    assert shared.leave(RULE, A, now=1) is None
    assert shared.leave(RULE, B, now=2) == 2
    assert shared.leave(RULE, B, now=9) == 2
    shared.join(RULE, A)
    assert shared.leave(RULE, A, now=20) == 20


def test_who_closes_keeps_others_out_until_it_is_gone_or_reopened(shared: Shared, clients: Clients) -> None:
    assert shared.close(RULE, B)
    for enter in (shared.join, lambda rule, mark: shared.take_part(rule, mark, "part")):
        with pytest.raises(NotYet, match="is being removed"):
            enter(RULE, A)
    assert shared.close(RULE, B)  # again, after a crash

    shared.reopen(RULE)
    shared.join(RULE, A)
    assert not shared.close(RULE, B)
    shared.leave(RULE, A, now=1)
    assert shared.close(RULE, B)
    shared.drop(RULE)
    assert items(clients) == 0
    shared.take_part(RULE, A, "part")


def test_closing_and_joining_at_once_only_one_comes_through(shared: Shared) -> None:
    """Whichever DynamoDB sees first: there is no third way."""
    for first_in in (True, False):
        if first_in:
            shared.take_part(RULE, A, "part")
            assert not shared.close(RULE, B)
            shared.withdraw(RULE, A)
        else:
            assert shared.close(RULE, B)
            with pytest.raises(NotYet):
                shared.take_part(RULE, A, "part")
            shared.drop(RULE)
        assert shared.look(RULE).parts == {}


def test_who_died_while_removing_it_may_have_it_back(shared: Shared) -> None:
    """The tag is restored before the removal is repeated: then nobody will ever repeat it."""
    shared.take_part(RULE, A, "part")
    shared.withdraw(RULE, A)
    assert shared.close(RULE, A)

    shared.take_part(RULE, A, "part")
