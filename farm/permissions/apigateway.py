"""API Gateway: the method of a call and the path that it goes to, both of its versions (F§7).

A call that brings tags needs to tag what it makes as well; a VPC Link needs the service-linked role that makes its
interfaces, and access logs need CloudWatch Logs to let them be delivered.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from moto.core.utils import get_service_model

from farm.aws import ACCOUNT, REGION
from farm.aws.apigateway import tags_by_arn
from farm.aws.apigateway.model import gateway
from farm.permissions.need import Need, Params

_ROOT = f"arn:aws:apigateway:{REGION}::"
_ASKED = {
    "CreateRoute": ("RouteAuthorizationType", "AuthorizationType", "NONE"),
    "UpdateRoute": ("RouteAuthorizationType", "AuthorizationType", ""),
    "CreateAuthorizer": ("AuthorizerType", "AuthorizerType", ""),
    "UpdateAuthorizer": ("AuthorizerType", "AuthorizerType", ""),
    "CreateApi": ("ApiName", "Name", ""),
    "UpdateApi": ("ApiName", "Name", ""),
}
_ASKED_OF_REST = {
    "PutMethod": ("RouteAuthorizationType", "authorizationType", "NONE"),
    "UpdateMethod": ("RouteAuthorizationType", "authorizationType", ""),
    "CreateAuthorizer": ("AuthorizerType", "type", ""),
    "CreateRestApi": ("ApiName", "name", ""),
    "UpdateRestApi": ("ApiName", "name", ""),
}
"""What conditions may ask about a request, where the call says it, and what it says by saying nothing."""
_ROLE = Need(
    "iam:CreateServiceLinkedRole",
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ops.apigateway.amazonaws.com/AWSServiceRoleForAPIGateway",
    {"iam:AWSServiceName": ["ops.apigateway.amazonaws.com"]},
)
"""AWS asks for it with an account's first VPC Link only; here with each, so that it cannot be forgotten."""
_LOGS = [
    Need(f"logs:{action}")
    for action in (
        *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "ListLogDeliveries"),
        *("PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
    )
]
"""What AWS's guides ask of whoever has logs delivered; which of it each call needs is not said."""
_LOGS_END = [Need("logs:DeleteLogDelivery")]


def needs(service: str, operation: str, params: Params) -> list[Need]:
    """`service` is apigateway or apigatewayv2."""
    method, path = _request(service, operation, params)
    tags = _tag_keys(params)
    asked = _ASKED if service == "apigatewayv2" else _ASKED_OF_REST
    found = [Need(f"apigateway:{method}", _ROOT + path, {**_keys(asked.get(operation), params), **tags})]
    if tags and operation != "TagResource":
        tagging = "POST" if service == "apigatewayv2" else "PUT"
        found.append(Need(f"apigateway:{tagging}", f"{_ROOT}/tags/*", tags))
    if operation == "CreateVpcLink":
        found.append(_ROLE)
    if params.get("AccessLogSettings"):
        found += _LOGS
    if operation in {"DeleteStage", "DeleteAccessLogSettings"} and _logged(params):
        found += _LOGS_END
    return found


def tags_of(resource: str) -> dict[str, str]:
    """Its own tags, over those of the API or domain name that it is in; for a path below /tags, of what it names."""
    arn = unquote(resource.removeprefix(f"{_ROOT}/tags/"))
    found: dict[str, str] = {}
    for above, tags in sorted(tags_by_arn().items()):
        if f"{arn}/".startswith(f"{above}/"):
            found |= tags
    return found


def _logged(params: Params) -> bool:
    """Of an HTTP API's stage: REST APIs write logs as the account's own role."""
    api = gateway(REGION).apis.get(params.get("ApiId", ""))
    stage = api.stages.get(params["StageName"]) if api else None
    return stage is not None and bool(stage.shown.get("AccessLogSettings"))


def _request(service: str, operation: str, params: Params) -> tuple[str, str]:
    model = get_service_model(service).operation_model(operation)
    path: str = model.http["requestUri"].partition("?")[0].removeprefix("/v2")
    for name, member in model.input_shape.members.items():
        if member.serialization.get("location") == "uri":
            value = quote(params[name], safe="") if path.startswith("/tags") else params[name]
            path = path.replace(f"{{{member.serialization['name']}}}", value)
    return model.http["method"], path


def _keys(asked: tuple[str, str, str] | None, params: Params) -> dict[str, list[str]]:
    if asked is None:
        return {}
    key, member, unsaid = asked
    value = params.get(member) or _patch(params, member) or unsaid
    return {f"apigateway:Request/{key}": [value]} if value else {}


def _patch(params: Params, member: str) -> str:
    """What the PATCH operations of a REST API make of a member; nothing if they leave it."""
    said = [one for one in params.get("patchOperations", ()) if one.get("path") == f"/{member}"]
    return str(said[-1].get("value", "")) if said else ""


def _tag_keys(params: Params) -> dict[str, list[str]]:
    tags = params.get("Tags") or params.get("tags") or {}
    asked = {f"aws:RequestTag/{key}": [value] for key, value in tags.items()}
    return {**asked, "aws:TagKeys": list(tags)} if tags else {}
