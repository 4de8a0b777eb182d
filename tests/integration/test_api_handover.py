"""A path passes from one service to another without a moment without an answer, where its holder says so, and only then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.farm import Farm
from tests.integration.guarded import (
    FAST,
    TAG,
    apis,
    change,
    clean,
    expose,
    gateway,
    host,
    inventory,
    reach,
    remove,
    routes,
    stands,
    watching,
)
from tests.integration.world import become, status

VALUE = "/orders auth=iam"


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(parameters={**FAST, "VerifyMinutes": "1"}) as farm:
        expose(farm, VALUE)
        farm.create_service("gallina", 1, public=False)
        farm.run_for(5)
        yield farm


def who(farm: Farm, path: str = "/orders") -> str:
    return farm.invoke(host(farm), path, sign=True).service


def test_a_path_that_is_held_is_not_taken(farm: Farm) -> None:
    before = routes(farm)
    farm.tag("gallina", {TAG: VALUE})
    said = become(farm, "Blocked", "gallina", TAG)
    assert said["code"] == "NameTaken"
    assert "granja/conejo" in said["message"]
    assert routes(farm) == before
    assert who(farm) == "conejo"


def test_a_path_is_handed_over_without_a_request_lost(farm: Farm) -> None:
    with watching(farm), farm.api_traffic(host(farm), "/orders/7", per_second=20, sign=True) as traffic:
        change(farm, f"{VALUE} to=gallina")
        change(farm, VALUE, "gallina")
        farm.run_for(3)
        assert who(farm) == who(farm, "/orders/7") == "gallina"
        farm.run_for(90)  # a verification of both
        assert who(farm) == "gallina"
        farm.untag("conejo", TAG)
        become(farm, "", "conejo", TAG)
        assert who(farm) == who(farm, "/orders/7") == "gallina"
    assert traffic.lost == []
    remove(farm, "gallina")


def test_who_has_handed_over_is_told_that_it_holds_it_no_more(farm: Farm) -> None:
    change(farm, f"{VALUE} to=gallina")
    change(farm, VALUE, "gallina")
    assert reach(farm, lambda: status(farm, "conejo", TAG)["status"] != "Active", limit=200)
    assert "granja/gallina" in status(farm, "conejo", TAG)["message"]
    assert who(farm) == "gallina"


def test_nobody_but_the_heir_takes_it_over(farm: Farm) -> None:
    change(farm, f"{VALUE} to=cabra")
    farm.tag("gallina", {TAG: VALUE})
    assert become(farm, "Blocked", "gallina", TAG)["code"] == "NameTaken"
    assert who(farm) == "conejo"


def test_it_is_handed_back_in_the_same_way(farm: Farm) -> None:
    change(farm, f"{VALUE} to=gallina")
    change(farm, f"{VALUE} to=conejo", "gallina")
    farm.tag("conejo", {TAG: VALUE})
    assert reach(farm, lambda: stands(farm, VALUE) and who(farm) == "conejo", limit=200)
    farm.untag("gallina", TAG)
    become(farm, "", "gallina", TAG)
    assert who(farm) == "conejo"
    remove(farm)


def test_the_heir_keeps_its_throttles_when_the_holder_before_lets_go(farm: Farm) -> None:
    change(farm, f"{VALUE} rate=5 to=gallina")
    change(farm, f"{VALUE} rate=50", "gallina")
    farm.untag("conejo", TAG)
    become(farm, "", "conejo", TAG)
    stage = gateway(farm).get_stage(ApiId=apis(farm)[0]["ApiId"], StageName="$default")
    assert [each["ThrottlingRateLimit"] for each in stage["RouteSettings"].values()] == [50, 50]


def test_a_handover_with_another_authorisation_and_other_methods_leaves_nothing(farm: Farm) -> None:
    with watching(farm):
        change(farm, f"{VALUE} to=gallina")
        change(farm, f"{VALUE} strip=yes", "gallina")
        farm.untag("conejo", TAG)
        farm.untag("gallina", TAG)
        reach(farm, lambda: clean(farm))
    assert not inventory(farm)


def test_nobody_takes_a_path_by_the_id_of_the_api_that_it_is_in(farm: Farm) -> None:
    """The same route, named in another way."""
    before = routes(farm)
    farm.tag("gallina", {TAG: f"{VALUE} api={apis(farm)[0]['ApiId']}"})
    farm.run_for(10)
    assert status(farm, "gallina", TAG)["status"] == "Blocked"
    assert who(farm) == "conejo"
    assert routes(farm) == before


@pytest.mark.parametrize("value", ["/orders auth=iam methods=GET", "/orders auth=iam methods=GET+POST"])
def test_nobody_takes_some_methods_out_of_a_path_that_is_held(farm: Farm, value: str) -> None:
    """A route for one method comes before that for any."""
    farm.tag("gallina", {TAG: value})
    farm.run_for(10)
    assert who(farm) == "conejo"
