"""What calls of REST APIs need from IAM (F§7): the same methods on paths as HTTP APIs, and the same conditions."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused
from rest_apis import Rests, rest

from farm.gate import GATE
from farm.iam import Iam
from farm.permissions import needs, tags_of
from farm.timeline import Timeline

ROOT = "arn:aws:apigateway:eu-west-1::"
METHOD = {"restApiId": "a1", "resourceId": "r1", "httpMethod": "ANY"}


@pytest.mark.parametrize(
    ("operation", "params", "action", "path"),
    [
        ("GetRestApis", {}, "GET", "/restapis"),
        ("CreateRestApi", {"name": "a"}, "POST", "/restapis"),
        ("DeleteRestApi", {"restApiId": "a1"}, "DELETE", "/restapis/a1"),
        ("CreateResource", {"restApiId": "a1", "parentId": "r0"}, "POST", "/restapis/a1/resources/r0"),
        ("PutMethod", METHOD, "PUT", "/restapis/a1/resources/r1/methods/ANY"),
        ("UpdateMethod", METHOD, "PATCH", "/restapis/a1/resources/r1/methods/ANY"),
        ("PutIntegration", METHOD, "PUT", "/restapis/a1/resources/r1/methods/ANY/integration"),
        ("CreateDeployment", {"restApiId": "a1"}, "POST", "/restapis/a1/deployments"),
        ("UpdateStage", {"restApiId": "a1", "stageName": "prod"}, "PATCH", "/restapis/a1/stages/prod"),
        ("DeleteStage", {"restApiId": "a1", "stageName": "prod"}, "DELETE", "/restapis/a1/stages/prod"),
        ("CreateAuthorizer", {"restApiId": "a1", "type": "TOKEN"}, "POST", "/restapis/a1/authorizers"),
    ],
)
def test_a_call_is_a_method_on_a_path(operation: str, params: dict[str, Any], action: str, path: str) -> None:
    """F§7."""
    (need,) = needs("apigateway", operation, params)
    assert (need.action, need.resource) == (f"apigateway:{action}", f"{ROOT}{path}")


def test_who_makes_an_api_with_tags_must_be_allowed_to_tag() -> None:
    """F§7: v1 tags with PUT."""
    made, tagging = needs("apigateway", "CreateRestApi", {"name": "a", "tags": {"owner": "me"}})
    assert made.keys == {
        "apigateway:Request/ApiName": ["a"],
        "aws:RequestTag/owner": ["me"],
        "aws:TagKeys": ["owner"],
    }
    assert (tagging.action, tagging.resource) == ("apigateway:PUT", f"{ROOT}/tags/*")


def test_what_is_in_an_api_has_its_tags(timeline: Timeline) -> None:
    """F§7: aws:ResourceTag works on children too."""
    found = Rests(timeline).new_api("mine", tags={"owner": "me"})
    assert tags_of(f"{ROOT}/restapis/{found}/resources/r1/methods/ANY") == {"owner": "me"}
    assert tags_of(f"{ROOT}/restapis/{found}x/resources") == {}


def test_a_role_may_be_kept_from_making_open_methods(timeline: Timeline) -> None:
    """F§7: apigateway:Request/RouteAuthorizationType, asked for by PutMethod and by a PATCH of it."""
    world = Rests(timeline)
    orders = world.resource("orders")
    world.method(orders, authorizationType="AWS_IAM")
    kept = {"StringEquals": {"apigateway:Request/RouteAuthorizationType": "NONE"}}
    everything = {"Effect": "Allow", "Action": "apigateway:*", "Resource": "*"}
    Iam({"maker": [everything, {**everything, "Effect": "Deny", "Condition": kept}]}).enforce()
    GATE.acting = "maker"
    opening = [{"op": "replace", "path": "/authorizationType", "value": "NONE"}]
    with refused("AccessDeniedException") as answer:
        world.method(orders, "GET")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
    with refused("AccessDeniedException"):
        rest.update_method(restApiId=world.api, resourceId=orders, httpMethod="ANY", patchOperations=opening)
    world.method(orders, "GET", authorizationType="AWS_IAM")
