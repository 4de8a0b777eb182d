"""Work as messages: it travels as text, a batch is folded so that each service is looked at once, poison stands alone."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from expose.work import Depth, Fold, Received, Work, dump, load
from tests.unit.values import ARN, NOW

CONEJO, GALLINA = str(ARN), str(ARN).replace("conejo", "gallina")


def work(service: str = CONEJO, depth: Depth = Depth.TASKS, **differences: Any) -> Work:
    return Work(service, differences.pop("reason", "a reason"), depth, **{"since": NOW} | differences)


@pytest.mark.parametrize("once", ["", "0123-42"])
@pytest.mark.parametrize("depth", list(Depth))
def test_work_comes_back_as_it_was_with_the_name_under_which_it_is_queued_only_once(
    depth: Depth, once: str
) -> None:
    sent = work(depth=depth, stopping=("a", "b"), stopped=("c",), astray=("3.80.1.2",))

    assert load(dump(sent, once)) == (sent, once)
    assert isinstance(load(dump(sent))[0].depth, Depth)


def test_a_message_may_say_no_more_than_the_service_the_reason_and_the_depth() -> None:
    assert load(json.dumps({"service": CONEJO, "reason": "by hand", "depth": 3})) == (
        Work(CONEJO, "by hand", Depth.FULL),
        "",
    )


def test_what_a_newer_version_says_beside_it_makes_no_dead_letter_of_a_message() -> None:
    sent = json.loads(dump(work(stopped=("a",)))) | {"colour": "red"}

    assert load(json.dumps(sent)) == (work(stopped=("a",)), "")


def test_what_was_received_before_is_put_off_whole_and_the_others_are_taken() -> None:
    bodies = [dump(work(stopping=("a",))), dump(work(GALLINA)), dump(work(stopping=("b",)))]
    fold = Fold([Received(bodies[0]), Received(bodies[1]), Received(bodies[2], times=2)])

    assert fold.suspects() == [work(stopping=("a", "b"))]
    assert [fold.take(body) for body in bodies] == [None, work(GALLINA), None]


def test_two_works_of_one_service_are_the_deepest_of_both_since_the_first_with_all_tasks() -> None:
    shallow = work(depth=Depth.RECORD, reason="stopping", stopping=("a", "b"), stopped=("x",), since=NOW + 5)
    deep = work(depth=Depth.SERVICE, reason="tags", stopping=("b", "c"), stopped=("x", "y"), since=NOW)
    both = work(depth=Depth.SERVICE, reason="tags", stopping=("a", "b", "c"), stopped=("x", "y"), since=NOW)

    assert shallow.with_(deep) == both
    assert set(deep.with_(shallow).stopping) == {"a", "b", "c"}
    assert (deep.with_(shallow).depth, deep.with_(shallow).reason) == (Depth.SERVICE, "tags")
    assert work().with_(work()) == work()


def test_a_batch_looks_at_each_service_once_and_forgets_nothing() -> None:
    for seed in range(100):
        random = Random(seed)
        sent = [
            work(
                random.choice([CONEJO, GALLINA]),
                random.choice(list(Depth)),
                stopping=tuple(random.sample("abc", random.randint(0, 2))),
                astray=tuple(random.sample(["3.80.1.2", "3.80.1.3"], random.randint(0, 2))),
                since=NOW + number,
            )
            for number in range(random.randint(1, 10))
        ]
        bodies = [dump(each) for each in sent]
        fold = Fold(map(Received, bodies))
        taken = [done for body in bodies if (done := fold.take(body))]

        assert [done.service for done in taken] == list(dict.fromkeys(each.service for each in sent))
        for done in taken:
            its = [each for each in sent if each.service == done.service]
            assert done.depth == max(each.depth for each in its)
            assert done.since == min(each.since for each in its)
            assert set(done.astray) == {address for each in its for address in each.astray}
            assert set(done.stopping) == {task for each in its for task in each.stopping}


def test_the_first_message_of_a_service_does_the_work_of_all() -> None:
    bodies = [dump(work(stopping=("a",))), dump(work(GALLINA)), dump(work(stopping=("b",)))]
    fold = Fold(map(Received, bodies))

    assert fold.take(bodies[0]) == work(stopping=("a", "b"))
    assert fold.take(bodies[1]) == work(GALLINA)
    assert fold.take(bodies[2]) is None


GOOD = {"service": CONEJO, "reason": "a reason", "depth": 1}
POISON = [
    "",
    "poison",
    "null",
    "7",
    '"text"',
    "[]",
    "{}",
    *[json.dumps({name: value for name, value in GOOD.items() if name != missing}) for missing in GOOD],
    *[
        json.dumps(GOOD | wrong)
        for wrong in (
            {"depth": 4},
            {"depth": -1},
            {"depth": "deep"},
            {"depth": None},
            {"depth": []},
            {"stopping": None},
            {"stopping": 7},
            {"stopping": "abc"},
            {"stopping": [["a"]]},
            {"stopped": [{}]},
            {"astray": "3.80.1.2"},
            {"service": []},
            {"service": None},
            {"service": {"arn": CONEJO}},
            {"since": "yesterday"},
            {"since": None},
        )
    ],
]


@pytest.mark.parametrize("body", POISON)
def test_what_is_no_work_is_refused_whole(body: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the words, they go to the log
        load(body)


@pytest.mark.parametrize("body", POISON)
def test_a_poisoned_message_is_refused_in_its_turn_and_holds_up_nobody(body: str) -> None:
    bodies = [
        dump(work(since=NOW + 1, stopping=("a",))),
        body,
        dump(work(stopping=("b",))),
        dump(work(GALLINA)),
    ]
    fold = Fold(map(Received, bodies))
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the words, they go to the log
        fold.take(body)

    assert fold.take(bodies[0]) == work(stopping=("a", "b"))
    assert fold.take(bodies[3]) == work(GALLINA)
