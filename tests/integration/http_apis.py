"""HTTP APIs in a few words, for the contract tests of the farm's API Gateway; what is made has an id, and that is returned."""

from __future__ import annotations

from typing import Any

from farm import seed
from farm.account import client
from farm.aws import REGION
from farm.timeline import Timeline

api: Any = client("apigatewayv2")
ISSUER = "https://issuer.example.com"


class Apis:
    """The farm's network, and one API in it."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.network = seed.network(client("ec2"))
        self.api = self.new_api()

    def new_api(self, name: str = "granja", **asked: Any) -> str:
        return str(api.create_api(Name=name, ProtocolType="HTTP", **asked)["ApiId"])

    def arn(self, *path: str) -> str:
        return f"arn:aws:apigateway:{REGION}::/{'/'.join(path)}"

    def link(self, name: str = "link", *, ready: bool = True, **asked: Any) -> str:
        wanted = {"SubnetIds": list(self.network.private), **asked}
        made = str(api.create_vpc_link(Name=name, **wanted)["VpcLinkId"])
        if ready:
            self.timeline.run_for(180)
        return made

    def service(self, name: str = "orders") -> str:
        """The ARN of a Cloud Map service without DNS."""
        cloudmap = client("servicediscovery")
        namespaces = cloudmap.list_namespaces()["Namespaces"]
        if not namespaces:
            cloudmap.create_http_namespace(Name="farm")
            self.timeline.run_for(5)
            namespaces = cloudmap.list_namespaces()["Namespaces"]
        made = cloudmap.create_service(Name=name, NamespaceId=namespaces[0]["Id"], Type="HTTP")
        return str(made["Service"]["Arn"])

    def integration(self, **asked: Any) -> str:
        """Over the internet, unless said otherwise."""
        wanted = {
            "IntegrationType": "HTTP_PROXY",
            "IntegrationMethod": "ANY",
            "IntegrationUri": "https://backend.example.com",
            "PayloadFormatVersion": "1.0",
            **asked,
        }
        return str(api.create_integration(ApiId=self.api, **wanted)["IntegrationId"])

    def private(self, link: str, uri: str, **asked: Any) -> str:
        more = {"ConnectionType": "VPC_LINK", "ConnectionId": link, "IntegrationUri": uri, **asked}
        return self.integration(**more)

    def route(self, key: str = "ANY /orders", integration: str = "", **asked: Any) -> str:
        wanted = {**({"Target": f"integrations/{integration}"} if integration else {}), **asked}
        return str(api.create_route(ApiId=self.api, RouteKey=key, **wanted)["RouteId"])

    def jwt(self, issuer: str = ISSUER, **asked: Any) -> str:
        wanted = {
            "AuthorizerType": "JWT",
            "IdentitySource": ["$request.header.Authorization"],
            "JwtConfiguration": {"Issuer": issuer, "Audience": ["orders"]},
            "Name": "jwt",
            **asked,
        }
        return str(api.create_authorizer(ApiId=self.api, **wanted)["AuthorizerId"])

    def asking(self, **asked: Any) -> str:
        """An authorizer that asks a function."""
        function = f"arn:aws:lambda:{REGION}:123456789012:function:judge"
        wanted = {
            "AuthorizerType": "REQUEST",
            "AuthorizerPayloadFormatVersion": "2.0",
            "AuthorizerUri": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations",
            "IdentitySource": ["$request.header.Authorization"],
            "Name": "judge",
            **asked,
        }
        return str(api.create_authorizer(ApiId=self.api, **wanted)["AuthorizerId"])

    def stage(self, name: str = "$default", *, auto: bool = True, **asked: Any) -> str:
        api.create_stage(ApiId=self.api, StageName=name, AutoDeploy=auto, **asked)
        return name

    def known(self, route: str) -> dict[str, Any]:
        """A route as GetRoute has it."""
        answer = api.get_route(ApiId=self.api, RouteId=route)
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}
