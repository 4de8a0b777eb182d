"""Whatever workers do at the same moment, and wherever they die: one is made, everybody has it, and nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from random import Random
from typing import Protocol

import pytest

from tests.unit.interleaving import Choose, orders
from tests.unit.sharers import Play, firsts

KINDS = [pytest.param(False, id="made at once"), pytest.param(True, id="made by an operation")]
FAULTS = ("refused", "lost", "silent", "late", "dies", "dies-late")


SEEDS = 200


class Scene(Protocol):
    __name__: str

    def __call__(
        self, choose: Choose, *, slow: bool = False, plant: Callable[[Play], None] = ...
    ) -> Play: ...


def end_well(play: Play) -> None:
    """Without anybody's verifying anything; and verifying changes nothing."""
    play.settle()
    play.assert_right()
    play.verify()
    play.assert_right()
    play.assert_nothing_leaks()


def _together(play: Play, plant: Callable[[Play], None]) -> Play:
    plant(play)
    play.together("a", "b")
    play.world.fault = lambda _: ""
    return play


def _fine(_: Play) -> None:
    pass


def _two_first_users(choose: Choose, *, slow: bool = False, plant: Callable[[Play], None] = _fine) -> Play:
    play = Play(choose, slow=slow)
    play.sharer("a")
    play.sharer("b")
    return _together(play, plant)


def _made(choose: Choose, *, slow: bool, users: str) -> Play:
    play = Play(choose, slow=slow)
    for name in users:
        play.sharer(name)
    play.settle()
    play.assert_right()
    return play


def _last_leaves_as_another_comes(
    choose: Choose, *, slow: bool = False, plant: Callable[[Play], None] = _fine
) -> Play:
    play = _made(choose, slow=slow, users="a")
    play.sharer("b")
    play.sharers["a"].wants = False
    return _together(play, plant)


def _comes_and_goes(choose: Choose, *, slow: bool = False, plant: Callable[[Play], None] = _fine) -> Play:
    play = Play(choose, slow=slow)
    play.sharer("a")
    plant(play)
    play.together("a")
    play.world.fault = lambda _: ""
    return play.changes_its_mind("a")


def _both_leave(choose: Choose, *, slow: bool = False, plant: Callable[[Play], None] = _fine) -> Play:
    play = _made(choose, slow=slow, users="ab")
    for each in play.sharers.values():
        each.wants = False
    return _together(play, plant)


def _both_find_it_gone(choose: Choose, *, slow: bool = False, plant: Callable[[Play], None] = _fine) -> Play:
    play = _made(choose, slow=slow, users="ab")
    play.world.pass_time(1000)
    play.world.things.clear()
    for each in play.sharers.values():
        each.fresh = True
    return _together(play, plant)


SCENES: tuple[Scene, ...] = (
    _two_first_users,
    _last_leaves_as_another_comes,
    _both_leave,
    _both_find_it_gone,
)


@pytest.mark.parametrize("slow", KINDS)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__.strip("_"))
def test_in_every_order_of_their_calls_two_workers_share_one(scene: Scene, *, slow: bool) -> None:
    assert sum(1 for _ in orders(lambda choose: end_well(scene(choose, slow=slow)))) > 5


def _fails_at(number: int, fault: str, *, of: str) -> Callable[[Play], None]:
    """The call with this number, of one of them; DynamoDB's are never late."""

    def plant(play: Play) -> None:
        seen = count(1)

        def strikes(call: str) -> str:
            if play.acting != of or next(seen) != number:
                return ""
            return fault.removesuffix("-late").replace("late", "lost") if call.endswith("Item") else fault

        play.world.fault = strikes

    return plant


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scene", [*SCENES, _comes_and_goes], ids=lambda scene: scene.__name__.strip("_"))
@pytest.mark.parametrize("slow", KINDS)
def test_whatever_becomes_of_any_call_of_one_the_other_comes_to_its_right(
    scene: Scene, fault: str, *, slow: bool
) -> None:
    """The one fails at each of its calls, and the other comes before each of them."""
    for number in range(1, 10):
        for before in range(number + 2):
            end_well(
                scene(firsts("a" * before + "b" * 30), slow=slow, plant=_fails_at(number, fault, of="a"))
            )


@pytest.mark.parametrize("seed", range(SEEDS))
def test_three_at_random(seed: int) -> None:
    random = Random(seed)
    play = Play(
        random.choice,
        slow=random.random() < 0.3,
        lag=random.choice([0, 0, 5, 25]),
        grace=random.choice([0, 30]),
    )
    for name in "abc":
        play.sharer(name)
    play.world.fault = lambda call: _at_random(random, call)
    play.at_random(random)
    play.world.fault = lambda _: ""

    end_well(play)


def _at_random(random: Random, call: str) -> str:
    if random.random() > 0.04:
        return ""
    return random.choice(("dies", "lost", "silent") if call.endswith("Item") else FAULTS)


def _alone(**how: bool) -> Play:
    play = _made(firsts(""), slow=how.get("slow", False), users="a")
    play.world.calls.clear()
    return play


def test_what_aws_made_without_an_answer_is_found_within_seconds() -> None:
    play = Play(firsts(""))
    sharer = play.sharer("a")
    _fails_at(4, "lost", of="")(play)  # joining, beginning, listing, creating
    sharer.attempt()
    assert play.world.things
    assert not sharer.calm

    play.world.fault = lambda _: ""
    play.settle(limit=10)

    play.assert_right()


def test_what_aws_refuses_to_remove_is_asked_for_ever_more_rarely_and_said() -> None:
    play = _alone()
    play.changes_its_mind("a")
    play.world.fault = lambda call: "refused" if call == "delete" else ""

    play.settle(limit=600)

    lingering = play.sharers["a"].outcome.lingering  # type: ignore[union-attr]
    assert lingering is not None
    assert lingering.code == "RemovalRefused"
    assert "nobody uses thing/one any more" in lingering.message
    assert "AccessDenied" in lingering.message
    assert 2 <= play.world.calls.count("delete") <= 4


def test_what_could_not_be_removed_is_used_again_at_once_and_its_last_user_lets_go() -> None:
    play = _alone()
    play.changes_its_mind("a")
    play.world.fault = lambda call: "refused" if call == "delete" else ""
    play.settle(limit=30)

    play.sharer("b").attempt()

    assert play.sharers["b"].calm
    assert play.world.calls.count("create") == 0
    play.settle(limit=600)
    play.assert_right()


def test_who_wants_it_again_after_a_refusal_is_one_of_its_users_again() -> None:
    play = _alone()
    play.changes_its_mind("a")
    play.world.fault = lambda call: "refused" if call == "delete" else ""
    play.settle(limit=30)
    play.world.fault = lambda _: ""
    play.sharers["a"].wants = True
    play.sharers["a"].attempt()
    play.sharer("b")
    play.settle(limit=30)

    play.changes_its_mind("b")

    end_well(play)


def test_a_removal_that_ends_late_is_not_taken_for_the_end_of_what_was_made_meanwhile() -> None:
    play = _alone(slow=True)
    play.changes_its_mind("a").sharers["a"].attempt()  # AWS begins to remove it, and nobody looks for minutes
    play.world.pass_time(200)
    play.sharer("b").attempt()
    play.world.pass_time(5)
    play.sharers["b"].attempt()

    play.sharers["a"].attempt()

    end_well(play)


def test_what_the_stack_may_not_remove_is_left_standing_told_and_used_by_the_next() -> None:
    play = _alone()
    play.standing = "CreateThings"
    play.changes_its_mind("a").sharers["a"].attempt()

    left = play.sharers["a"].outcome.lingering  # type: ignore[union-attr]
    assert left is not None
    assert left.code == "LeftStanding"
    assert "CreateThings is `no`" in left.message
    assert not play.sharers["a"].record.owned
    assert play.world.calls.count("delete") == 0

    play.sharer("b")
    play.settle(limit=100)
    play.assert_right()
