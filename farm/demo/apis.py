"""Looking at API Gateway: the platform team's domain, what the product has made there, and what a caller hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from farm.balancers.traffic import Traffic
from farm.farm import Farm
from farm.gateway import Reply
from farm.gateway.issuer import Issuer

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client

HOST = "api1.system.com"
AUDIENCE = "orders"
SCOPE = "orders.read"


class Apis:
    """`issuer` is who callers have their tokens from."""

    def __init__(self, farm: Farm, issuer: Issuer) -> None:
        self._farm = farm
        self._issuer = issuer
        self._certificate = ""

    @property
    def _gateway(self) -> ApiGatewayV2Client:
        return cast("ApiGatewayV2Client", self._farm.client("apigatewayv2"))

    def own(self) -> None:
        """What the platform team does once: a certificate, and a domain that leads nowhere yet."""
        self._certificate = self._farm.request_certificate(HOST)
        self._gateway.create_domain_name(
            DomainName=HOST,
            DomainNameConfigurations=[
                {
                    "CertificateArn": self._certificate,
                    "EndpointType": "REGIONAL",
                    "SecurityPolicy": "TLS_1_2",
                }
            ],
        )

    def tag(self, path: str) -> str:
        """What puts a service there, for those who bear a token with the scope."""
        return f"{HOST}{path} auth=jwt issuer={self._issuer.url} audience={AUDIENCE} scopes={SCOPE}"

    def token(self, scope: str = SCOPE, *, forged: bool = False) -> str:
        return self._issuer.token(audience=AUDIENCE, scopes=[scope], forged=forged)

    def get(self, path: str, token: str = "") -> Reply:
        """What comes of a request, with a token or without."""
        return self._farm.invoke(HOST, path, headers=_bearing(token) if token else {})

    def traffic(self, path: str, *, per_second: float) -> Traffic:
        """Requests with a good token, over TLS."""
        return self._farm.api_traffic(
            HOST, path, headers=_bearing(self.token()), per_second=per_second, certificate=self._certificate
        )

    def standing(self) -> dict[str, str]:
        """How far it is."""
        links = ", ".join(each["VpcLinkStatus"] for each in self._gateway.get_vpc_links()["Items"])
        routes = [
            f"{route['RouteKey']} ({route.get('AuthorizationType', 'NONE')})"
            for api in self._gateway.get_apis()["Items"]
            for route in self._gateway.get_routes(ApiId=api["ApiId"])["Items"]
        ]
        return {"VPC link": links or "none", "routes": ", ".join(sorted(routes)) or "none"}

    def made(self) -> list[str]:
        """All that the product has made: there was nothing before but the domain."""
        gateway = self._gateway
        found = [f"API {each['Name']}" for each in gateway.get_apis()["Items"]]
        found += [f"VPC link {each['Name']}" for each in gateway.get_vpc_links()["Items"]]
        mapped = [
            each
            for domain in gateway.get_domain_names()["Items"]
            for each in gateway.get_api_mappings(DomainName=domain["DomainName"])["Items"]
        ]
        return found + [f"mapping to {each['ApiId']}" for each in mapped]


def _bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
