"""Planning: a plan is data, made from what is desired, current and owned, and its order is the order of safety."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from expose.model import Identity, Owned, Resource, fingerprint
from expose.plan import Create, Delete, Forget, Plan, Update, doors, plan, recorded

SEEDS = range(200)


def resource(name: str, *needs: Identity, version: int = 1) -> Resource:
    return Resource(
        Identity("thing", name), {"version": version}, {str(n): need for n, need in enumerate(needs)}
    )


def owned(thing: Resource, aws_id: str = "aws", **differences: object) -> Owned:
    entry = Owned(thing.identity, thing.fingerprint, aws_id, thing.refs)
    return replace(entry, **differences)


def by_identity(*entries: Owned) -> dict[Identity, Owned]:
    return {entry.identity: entry for entry in entries}


SERVICE = resource("service")
FIRST, SECOND = (resource(name, SERVICE.identity) for name in ("first", "second"))


@dataclass
class World:
    """AWS and the ledger, in memory. Applying asserts what must hold of every plan."""

    current: dict[Identity, str] = field(default_factory=dict)
    owned: dict[Identity, Owned] = field(default_factory=dict)

    def apply(self, changes: Plan) -> None:
        for opening in changes.openings:  # claims come first, and in order
            self.owned.setdefault(opening.resource.identity, owned(opening.resource, aws_id=""))
        for opening in changes.openings:
            thing = opening.resource
            assert all(parent in self.current for parent in thing.parents), (
                f"{opening} before what it refers to"
            )
            assert (thing.identity in self.current) is isinstance(opening, Update)
            self.owned[thing.identity] = owned(thing)
            self.current[thing.identity] = thing.fingerprint
        for closing in changes.closings:
            entry = self.owned.pop(closing.owned.identity)
            left = [each for each in self.owned.values() if entry.identity in each.parents]
            assert not left, f"{closing} before what refers to it"
            was_there = self.current.pop(entry.identity, None)
            assert not (isinstance(closing, Forget) and was_there)


def graph(random: Random) -> list[Resource]:
    """Things that refer to things before them."""
    made: list[Resource] = []
    for number in range(random.randint(1, 9)):
        needs = random.sample(made, random.randint(0, min(2, len(made))))
        made.append(resource(str(number), *(need.identity for need in needs)))
    return made


def some(things: list[Resource], random: Random) -> list[Resource]:
    """A part of the graph with all that it refers to, each in a random version."""
    wanted = {each.identity for each in things if random.random() < 0.5}
    for each in reversed(things):
        wanted |= set(each.parents) if each.identity in wanted else set()
    return [
        replace(each, spec={"version": random.randint(1, 2)}) for each in things if each.identity in wanted
    ]


def histories() -> Iterator[tuple[Random, World, list[Resource]]]:
    """Worlds in the middle of their lives, and what is desired there next."""
    for seed in SEEDS:
        random = Random(seed)
        world, things = World(), graph(random)
        for _ in range(5):
            yield random, world, some(things, random)


def test_planning_again_right_after_applying_gives_an_empty_plan() -> None:
    for _, world, desired in histories():
        world.apply(plan(desired, world.current, world.owned))

        assert not plan(desired, world.current, world.owned)
        assert not plan(desired, recorded(world.owned.values()), world.owned)
        assert world.current == {each.identity: each.fingerprint for each in desired}


def test_creation_follows_the_references_and_deletion_goes_against_them_whatever_has_vanished() -> None:
    for random, world, desired in histories():
        for identity in list(world.current):
            if random.random() < 0.2:
                del world.current[identity]  # by hand, in the console
        wanted = desired if random.random() < 0.8 else []
        world.apply(plan(wanted, world.current, world.owned))  # World asserts the order

        assert set(world.owned) == set(world.current) == {each.identity for each in wanted}


def test_nothing_that_is_not_owned_is_ever_changed_or_deleted() -> None:
    for random, world, desired in histories():
        foreign = {each.identity: "theirs" for each in desired if random.random() < 0.5}
        foreign |= {Identity("thing", f"theirs-{number}"): "theirs" for number in range(3)}
        current = world.current | {key: value for key, value in foreign.items() if key not in world.owned}
        changes = plan(desired, current, world.owned)

        assert {each.owned.identity for each in changes.closings} <= set(world.owned)
        for opening in changes.openings:
            assert opening.resource.identity in world.owned or isinstance(opening, Create)
            assert opening.resource.identity in world.owned or opening.resource.identity not in current
        world.apply(plan(desired, world.current, world.owned))


def test_what_is_still_changing_in_aws_is_left_alone_until_it_has_settled() -> None:
    for random, world, desired in histories():
        busy = {
            identity: replace(entry, operation="running") if random.random() < 0.5 else entry
            for identity, entry in world.owned.items()
        }
        changes = plan(desired, world.current, busy)
        touched = {each.resource.identity for each in changes.openings}
        touched |= {each.owned.identity for each in changes.closings}

        assert not any(busy[identity].operation for identity in touched if identity in busy)
        world.apply(plan(desired, world.current, world.owned))


def test_the_new_way_in_opens_before_the_old_one_closes() -> None:
    before = by_identity(owned(SERVICE), owned(FIRST))
    changes = plan([SERVICE, SECOND], recorded(before.values()), before)

    assert str(changes) == "+ thing/second\n- thing/first"
    assert changes == Plan((Create(SECOND),), (Delete(owned(FIRST)),))


@pytest.mark.parametrize(
    ("desired", "current", "entry", "printed"),
    [
        (True, "", None, "+ thing/service"),
        (True, "same", None, ""),
        (
            True,
            "other",
            None,
            "",
        ),  # wanted, there already and not ours: whoever creates it is told so, not the plan
        (True, "", "claimed", "+ thing/service"),  # the answer was lost, or never came
        (True, "", "made", "+ thing/service"),  # somebody has deleted it
        (True, "same", "made", ""),
        (True, "same", "claimed", ""),
        (True, "other", "made", "~ thing/service"),
        (False, "", None, ""),
        (False, "same", None, ""),
        (False, "", "claimed", "- thing/service"),  # it may be there: deleting is how to find out
        (False, "", "made", "  thing/service is gone"),
        (False, "other", "made", "- thing/service"),
        (False, "same", "claimed", "- thing/service"),
    ],
)
def test_a_plan_is_made_of_what_is_desired_current_and_owned(
    desired: bool, current: str, entry: str | None, printed: str
) -> None:
    fingerprints = {"same": SERVICE.fingerprint, "other": fingerprint({"version": 2})}
    seen = {SERVICE.identity: fingerprints[current]} if current else {}
    ours = by_identity(owned(SERVICE, "aws" if entry == "made" else "")) if entry else {}
    changes = plan([SERVICE] if desired else [], seen, ours)

    assert str(changes) == printed
    assert bool(changes) is bool(printed)


def test_what_was_leaving_and_is_wanted_again_is_made_again_whatever_a_list_still_shows() -> None:
    leaving = owned(SERVICE, leaving=True)

    assert plan([SERVICE], recorded([leaving]), by_identity(leaving)).openings == (Create(SERVICE),)


def test_an_update_knows_what_is_wanted_and_what_was_made() -> None:
    changed = replace(SERVICE, spec={"version": 2})
    before = owned(SERVICE, "srv-1")

    assert plan([changed], recorded([before]), by_identity(before)).openings == (Update(changed, before),)


def test_an_empty_plan_is_false_and_prints_nothing() -> None:
    assert not Plan()
    assert str(Plan()) == ""
    assert Plan(closings=(Forget(owned(SERVICE)),))


@pytest.mark.parametrize("left", [{"a": 1, "b": {"c": 2, "d": [3]}}])
@pytest.mark.parametrize("right", [{"b": {"d": [3], "c": 2}, "a": 1}])
def test_the_order_in_which_a_spec_is_written_means_nothing(
    left: Mapping[str, object], right: Mapping[str, object]
) -> None:
    assert fingerprint(left) == fingerprint(right)
    assert fingerprint(left) != fingerprint({**left, "a": "1"})


def test_what_is_only_claimed_does_not_count_as_there() -> None:
    assert recorded([owned(FIRST, ""), owned(SECOND)]) == {SECOND.identity: SECOND.fingerprint}


def test_doors_close_before_all_else_each_before_what_it_refers_to() -> None:
    things = [owned(SERVICE), owned(FIRST, open=True), owned(SECOND, open=True)]

    assert str(doors(things)) == "- thing/second\n- thing/first"
    assert all(change.at_once for change in doors(things).closings)


def test_two_plans_are_one_in_which_each_change_stands_once() -> None:
    first, second = Plan(closings=(Delete(owned(FIRST)),)), Plan((Create(SERVICE),), (Delete(owned(FIRST)),))

    assert second.after(first) == second
