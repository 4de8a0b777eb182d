"""What calls of API Gateway and Route 53 need from IAM (F§7): a method on a path without an account, zones and records."""

from __future__ import annotations

from typing import Any

import pytest
from http_apis import Apis, api
from refusals import refused

from farm.gate import GATE
from farm.iam import Iam
from farm.permissions import needs, tags_of
from farm.timeline import Timeline

ROOT = "arn:aws:apigateway:eu-west-1::"


@pytest.mark.parametrize(
    ("operation", "params", "action", "path"),
    [
        ("GetApis", {}, "GET", "/apis"),
        ("CreateApi", {"Name": "a", "ProtocolType": "HTTP"}, "POST", "/apis"),
        ("UpdateApi", {"ApiId": "a1"}, "PATCH", "/apis/a1"),
        ("CreateRoute", {"ApiId": "a1", "RouteKey": "GET /"}, "POST", "/apis/a1/routes"),
        ("UpdateRoute", {"ApiId": "a1", "RouteId": "r1"}, "PATCH", "/apis/a1/routes/r1"),
        ("DeleteIntegration", {"ApiId": "a1", "IntegrationId": "i1"}, "DELETE", "/apis/a1/integrations/i1"),
        ("GetAuthorizers", {"ApiId": "a1"}, "GET", "/apis/a1/authorizers"),
        ("UpdateStage", {"ApiId": "a1", "StageName": "$default"}, "PATCH", "/apis/a1/stages/$default"),
        (
            "DeleteRouteSettings",
            {"ApiId": "a1", "StageName": "$default", "RouteKey": "GET /"},
            "DELETE",
            "/apis/a1/stages/$default/routesettings/GET /",
        ),
        ("DeleteVpcLink", {"VpcLinkId": "l1"}, "DELETE", "/vpclinks/l1"),
        (
            "DeleteApiMapping",
            {"DomainName": "a.b", "ApiMappingId": "m1"},
            "DELETE",
            "/domainnames/a.b/apimappings/m1",
        ),
        (
            "TagResource",
            {"ResourceArn": f"{ROOT}/apis/a1"},
            "POST",
            "/tags/arn%3Aaws%3Aapigateway%3Aeu-west-1%3A%3A%2Fapis%2Fa1",
        ),
    ],
)
def test_a_call_is_a_method_on_a_path(operation: str, params: dict[str, Any], action: str, path: str) -> None:
    """F§7."""
    need = needs("apigatewayv2", operation, params)[0]
    assert (need.action, need.resource) == (f"apigateway:{action}", f"{ROOT}{path}")


def test_the_older_version_has_the_same_paths() -> None:
    """F§7."""
    (need,) = needs("apigateway", "GetResources", {"restApiId": "a1"})
    assert (need.action, need.resource) == ("apigateway:GET", f"{ROOT}/restapis/a1/resources")


def test_what_else_a_call_needs() -> None:
    """F§5.1, F§5.4, F§7: tags, the service-linked role of VPC Links, deliveries of logs."""
    link = needs("apigatewayv2", "CreateVpcLink", {"Name": "a", "SubnetIds": [], "Tags": {"owner": "me"}})
    assert [one.action for one in link] == [
        "apigateway:POST",
        "apigateway:POST",
        "iam:CreateServiceLinkedRole",
    ]
    assert [one.resource for one in link[:2]] == [f"{ROOT}/vpclinks", f"{ROOT}/tags/*"]
    assert link[0].keys == {"aws:RequestTag/owner": ["me"], "aws:TagKeys": ["owner"]}
    logs = {"ApiId": "a1", "StageName": "a", "AccessLogSettings": {"DestinationArn": "arn"}}
    assert "logs:CreateLogDelivery" in [one.action for one in needs("apigatewayv2", "UpdateStage", logs)]


@pytest.mark.parametrize(
    "function",
    ["guard", "arn:aws:lambda:eu-west-1:123456789012:function:guard", "123456789012:function:guard"],
)
def test_a_function_s_policy_is_the_function_s(function: str) -> None:
    """F§5.3: conditions may ask whom it lets in."""
    asked = {"FunctionName": function, "StatementId": "s", "Principal": "apigateway.amazonaws.com"}
    (need,) = needs("lambda", "AddPermission", asked)

    assert (need.action, need.resource) == (
        "lambda:AddPermission",
        "arn:aws:lambda:eu-west-1:123456789012:function:guard",
    )
    assert need.keys == {"lambda:Principal": ["apigateway.amazonaws.com"]}
    assert needs("lambda", "GetPolicy", {"FunctionName": function})[0].keys == {}


def test_a_stage_that_logged_gives_its_delivery_back(timeline: Timeline) -> None:
    """F§5.4."""
    world = Apis(timeline)
    group = {
        "DestinationArn": "arn:aws:logs:eu-west-1:123456789012:log-group:g",
        "Format": "$context.requestId",
    }
    api.create_stage(ApiId=world.api, StageName="logs", AccessLogSettings=group)
    api.create_stage(ApiId=world.api, StageName="silent")

    for stage, given_back in (("logs", True), ("silent", False), ("unknown", False)):
        asked = needs("apigatewayv2", "DeleteStage", {"ApiId": world.api, "StageName": stage})
        assert ("logs:DeleteLogDelivery" in [one.action for one in asked]) is given_back


def test_a_role_may_be_kept_from_making_open_routes(timeline: Timeline) -> None:
    """F§7: apigateway:Request/RouteAuthorizationType; saying nothing is saying NONE (F§5.2)."""
    world = Apis(timeline)
    world.integration()
    kept = {"StringEquals": {"apigateway:Request/RouteAuthorizationType": "NONE"}}
    everything = {"Effect": "Allow", "Action": "apigateway:*", "Resource": "*"}
    Iam({"maker": [everything, {**everything, "Effect": "Deny", "Condition": kept}]}).enforce()
    GATE.acting = "maker"
    for wrong in ({}, {"AuthorizationType": "NONE"}):
        with refused("AccessDeniedException") as answer:
            world.route(**wrong)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
    made = world.route(AuthorizationType="AWS_IAM")
    with refused("AccessDeniedException"):
        api.update_route(ApiId=world.api, RouteId=made, AuthorizationType="NONE")
    api.update_route(ApiId=world.api, RouteId=made, OperationName="new")


def test_tags_of_an_api_hold_for_all_that_is_in_it(timeline: Timeline) -> None:
    """F§7: aws:ResourceTag works on children too."""
    world = Apis(timeline)
    ours = world.new_api("ours", Tags={"owner": "me"})
    tagged = {"StringEquals": {"aws:ResourceTag/owner": "me"}}
    Iam(
        {"maker": [{"Effect": "Allow", "Action": "apigateway:POST", "Resource": "*", "Condition": tagged}]}
    ).enforce()
    GATE.acting = "maker"
    api.create_route(ApiId=ours, RouteKey="GET /")
    with refused("AccessDeniedException"):
        api.create_route(ApiId=world.api, RouteKey="GET /")
    api.tag_resource(ResourceArn=world.arn("apis", ours), Tags={"a": "b"})
    assert tags_of(f"{ROOT}/apis/{ours}x/routes") == {}


def test_changes_of_records_are_of_a_zone() -> None:
    """F§7: and conditions may ask which names, types and actions."""
    record = {"Name": "API1.system.com.", "Type": "A"}
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    (need,) = needs(
        "route53", "ChangeResourceRecordSets", {"HostedZoneId": "/hostedzone/Z1", "ChangeBatch": batch}
    )
    assert need.resource == "arn:aws:route53:::hostedzone/Z1"
    assert need.keys == {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": ["api1.system.com"],
        "route53:ChangeResourceRecordSetsRecordTypes": ["A"],
        "route53:ChangeResourceRecordSetsActions": ["UPSERT"],
    }
    assert needs("route53", "ListHostedZones", {})[0].resource == "*"
