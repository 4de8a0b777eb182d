"""API Gateway's HTTP APIs made right: what AWS refuses, VPC Links that take their time, stages that serve snapshots (F§5).

moto's front calls functions of ours, one per operation of the API, with what is asked under the names of AWS's model.
`settings()` is what tests and the farm turn. A data plane reads `apis`, `deployed`, `links`, `domains` and `mappings`,
is told through `settings().changed`, and tells through `wake` that an INACTIVE link had a request.
"""

from __future__ import annotations

from collections.abc import Callable

from moto.apigateway import urls as front_urls
from moto.apigatewayv2 import urls
from moto.apigatewayv2.models import ApiGatewayV2Backend
from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.core.resource_tagging import TaggableResourcesMixin
from moto.core.responses import ActionResult

from farm.aws.apigateway import (
    api_mappings,
    authorizers,
    changes,
    domain_names,
    http_apis,
    integrations,
    quick,
    routes,
    stages,
    tags,
    vpc_links,
)
from farm.aws.apigateway.deployed import (
    AccessLogs,
    Authorizer,
    Cors,
    Deployed,
    Integration,
    Route,
    RouteSettings,
)
from farm.aws.apigateway.model import Settings, gateway_of, settings
from farm.aws.apigateway.seen import (
    Domain,
    Link,
    Mapping,
    Served,
    apis,
    deployed,
    domains,
    links,
    mappings,
)
from farm.aws.apigateway.tags import tags_by_arn
from farm.aws.apigateway.vpc_links import rest, wake

__all__ = [
    "AccessLogs",
    "Authorizer",
    "Cors",
    "Deployed",
    "Domain",
    "Integration",
    "Link",
    "Mapping",
    "Route",
    "RouteSettings",
    "Served",
    "Settings",
    "apis",
    "deployed",
    "domains",
    "links",
    "mappings",
    "mend",
    "rest",
    "settings",
    "tags_by_arn",
    "wake",
]

_CALLS: tuple[changes.Act, ...] = (
    quick.create_api,
    http_apis.get_api,
    http_apis.get_apis,
    http_apis.update_api,
    http_apis.delete_api,
    http_apis.delete_cors_configuration,
    routes.create_route,
    routes.get_route,
    routes.get_routes,
    routes.update_route,
    routes.delete_route,
    integrations.create_integration,
    integrations.get_integration,
    integrations.get_integrations,
    integrations.update_integration,
    integrations.delete_integration,
    authorizers.create_authorizer,
    authorizers.get_authorizer,
    authorizers.get_authorizers,
    authorizers.update_authorizer,
    authorizers.delete_authorizer,
    stages.create_stage,
    stages.get_stage,
    stages.get_stages,
    stages.update_stage,
    stages.delete_stage,
    stages.delete_route_settings,
    stages.delete_access_log_settings,
    changes.create_deployment,
    changes.get_deployment,
    changes.get_deployments,
    changes.delete_deployment,
    vpc_links.create_vpc_link,
    vpc_links.get_vpc_link,
    vpc_links.get_vpc_links,
    vpc_links.update_vpc_link,
    vpc_links.delete_vpc_link,
    domain_names.create_domain_name,
    domain_names.get_domain_name,
    domain_names.get_domain_names,
    domain_names.update_domain_name,
    domain_names.delete_domain_name,
    api_mappings.create_api_mapping,
    api_mappings.get_api_mapping,
    api_mappings.get_api_mappings,
    api_mappings.update_api_mapping,
    api_mappings.delete_api_mapping,
    tags.get_tags,
    tags.tag_resource,
    tags.untag_resource,
)
_STAGE = "{0}/v2/apis/(?P<api_id>[^/]+)/stages/(?P<stage_name>[^/]+)"
_TAGS = "{0}/v2/tags/(?P<arn_begins>[^/]+)"
_PATHS = (
    "{0}/v2/apis/(?P<api_id>[^/]+)/deployments$",
    "{0}/v2/apis/(?P<api_id>[^/]+)/deployments/(?P<deployment_id>[^/]+)$",
    f"{_STAGE}/accesslogsettings$",
    f"{_STAGE}/routesettings/(?P<route_key>.+)$",
    f"{_TAGS}/apis/(?P<arn_goes_on>[^/]+)/stages/(?P<arn_ends>[^/]+)$",
    f"{_TAGS}/domainnames/(?P<arn_ends>[^/]+)$",
)
"""What moto's front does not know. A server sees the slashes of an ARN as such."""


def mend() -> None:
    """Put moto's API Gateway v2 right."""
    for call in _CALLS:
        setattr(ApiGatewayV2Response, call.__name__, _answered_by(call))
    for path in _PATHS:
        urls.url_paths[path] = front_urls.url_paths[path] = ApiGatewayV2Response.dispatch
    ApiGatewayV2Backend.__bases__ = (*ApiGatewayV2Backend.__bases__, TaggableResourcesMixin)
    ApiGatewayV2Backend.SERVICE_NAMESPACE = "apigateway"
    ApiGatewayV2Backend.iter_tagged_resources = tags.iter_tagged_resources
    ApiGatewayV2Backend.tag_resource = tags.add_tags
    ApiGatewayV2Backend.untag_resource = tags.take_tags


def _answered_by(call: changes.Act) -> Callable[[ApiGatewayV2Response], ActionResult]:
    def answer(self: ApiGatewayV2Response) -> ActionResult:
        self.parse_parameters(self.normalized_request)
        return ActionResult(call(gateway_of(self.apigatewayv2_backend), dict(self.params)))

    return answer
