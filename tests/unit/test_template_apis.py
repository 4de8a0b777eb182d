"""template.yaml lets Reconcile do to APIs what the stack's parameters allow, opens no route unasked, and no more.

Asked of the farm's evaluator, with ARNs as AWS makes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.unit.stack import Stack, permitted, placed

OURS = {"aws:ResourceTag/ecs-expose:owner": ["granja-stack/0a1b2c3d"]}
THEIRS = {"aws:ResourceTag/team": ["granja"]}
ANOTHER_STACK = {"aws:ResourceTag/ecs-expose:owner": ["granja-stack-2/0a1b2c3d"]}
MARK = {"ecs-expose:owner": "granja-stack/0a1b2c3d"}
API = {"ApiId": "a1b2c3d4e5"}
ROUTE = {**API, "RouteKey": "ANY /orders", "Target": "integrations/i1", "AuthorizationType": "AWS_IAM"}
DOMAIN = {"DomainName": "api1.system.com"}
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b"
OPEN = [{"AuthorizationType": "NONE"}, {}]


def allowed(
    where: Stack, operation: str, *, tags: Mapping[str, Sequence[str]] | None = None, **params: Any
) -> bool:
    return permitted(where, "apigatewayv2", operation, tags=tags, **params)


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("GetApis", {}),
        ("GetRoutes", API),
        ("GetStage", {**API, "StageName": "$default"}),
        ("GetVpcLinks", {}),
        ("GetVpcLink", {"VpcLinkId": "l1"}),
        ("GetDomainName", DOMAIN),
        ("GetApiMappings", DOMAIN),
    ],
)
def test_everything_is_read(operation: str, params: dict[str, Any]) -> None:
    assert allowed(placed(AllowedNames="elsewhere.org"), operation, tags=THEIRS, **params)


# --- what is ours ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("UpdateApi", API),
        ("DeleteApi", API),
        ("DeleteCorsConfiguration", API),
        ("CreateStage", {**API, "StageName": "$default"}),
        ("DeleteStage", {**API, "StageName": "$default"}),
        ("DeleteVpcLink", {"VpcLinkId": "l1"}),
        ("UpdateDomainName", DOMAIN),
        ("DeleteDomainName", DOMAIN),
    ],
)
def test_only_what_bears_this_stack_s_mark_is_changed_or_deleted(
    operation: str, params: dict[str, Any]
) -> None:
    where = placed(ApiCertificate=CERTIFICATE, AllowedApis="*,a1b2c3d4e5,*")

    assert allowed(where, operation, tags=OURS, **params)
    assert not allowed(where, operation, tags=THEIRS, **params)
    assert not allowed(where, operation, tags=ANOTHER_STACK, **params)


def test_apis_and_links_are_created_and_nothing_is_tagged_but_with_the_mark() -> None:
    for operation, params in (
        ("CreateApi", {"Name": "api1.system.com", "ProtocolType": "HTTP"}),
        ("CreateVpcLink", {"Name": "link", "SubnetIds": ["subnet-1"]}),
    ):
        assert allowed(placed(), operation, Tags=MARK, **params)
        assert not allowed(placed(), operation, Tags={**MARK, "team": "granja"}, **params)


@pytest.mark.parametrize("operation", ["CreateDomainName", "UpdateDomainName", "DeleteDomainName"])
def test_domains_are_made_and_unmade_only_with_a_certificate(operation: str) -> None:
    assert allowed(placed(ApiCertificate=CERTIFICATE), operation, tags=OURS, Tags=MARK, **DOMAIN)
    assert not allowed(placed(), operation, tags=OURS, Tags=MARK, **DOMAIN)


# --- what is in the APIs and domains of others -----------------------------------------------------------------------

INSIDE = [
    ("CreateRoute", ROUTE),
    ("UpdateRoute", {**ROUTE, "RouteId": "r1"}),
    ("CreateIntegration", API),
    ("UpdateIntegration", {**API, "IntegrationId": "i1"}),
    ("CreateAuthorizer", API),
    ("UpdateAuthorizer", {**API, "AuthorizerId": "u1"}),
    ("UpdateStage", {**API, "StageName": "$default"}),
]
REMOVALS = [
    ("DeleteRoute", {**API, "RouteId": "r1"}),
    ("DeleteIntegration", {**API, "IntegrationId": "i1"}),
    ("DeleteAuthorizer", {**API, "AuthorizerId": "u1"}),
    ("DeleteRouteSettings", {**API, "StageName": "$default", "RouteKey": "ANY /orders"}),
    ("DeleteApiMapping", {**DOMAIN, "ApiMappingId": "m1"}),
]


@pytest.mark.parametrize(("operation", "params"), INSIDE)
@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("*", True),
        ("a1b2c3d4e5", True),
        ("f6,a1b?c3*", True),
        ("a1b2", False),
        ("b1b2c3d4e5", False),
        ("", False),
    ],
)
def test_routes_are_kept_in_the_allowed_apis_of_others(
    operation: str, params: dict[str, Any], listed: str, *, expected: bool
) -> None:
    assert allowed(placed(AllowedApis=listed), operation, tags=THEIRS, **params) is expected


@pytest.mark.parametrize(("operation", "params"), INSIDE)
def test_routes_are_kept_in_our_own_apis_whatever_the_list_says(
    operation: str, params: dict[str, Any]
) -> None:
    assert allowed(placed(), operation, tags=OURS, **params)


@pytest.mark.parametrize(("operation", "params"), REMOVALS)
def test_what_a_narrower_list_no_longer_allows_can_still_be_withdrawn(
    operation: str, params: dict[str, Any]
) -> None:
    """Routes bear no mark, so IAM cannot tell ours: the ledger does."""
    assert allowed(placed(AllowedNames="elsewhere.org"), operation, tags=THEIRS, **params)
    assert not allowed(placed(), "DeleteApi", tags=THEIRS, **API)
    assert not allowed(placed(), "DeleteStage", tags=THEIRS, **API, StageName="$default")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        *(
            ("*", True),
            ("system.com", True),
            ("a.org,api1.system.com", True),
            ("api1.system.com,a.org", True),
        ),
        ("elsewhere.org", False),
        ("stem.com", False),
    ],
)
@pytest.mark.parametrize("operation", ["CreateApiMapping", "UpdateApiMapping"])
def test_the_domains_of_others_are_mapped_below_the_allowed_names(
    operation: str, names: str, *, expected: bool
) -> None:
    params = {**DOMAIN, **API, "Stage": "$default", "ApiMappingId": "m1"}

    assert allowed(placed(AllowedNames=names), operation, tags=THEIRS, **params) is expected
    assert not allowed(placed(AllowedNames=names), "DeleteDomainName", tags=THEIRS, **DOMAIN)


def test_another_region_is_none_of_its_business() -> None:
    elsewhere = {"aws:RequestedRegion": ["us-east-1"]}

    assert not allowed(placed(), "CreateRoute", tags=elsewhere, **ROUTE)
    assert not allowed(placed(), "UpdateStage", tags=elsewhere, **API, StageName="$default")
    assert not allowed(placed(), "CreateApiMapping", tags=elsewhere, **DOMAIN, **API, Stage="$default")


# --- who may pass ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["CreateRoute", "UpdateRoute"])
@pytest.mark.parametrize("whose", [OURS, THEIRS])
def test_no_route_is_open_but_where_the_stack_allows_it(operation: str, whose: Mapping[str, Any]) -> None:
    """Saying nothing is saying NONE (F§5.2)."""
    route = {**API, "RouteKey": "ANY /orders", "RouteId": "r1"}
    closed, opened = placed(AllowedApis="*"), placed(AllowedApis="*", AllowOpenRoutes="yes")
    for way in ("AWS_IAM", "JWT", "CUSTOM"):
        assert allowed(closed, operation, tags=whose, **route, AuthorizationType=way)
    for unguarded in OPEN:
        assert not allowed(closed, operation, tags=whose, **route, **unguarded)
        assert allowed(opened, operation, tags=whose, **route, **unguarded)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [("*", True), ("guard", True), ("hook,gu*", True), ("guard-2", False), ("uard", False), ("", False)],
)
def test_functions_of_the_list_are_opened_to_api_gateway_and_to_nobody_else(
    listed: str, *, expected: bool
) -> None:
    where = placed(AllowedFunctions=listed)
    asked = {"FunctionName": "guard", "StatementId": "s", "Action": "lambda:InvokeFunction"}

    assert (
        permitted(where, "lambda", "AddPermission", **asked, Principal="apigateway.amazonaws.com") is expected
    )
    assert not permitted(where, "lambda", "AddPermission", **asked, Principal="*")
    assert permitted(where, "lambda", "RemovePermission", FunctionName="guard", StatementId="s")
    assert not permitted(where, "lambda", "Invoke", FunctionName="guard")


def test_records_are_listed_in_the_one_zone() -> None:
    where = placed(ApiHostedZone="Z0123456789ABC")

    assert permitted(where, "route53", "ListResourceRecordSets", HostedZoneId="/hostedzone/Z0123456789ABC")
    assert not permitted(where, "route53", "ListResourceRecordSets", HostedZoneId="/hostedzone/Z999")


@pytest.mark.parametrize(("logs", "expected"), [("no", False), ("yes", True)])
def test_requests_are_logged_only_where_the_stack_says_so(logs: str, *, expected: bool) -> None:
    stage = {**API, "StageName": "$default", "AccessLogSettings": {"DestinationArn": "arn", "Format": "f"}}

    assert allowed(placed(ApiAccessLogs=logs), "CreateStage", tags=OURS, **stage) is expected
    assert allowed(placed(ApiAccessLogs=logs), "CreateStage", tags=OURS, **{**stage, "AccessLogSettings": {}})


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ("Made by ecs-expose, stack granja-stack, for the services that are tagged with its names", True),
        ("Made by ecs-expose, stack granja-stack-2, for the services that are tagged with its names", False),
    ],
)
def test_only_namespaces_that_this_stack_made_are_deleted(mark: str, *, expected: bool) -> None:
    tags = {"aws:ResourceTag/ecs-expose:owner": [mark]}

    assert permitted(placed(), "servicediscovery", "CreateHttpNamespace", Name="granja-stack-api")
    assert permitted(placed(), "servicediscovery", "DeleteNamespace", tags=tags, Id="ns-1") is expected
