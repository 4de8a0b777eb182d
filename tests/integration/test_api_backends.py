"""What stands behind a path may change, be ECS's own, or need another link: no request is lost by it, and nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from farm.aws import apigateway
from farm.farm import Farm
from tests.integration.guarded import FAST, TAG, apis, change, expose, gateway, host, reach, remove, stands
from tests.integration.world import become, status

VALUE = "/orders auth=iam"


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(parameters={**FAST, "VerifyMinutes": "1", "CreateLoadBalancers": "any"}) as farm:
        yield farm


def links(farm: Farm) -> list[Any]:
    return [each for each in gateway(farm).get_vpc_links()["Items"] if each["VpcLinkStatus"] != "DELETING"]


def who(farm: Farm) -> str:
    return farm.invoke(host(farm), "/orders/7", sign=True).service


def reparametrize(farm: Farm, **environment: str) -> None:
    """As an update of the stack does: the functions have another environment from now on."""
    assert farm.lambdas is not None
    dict.update(farm.lambdas.deployment.function("reconcile").environment, environment)  # type: ignore[arg-type]


@pytest.mark.parametrize("towards", ["cloudmap", "lb"])
def test_another_backend_is_led_to_only_once_it_answers(farm: Farm, towards: str) -> None:
    here, there = ("via=lb", "via=cloudmap") if towards == "cloudmap" else ("via=cloudmap", "via=lb")
    expose(farm, f"{VALUE} {here}", also={"expose:lb": "internal host=conejo.com"})

    with farm.api_traffic(host(farm), "/orders/7", per_second=20, sign=True) as traffic:
        change(farm, f"{VALUE} {there}")
        farm.run_for(15)

    assert traffic.lost == []
    assert who(farm) == "conejo"


def test_a_new_link_is_asked_for_rarely_while_it_is_being_made(farm: Farm) -> None:
    """It takes minutes, and the account has ten calls a second (F§5.1)."""
    apigateway.settings().linking = 180
    farm.create_service("conejo", 1, public=False, tags={TAG: VALUE})

    assert reach(farm, lambda: stands(farm, VALUE), limit=260)

    asked = [call for call in farm.calls(operation="GetVpcLink") if call.caller == "reconcile"]
    assert len(asked) <= 20


def test_a_link_whose_security_groups_are_to_be_others_is_replaced_without_a_request_lost(farm: Farm) -> None:
    """AWS cannot change one: the new one is there before the old one goes (F§5.1)."""
    expose(farm, VALUE)
    farm.create_service("gallina", 1, public=False, tags={TAG: "/bills auth=iam"})
    become(farm, "Active", "gallina", TAG)
    (before,) = links(farm)

    with farm.api_traffic(host(farm), "/orders/7", per_second=20, sign=True) as traffic:
        reparametrize(farm, EXPOSE_API_SECURITY_GROUPS=farm.network.balancer_group)
        assert reach(
            farm, lambda: [each["VpcLinkId"] for each in links(farm)] not in ([before["VpcLinkId"]], [])
        )
        assert reach(farm, lambda: len(links(farm)) == 1, limit=400), links(farm)

    assert traffic.lost == []
    (after,) = links(farm)
    assert after["SecurityGroupIds"] == [farm.network.balancer_group]
    assert {
        each["ConnectionId"] for each in gateway(farm).get_integrations(ApiId=apis(farm)[0]["ApiId"])["Items"]
    } == {after["VpcLinkId"]}
    remove(farm, "conejo", "gallina")
    assert not links(farm)


def test_access_logs_that_the_stack_does_not_ask_for_any_more_are_taken_from_the_stage() -> None:
    with Farm.virtual(parameters={**FAST, "VerifyMinutes": "1", "ApiAccessLogs": "yes"}) as farm:
        expose(farm, VALUE)
        stage = {"ApiId": apis(farm)[0]["ApiId"], "StageName": "$default"}
        assert gateway(farm).get_stage(**stage)["AccessLogSettings"]

        reparametrize(farm, EXPOSE_API_LOGS="")

        assert reach(farm, lambda: "AccessLogSettings" not in gateway(farm).get_stage(**stage))
        assert stands(farm, VALUE)


def test_services_in_other_subnets_of_the_vpc_use_the_link_that_is_there(farm: Farm) -> None:
    expose(farm, VALUE)
    elsewhere = farm.network.configuration(public=True)
    farm.create_service("gallina", 1, networkConfiguration=elsewhere, tags={TAG: "/bills auth=iam"})

    become(farm, "Active", "gallina", TAG)

    assert len(links(farm)) == 1


def test_a_link_that_a_parameter_names_is_used_and_stays(farm: Farm) -> None:
    theirs = gateway(farm).create_vpc_link(Name="theirs", SubnetIds=list(farm.network.private))["VpcLinkId"]
    farm.run_for(200)
    reparametrize(farm, EXPOSE_API_VPC_LINKS=f"gone01,{theirs}")

    expose(farm, VALUE)

    assert who(farm) == "conejo"
    assert [each["VpcLinkId"] for each in links(farm)] == [theirs]
    farm.run_for(70)
    assert stands(farm, VALUE)
    farm.untag("conejo", TAG)
    assert reach(farm, lambda: not apis(farm))
    assert [each["VpcLinkId"] for each in links(farm)] == [theirs]


def test_a_listener_that_ecs_itself_keeps_is_used_as_it_is(farm: Farm) -> None:
    """Neither it nor its target group is ours, and both stay."""
    farm.create_target_group("theirs")
    farm.create_balancer("granja-alb", group="theirs")
    native: Any = [
        {"targetGroupArn": farm.group_arn("theirs"), "containerName": "web", "containerPort": 8080}
    ]
    farm.create_service("conejo", 1, public=False, loadBalancers=native)
    farm.run_for(20)
    for address in farm.addresses("conejo", public=False):
        farm.register("theirs", (address, 8080))
    farm.run_for(40)

    change(farm, f"{VALUE} via=lb")

    assert who(farm) == "conejo"
    (found,) = gateway(farm).get_integrations(ApiId=apis(farm)[0]["ApiId"])["Items"]
    assert found["IntegrationUri"] == farm.listener_arn("granja-alb", 80)
    remove(farm)
    assert farm.listener_arn("granja-alb", 80)


def test_a_service_behind_no_listener_is_told_what_to_do(farm: Farm) -> None:
    farm.create_service("conejo", 1, public=False, tags={TAG: f"{VALUE} via=lb"})

    said = become(farm, "Blocked", tag=TAG)

    assert said["code"] == "NoListener"
    assert "expose:lb" in said["message"]
    assert status(farm, tag=TAG)["status"] == "Blocked"
