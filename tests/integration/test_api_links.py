"""VPC links, and everything else that may be in the way of a route or be changed by others: waited for, told, repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from farm.aws import apigateway
from farm.farm import Farm
from farm.gate import GATE, Call, Fault
from tests.integration.guarded import (
    FAST,
    TAG,
    Watch,
    apis,
    change,
    clean,
    create_function,
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

VALUE = "/orders auth=iam rate=5000"


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(parameters={**FAST, "VerifyMinutes": "1"}) as farm:
        yield farm


def answers(farm: Farm) -> bool:
    if not apis(farm):
        return False
    return all(farm.invoke(host(farm), path, sign=True).service for path in ("/orders", "/orders/7"))


def links(farm: Farm) -> list[str]:
    return [str(each["VpcLinkStatus"]) for each in gateway(farm).get_vpc_links()["Items"]]


def test_a_link_is_waited_for_and_no_route_leads_to_one_that_is_not_ready(farm: Farm) -> None:
    apigateway.settings().linking = 180
    farm.create_service("conejo", 1, public=False, tags={TAG: VALUE})
    farm.run_for(100)
    assert status(farm, tag=TAG)["status"] == "Pending"
    assert links(farm) == ["PENDING"]
    assert not routes(farm)
    asked = [call for call in farm.calls(operation="GetVpcLink") if call.caller == "reconcile"]
    assert len(asked) < 60

    farm.create_service("gallina", 1, public=False, tags={TAG: "/bills auth=iam"})
    farm.run_for(120)
    assert stands(farm, VALUE)
    assert stands(farm, "/bills auth=iam", "gallina")
    assert answers(farm)
    assert links(farm) == ["AVAILABLE"]


def test_a_link_that_failed_is_told_and_made_again_and_not_left_lying(farm: Farm) -> None:
    apigateway.settings().failing = "subnet is full"
    farm.create_service("conejo", 1, public=False, tags={TAG: VALUE})
    assert reach(farm, lambda: "subnet is full" in status(farm, tag=TAG).get("message", ""), limit=60)
    assert status(farm, tag=TAG)["status"] == "Failed"

    apigateway.settings().failing = ""
    assert reach(farm, lambda: stands(farm, VALUE))
    assert answers(farm)
    farm.run_for(130)
    assert links(farm) == ["AVAILABLE"]
    remove(farm)


def test_a_link_that_fails_at_every_turn_does_not_use_up_the_ten(farm: Farm) -> None:
    apigateway.settings().failing = "subnet is full"
    farm.create_service("conejo", 1, public=False, tags={TAG: VALUE})
    farm.run_for(300)
    assert len([each for each in links(farm) if each != "DELETING"]) <= 1
    farm.untag("conejo", TAG)
    assert reach(farm, lambda: clean(farm)), inventory(farm)


def test_that_all_links_are_used_is_told_and_one_that_is_freed_is_used(farm: Farm) -> None:
    apigateway.settings().most_links = 1
    theirs = gateway(farm).create_vpc_link(Name="theirs", SubnetIds=list(farm.network.private))["VpcLinkId"]
    farm.create_service("conejo", 1, public=False, tags={TAG: VALUE})
    said = become(farm, "Blocked", tag=TAG)
    assert said["code"] == "QuotaReached"
    assert "Service Quotas" in said["message"]
    assert TAG in said["message"]

    gateway(farm).delete_vpc_link(VpcLinkId=theirs)
    assert reach(farm, lambda: stands(farm, VALUE))
    assert answers(farm)


def test_an_availability_zone_that_links_refuse_is_told(farm: Farm) -> None:
    zones = farm.ec2.describe_availability_zones()["AvailabilityZones"]
    apigateway.settings().refused_zones = frozenset(each["ZoneId"] for each in zones)
    farm.create_service("conejo", 1, public=False, tags={TAG: VALUE})
    said = become(farm, "Blocked", tag=TAG)
    assert "subnet" in said["message"].lower()


def test_concurrent_modifications_are_asked_for_again_until_all_is_right(farm: Farm) -> None:
    apigateway.settings().busy = 0.5
    for name in ("conejo", "gallina"):
        farm.create_service(name, 1, public=False, tags={TAG: f"/{name} auth=iam rate=9"})
    for name in ("conejo", "gallina"):
        assert reach(farm, partial(stands, farm, f"/{name} auth=iam rate=9", name)), status(farm, name, TAG)
        assert farm.invoke(host(farm), f"/{name}", sign=True).service == name
    assert any(call.error == "ConflictException" for call in farm.calls("apigatewayv2"))
    remove(farm, "conejo", "gallina")


def open_the_routes(farm: Farm) -> None:
    for route in routes(farm).values():
        gateway(farm).update_route(
            ApiId=apis(farm)[0]["ApiId"], RouteId=route["RouteId"], AuthorizationType="NONE"
        )


def delete_the_routes(farm: Farm) -> None:
    for route in routes(farm).values():
        gateway(farm).delete_route(ApiId=apis(farm)[0]["ApiId"], RouteId=route["RouteId"])


def delete_the_integration(farm: Farm) -> None:
    delete_the_routes(farm)
    api = apis(farm)[0]["ApiId"]
    for each in gateway(farm).get_integrations(ApiId=api)["Items"]:
        gateway(farm).delete_integration(ApiId=api, IntegrationId=each["IntegrationId"])


def delete_the_link(farm: Farm) -> None:
    delete_the_integration(farm)
    for each in gateway(farm).get_vpc_links()["Items"]:
        gateway(farm).delete_vpc_link(VpcLinkId=each["VpcLinkId"])


def let_the_link_be_gone(farm: Farm) -> None:
    """As an operator may who moves the integration to a link of her own first, and then takes both away."""
    api = apis(farm)[0]["ApiId"]
    (ours,) = gateway(farm).get_vpc_links()["Items"]
    other = gateway(farm).create_vpc_link(Name="other", SubnetIds=list(farm.network.private))["VpcLinkId"]
    farm.run_for(2)
    for each in gateway(farm).get_integrations(ApiId=api)["Items"]:
        gateway(farm).update_integration(ApiId=api, IntegrationId=each["IntegrationId"], ConnectionId=other)
    gateway(farm).delete_vpc_link(VpcLinkId=ours["VpcLinkId"])


def lead_it_elsewhere(farm: Farm) -> None:
    api = apis(farm)[0]["ApiId"]
    for each in gateway(farm).get_integrations(ApiId=api)["Items"]:
        gateway(farm).update_integration(
            ApiId=api,
            IntegrationId=each["IntegrationId"],
            ConnectionType="INTERNET",
            IntegrationUri="https://evil.com",
        )


def lead_it_to_another_registry(farm: Farm) -> None:
    space = farm.cloudmap.list_namespaces()["Namespaces"][0]["Id"]
    uri = farm.cloudmap.create_service(Name="other", NamespaceId=space)["Service"]["Arn"]
    api = apis(farm)[0]["ApiId"]
    for each in gateway(farm).get_integrations(ApiId=api)["Items"]:
        gateway(farm).update_integration(ApiId=api, IntegrationId=each["IntegrationId"], IntegrationUri=uri)


def delete_the_stage(farm: Farm) -> None:
    gateway(farm).delete_stage(ApiId=apis(farm)[0]["ApiId"], StageName="$default")


def take_the_throttle_away(farm: Farm) -> None:
    for key in routes(farm):
        gateway(farm).delete_route_settings(ApiId=apis(farm)[0]["ApiId"], StageName="$default", RouteKey=key)


def delete_the_api(farm: Farm) -> None:
    gateway(farm).delete_api(ApiId=apis(farm)[0]["ApiId"])


def delete_the_registry(farm: Farm) -> None:
    (service,) = farm.cloudmap.list_services()["Services"]
    for each in farm.cloudmap.list_instances(ServiceId=service["Id"])["Instances"]:
        farm.cloudmap.deregister_instance(ServiceId=service["Id"], InstanceId=each["Id"])
    farm.run_for(2)
    farm.cloudmap.delete_service(Id=service["Id"])


@pytest.mark.parametrize(
    "harm",
    [
        open_the_routes, delete_the_routes, delete_the_integration, delete_the_link, let_the_link_be_gone,
        lead_it_elsewhere, lead_it_to_another_registry, delete_the_stage, take_the_throttle_away, delete_the_api,
        delete_the_registry,
    ],
)  # fmt: skip
def test_what_others_do_to_ours_is_repaired_by_the_next_verifications(
    farm: Farm, harm: Callable[[Farm], None]
) -> None:
    expose(farm, VALUE)
    before = shape(farm)
    harm(farm)
    assert reach(farm, lambda: right(farm, before), limit=200), shape(farm)


def right(farm: Farm, before: object) -> bool:
    leads = {
        each["ConnectionId"]
        for api in apis(farm)
        for each in gateway(farm).get_integrations(ApiId=api["ApiId"])["Items"]
        if "ConnectionId" in each
    }
    ours = {each["VpcLinkId"] for each in gateway(farm).get_vpc_links()["Items"] if each["Tags"]}
    return leads <= ours and shape(farm) == before and answers(farm) and not list(Watch(farm).open({}))


def shape(farm: Farm) -> object:
    """What routes there are, how they are guarded, and how often what each leads through is there."""
    if not apis(farm):
        return None
    stages = gateway(farm).get_stages(ApiId=apis(farm)[0]["ApiId"])["Items"]
    return (
        sorted((key, route["AuthorizationType"]) for key, route in routes(farm).items()),
        [sorted(stage.get("RouteSettings", {})) for stage in stages],
        len(gateway(farm).get_integrations(ApiId=apis(farm)[0]["ApiId"])["Items"]),
    )


def test_a_lambda_authoriser_led_to_another_function_is_led_back(farm: Farm) -> None:
    create_function(farm)
    expose(farm, "/orders auth=lambda function=judge")
    api = apis(farm)[0]["ApiId"]
    (found,) = gateway(farm).get_authorizers(ApiId=api)["Items"]
    other = create_function(farm, "lenient", "anything")
    uri = found["AuthorizerUri"].replace("function:judge", "function:lenient")
    gateway(farm).update_authorizer(ApiId=api, AuthorizerId=found["AuthorizerId"], AuthorizerUri=uri)
    assert "lenient" in other

    def led_back() -> bool:
        return bool(
            gateway(farm).get_authorizers(ApiId=api)["Items"][0]["AuthorizerUri"] == found["AuthorizerUri"]
        )

    assert reach(farm, led_back, limit=200)


OTHERS: dict[str, Any] = {"lost": {}, "crash": {"phase": "after"}, "error": {"code": "InternalFailure"}}


@pytest.mark.parametrize("kind", OTHERS)
def test_nothing_of_ours_stays_in_an_api_of_others_whatever_breaks(farm: Farm, kind: Any) -> None:
    api = gateway(farm).create_api(Name="theirs", ProtocolType="HTTP")["ApiId"]
    gateway(farm).create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    before = inventory(farm)
    farm.create_service("conejo", 1, public=False)
    for nth in range(1, 8):
        GATE.faults[:] = [Fault(kind, nth=nth, where=lasting, **OTHERS[kind])]
        with watching(farm):
            change(farm, f"/orders api={api} auth=iam rate=9")
            farm.untag("conejo", TAG)
            reach(farm, lambda: inventory(farm) == before, limit=1000)
        assert inventory(farm) == before, nth


def lasting(call: Call) -> bool:
    """A change in somebody else's API; of links there is another test."""
    changes = call.caller == "reconcile" and call.service == "apigatewayv2"
    return changes and not call.operation.startswith("Get") and "VpcLink" not in call.operation
