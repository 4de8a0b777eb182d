"""Deployments and stages of REST APIs behave as AWS's (F§5.5): nothing is served that was not deployed."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from refusals import refused
from rest_apis import Rests, rest, shown

from farm.aws import apigateway, restapis
from farm.gate import GATE
from farm.throttle import Throttle
from farm.timeline import Timeline

LOGS = "arn:aws:logs:eu-west-1:123456789012:log-group:granja"


@pytest.fixture
def world(timeline: Timeline) -> Rests:
    return Rests(timeline)


def served(world: Rests, stage: str = "prod") -> dict[str, str]:
    """What answers: the authorization of each route."""
    found = restapis.deployed(world.api, stage)
    assert found
    return {route.key: route.authorization for route in found.routes}


def stage_of(world: Rests, name: str = "prod") -> dict[str, Any]:
    return shown(rest.get_stage(restApiId=world.api, stageName=name))


def change(world: Rests, *operations: tuple[str, ...]) -> dict[str, Any]:
    patch = [dict(zip(("op", "path", "value"), one, strict=False)) for one in operations]
    return shown(rest.update_stage(restApiId=world.api, stageName="prod", patchOperations=patch))


def test_what_is_deployed_is_what_was_there_then(world: Rests) -> None:
    """F§5.5: a new CreateDeployment for every change, nothing deploys by itself."""
    orders = world.ready("orders")
    first = world.deploy("prod")
    world.ready("carts")
    patch = [{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}]
    rest.update_method(restApiId=world.api, resourceId=orders, httpMethod="ANY", patchOperations=patch)
    assert served(world) == {"ANY /orders": "NONE"}
    second = world.deploy("prod")
    assert served(world) == {"ANY /orders": "AWS_IAM", "ANY /carts": "NONE"}
    assert stage_of(world)["deploymentId"] == second
    change(world, ("replace", "/deploymentId", first))
    assert served(world) == {"ANY /orders": "NONE"}


def test_a_deployment_tells_what_is_in_it(world: Rests) -> None:
    """embed=apisummary, and only then."""
    orders = world.ready("orders")
    world.method(orders, "GET", authorizationType="AWS_IAM")
    world.integrate(orders, "GET")
    made = world.deploy(description="first")
    rest.delete_resource(restApiId=world.api, resourceId=orders)
    assert world.summary(made) == {
        "/orders": {
            "ANY": {"authorizationType": "NONE", "apiKeyRequired": False},
            "GET": {"authorizationType": "AWS_IAM", "apiKeyRequired": False},
        }
    }
    plain = rest.get_deployment(restApiId=world.api, deploymentId=made)
    assert (plain["description"], "apiSummary" in plain) == ("first", False)
    assert [one["id"] for one in rest.get_deployments(restApiId=world.api)["items"]] == [made]


def test_what_is_not_whole_is_not_deployed(world: Rests) -> None:
    with refused("BadRequestException") as answer:
        world.deploy("prod")
    assert answer["Error"]["Message"] == "The REST API doesn't contain any methods"
    world.method(world.ready("orders"), "GET")
    with refused("BadRequestException") as answer:
        world.deploy("prod")
    assert answer["Error"]["Message"] == "No integration defined for method"
    assert rest.get_stages(restApiId=world.api)["item"] == []
    assert rest.get_deployments(restApiId=world.api)["items"] == []


def test_a_deployment_in_use_stays(world: Rests) -> None:
    world.ready()
    first, second = world.deploy("prod"), world.deploy()
    gone = {"restApiId": world.api, "deploymentId": first}
    with refused("BadRequestException") as answer:
        rest.delete_deployment(**gone)
    assert answer["Error"]["Message"] == "Active stages pointing to this deployment must be moved or deleted"
    change(world, ("replace", "/deploymentId", second))
    rest.delete_deployment(**gone)
    with refused("NotFoundException") as answer:
        rest.get_deployment(**gone)
    assert answer["Error"]["Message"] == "Invalid Deployment identifier specified"
    with refused("NotFoundException"):
        change(world, ("replace", "/deploymentId", first))
    assert stage_of(world)["deploymentId"] == second


def test_a_stage_is_metered_and_logged(world: Rests) -> None:
    world.ready()
    world.deploy("prod")
    changed = change(
        world,
        ("replace", "/*/*/metrics/enabled", "true"),
        ("replace", "/accessLogSettings/destinationArn", LOGS),
        ("replace", "/accessLogSettings/format", "$context.requestId $context.status"),
        ("replace", "/~1orders/GET/throttling/rateLimit", "5.5"),
        ("replace", "/variables/colour", "blue"),
    )
    assert changed["methodSettings"]["*/*"]["metricsEnabled"] is True
    assert changed["accessLogSettings"]["destinationArn"] == LOGS
    world.deploy("prod")
    assert {**stage_of(world), "lastUpdatedDate": 0, "deploymentId": 0} == {
        **changed,
        "lastUpdatedDate": 0,
        "deploymentId": 0,
    }
    found = restapis.deployed(world.api, "prod")
    assert found
    assert found.default.metrics
    assert found.settings_of("GET /orders").rate == 5.5
    assert "accessLogSettings" not in change(world, ("remove", "/accessLogSettings"))


@pytest.mark.parametrize(
    "operation",
    [
        ("replace", "/accessLogSettings/destinationArn", "arn:aws:s3:::bucket"),
        ("replace", "/accessLogSettings/format", "$context.status"),
        ("replace", "/*/*/metrics/on", "true"),
        ("replace", "/stageName", "other"),
        ("add", "/*/*/metrics/enabled", "true"),
    ],
)
def test_what_no_stage_may_be(world: Rests, operation: tuple[str, ...]) -> None:
    world.ready()
    world.deploy("prod")
    before = stage_of(world)
    good = ("replace", "/accessLogSettings/format", "$context.requestId")
    with refused("BadRequestException"):
        change(world, ("replace", "/accessLogSettings/destinationArn", LOGS), good, operation)
    assert stage_of(world) == before


def test_without_a_role_for_it_nothing_is_logged(world: Rests) -> None:
    """[M]: REST APIs write logs as the account's own role."""
    world.ready()
    world.deploy("prod")
    restapis.settings().logs_role = False
    form = ("replace", "/accessLogSettings/format", "$context.requestId")
    with refused("BadRequestException") as answer:
        change(world, ("replace", "/accessLogSettings/destinationArn", LOGS), form)
    assert "role ARN must be set in account settings" in answer["Error"]["Message"]


def test_a_stage_may_be_made_by_itself(world: Rests) -> None:
    world.ready()
    made = world.deploy()
    asked = {"restApiId": world.api, "deploymentId": made}
    rest.create_stage(**asked, stageName="beta-1", tags={"owner": "me"})
    assert stage_of(world, "beta-1")["tags"] == {"owner": "me"}
    with refused("ConflictException"):
        rest.create_stage(**asked, stageName="beta-1")
    with refused("BadRequestException"):
        rest.create_stage(**asked, stageName="$default")
    rest.delete_stage(restApiId=world.api, stageName="beta-1")
    assert restapis.deployed(world.api, "beta-1") is None
    with refused("NotFoundException") as answer:
        stage_of(world, "beta-1")
    assert answer["Error"]["Message"] == "Invalid stage identifier specified"


def test_who_serves_hears_of_a_deployment(world: Rests) -> None:
    world.ready()
    told: list[int] = []
    apigateway.settings().changed = lambda: told.append(1)
    world.deploy("prod")
    assert told == [1]


def test_what_is_slow_goes_once_in_a_while(timeline: Timeline) -> None:
    """F§5.1: CreateDeployment once in five seconds, DeleteRestApi once in thirty, in one account with v2's."""
    GATE.throttle = throttle = Throttle()
    assert throttle.refuse("apigatewayv2", "CreateDeployment") is None
    once = Config(retries={"mode": "standard", "total_max_attempts": 1})
    api = boto3.client("apigateway", "eu-west-1", config=once)
    with pytest.raises(ClientError) as caught:
        api.create_deployment(restApiId="x")
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    ids = [api.create_rest_api(name="a")["id"] for _ in range(2)]
    api.delete_rest_api(restApiId=ids[0])
    timeline.run_for(29)
    with pytest.raises(ClientError) as caught:
        api.delete_rest_api(restApiId=ids[1])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    timeline.run_for(1)
    api.delete_rest_api(restApiId=ids[1])
