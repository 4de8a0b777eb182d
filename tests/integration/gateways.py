"""A private service behind an HTTP API, as tests of the gateway put it together by hand."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any

from farm.farm import Farm
from farm.gateway import Reply

INTERNAL = {"overwrite:path": "$request.path"}


@dataclass
class Exposed:
    """An HTTP API whose integrations lead to the private tasks of a service."""

    farm: Farm
    api: str
    host: str
    link: str
    registry: str
    """The Cloud Map service's id."""
    uri: str
    """And its ARN."""
    ids: dict[str, str] = field(default_factory=dict)
    """Routes by their key."""

    def integration(self, uri: str = "", **more: Any) -> str:
        asked = {
            "IntegrationType": "HTTP_PROXY",
            "IntegrationMethod": "ANY",
            "ConnectionType": "VPC_LINK",
            "ConnectionId": self.link,
            "PayloadFormatVersion": "1.0",
            "IntegrationUri": uri or self.uri,
            "RequestParameters": INTERNAL,
            **more,
        }
        return self.gateway.create_integration(ApiId=self.api, **asked)["IntegrationId"]

    def route(self, key: str, integration: str = "", **more: Any) -> str:
        """Its id. Without an integration it gets one of its own."""
        target = f"integrations/{integration or self.integration()}"
        made = self.gateway.create_route(ApiId=self.api, RouteKey=key, Target=target, **more)
        self.ids[key] = made["RouteId"]
        return self.ids[key]

    def stage(self, name: str = "$default", **more: Any) -> None:
        self.gateway.create_stage(ApiId=self.api, StageName=name, AutoDeploy=True, **more)

    def jwt(self, issuer: str, *audiences: str) -> str:
        made = self.gateway.create_authorizer(
            ApiId=self.api,
            Name="jwt",
            AuthorizerType="JWT",
            IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={"Issuer": issuer, "Audience": list(audiences)},
        )
        return made["AuthorizerId"]

    def request_authorizer(self, function: str, *identity: str, **more: Any) -> str:
        path = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{function}/invocations"
        asked = {"AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": True, **more}
        made = self.gateway.create_authorizer(
            ApiId=self.api,
            Name=function[-20:],
            AuthorizerType="REQUEST",
            AuthorizerUri=path,
            IdentitySource=list(identity),
            **asked,
        )
        return made["AuthorizerId"]

    def get(self, path: str, **more: Any) -> Reply:
        return self.farm.invoke(self.host, path, **more)

    def register(self, **attributes: str) -> None:
        """One more instance: an address and a port if they are given."""
        number = len(self.instances())
        self.farm.cloudmap.register_instance(
            ServiceId=self.registry, InstanceId=f"i-{number}", Attributes=attributes
        )
        assert self.farm.run_until(lambda: len(self.instances()) == number + 1, limit=30)

    def deregister(self) -> None:
        """All instances."""
        for one in self.instances():
            self.farm.cloudmap.deregister_instance(ServiceId=self.registry, InstanceId=one["Id"])
        assert self.farm.run_until(lambda: not self.instances(), limit=30)

    def instances(self) -> list[Any]:
        return self.farm.cloudmap.list_instances(ServiceId=self.registry)["Instances"]

    @property
    def gateway(self) -> Any:
        return self.farm.client("apigatewayv2")


def expose(farm: Farm, name: str, *, registered: bool = True) -> Exposed:
    """An API without routes; the service's tasks are in a Cloud Map service of their own."""
    registry = farm.cloudmap.create_service(Name=name, NamespaceId=_namespace(farm))["Service"]
    api = farm.client("apigatewayv2").create_api(Name=name, ProtocolType="HTTP")
    host = api["ApiEndpoint"].removeprefix("https://")
    found = Exposed(farm, api["ApiId"], host, link(farm), registry["Id"], registry["Arn"])
    for address in farm.addresses(name, public=False) if registered else ():
        found.register(AWS_INSTANCE_IPV4=address, AWS_INSTANCE_PORT="8080")
    return found


def link(farm: Farm) -> str:
    """The one in the private subnets; it is there when this returns."""
    gateway = farm.client("apigatewayv2")
    if known := gateway.get_vpc_links()["Items"]:
        return known[0]["VpcLinkId"]
    made = gateway.create_vpc_link(Name="private", SubnetIds=list(farm.network.private))["VpcLinkId"]
    ready = lambda: gateway.get_vpc_link(VpcLinkId=made)["VpcLinkStatus"] == "AVAILABLE"  # noqa: E731 - short
    assert farm.run_until(ready, limit=30)
    return made


def _namespace(farm: Farm) -> str:
    listed = lambda: farm.cloudmap.list_namespaces()["Namespaces"]  # noqa: E731 - short
    if not listed():
        farm.create_namespace("apis.internal", "http")
        assert farm.run_until(lambda: bool(listed()), limit=30)
    return listed()[0]["Id"]


def deployed(farm: Farm, name: str) -> str:
    """A function in the account's Lambda. Its ARN."""
    trust = {"Version": "2012-10-17", "Statement": []}
    role = farm.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr("index.py", "")
    made = farm.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role["Role"]["Arn"],
        Handler="index.handler",
        Code={"ZipFile": packed.getvalue()},
    )
    return made["FunctionArn"]
