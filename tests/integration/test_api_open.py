"""No route is ever open that is not to be: not between any two AWS calls, and not after one that went wrong.

After every single call somebody who may not pass tries every door of every API. A service lives through the whole of it:
exposed, its authorisation changed, handed over, taken away. In other lives one call goes wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, permutations
from typing import Any

import pytest

from farm.farm import Farm
from farm.gate import GATE, Fault
from farm.gateway.issuer import Issuer
from tests.integration.guarded import (
    FAST,
    TAG,
    Watch,
    change,
    changes,
    changing,
    clean,
    create_function,
    expose,
    inventory,
    reach,
    remove,
    stands,
    watching,
)

JWT = "auth=jwt issuer=https://login.animales.com audience=web"
WAYS = {
    "iam": "auth=iam",
    "jwt": f"{JWT} scopes=orders.read",
    "cognito": "auth=cognito pool=eu-west-1_Ab12 client=3f9a scopes=orders.read",
    "other scopes": f"{JWT}+ios scopes=orders.write+orders.admin",
    "lambda": "auth=lambda function=judge",
    "preset": "auth=@staff",
}
PRESETS = {**FAST, "ApiPresets": "staff: auth=jwt issuer=https://login.animales.com audience=staff"}

LIFE = (
    "/orders auth=iam rate=9",
    f"/orders {JWT} scopes=orders.read",
    "/orders auth=lambda function=judge strip=yes",
)
"""A short life in which every kind of change is made."""
CHANGES = 41
APART = 13


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def farm(issuer: Issuer) -> Iterator[Farm]:
    with Farm.virtual(parameters=PRESETS) as farm:
        issuer.known()
        create_function(farm)
        yield farm


def wrong(issuer: Issuer) -> dict[str, str]:
    """Tokens that no door of these lives takes."""
    return {
        "another audience": issuer.token(audience="nobody", scopes=["orders.read"]),
        "no scope": issuer.token(audience="web", scopes=["goats.read"]),
        "a forged token": issuer.token(audience="web", scopes=["orders.read"], forged=True),
        "an old token": issuer.token(audience="web", scopes=["orders.read"], expires_in=-10),
    }


def ways_through_all(names: list[str]) -> list[str]:
    """A round that goes from each to each other exactly once (Hierholzer's)."""
    left = {name: [other for other in names if other != name] for name in names}
    trail, path = [names[0]], []
    while trail:
        if left[trail[-1]]:
            trail.append(left[trail[-1]].pop())
        else:
            path.append(trail.pop())
    return path[::-1]


def test_a_change_between_any_two_ways_of_authorisation_never_passes_through_open(
    farm: Farm, issuer: Issuer
) -> None:
    trail = ways_through_all(list(WAYS))
    assert set(pairwise(trail)) == set(permutations(WAYS, 2))

    with watching(farm, **wrong(issuer)) as watch:
        expose(farm, f"/orders {WAYS[trail[0]]}")
        for way in trail[1:]:
            change(farm, f"/orders {WAYS[way]}")
        remove(farm)
    assert watch.tried > 3_000


def test_the_watch_sees_a_door_that_is_open(farm: Farm, issuer: Issuer) -> None:
    """What everything here hangs on."""
    expose(farm, "/orders auth=iam")
    watch, tokens = Watch(farm), wrong(issuer)
    assert not list(watch.open(tokens))

    client = farm.client("apigatewayv2")
    api = client.get_apis()["Items"][0]["ApiId"]
    for route in client.get_routes(ApiId=api)["Items"]:
        client.update_route(ApiId=api, RouteId=route["RouteId"], AuthorizationType="NONE")
    assert len(list(watch.open(tokens))) == 2 * (1 + len(tokens)) + 1


def live(farm: Farm, issuer: Issuer, *faults: Fault) -> int:
    """The number of changing calls in this life, in which nobody gets in who may not."""
    before, first = inventory(farm), len(GATE.calls)
    GATE.faults[:] = faults
    with watching(farm, **wrong(issuer)):
        for value in LIFE:
            change(farm, value)
        farm.tag("conejo", {TAG: f"{LIFE[-1]} to=gallina"})
        assert reach(farm, lambda: stands(farm, f"{LIFE[-1]} to=gallina")), "never ready to hand over"
        farm.tag("gallina", {TAG: LIFE[0]})
        assert reach(farm, lambda: stands(farm, LIFE[0], "gallina")), "never handed over"
        for service in ("conejo", "gallina"):
            farm.untag(service, TAG)
        reach(farm, lambda: inventory(farm) == before)
        assert inventory(farm) == before
        assert reach(farm, lambda: clean(farm)), "something is remembered"
    GATE.faults.clear()
    return len(changes(farm, first))


@pytest.fixture
def two(farm: Farm) -> Farm:
    for name in ("conejo", "gallina"):
        farm.create_service(name, 1, public=False)
    farm.run_for(5)
    return farm


BROKEN: dict[str, Any] = {
    "crash": {"phase": "after"},
    "lost": {},
    "error": {"code": "InternalFailure"},
}


@pytest.mark.parametrize("first", range(1, APART + 1))
@pytest.mark.parametrize("kind", BROKEN)
def test_whatever_breaks_at_whatever_change_no_door_is_open_and_nothing_leaks(
    two: Farm, issuer: Issuer, kind: Any, first: int
) -> None:
    """A few faults in each life, so far apart that one is over before the next."""
    live(two, issuer, Fault(kind, nth=range(first, 99, APART), where=changing, **BROKEN[kind]))


def test_a_life_makes_about_as_many_changes_as_are_broken_here(two: Farm, issuer: Issuer) -> None:
    assert live(two, issuer) == CHANGES
