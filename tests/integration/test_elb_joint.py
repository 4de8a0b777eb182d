"""Rules and listeners that two exposures share by weight: whatever happens between whichever two calls of the one, the
other has its way too, and nothing is left when both are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import combinations, count, product
from typing import Any

import pytest

from expose.aws import Clients
from expose.model import Identity, Owned, Resource
from expose.refusals import NotYet, Refused
from expose.resources.elb import NetworkListeners, Rules
from expose.resources.elb.joint import Joint, weights
from expose.shared import Shared
from farm.farm import Farm
from tests.unit.tables import TABLE, items, table

A, B = "corral/granja/a/expose:lb", "corral/granja/b/expose:lb"
NAMES = {A: "a", B: "b"}
VERBS = ("create", "update", "delete")
WEIGHTS = {"create": 10, "update": 70}
PAIRS = list(product(VERBS, VERBS))
Between = Callable[[], None]


class Crash(Exception):  # noqa: N818 - not an error of anybody's
    """The function is gone, between two calls."""


class Together:
    """Two exposures at one rule, or at one listener of an NLB; each has clients of its own."""

    def __init__(self, farm: Farm, ledger: Clients, kind: str) -> None:
        self.farm = farm
        self.ledger = ledger
        self.is_rule = kind == "elb.rule"
        protocol = "HTTP" if self.is_rule else "TCP"
        self.groups = {
            mark: farm.create_target_group(name, protocol=protocol) for mark, name in NAMES.items()
        }
        self.balancer = farm.create_balancer("front", type="application" if self.is_rule else "network")
        self.clients = {mark: Clients() for mark in NAMES}
        of: type[Joint] = Rules if self.is_rule else NetworkListeners
        self.joints = {
            mark: of(clients, Shared(clients, TABLE, lambda: self.now), "corral")
            for mark, clients in self.clients.items()
        }
        self.number = 0
        self.now = 1.0
        self._calls = dict.fromkeys(NAMES, 0)
        self._at: dict[str, tuple[int, Between]] = {}
        self.met = 0
        """The number of the last call before which something happened."""
        for mark, clients in self.clients.items():
            for client in (clients.elbv2, clients.dynamodb):
                client.meta.events.register("before-call.*.*", self._counts(mark))

    def another(self) -> None:
        """Go on with one that nobody has used yet."""
        self._at.clear()
        self.number += 1

    @property
    def identity(self) -> Identity:
        return Identity("elb.rule" if self.is_rule else "elb.network-listener", self._key)

    @property
    def _key(self) -> str:
        return f"front:80/{self.number}.com||" if self.is_rule else f"front/{5000 + self.number}/TCP"

    def do(self, mark: str, verb: str, *, at: int = 0, between: Between | None = None) -> None:
        """A verb of the adapter; before its call number `at` something happens `between`."""
        self._calls[mark] = 0
        if between:
            self._at = {mark: (at, between)}
        ids = {"group": self.groups[mark]}
        ids |= {"listener": self.listener} if self.is_rule else {"balancer": self.balancer}
        joint = self.joints[mark]
        if verb == "delete":
            owned = Owned(self.identity)
            joint.delete(owned, joint.locate(owned, ids, mark), ids, mark)
        else:
            joint.create(self._resource(WEIGHTS[verb]), ids, mark)

    @property
    def listener(self) -> str:
        return self.farm.listener_arn(self.balancer, 80)

    @property
    def forwards(self) -> dict[str, int] | None:
        """The weights in force, by name; None where there is nothing."""
        found = self._rules() if self.is_rule else self._listeners()
        names = {arn: NAMES[mark] for mark, arn in self.groups.items()}
        assert len(found) <= 1
        return {names[arn]: weight for arn, weight in weights(found[0]).items()} if found else None

    def delete_by_hand(self) -> None:
        elb = self.farm.elb
        for rule in self.farm.rules("front") if self.is_rule else ():
            if not rule["IsDefault"]:
                elb.delete_rule(RuleArn=rule["RuleArn"])
        for each in elb.describe_listeners(LoadBalancerArn=self.balancer)["Listeners"]:
            if not self.is_rule:
                elb.delete_listener(ListenerArn=each["ListenerArn"])

    def _rules(self) -> list[Any]:
        host = f"{self.number}.com"
        return [
            rule["Actions"]
            for rule in self.farm.rules("front")
            if any(host in each.get("Values", []) for each in rule["Conditions"])
        ]

    def _listeners(self) -> list[Any]:
        found = self.farm.elb.describe_listeners(LoadBalancerArn=self.balancer)["Listeners"]
        return [each["DefaultActions"] for each in found if each["Port"] == 5000 + self.number]

    def _resource(self, weight: int) -> Resource:
        spec: dict[str, Any] = {"port": 5000 + self.number, "protocol": "TCP", "certificate": ""}
        if self.is_rule:
            spec = {"hosts": [f"{self.number}.com"], "paths": [], "methods": []}
        return Resource(self.identity, spec | {"weight": weight, "group": "group"})

    def _counts(self, mark: str) -> Callable[..., None]:
        def before(**_: Any) -> None:
            self._calls[mark] += 1
            at, between = self._at.get(mark, (0, None))
            if between and self._calls[mark] == at:
                del self._at[mark]
                self.met = at
                between()

        return before


@pytest.fixture(scope="module", params=["elb.rule", "elb.network-listener"])
def shared_world(request: pytest.FixtureRequest) -> Iterator[Together]:
    with Farm.virtual(deploy=False) as farm:
        yield Together(farm, table(), request.param)


@pytest.fixture
def world(shared_world: Together) -> Together:
    shared_world.another()
    return shared_world


def insist(world: Together, mark: str, verb: str) -> None:
    """As the later queue does."""
    for _ in range(30):
        try:
            world.do(mark, verb)
        except NotYet as reason:
            world.now += reason.seconds
            continue
        return
    pytest.fail(f"{mark} cannot {verb}")


def wanted(verbs: dict[str, str]) -> dict[str, int] | None:
    """What should be in force after the last verb of each."""
    found = {NAMES[mark]: WEIGHTS[verb] for mark, verb in verbs.items() if verb in WEIGHTS}
    return found or None


def nothing_is_left(world: Together) -> bool:
    return world.forwards is None and items(world.ledger, world.identity) == 0


def test_in_every_order_of_their_verbs_what_is_in_force_is_what_both_ask_for(world: Together) -> None:
    for places in combinations(range(6), 3):
        world.another()
        verbs = {A: iter(VERBS), B: iter(VERBS)}
        last: dict[str, str] = {}
        for place in range(6):
            mark = A if place in places else B
            last[mark] = next(verbs[mark])
            world.do(mark, last[mark])
            assert world.forwards == wanted(last), places
        assert nothing_is_left(world)


@pytest.mark.parametrize(("its", "others"), PAIRS)
def test_between_any_two_calls_of_one_the_other_has_its_way_too(
    world: Together, its: str, others: str
) -> None:
    for at in count(1):
        world.another()
        for mark in [mark for mark, verb in ((A, its), (B, others)) if verb != "create"]:
            world.do(mark, "create")
        both_get_their_way(world, its, others, at)
        assert world.forwards == wanted({A: its, B: others}), f"{others} before call {at} of {its}"
        for mark in NAMES:
            insist(world, mark, "delete")
        assert nothing_is_left(world)
        if world.met < at:
            break
    assert at > 2


def both_get_their_way(world: Together, its: str, others: str, at: int) -> None:
    """B's verb comes before call number `at` of A's, or after them all; who has to wait tries again."""
    waiting = {A: its, B: others}

    def attempt(mark: str, between: Between | None = None) -> None:
        with suppress(NotYet):
            world.do(mark, waiting[mark], at=at, between=between)
            del waiting[mark]

    attempt(A, lambda: attempt(B))
    for mark in list(waiting):
        insist(world, mark, waiting[mark])


@pytest.mark.parametrize("verb", VERBS)
def test_a_crash_before_any_call_is_made_good_by_the_next_try(world: Together, verb: str) -> None:
    for at in count(1):
        world.another()
        world.do(B, "create")
        if verb != "create":
            world.do(A, "create")
        try:
            world.do(A, verb, at=at, between=_crash)
        except Crash:
            insist(world, A, verb)
            assert world.forwards == wanted({A: verb, B: "create"})
            for mark in NAMES:
                insist(world, mark, "delete")
            assert nothing_is_left(world)
        else:
            break
    assert at > 2


@pytest.mark.parametrize("comes_back", ["create", "delete"])
def test_a_maker_that_died_does_not_block_for_ever(world: Together, comes_back: str) -> None:
    """Its own next pass makes it, or lets go of it."""
    for at in count(1):
        world.another()
        try:
            world.do(A, "create", at=at, between=_crash)
        except Crash:
            with_a = comes_back == "create"
            insist(world, A, comes_back)
            insist(world, B, "create")
            assert world.forwards == wanted({A: comes_back, B: "create"}), with_a
            for mark in NAMES:
                insist(world, mark, "delete")
            assert nothing_is_left(world)
        else:
            break
    assert at > 3


def test_a_maker_that_is_refused_lets_the_other_find_out_for_itself(world: Together) -> None:
    _somebody_else_is_there(world)
    for mark in NAMES:
        with pytest.raises(Refused) as refused:
            world.do(mark, "create")
        assert refused.value.code in {"RuleTaken", "PortTaken"}


def test_what_somebody_deletes_is_made_again(world: Together) -> None:
    for mark in NAMES:
        world.do(mark, "create")
    world.delete_by_hand()
    world.now += 60
    assert world.forwards is None

    world.do(A, "update")

    assert world.forwards == {"a": 70, "b": 10}


def _crash() -> None:
    raise Crash


def _somebody_else_is_there(world: Together) -> None:
    if world.is_rule:
        world.farm.elb.create_rule(
            ListenerArn=world.listener,
            Priority=7 + world.number,
            Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [f"{world.number}.com"]}}],
            Actions=[{"Type": "forward", "TargetGroupArn": world.groups[A]}],
        )
    else:
        world.farm.create_listener(world.balancer, 5000 + world.number, "TCP", group=world.groups[A])
