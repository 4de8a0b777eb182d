"""A private service behind a REST API, as tests of the gateway put it together by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from farm.aws import REGION
from farm.farm import Farm
from farm.gateway import Reply
from tests.integration.gateways import link
from tests.integration.rest_apis import MAPPED, PROXY

NAME = "orders.internal"
POOL = f"{REGION}_Ab12Cd34"
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"


@dataclass
class Rested:
    """A REST API whose integrations lead through a load balancer to the private tasks of a service."""

    farm: Farm
    api: str
    root: str
    link: str
    listener: str
    stage: str = "prod"

    @property
    def rest(self) -> Any:
        return self.farm.client("apigateway")

    @property
    def host(self) -> str:
        return f"{self.api}.execute-api.{REGION}.amazonaws.com"

    def resource(self, path: str) -> str:
        """By its path; what of it is not there is made."""
        items = self.rest.get_resources(restApiId=self.api, limit=500)["items"]
        known = {one["path"]: one["id"] for one in items}
        above, at = self.root, ""
        for part in [one for one in path.split("/") if one]:
            at = f"{at}/{part}"
            if at not in known:
                asked = {"restApiId": self.api, "parentId": above, "pathPart": part}
                known[at] = self.rest.create_resource(**asked)["id"]
            above = known[at]
        return above

    def route(self, key: str, uri: str = f"http://{NAME}/", method: Any = None, **integration: Any) -> None:
        """A method and its integration. What `{proxy}` stands for in the path may be used in the URI."""
        name, _, path = key.partition(" ")
        place = {"restApiId": self.api, "resourceId": self.resource(path), "httpMethod": name}
        greedy = "{proxy+}" in path
        declared = {"authorizationType": "NONE", "requestParameters": PROXY if greedy else {}}
        self.rest.put_method(**place, **{**declared, **(method or {})})
        wanted = {
            "type": "HTTP_PROXY",
            "integrationHttpMethod": "ANY",
            "uri": uri,
            "connectionType": "VPC_LINK",
            "connectionId": self.link,
            "integrationTarget": self.listener,
            "requestParameters": MAPPED if greedy else {},
            **integration,
        }
        self.rest.put_integration(**place, **wanted)

    def pools(self, *pools: str) -> str:
        arns = [f"arn:aws:cognito-idp:{REGION}:123456789012:userpool/{one}" for one in pools or (POOL,)]
        made = self.rest.create_authorizer(
            restApiId=self.api,
            name=f"pools-{len(arns)}",
            type="COGNITO_USER_POOLS",
            providerARNs=arns,
            identitySource="method.request.header.Authorization",
        )
        return str(made["id"])

    def deploy(self) -> str:
        return str(self.rest.create_deployment(restApiId=self.api, stageName=self.stage)["id"])

    def get(self, path: str, **more: Any) -> Reply:
        """Within the stage."""
        return self.farm.invoke(self.host, f"/{self.stage}{path}", **more)


def rest_expose(farm: Farm, listener: str) -> Rested:
    """An API without methods."""
    made = farm.client("apigateway").create_rest_api(
        name="granja", endpointConfiguration={"types": ["REGIONAL"]}
    )
    return Rested(farm, made["id"], made["rootResourceId"], link(farm), listener)
