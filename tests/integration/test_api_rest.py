"""`expose:api = rest/NAME/PATH`: a REST API that answers, is guarded at every moment, and is gone with the tag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from farm.aws import restapis
from farm.farm import Farm
from farm.gate import GATE, Fault
from farm.gateway.issuer import Issuer
from tests.integration.guarded import (
    FAST,
    TAG,
    change,
    changes,
    changing,
    gateway_calls,
    inventory,
    reach,
    rest_inventory,
    watching,
)
from tests.integration.world import become, status

VALUE = "rest/shop/orders auth=iam"
POOL = "eu-west-1_Ab12"
POOLS = f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL}"
BEHIND = {"expose:lb": "internal host=conejo.com"}
PARAMETERS = {**FAST, "VerifyMinutes": "1", "CreateLoadBalancers": "any"}


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(parameters=PARAMETERS) as farm:
        for name in ("conejo", "gallina"):
            farm.create_service(name, 2, public=False, tags={"expose:lb": f"internal host={name}.com"})
        for name in ("conejo", "gallina"):
            become(farm, "Active", name, "expose:lb")
        farm.run_for(30)
        yield farm


@pytest.fixture
def issuer(farm: Farm) -> Iterator[Issuer]:
    with Issuer(POOLS) as issuer:
        issuer.known()
        yield issuer


def rest(farm: Farm) -> Any:
    return farm.client("apigateway")


def host(farm: Farm) -> str:
    (api,) = rest(farm).get_rest_apis()["items"]
    return f"{api['id']}.execute-api.eu-west-1.amazonaws.com"


def get(farm: Farm, path: str = "/orders/7", *, sign: bool = True, **more: Any) -> tuple[int, str]:
    reply = farm.invoke(host(farm), f"/live{path}", sign=sign, **more)
    return reply.status, reply.service


def test_a_tag_makes_a_service_answer_behind_its_load_balancer_and_only_who_signs_passes(farm: Farm) -> None:
    change(farm, VALUE)

    assert get(farm, "/orders") == get(farm, "/orders/7/items") == (200, "conejo")
    assert get(farm, sign=False)[0] == 403
    assert get(farm, "/ordersx")[0] == 403
    assert status(farm, tag=TAG)["addresses"] == f"{host(farm)}/live"


def test_a_rotation_makes_no_call_to_api_gateway_and_loses_nothing(farm: Farm) -> None:
    change(farm, VALUE)
    farm.run_for(5)
    before = len(farm.calls())

    with farm.api_traffic(host(farm), "/live/orders", per_second=20, sign=True) as traffic:
        farm.deploy_new_revision("conejo")
        farm.run_for(40)

    assert traffic.lost == []
    assert not [name for name in gateway_calls(farm, before) if not name.startswith("Get")]


def test_a_user_pool_lets_its_scopes_pass_and_changing_them_never_opens(farm: Farm, issuer: Issuer) -> None:
    token = issuer.token(scopes=["orders.read"], token_use="access", client_id="3f9")
    other = issuer.token(scopes=["goats.read"], token_use="access", client_id="3f9")
    with watching(farm, other=other):
        for value in (
            VALUE,
            f"rest/shop/orders auth=cognito pool={POOL} scopes=orders.read",
            f"rest/shop/orders auth=cognito pool={POOL} scopes=orders.write+orders.admin",
            f"rest/shop/orders auth=cognito pool={POOL} scopes=orders.read+orders.admin",
            VALUE,
            f"rest/shop/orders auth=cognito pool={POOL} scopes=orders.read",
        ):
            change(farm, value)
        assert get(farm, sign=False, headers={"authorization": token}) == (200, "conejo")
        assert get(farm, sign=False)[0] == 401
    farm.untag("conejo", TAG)
    assert reach(farm, lambda: clean_but_for_balancers(farm)), inventory(farm)


def clean_but_for_balancers(farm: Farm) -> bool:
    return not inventory(farm) and not any(item["sk"] == f"EXPOSURE#{TAG}" for item in farm.ledger())


def test_two_services_share_the_api_and_the_upper_part_of_the_path_and_each_keeps_its_own(farm: Farm) -> None:
    change(farm, "rest/shop/v1/orders auth=iam")
    change(farm, "rest/shop/v1/bills auth=iam strip=yes", "gallina")

    assert get(farm, "/v1/orders") == (200, "conejo")
    assert get(farm, "/v1/bills/3") == (200, "gallina")
    farm.untag("conejo", TAG)
    assert reach(farm, lambda: not [name for name in rest_inventory(farm) if name.endswith("/orders")])
    assert get(farm, "/v1/bills/3") == (200, "gallina")
    farm.untag("gallina", TAG)
    assert reach(farm, lambda: clean_but_for_balancers(farm)), inventory(farm)


def test_what_is_deployed_is_told_apart_from_what_is_only_there(farm: Farm) -> None:
    """Somebody deletes our method and deploys: the next verification makes it again, and deploys it."""
    change(farm, VALUE)
    (api,) = rest(farm).get_rest_apis()["items"]
    for each in rest(farm).get_resources(restApiId=api["id"], limit=500, embed=["methods"])["items"]:
        for method in each.get("resourceMethods", {}):
            rest(farm).delete_method(restApiId=api["id"], resourceId=each["id"], httpMethod=method)
    rest(farm).put_method(
        restApiId=api["id"],
        resourceId=api["rootResourceId"],
        httpMethod="GET",
        authorizationType="AWS_IAM",
    )
    rest(farm).put_integration(
        restApiId=api["id"], resourceId=api["rootResourceId"], httpMethod="GET", type="MOCK"
    )
    rest(farm).create_deployment(restApiId=api["id"], stageName="live")
    assert get(farm)[0] == 403

    farm.run_for(130)

    assert get(farm) == (200, "conejo")


def test_a_verification_changes_nothing_where_all_is_well(farm: Farm) -> None:
    change(farm, f"rest/shop/orders auth=cognito pool={POOL} scopes=a methods=GET+PUT strip=yes timeout=5")
    before = len(farm.calls())

    farm.run_for(130)

    calls = gateway_calls(farm, before)
    assert calls["GetResources"] >= 2
    assert not [name for name in calls if not name.startswith("Get")]


def test_a_path_is_handed_over_without_a_request_lost(farm: Farm) -> None:
    change(farm, VALUE)

    with watching(farm), farm.api_traffic(host(farm), "/live/orders/7", per_second=20, sign=True) as traffic:
        change(farm, f"{VALUE} to=gallina")
        change(farm, VALUE, "gallina")
        assert get(farm) == (200, "gallina")
        farm.untag("conejo", TAG)
        become(farm, "", "conejo", TAG)
        farm.run_for(90)
        assert get(farm) == (200, "gallina")

    assert traffic.lost == []


def test_a_network_load_balancer_will_do_as_well() -> None:
    with Farm.virtual(parameters=PARAMETERS) as farm:
        farm.create_service("conejo", 1, public=False, tags={"expose:lb": "internal:8000 protocol=TCP"})
        become(farm, "Active", "conejo", "expose:lb", limit=400)
        change(farm, VALUE)
        assert reach(farm, lambda: get(farm) == (200, "conejo"), limit=200)


def test_where_api_gateway_wants_the_load_balancer_a_parameter_says_so() -> None:
    """F§5.5: AWS's sources disagree."""
    with Farm.virtual(parameters={**PARAMETERS, "ApiRestTarget": "load-balancer"}) as farm:
        restapis.settings().targets = "balancer"
        farm.create_service("conejo", 1, public=False, tags=BEHIND)
        become(farm, "Active", "conejo", "expose:lb")
        change(farm, VALUE)
        assert reach(farm, lambda: get(farm) == (200, "conejo"), limit=60)


def test_a_target_that_is_not_taken_is_told_with_the_parameter_and_spoils_nothing(farm: Farm) -> None:
    change(farm, "rest/shop/bills auth=iam", "gallina")
    restapis.settings().targets = "balancer"

    farm.tag("conejo", {TAG: VALUE})
    said = become(farm, "Blocked", tag=TAG)

    assert said["code"] == "BadTarget"
    assert "ApiRestTarget" in said["message"]
    assert get(farm, "/bills") == (200, "gallina")


def test_a_method_that_somebody_made_is_not_touched(farm: Farm) -> None:
    change(farm, "rest/shop/bills auth=iam", "gallina")
    (api,) = rest(farm).get_rest_apis()["items"]
    made = rest(farm).create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="orders")
    place = {"restApiId": api["id"], "resourceId": made["id"], "httpMethod": "ANY"}
    rest(farm).put_method(**place, authorizationType="AWS_IAM", operationName="listOrders")
    rest(farm).put_integration(**place, type="MOCK")
    before = rest(farm).get_method(**place)

    farm.tag("conejo", {TAG: VALUE})

    assert become(farm, "Blocked", tag=TAG)["code"] == "RouteTaken"
    after = rest(farm).get_method(**place)
    assert (after["operationName"], after["methodIntegration"]) == ("listOrders", before["methodIntegration"])


BROKEN: dict[str, Any] = {"crash": {"phase": "after"}, "lost": {}, "error": {"code": "InternalFailure"}}
APART = 9


def live(farm: Farm, *faults: Fault) -> int:
    """A short life in which every kind of change is made; the number of changing calls."""
    first = len(GATE.calls)
    GATE.faults[:] = faults
    with watching(farm):
        for value in (
            "rest/shop/v1/orders auth=iam",
            f"rest/shop/v1/orders auth=cognito pool={POOL} scopes=a",
            "rest/shop/v1/bills auth=iam strip=yes",
        ):
            change(farm, value)
        farm.untag("conejo", TAG)
        assert reach(farm, lambda: clean_but_for_balancers(farm)), inventory(farm)
    GATE.faults.clear()
    return len(changes(farm, first))


@pytest.mark.parametrize(
    ("kind", "first"),
    [(kind, first) for kind in BROKEN for first in range(1, APART + 1, 1 if kind == "crash" else 3)],
)
def test_whatever_breaks_at_whatever_change_no_door_is_open_and_nothing_leaks(
    farm: Farm, kind: Any, first: int
) -> None:
    live(farm, Fault(kind, nth=range(first, 99, APART), where=changing, **BROKEN[kind]))
