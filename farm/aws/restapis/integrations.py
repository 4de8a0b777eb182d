"""Integrations: what a method leads to. A private one goes through a VPC Link to a load balancer, never to Cloud Map (F§5.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from moto.apigateway import apigateway_backends

from farm.aws import ACCOUNT, elb
from farm.aws.apigateway.model import Params, Result, given, invalid
from farm.aws.restapis.changes import Read, changing, number, operations, patched
from farm.aws.restapis.model import Rest, find

_MEMBERS = (
    "cacheKeyParameters",
    "cacheNamespace",
    "connectionId",
    "connectionType",
    "contentHandling",
    "credentials",
    "integrationTarget",
    "passthroughBehavior",
    "requestParameters",
    "requestTemplates",
    "responseTransferMode",
    "timeoutInMillis",
    "tlsConfig",
    "type",
    "uri",
)
_PATCHED: Mapping[str, Read] = {
    "connectionId": str,
    "connectionType": str,
    "httpMethod": str,
    "integrationTarget": str,
    "passthroughBehavior": str,
    "requestParameters": str,
    "timeoutInMillis": number,
    "uri": str,
}
_TYPES = {"AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"}
_URL = re.compile(r"https?://[^\s/]+\S*")
_KEY = re.compile(r"integration\.request\.(path|querystring|header)\.[\w.$-]+")
_VALUE = re.compile(r"'[^']*'|(context|stageVariables)\.[\w.-]+")


@changing
def put_integration(of: Rest, asked: Params) -> Result:
    """In place of the one that was there, if any."""
    method = of.api(asked).method(asked)
    shown = {
        "cacheKeyParameters": [],
        "cacheNamespace": asked["resourceId"],
        "connectionType": "INTERNET",
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000,
        **given(asked, _MEMBERS),
    }
    if asked.get("integrationHttpMethod"):
        shown["httpMethod"] = asked["integrationHttpMethod"]
    _check(of, method, shown)
    method["methodIntegration"] = shown
    return shown


def get_integration(of: Rest, asked: Params) -> Result:
    return _found(of.api(asked).method(asked))


@changing
def update_integration(of: Rest, asked: Params) -> Result:
    method = of.api(asked).method(asked)
    shown = _found(method)
    for operation in operations(asked):
        shown = patched(shown, *operation, _PATCHED)
    _check(of, method, shown)
    method["methodIntegration"] = shown
    return shown


@changing
def delete_integration(of: Rest, asked: Params) -> Result:
    method = of.api(asked).method(asked)
    _found(method)
    del method["methodIntegration"]
    return {}


def _found(method: Result) -> Result:
    found: Result = find("Integration", method, "methodIntegration")
    return found


def _check(of: Rest, method: Result, shown: Result) -> None:
    if shown["type"] not in _TYPES:
        raise invalid(f"Invalid integration type specified {shown['type']}")
    if shown["type"] != "MOCK" and not shown.get("httpMethod"):
        raise invalid("Enumeration value for HttpMethod must be non-empty")
    if shown["type"].startswith("HTTP") and not _URL.fullmatch(shown.get("uri", "")):
        raise invalid("Invalid HTTP endpoint specified for URI")
    if not 50 <= shown["timeoutInMillis"] <= 29000:
        raise invalid("Timeout should be between 50 ms and 29000 ms")
    _check_parameters(method, shown.get("requestParameters", {}))
    if shown["connectionType"] == "VPC_LINK":
        _check_private(of, shown)
    elif shown.get("integrationTarget"):
        raise invalid("An integration target is only valid for ConnectionType VPC_LINK")


def _check_parameters(method: Result, parameters: Result) -> None:
    """What is mapped must be a parameter of the method."""
    for key, value in parameters.items():
        if not _KEY.fullmatch(key) or not (
            _VALUE.fullmatch(value) or value in method.get("requestParameters", {})
        ):
            raise invalid(
                "Invalid mapping expression specified: Validation Result: warnings : [], "
                f"errors : [Invalid mapping expression parameter specified: {value}]"
            )


def _check_private(of: Rest, shown: Result) -> None:
    """Through a link of V1 to its own NLB, through one of V2 to what the integration names."""
    if not shown["type"].startswith("HTTP"):
        raise invalid("VPC_LINK is only valid for integrations of type HTTP and HTTP_PROXY")
    identity, target = shown.get("connectionId", ""), shown.get("integrationTarget", "")
    link = of.both.links.get(identity)
    if link is None and identity in apigateway_backends[ACCOUNT][of.region].vpc_links:
        if target:
            raise invalid("An integration target is only valid with a V2 VPC link")
        return
    if link is None or link.shown["VpcLinkStatus"] == "DELETING":
        raise invalid(f"Invalid VPC link identifier specified '{identity}'")
    if target not in _targets(of):
        raise invalid(
            f"For a V2 VPC link, integrationTarget should be a valid ARN ({of.settings.targets}) "
            f"of an Application or Network Load Balancer, and '{target}' is not."
        )


def _targets(of: Rest) -> set[str]:
    balancers = elb.balancers(of.region)
    arns = {balancer.arn for balancer in balancers}
    listeners = {listener.arn for balancer in balancers for listener in elb.listeners(balancer)}
    return {"listener": listeners, "balancer": arns, "either": arns | listeners}[of.settings.targets]
