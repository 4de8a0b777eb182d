"""REST APIs in a few words, for the contract tests of the farm's API Gateway; what is made has an id, and that is returned."""

from __future__ import annotations

from typing import Any

from farm import seed
from farm.account import client
from farm.aws import REGION
from farm.timeline import Timeline

rest: Any = client("apigateway")
POOL = f"arn:aws:cognito-idp:{REGION}:123456789012:userpool/{REGION}_Ab12Cd34"
PROXY = {"method.request.path.proxy": True}
MAPPED = {"integration.request.path.proxy": "method.request.path.proxy"}


class Rests:
    """The farm's network, a load balancer in it, and one REST API."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.network = seed.network(client("ec2"))
        self.api = self.new_api()

    @property
    def root(self) -> str:
        return str(rest.get_rest_api(restApiId=self.api)["rootResourceId"])

    def new_api(self, name: str = "granja", **asked: Any) -> str:
        wanted = {"endpointConfiguration": {"types": ["REGIONAL"]}, **asked}
        return str(rest.create_rest_api(name=name, **wanted)["id"])

    def link(self, *, ready: bool = True) -> str:
        """Of V2."""
        made = client("apigatewayv2").create_vpc_link(Name="link", SubnetIds=list(self.network.private))
        if ready:
            self.timeline.run_for(180)
        return str(made["VpcLinkId"])

    def listener(self, name: str = "inner") -> tuple[str, str]:
        """The ARNs of a load balancer and of its listener."""
        elb: Any = client("elbv2")
        asked = {"Name": name, "Subnets": list(self.network.private), "Scheme": "internal"}
        balancer = elb.create_load_balancer(**asked)["LoadBalancers"][0]["LoadBalancerArn"]
        fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
        made = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[fixed])
        return balancer, made["Listeners"][0]["ListenerArn"]

    def resource(self, part: str, parent: str = "") -> str:
        made = rest.create_resource(restApiId=self.api, parentId=parent or self.root, pathPart=part)
        return str(made["id"])

    def method(self, resource: str, name: str = "ANY", **asked: Any) -> str:
        wanted = {"authorizationType": "NONE", **asked}
        rest.put_method(restApiId=self.api, resourceId=resource, httpMethod=name, **wanted)
        return name

    def pools(self, name: str = "pools", *pools: str) -> str:
        made = rest.create_authorizer(
            restApiId=self.api,
            name=name,
            type="COGNITO_USER_POOLS",
            providerARNs=list(pools or (POOL,)),
            identitySource="method.request.header.Authorization",
        )
        return str(made["id"])

    def integrate(self, resource: str, name: str = "ANY", **asked: Any) -> dict[str, Any]:
        """Over the internet, unless said otherwise."""
        wanted = {
            "type": "HTTP_PROXY",
            "integrationHttpMethod": "ANY",
            "uri": "http://orders.internal/orders",
            **asked,
        }
        made = rest.put_integration(restApiId=self.api, resourceId=resource, httpMethod=name, **wanted)
        return shown(made)

    def deploy(self, stage: str = "", **asked: Any) -> str:
        self.timeline.run_for(5)
        named = {"stageName": stage} if stage else {}
        return str(rest.create_deployment(restApiId=self.api, **named, **asked)["id"])

    def ready(self, *parts: str) -> str:
        """A resource with an open method and an integration."""
        parent = ""
        for part in parts or ("orders",):
            parent = self.resource(part, parent)
        self.method(parent)
        self.integrate(parent)
        return parent

    def summary(self, deployment: str) -> dict[str, Any]:
        asked = {"deploymentId": deployment, "embed": ["apisummary"]}
        return dict(rest.get_deployment(restApiId=self.api, **asked)["apiSummary"])


def shown(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
