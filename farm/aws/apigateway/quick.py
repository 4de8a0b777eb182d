"""Quick-created APIs: one call makes route, integration and stage, and API Gateway keeps hold of them (F§5.2)."""

from __future__ import annotations

from farm.aws.apigateway.http_apis import create_api as create
from farm.aws.apigateway.integrations import create_integration
from farm.aws.apigateway.model import Gateway, Params, Result, invalid
from farm.aws.apigateway.routes import create_route
from farm.aws.apigateway.stages import create_stage

_QUICK = ("Target", "RouteKey", "CredentialsArn")


def create_api(of: Gateway, asked: Params) -> Result:
    """With a target, the way there is made as well: a URL or a function, on the stage $default."""
    made = create(of, {name: value for name, value in asked.items() if name not in _QUICK})
    if "Target" in asked:
        try:
            _make_way(of, made["ApiId"], asked)
        except Exception:  # whatever is refused, no half of an API stays
            del of.apis[made["ApiId"]]
            raise
    elif "RouteKey" in asked:
        raise invalid("Specifying a route key needs a target")
    return made


def _make_way(of: Gateway, api: str, asked: Params) -> None:
    uri = asked["Target"]
    kind = (
        {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0"}
        if uri.startswith("arn:")
        else {"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "ANY"}
    )
    integration = create_integration(of, {"ApiId": api, "IntegrationUri": uri, **kind})
    key, target = asked.get("RouteKey", "$default"), f"integrations/{integration['IntegrationId']}"
    route = create_route(of, {"ApiId": api, "RouteKey": key, "Target": target})
    create_stage(of, {"ApiId": api, "StageName": "$default", "AutoDeploy": True})
    for shown in (integration, route, of.apis[api].stages["$default"].shown):
        shown["ApiGatewayManaged"] = True
