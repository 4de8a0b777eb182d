"""What belongs to others is not had by a tag, unless the stack names it: by its defaults, it names nothing."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from farm.balancers.routing import Request
from farm.farm import Farm
from farm.iam import Iam
from tests.integration.balanced import TAG, answers, foreign
from tests.integration.gateways import deployed
from tests.integration.world import LISTED, become, restack, status
from tests.unit.stack import placed

JWT = "auth=jwt issuer=https://login.evil.com audience=x"


def belongings(farm: Farm) -> str:
    """A load balancer, a target group, an API and a function of another team. The API's id."""
    farm.create_target_group("payments")
    farm.create_balancer("payments-alb", group="payments")
    farm.create_balancer("payments-nlb", type="network")
    deployed(farm, "pay-everybody")
    made = farm.client("apigatewayv2").create_api(
        Name="theirs", ProtocolType="HTTP", Target="https://their.example.com"
    )
    return str(made["ApiId"])


def api_of(farm: Farm, api: str) -> Any:
    gateway = farm.client("apigatewayv2")
    routes = [
        (each["RouteKey"], each["AuthorizationType"]) for each in gateway.get_routes(ApiId=api)["Items"]
    ]
    return (
        sorted(routes),
        gateway.get_integrations(ApiId=api)["Items"],
        gateway.get_authorizers(ApiId=api)["Items"],
    )


def permissions(farm: Farm, function: str) -> str:
    client = farm.client("lambda")
    try:
        return str(client.get_policy(FunctionName=function)["Policy"])
    except ClientError:
        return ""


def test_whoever_may_tag_a_service_has_nothing_of_others() -> None:
    with Farm.virtual() as farm:
        api = belongings(farm)
        tags = {
            "expose:lb": ("tg/payments port=8080", "tg/payments", "AllowedLoadBalancers"),
            "expose:lb:a": ("payments-alb:80 path=/pay", "payments-alb", "AllowedLoadBalancers"),
            "expose:lb:n": ("payments-nlb:5432", "payments-nlb", "AllowedLoadBalancers"),
            "expose:api": (f"/ api={api} auth=iam", api, "AllowedApis"),
            "expose:api:f": ("/f auth=lambda function=pay-everybody", "pay-everybody", "AllowedFunctions"),
            "expose:api:j": (f"/j {JWT}", "https://login.evil.com", "AllowedIssuers"),
            "expose:api:c": (
                "/c auth=cognito pool=eu-west-1_Evil client=a",
                "eu-west-1_Evil",
                "AllowedIssuers",
            ),
        }
        before = foreign(farm), api_of(farm, api)
        farm.create_service("evil", 2, public=False, tags={tag: value for tag, (value, *_) in tags.items()})

        for tag, (value, word, parameter) in tags.items():
            said = become(farm, "Blocked", "evil", tag)
            assert said["code"] == "NotAllowed"
            for part in (
                f"{tag} = {value!r}",
                repr(word),
                f"parameter {parameter}",
                "whoever runs the stack",
            ):
                assert part in said["message"]
        farm.run_for(120)
        assert (foreign(farm), api_of(farm, api)) == before
        assert permissions(farm, "pay-everybody") == ""
        assert farm.client("apigatewayv2").get_apis()["Items"][0]["ApiId"] == api


@pytest.mark.parametrize("more", ["path=/conejo methods=GET+POST", "path=/conejo/1", "methods=GET"])
def test_a_more_talkative_tag_takes_nobody_s_requests(more: str) -> None:
    """More to say gives a rule a higher priority: so the first owner of what both say keeps it."""
    entrance = "internal:8000 host=granja.com"
    with Farm.virtual(parameters={"GraceSeconds": "0", "CreateLoadBalancers": "any"}) as farm:
        farm.create_service("conejo", 2, public=False, tags={TAG: f"{entrance} path=/conejo"})
        become(farm, "Active", "conejo", TAG, limit=300)
        name = farm.elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerName"]
        asked = Request("granja.com", "/conejo/1")

        farm.create_service("gallina", 2, public=False, tags={TAG: f"{entrance} {more}"})
        said = become(farm, "Blocked", "gallina", TAG)

        assert said["code"] == "NameTaken"
        assert "which is held by ecs-expose/granja/conejo/expose:lb" in said["message"]
        assert answers(farm, name, 8000, asked, count=20).answered == {"conejo": 20}
        farm.untag("conejo", TAG)
        become(farm, "Active", "gallina", TAG, limit=1200)
        assert answers(farm, name, 8000, asked, count=20).answered == {"gallina": 20}


# narrowed afterwards, IAM as well


def narrow(farm: Farm, **parameters: str) -> None:
    """The stack is updated: the functions' environment, and what Reconcile may do to what belongs to others."""
    restack(farm, **parameters)
    assert farm.lambdas
    assert farm.iam
    kept = [each for each in farm.lambdas.deployment.roles["reconcile"] if each["Sid"] not in _BOUND]
    given = placed(**parameters, **{"AWS::StackName": "ecs-expose"}).statements("ReconcileRole")
    roles = farm.lambdas.deployment.roles | {
        "reconcile": [*kept, *(each for each in given if each["Sid"] in _BOUND)]
    }
    farm.iam = Iam(roles)
    farm.iam.enforce()


_BOUND = {
    *("LetInvokeAuthorizers", "WithdrawInvokes", "KeepRoutes", "LimitRoutes", "Withdraw", "MapNames"),
    *("RegisterTargets", "DeregisterTargets", "CreateRulesAndListeners", "KeepWhatIsMarked"),
    *("CloudMapWritesRecords", "CloudMapDeletesRecords"),
}
NAME = "conejo.granja.animales.com"


def test_what_a_narrowed_stack_does_not_name_any_more_can_still_be_taken_away() -> None:
    with Farm.virtual(parameters={**LISTED, "GraceSeconds": "0"}) as farm:
        api = belongings(farm)
        farm.create_namespace("granja.animales.com")
        gateway = farm.client("apigatewayv2")
        before = foreign(farm), api_of(farm, api)
        tags = {
            "expose:dns": NAME,
            "expose:lb": "tg/payments",
            "expose:lb:a": "payments-alb:80 path=/pay",
            "expose:lb:n": "payments-nlb:5432",
            "expose:api": f"/orders api={api} auth=lambda function=pay-everybody rate=5",
        }
        farm.create_service("conejo", 2, tags=tags)
        for tag in tags:
            become(farm, "Active", "conejo", tag, limit=900)
        assert permissions(farm, "pay-everybody")
        assert len(gateway.get_routes(ApiId=api)["Items"]) == 3

        names = {"AllowedNames": "example.com", "AllowedLoadBalancers": "internal"}
        narrow(farm, **names, AllowedApis="", AllowedFunctions="", AllowedIssuers="")
        farm.run_for(180)

        assert {tag: status(farm, tag=tag)["code"] for tag in tags} == dict.fromkeys(tags, "NotAllowed")
        assert farm.resolve(NAME) == []
        assert (foreign(farm), api_of(farm, api)) == before
        assert "expose-" not in permissions(farm, "pay-everybody")
