"""API Gateway's REST APIs made right: what AWS refuses, and stages that serve what was deployed and nothing else (F§5.5).

moto's front of v1 calls functions of ours, one per operation, with what is asked under the names of AWS's model.
`settings()` is what tests and the farm turn; what is of both versions (VPC Links, tags, `changed`) is turned in
`farm.aws.apigateway`. A data plane reads `apis` and `deployed`.
"""

from __future__ import annotations

from collections.abc import Callable

from moto.apigateway import urls
from moto.apigateway.responses import APIGatewayResponse
from moto.core.responses import ActionResult

from farm.aws.apigateway import vpc_links
from farm.aws.restapis import (
    authorizers,
    changes,
    deployments,
    integrations,
    methods,
    resources,
    rest_apis,
    stages,
    tags,
)
from farm.aws.restapis.deployed import Pools, RestIntegration
from farm.aws.restapis.model import Settings, Targets, rest_of, settings
from farm.aws.restapis.seen import apis, deployed, linked

__all__ = ["Pools", "RestIntegration", "Settings", "Targets", "apis", "deployed", "mend", "settings"]

_CALLS: tuple[changes.Act, ...] = (
    rest_apis.create_rest_api,
    rest_apis.get_rest_api,
    rest_apis.get_rest_apis,
    rest_apis.update_rest_api,
    rest_apis.delete_rest_api,
    resources.create_resource,
    resources.get_resource,
    resources.get_resources,
    resources.delete_resource,
    methods.put_method,
    methods.get_method,
    methods.update_method,
    methods.delete_method,
    integrations.put_integration,
    integrations.get_integration,
    integrations.update_integration,
    integrations.delete_integration,
    authorizers.create_authorizer,
    authorizers.get_authorizer,
    authorizers.get_authorizers,
    authorizers.update_authorizer,
    authorizers.delete_authorizer,
    deployments.create_deployment,
    deployments.get_deployment,
    deployments.get_deployments,
    deployments.delete_deployment,
    stages.create_stage,
    stages.get_stage,
    stages.get_stages,
    stages.update_stage,
    stages.delete_stage,
    tags.get_tags,
    tags.tag_resource,
    tags.untag_resource,
)
_TAGS = "{0}/tags/(?P<arn_begins>[^/]+)/restapis/(?P<arn_ends>.+)$"
"""What moto's front does not know. A server sees the slashes of an ARN as such."""


def mend() -> None:
    """Put moto's API Gateway v1 right, as far as REST APIs go."""
    for call in _CALLS:
        setattr(APIGatewayResponse, call.__name__, _answered_by(call))
    urls.url_paths[_TAGS] = APIGatewayResponse.dispatch
    vpc_links.ELSEWHERE.append(linked)


def _answered_by(call: changes.Act) -> Callable[[APIGatewayResponse], ActionResult]:
    def answer(self: APIGatewayResponse) -> ActionResult:
        self.parse_parameters(self.normalized_request)
        return ActionResult(call(rest_of(self.backend), dict(self.params)))

    return answer
