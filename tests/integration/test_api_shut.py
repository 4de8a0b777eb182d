"""A door that is open closes on the first word that it is not to be, whatever else of the tag or of the stack is wrong.

Nothing is asked first, nothing is made first: the very first changes are those that close it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from farm.farm import Farm
from farm.gate import GATE, Call, Fault
from farm.gateway.issuer import Issuer
from tests.integration.guarded import (
    FAST,
    TAG,
    Watch,
    change,
    changing,
    clean,
    create_function,
    expose,
    gateway,
    host,
    reach,
    remove,
    routes,
    stands,
)
from tests.integration.world import become, restack, status

OPEN = "/orders auth=none rate=9"
JWT = "auth=jwt issuer=https://login.animales.com audience=web"
PARAMETERS = {**FAST, "AllowOpenRoutes": "yes", "ApiPresets": "all: auth=none; staff: auth=iam"}
DOORS = 4  # calls that close what `OPEN` opened: two routes, and before each the limit of its requests


@dataclass
class Doors:
    """Who gets in without anything, after each call since the first ones that were to close the doors."""

    farm: Farm
    closing: int = DOORS
    seen: list[Call] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    def observe(self, call: Call, result: Any) -> None:
        if changing(call):
            self.seen.append(call)
        if len(self.seen) >= self.closing:
            self.found += [f"after {call.operation}: {way}" for way in Watch(self.farm).open({})]


@contextmanager
def shutting(farm: Farm, closing: int = DOORS) -> Iterator[Doors]:
    """Within a `with` the doors close with the first changes, and stay closed."""
    doors = Doors(farm, closing)
    GATE.observers.append(doors.observe)
    try:
        yield doors
    finally:
        GATE.observers.remove(doors.observe)
    assert len(doors.seen) >= closing, [call.operation for call in doors.seen]
    assert not doors.found, doors.found[:3]


def passes(farm: Farm) -> bool:
    """Whether anybody gets in without anything."""
    return any(Watch(farm).open({}))


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(parameters=PARAMETERS) as farm, Issuer() as issuer:
        issuer.known()
        create_function(farm)
        expose(farm, OPEN)
        assert passes(farm)
        yield farm


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (f"/orders {JWT}", "BadAuthorizer"),
        ("/orders auth=jwt", "NoAuth"),
        ("/orders", "NoAuth"),
        ("/orders auth=@nobody", "NoPreset"),
        ("/orders auth=iam timout=5", "UnreadableTag"),
        ("/orders auth=none auth=iam", "UnreadableTag"),
        ("/orders auth=non\u0435", "UnreadableTag"),  # a Cyrillic letter, which looks like an e
        ("nobody.animales.com/orders auth=iam", "NoDomain"),
    ],
)
def test_what_cannot_be_had_and_does_not_say_open_closes_the_door_and_is_told(
    farm: Farm, value: str, code: str
) -> None:
    GATE.faults.append(Fault("error", code="BadRequestException", operation="CreateAuthorizer"))
    with shutting(farm):
        farm.tag("conejo", {TAG: value})
        farm.run_for(120)

    standing = status(farm, tag=TAG)
    assert standing["code"] == code
    assert standing["message"].endswith("what the tag opened to everybody before is closed meanwhile")
    assert not routes(farm)
    farm.deploy_new_revision("conejo")
    farm.run_for(120)
    change(farm, "/orders auth=iam")
    assert farm.invoke(host(farm), "/orders", sign=True).status == 200, (
        "what stands behind was followed meanwhile"
    )
    remove(farm)


@pytest.mark.parametrize(
    "value",
    [
        "/orders auth=iam",
        f"/orders {JWT}",
        "/orders auth=lambda function=judge",
        "/orders auth=@staff",
        "/bills auth=iam",
    ],
)
def test_a_door_closes_before_anything_is_made_for_who_shall_guard_it(farm: Farm, value: str) -> None:
    with shutting(farm) as doors:
        change(farm, value)

    closing = {"DeleteRouteSettings", "DeleteRoute"}
    assert {call.operation for call in doors.seen[:DOORS]} == closing
    remove(farm)


@pytest.mark.parametrize(
    "value", ["/orders auth=none rate=9 timout=5", "/bills auth=NONE timout=5", "/orders auth=@all scopes=a"]
)
def test_what_still_says_open_stays_open_whatever_else_is_wrong(farm: Farm, value: str) -> None:
    farm.tag("conejo", {TAG: value})
    farm.run_for(120)

    assert status(farm, tag=TAG)["status"] == "Invalid"
    assert passes(farm)


@pytest.mark.parametrize(
    "tags",
    [
        {TAG: "/orders auth=iam", "expose:policy": "sinc"},
        {TAG: "/orders auth=iam", "expose:policy": "upsert-only"},
    ],
)
def test_no_policy_but_observe_keeps_a_door_open(farm: Farm, tags: dict[str, str]) -> None:
    with shutting(farm):
        farm.tag("conejo", tags)
        farm.run_for(120)


@pytest.mark.parametrize("policy", ["upsert-only", "sinc"])
def test_a_tag_that_is_gone_closes_its_door_with_any_policy_but_observe(farm: Farm, policy: str) -> None:
    farm.tag("conejo", {"expose:policy": policy})
    farm.run_for(60)
    assert passes(farm)
    with shutting(farm):
        farm.untag("conejo", TAG)
        farm.run_for(120)


def test_observe_changes_nothing_and_tells_what_it_keeps_open(farm: Farm) -> None:
    farm.tag("conejo", {TAG: "/orders auth=iam", "expose:policy": "observe"})
    farm.run_for(120)

    assert passes(farm)
    assert status(farm, tag=TAG)["code"] == "Withheld"
    assert "- apigw.route/" in status(farm, tag=TAG)["message"]


def test_a_door_does_not_wait_for_what_hangs_on_it(farm: Farm) -> None:
    refused = Fault("error", code="InternalFailure", operation="DeleteRouteSettings")
    GATE.faults.append(refused)
    farm.tag("conejo", {TAG: "/orders auth=jwt"})
    assert farm.run_until(lambda: not passes(farm), limit=60)
    GATE.faults.remove(refused)
    farm.untag("conejo", TAG)
    assert reach(farm, lambda: clean(farm))


def test_a_door_closes_though_nothing_of_aws_can_be_read(farm: Farm) -> None:
    for operation in ("GetRoutes", "GetVpcLinks", "GetIntegrations", "ListNamespaces", "DescribeSubnets"):
        GATE.faults.append(Fault("error", code="InternalFailure", operation=operation))
    farm.tag("conejo", {TAG: f"/orders {JWT}"})
    assert farm.run_until(lambda: not passes(farm), limit=60)


def test_two_tags_of_one_service_close_apart(farm: Farm) -> None:
    farm.tag("conejo", {f"{TAG}:b": "/bills auth=none"})
    become(farm, "Active", tag=f"{TAG}:b")
    farm.tag("conejo", {TAG: "/orders auth=jwt"})
    farm.run_for(120)
    assert not passes(farm)
    assert farm.invoke(host(farm), "/bills").status == 200


@pytest.mark.parametrize(
    ("value", "parameters"),
    [
        (OPEN, {"AllowOpenRoutes": "no"}),
        ("/orders auth=@all rate=9", {"AllowOpenRoutes": "no"}),
        ("/orders auth=@all rate=9", {"ApiPresets": "all: auth=iam"}),
        ("/orders auth=@all rate=9", {"ApiPresets": "staff: auth=iam"}),
    ],
)
def test_what_the_stack_takes_back_closes_within_two_minutes_without_any_event(
    farm: Farm, value: str, parameters: dict[str, str]
) -> None:
    change(farm, value)
    assert passes(farm)
    with shutting(farm):
        restack(farm, **parameters)
        farm.run_for(120)


def test_a_route_that_somebody_opened_by_hand_is_closed_by_the_next_check(farm: Farm) -> None:
    change(farm, "/orders auth=iam")
    api = gateway(farm).get_apis()["Items"][0]["ApiId"]
    for route in routes(farm).values():
        gateway(farm).update_route(ApiId=api, RouteId=route["RouteId"], AuthorizationType="NONE")
    assert passes(farm)
    with shutting(farm, 2):
        change(farm, f"/orders {JWT}")


BROKEN: dict[str, Any] = {
    "crash": {"phase": "after"},
    "lost": {},
    "error": {"code": "InternalFailure"},
}
LIVES = [("/orders auth=jwt", nth) for nth in range(1, DOORS + 1)]
LIVES += [(f"/orders {JWT} rate=9", nth) for nth in range(1, DOORS + 4)]
"""A value, and which of the changes for it breaks."""


@pytest.mark.parametrize(("value", "nth"), LIVES)
@pytest.mark.parametrize("kind", BROKEN)
def test_whatever_breaks_at_whatever_change_it_closes_and_is_never_open_again(
    farm: Farm, kind: Any, value: str, nth: int
) -> None:
    GATE.faults[:] = [Fault(kind, nth=nth, where=changing, **BROKEN[kind])]
    farm.tag("conejo", {TAG: value})
    assert farm.run_until(
        lambda: not passes(farm), limit=420
    )  # a worker that died holds its message for so long
    with shutting(farm, 0):
        farm.run_for(600)
        assert stands(farm, value) or value == LIVES[0][0]
        farm.untag("conejo", TAG)
        assert reach(farm, lambda: clean(farm))


REST = "rest/shop/orders auth=none"


@pytest.fixture
def rest() -> Iterator[Farm]:
    with Farm.virtual(parameters={**PARAMETERS, "CreateLoadBalancers": "internal"}) as farm:
        farm.create_service("conejo", 2, public=False, tags={"expose:lb": "internal host=conejo.com"})
        become(farm, "Active", tag="expose:lb")
        farm.run_for(30)
        change(farm, REST)
        farm.run_for(10)  # a REST API is deployed once in five seconds
        assert passes(farm)
        yield farm


def test_a_rest_api_is_closed_with_the_deployment_that_follows_at_once(rest: Farm) -> None:
    with shutting(rest, 3) as doors:
        change(rest, "rest/shop/orders auth=iam")
    assert [call.operation for call in doors.seen[:3]] == ["DeleteMethod", "DeleteMethod", "DeleteStage"]


@pytest.mark.parametrize(
    "value", ["rest/shop/orders auth=cognito", "rest/shop/orders auth=iam rate=5", "rest/shop/orders"]
)
def test_a_rest_api_is_closed_by_what_cannot_be_had(rest: Farm, value: str) -> None:
    rest.create_service("gallina", 1, public=False, tags={"expose:lb": "internal host=gallina.com"})
    become(rest, "Active", "gallina", "expose:lb")
    rest.run_for(30)
    change(rest, "rest/shop/eggs auth=iam", "gallina")
    rest.run_for(10)
    with shutting(rest, 3) as doors:
        rest.tag("conejo", {TAG: value})
        rest.run_for(120)
    assert [call.operation for call in doors.seen[:3]] == ["DeleteMethod", "DeleteMethod", "CreateDeployment"]
    assert status(rest, tag=TAG)["status"] == "Invalid"
    assert stands(rest, "rest/shop/eggs auth=iam", "gallina")


@pytest.mark.parametrize("nth", range(1, 4))
@pytest.mark.parametrize("kind", BROKEN)
def test_a_rest_api_is_closed_whatever_breaks(rest: Farm, kind: Any, nth: int) -> None:
    GATE.faults[:] = [Fault(kind, nth=nth, where=changing, **BROKEN[kind])]
    rest.tag("conejo", {TAG: "rest/shop/orders auth=cognito pool=eu-west-1_Ab12"})
    assert rest.run_until(lambda: not passes(rest), limit=420)
    with shutting(rest, 0):
        rest.run_for(600)
        assert stands(rest, "rest/shop/orders auth=cognito pool=eu-west-1_Ab12")


def test_a_rest_api_closes_when_the_stack_takes_it_back(rest: Farm) -> None:
    with shutting(rest, 3):
        restack(rest, AllowOpenRoutes="no")
        rest.run_for(120)


def test_a_rest_api_that_somebody_opened_by_hand_is_closed_first(rest: Farm) -> None:
    change(rest, "rest/shop/orders auth=iam")
    client = rest.client("apigateway")
    (api,) = (each["id"] for each in client.get_rest_apis()["items"])
    opened = [{"op": "replace", "path": "/authorizationType", "value": "NONE"}]
    for path in client.get_resources(restApiId=api, embed=["methods"])["items"]:
        for method in path.get("resourceMethods", {}):
            place = {"restApiId": api, "resourceId": path["id"], "httpMethod": method}
            client.update_method(**place, patchOperations=opened)
    rest.run_for(10)
    client.create_deployment(restApiId=api, stageName="live")
    assert passes(rest)
    with shutting(rest, 3):
        change(rest, "rest/shop/orders auth=cognito pool=eu-west-1_Ab12")
