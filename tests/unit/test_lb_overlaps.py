"""Requests at one listener: what two services both match is the first one's, unless both say weight=."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

import pytest

from expose.aws import Clients
from expose.mechanisms import MECHANISMS
from expose.model import Owned
from expose.names import Names
from expose.refusals import Refused
from expose.resources.claims import Claims
from expose.resources.elb.priorities import Match, meet
from farm.timeline import Timeline
from tests.unit.tables import TABLE, items, table
from tests.unit.values import LISTED, around, balancer, exposure, listener, service, task

CONEJO, CABRA, OVEJA = (f"corral/granja/{name}/expose:lb" for name in ("conejo", "cabra", "oveja"))
HOST = "host=a.com"
ALB = balancer(listeners=[listener(80), listener(81)])


@dataclass
class Ledger:
    """Claims of exposures in one table, as tags ask for them."""

    clients: Clients

    @property
    def names(self) -> Names:
        return Names(self.clients, TABLE)

    def claim(self, mark: str, conditions: str, port: int = 80) -> None:
        resource = _claim(conditions, port)
        Claims(self.names).create(resource, dict(resource.refs), mark)

    def refusal(self, mark: str, conditions: str, port: int = 80) -> str:
        """Nothing is left of what is refused."""
        before = items(self.clients)
        with pytest.raises(Refused) as refused:
            self.claim(mark, conditions, port)
        assert refused.value.code == "NameTaken"
        assert items(self.clients) == before
        return refused.value.message

    def release(self, mark: str, conditions: str, port: int = 80) -> None:
        resource = _claim(conditions, port)
        owned = Owned.of(resource, since=0)
        Claims(self.names).delete(owned, resource.identity.key, dict(resource.refs), mark)

    def claim_as_before(self, mark: str, conditions: str, *, together: bool = False) -> None:
        """As the version did that knew no overlaps, whose items and expressions these are."""
        name, who = _claim(conditions).identity.key, {":mark": {"S": mark}}
        shared = {":marks": {"SS": [mark]}}
        self.clients.dynamodb.update_item(
            TableName=TABLE,
            Key={"pk": {"S": f"CLAIM#{name}"}, "sk": {"S": "CLAIM"}},
            UpdateExpression="ADD holders :marks" if together else "SET holder = :mark, heir = :heir",
            ExpressionAttributeValues=shared if together else {**who, ":heir": {"S": ""}},
        )

    def release_as_before(self, conditions: str) -> None:
        key = {"pk": {"S": f"CLAIM#{_claim(conditions).identity.key}"}, "sk": {"S": "CLAIM"}}
        self.clients.dynamodb.delete_item(TableName=TABLE, Key=key)


def _claim(conditions: str, port: int = 80) -> Any:
    asked, its = exposure(f"granja-alb:{port} {conditions}", "expose:lb"), service(task(1))
    return MECHANISMS["lb"].desired(asked, its, around(asked, its, ALB, LISTED))[0]


@pytest.fixture
def ledger(timeline: Timeline) -> Ledger:
    return Ledger(table())


# what overlaps

OVERLAPPING = [
    (f"{HOST} path=/api", f"{HOST} path=/api methods=GET+POST"),
    (f"{HOST} path=/api", f"{HOST} path=/api/v1"),
    (HOST, f"{HOST} path=/api"),
    (HOST, f"{HOST} methods=GET"),
    (HOST, "path=/api"),
    ("", f"{HOST} path=/api methods=GET"),
    (f"{HOST}+b.com", "host=b.com+c.com"),
    (f"{HOST} path=/a+/b", f"{HOST} path=/b/c"),
    (f"{HOST} methods=GET+PUT", f"{HOST} methods=PUT+POST"),
    ("path=/api", "path=/api/v1 methods=GET"),
]
APART = [
    (HOST, "host=b.com"),
    (HOST, "host=b.a.com"),
    (f"{HOST} path=/api", f"{HOST} path=/apiary"),
    (f"{HOST} path=/conejo", f"{HOST} path=/gallina"),
    (f"{HOST} path=/API", f"{HOST} path=/api"),
    (f"{HOST} methods=GET", f"{HOST} methods=POST"),
    ("path=/a", f"{HOST} path=/b"),
]


@pytest.mark.parametrize(("first", "second"), [*OVERLAPPING, *((b, a) for a, b in OVERLAPPING)])
def test_the_first_has_what_two_services_match(ledger: Ledger, first: str, second: str) -> None:
    ledger.claim(CONEJO, first)
    said = ledger.refusal(CABRA, second)

    assert f"held by {CONEJO}: choose another host or path, say weight= on both" in said
    ledger.claim(CABRA, second, port=81)  # another listener is another matter
    ledger.release(CONEJO, first)
    ledger.claim(CABRA, second)
    assert CABRA in ledger.refusal(CONEJO, first)


@pytest.mark.parametrize(("first", "second"), [*APART, *((b, a) for a, b in APART)])
def test_what_has_no_request_in_common_goes_side_by_side(ledger: Ledger, first: str, second: str) -> None:
    for _ in range(2):
        ledger.claim(CONEJO, first)
        ledger.claim(CABRA, second)
    ledger.release(CABRA, second)
    ledger.release(CONEJO, first)
    assert items(ledger.clients) == 0


@pytest.mark.parametrize(("first", "second"), OVERLAPPING)
def test_what_all_say_a_weight_for_is_shared_and_not_with_who_says_none(
    ledger: Ledger, first: str, second: str
) -> None:
    ledger.claim(CONEJO, f"{first} weight=1")
    assert "say weight= on both" in ledger.refusal(CABRA, second)
    ledger.claim(CABRA, f"{second} weight=1")
    assert "weight=" in ledger.refusal(CABRA, second)  # it may not be taken out of the sharing either
    ledger.claim(CABRA, f"{second} weight=1")


@pytest.mark.parametrize(("first", "second"), OVERLAPPING)
def test_the_tags_of_one_service_may_overlap(ledger: Ledger, first: str, second: str) -> None:
    ledger.claim(CONEJO, first)
    ledger.claim(f"{CONEJO}:more", second)
    ledger.release(CONEJO, first)
    assert f"{CONEJO}:more" in ledger.refusal(CABRA, first)


def test_equal_conditions_are_told_as_ever(ledger: Ledger) -> None:
    ledger.claim(CONEJO, HOST)

    assert ledger.refusal(CABRA, HOST).startswith(f"host=a.com on granja-alb:80 is held by {CONEJO}: choose ")


# two at the same moment


@contextmanager
def meanwhile(clients: Clients, at: int, act: Callable[[], None]) -> Iterator[None]:
    """`act` between the call number `at` and the next."""
    calls = 0

    def count(**_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == at + 1:
            act()

    events = clients.dynamodb.meta.events
    events.register("before-call.dynamodb", count)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb", count)


@pytest.mark.parametrize("at", range(8))
@pytest.mark.parametrize("before", [(), (f"{OVEJA}:z", "host=z.com")], ids=["first", "beside another"])
def test_of_two_at_the_same_moment_one_has_it_and_nothing_is_left_of_the_other(
    ledger: Ledger, at: int, before: tuple[str, str]
) -> None:
    if before:
        ledger.claim(*before)
    refused: list[str] = []

    def attempt(mark: str, conditions: str) -> None:
        try:
            ledger.claim(mark, conditions)
        except Refused:
            refused.append(mark)

    with meanwhile(ledger.clients, at, lambda: attempt(CABRA, f"{HOST} methods=GET")):
        attempt(CONEJO, HOST)
    if not refused:  # the other call never came: nothing was meanwhile
        attempt(CABRA, f"{HOST} methods=GET")

    assert len(refused) == 1
    loser, winner = refused[0], ({CONEJO, CABRA} - {refused[0]}).pop()
    mine, its = (HOST, f"{HOST} methods=GET") if winner == CONEJO else (f"{HOST} methods=GET", HOST)
    assert ledger.names.holders(_claim(its).identity.key) == set()
    ledger.claim(winner, mine)
    assert winner in ledger.refusal(loser, its)
    ledger.release(winner, mine)
    ledger.claim(loser, its)


@pytest.mark.parametrize("at", range(6))
def test_one_that_comes_while_another_leaves_waits_or_has_it(ledger: Ledger, at: int) -> None:
    ledger.claim(CONEJO, HOST)
    with meanwhile(ledger.clients, at, lambda: ledger.release(CONEJO, HOST)):
        try:
            ledger.claim(CABRA, f"{HOST} path=/a")
        except Refused:
            ledger.claim(CABRA, f"{HOST} path=/a")
    assert CABRA in ledger.refusal(CONEJO, HOST)


def test_whoever_died_after_claiming_the_name_is_not_taken_for_one_from_before(ledger: Ledger) -> None:
    name = _claim(HOST).identity.key
    ledger.names.claim(name, CONEJO, said="host=a.com")  # and not another step
    ledger.claim(CABRA, f"{HOST} path=/a")

    assert CABRA in ledger.refusal(CONEJO, HOST)
    ledger.release(CABRA, f"{HOST} path=/a")
    ledger.claim(CONEJO, HOST)
    ledger.release(CONEJO, HOST)
    assert items(ledger.clients) == 0


# a ledger that an older version wrote


def test_what_overlapped_before_is_left_to_work_and_nobody_new_comes_in(ledger: Ledger) -> None:
    ledger.claim_as_before(CONEJO, HOST)
    ledger.claim_as_before(CABRA, f"{HOST} path=/a", together=True)
    for _ in range(2):
        ledger.claim(CONEJO, HOST)
        ledger.claim(CABRA, f"{HOST} path=/a weight=1")

    assert "held by" in ledger.refusal(OVEJA, f"{HOST} path=/a/b")
    ledger.release(CABRA, f"{HOST} path=/a weight=1")
    assert CONEJO in ledger.refusal(CABRA, f"{HOST} path=/a")  # once gone it is new
    ledger.release(CONEJO, HOST)
    assert items(ledger.clients) == 0


def test_what_an_older_version_released_stands_in_nobodys_way(ledger: Ledger) -> None:
    """Rolled back: it knows nothing of what is claimed at the listener."""
    ledger.claim(CONEJO, HOST)
    ledger.release_as_before(HOST)

    ledger.claim(CABRA, f"{HOST} path=/a")
    assert CABRA in ledger.refusal(CONEJO, HOST)
    ledger.release(CABRA, f"{HOST} path=/a")
    assert items(ledger.clients) == 0


# patterns


def _fits(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


@pytest.mark.parametrize("seed", range(40))
def test_two_patterns_meet_where_some_text_fits_both(seed: int) -> None:
    """A text that fits both of up to 4 characters needs no more than 7, and no more letters than they have."""
    random = Random(seed)
    texts = ["".join(text) for length in range(8) for text in product("ab", repeat=length)]
    for _ in range(20):
        one, other = ("".join(random.choices("ab*?", k=random.randrange(5))) for _ in range(2))
        assert meet(one, other) is any(_fits(one, text) and _fits(other, text) for text in texts), (
            one,
            other,
        )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("*.a.com", "b.a.com", True),
        ("*.a.com", "a.com", False),
        ("/a/*", "/*/b", True),
        ("/a?/*", "/a/*", True),  # /a//
        ("/a?", "/a", False),
        ("", "*", True),
        ("", "", True),
    ],
)
def test_patterns_of_hosts_and_paths(one: str, other: str, *, expected: bool) -> None:
    assert meet(one, other) is meet(other, one) is expected


def test_what_is_not_looked_at_is_anything() -> None:
    assert Match().overlaps(Match(frozenset({"a.com"}), frozenset({"/a"}), frozenset({"GET"})))
