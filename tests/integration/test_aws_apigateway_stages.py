"""Stages behave as AWS's (F§5.4): they serve what was deployed last, by themselves or when told, under settings of their own."""

from __future__ import annotations

from typing import Any

import pytest
from http_apis import Apis, api
from refusals import refused

from farm.aws import apigateway
from farm.aws.apigateway import AccessLogs, Cors, Deployed, RouteSettings
from farm.timeline import Timeline

LOGS = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/apigateway/granja"


@pytest.fixture
def world(timeline: Timeline) -> Apis:
    return Apis(timeline)


def served(world: Apis, stage: str = "$default") -> Deployed:
    found = apigateway.deployed(world.api, stage)
    assert found is not None
    return found


def keys(world: Apis, stage: str = "$default") -> list[str]:
    return sorted(route.key for route in served(world, stage).routes)


def update(world: Apis, **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = api.update_stage(ApiId=world.api, StageName="$default", **asked)
    return answer


@pytest.mark.parametrize("name", ["$default", "beta", "v1_2", "V"])
def test_names_that_a_stage_may_have(world: Apis, name: str) -> None:
    """F§5.4."""
    world.stage(name)
    assert api.get_stage(ApiId=world.api, StageName=name)["StageName"] == name


@pytest.mark.parametrize("name", ["a-b", "$latest", "a/b", "a b", "a" * 129])
def test_names_that_no_stage_may_have(world: Apis, name: str) -> None:
    """F§5.4."""
    with refused("BadRequestException"):
        world.stage(name)


def test_a_stage_is_made_once(world: Apis) -> None:
    """And ten of them at most (F§5.1)."""
    world.stage("s0", Description="first")
    with refused("ConflictException"):
        world.stage("s0")
    assert api.get_stage(ApiId=world.api, StageName="s0")["Description"] == "first"
    for number in range(1, 10):
        world.stage(f"s{number}")
    with refused("ConflictException") as answer:
        world.stage("s10")
    assert "Maximum number of Stages" in answer["Error"]["Message"]
    assert len(api.get_stages(ApiId=world.api, MaxResults="7")["Items"]) == 7


def test_unknown_stages_are_not_found(world: Apis) -> None:
    for call in (api.get_stage, api.update_stage, api.delete_stage, api.delete_access_log_settings):
        with refused("NotFoundException"):
            call(ApiId=world.api, StageName="beta")
    with refused("NotFoundException"):
        api.get_stages(ApiId="abcdefghij")


def test_a_stage_does_not_deploy_by_itself_unless_told(world: Apis) -> None:
    """F§5.4: without AutoDeploy route changes are invisible until CreateDeployment."""
    api.create_stage(ApiId=world.api, StageName="$default")
    assert api.get_stage(ApiId=world.api, StageName="$default")["AutoDeploy"] is False
    world.route("GET /1")
    assert keys(world) == []
    first = api.create_deployment(ApiId=world.api, StageName="$default")["DeploymentId"]
    world.route("GET /2")
    assert (keys(world), served(world).deployment) == (["GET /1"], first)
    second = api.create_deployment(ApiId=world.api, Description="both")["DeploymentId"]
    assert keys(world) == ["GET /1"]
    update(world, DeploymentId=second)
    assert keys(world) == ["GET /1", "GET /2"]
    update(world, DeploymentId=first)
    assert keys(world) == ["GET /1"]


def test_with_auto_deploy_each_change_is_a_deployment(world: Apis) -> None:
    """F§5.4."""
    world.stage()
    seen = [served(world).deployment]
    here = world.integration()
    seen.append(served(world).deployment)
    made = world.route("GET /1", here, AuthorizationType="AWS_IAM")
    seen.append(served(world).deployment)
    (route,) = served(world).routes
    assert (route.key, route.authorization) == ("GET /1", "AWS_IAM")
    assert route.integration is not None
    assert route.integration.uri == "https://backend.example.com"
    api.update_integration(ApiId=world.api, IntegrationId=here, TimeoutInMillis=1500)
    seen.append(served(world).deployment)
    (route,) = served(world).routes
    assert route.integration is not None
    assert route.integration.timeout == 1.5
    api.delete_route(ApiId=world.api, RouteId=made)
    seen.append(served(world).deployment)
    assert len(set(seen)) == len(seen)
    assert keys(world) == []


def test_what_is_served_does_not_change_with_what_is_there(world: Apis) -> None:
    """A snapshot has its integrations and authorizers with it."""
    jwt, here = world.jwt(), world.integration(RequestParameters={"overwrite:path": "$request.path"})
    made = world.route(
        "GET /1", here, AuthorizationType="JWT", AuthorizerId=jwt, AuthorizationScopes=["read"]
    )
    world.stage(auto=False)
    api.create_deployment(ApiId=world.api, StageName="$default")
    before = served(world)
    api.update_route(ApiId=world.api, RouteId=made, AuthorizationScopes=["write"])
    api.update_integration(ApiId=world.api, IntegrationId=here, RequestParameters={"overwrite:path": "/"})
    api.update_authorizer(
        ApiId=world.api, AuthorizerId=jwt, JwtConfiguration={"Issuer": "https://a.b", "Audience": ["a"]}
    )
    assert served(world) == before
    (route,) = before.routes
    assert route.scopes == ("read",)
    assert route.authorizer is not None
    assert route.authorizer.audience == ("orders",)


def test_an_automatic_deployment_may_take_its_time(world: Apis, timeline: Timeline) -> None:
    apigateway.settings().deploying = 3.0
    world.stage()
    timeline.run_for(3)
    told: list[int] = []
    world.route("GET /1")
    timeline.run_for(2)
    world.route("GET /2")
    apigateway.settings().changed = lambda: told.append(1)
    assert keys(world) == []
    timeline.run_for(1)
    assert (keys(world), told) == (["GET /1"], [1])
    timeline.run_for(2)
    assert keys(world) == ["GET /1", "GET /2"]


def test_with_auto_deploy_nobody_else_deploys(world: Apis) -> None:
    """F§5.4: DeploymentId can't be updated."""
    world.stage()
    made = api.create_deployment(ApiId=world.api)["DeploymentId"]
    with refused("BadRequestException"):
        update(world, DeploymentId=made)
    with refused("BadRequestException"):
        api.create_deployment(ApiId=world.api, StageName="$default")


def test_deployments_that_are_served_stay(world: Apis) -> None:
    world.stage(auto=False)
    made = api.create_deployment(ApiId=world.api, StageName="$default")["DeploymentId"]
    with refused("BadRequestException"):
        api.delete_deployment(ApiId=world.api, DeploymentId=made)
    api.create_deployment(ApiId=world.api, StageName="$default")
    api.delete_deployment(ApiId=world.api, DeploymentId=made)
    with refused("NotFoundException"):
        api.get_deployment(ApiId=world.api, DeploymentId=made)
    assert len(api.get_deployments(ApiId=world.api)["Items"]) == 1


# settings


def test_settings_of_routes_are_for_routes_that_there_are(world: Apis) -> None:
    """F§5.4: keyed by the exact key."""
    world.stage()
    world.route("GET /x")
    for key in ("GET /y", "get /x", "/x"):
        with refused("NotFoundException") as answer:
            update(world, RouteSettings={key: {"ThrottlingRateLimit": 5}})
        assert (
            answer["Error"]["Message"]
            == f"Unable to find Route by key {key} within the provided RouteSettings"
        )
    update(world, RouteSettings={"GET /x": {"ThrottlingRateLimit": 5}})
    with refused("NotFoundException"):
        world.stage("beta", RouteSettings={"GET /y": {"ThrottlingRateLimit": 5}})


def test_settings_of_a_route_stand_alone(world: Apis) -> None:
    """F§5.4: unset members fall to AWS's defaults, not to those of the stage; an update names each route by itself."""
    world.stage(DefaultRouteSettings={"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 50})
    for key in ("GET /x", "GET /y"):
        world.route(key)
        update(world, RouteSettings={key: {"ThrottlingRateLimit": 5, "DetailedMetricsEnabled": True}})
    assert served(world).settings_of("GET /x") == RouteSettings(rate=5, burst=None, metrics=True)
    assert served(world).settings_of("GET /y") == RouteSettings(rate=5, burst=None, metrics=True)
    assert served(world).settings_of("GET /z") == RouteSettings(rate=100, burst=50, metrics=False)
    api.delete_route_settings(ApiId=world.api, StageName="$default", RouteKey="GET /x")
    assert served(world).settings_of("GET /x") == RouteSettings(rate=100, burst=50)
    with refused("NotFoundException"):
        api.delete_route_settings(ApiId=world.api, StageName="$default", RouteKey="GET /x")


def test_settings_of_a_route_that_is_gone_are_in_the_way(world: Apis) -> None:
    """F§5.4: they break the next UpdateStage, so they are to be deleted first."""
    world.stage()
    made = world.route("ANY /orders/{proxy+}")
    update(world, RouteSettings={"ANY /orders/{proxy+}": {"ThrottlingRateLimit": 5}})
    api.delete_route(ApiId=world.api, RouteId=made)
    with refused("NotFoundException") as answer:
        update(world, Description="new")
    assert "ANY /orders/{proxy+}" in answer["Error"]["Message"]
    api.delete_route_settings(ApiId=world.api, StageName="$default", RouteKey="ANY /orders/{proxy+}")
    assert update(world, Description="new")["Description"] == "new"


@pytest.mark.parametrize(
    "wrong", [{"DataTraceEnabled": True}, {"LoggingLevel": "INFO"}, {"ThrottlingRateLimit": -1.0}]
)
def test_settings_that_no_http_api_has(world: Apis, wrong: dict[str, Any]) -> None:
    with refused("BadRequestException"):
        world.stage(DefaultRouteSettings=wrong)


def test_access_logs(world: Apis) -> None:
    """F§5.4: to a log group, a line each, with $context.requestId in it."""
    world.stage()
    form = '{"id": "$context.requestId"}'
    for destination, wrong in (
        ("arn:aws:firehose:eu-west-1:123456789012:deliverystream/amazon-apigateway-a", form),
        (LOGS, '{"id": "$context.path"}'),
        (LOGS, f"{form}\n"),
    ):
        with refused("BadRequestException"):
            update(world, AccessLogSettings={"DestinationArn": destination, "Format": wrong})
    update(world, AccessLogSettings={"DestinationArn": LOGS, "Format": form})
    assert served(world).access_logs == AccessLogs(LOGS, form)
    api.delete_access_log_settings(ApiId=world.api, StageName="$default")
    assert served(world).access_logs is None


def test_stage_variables_and_tags(world: Apis) -> None:
    """F§5.2: a stage has tags."""
    world.stage(StageVariables={"a": "b"}, Tags={"owner": "me"})
    update(world, StageVariables={"c": "d"})
    assert dict(served(world).variables) == {"a": "b", "c": "d"}
    assert api.get_stage(ApiId=world.api, StageName="$default")["Tags"] == {"owner": "me"}


def test_cors_is_the_apis(world: Apis) -> None:
    """F§5.4: credentials and origin * do not go together."""
    world.stage()
    cors = {"AllowOrigins": ["https://a.b"], "AllowMethods": ["GET"], "AllowCredentials": True, "MaxAge": 5}
    api.update_api(ApiId=world.api, CorsConfiguration=cors)
    assert served(world).cors == Cors(("https://a.b",), ("GET",), max_age=5, credentials=True)
    with refused("BadRequestException"):
        api.update_api(ApiId=world.api, CorsConfiguration={**cors, "AllowOrigins": ["*"]})
    api.delete_cors_configuration(ApiId=world.api)
    assert served(world).cors is None


def test_what_is_not_there_serves_nothing(world: Apis) -> None:
    assert apigateway.deployed(world.api, "beta") is None
    assert apigateway.deployed("abcdefghij", "$default") is None
