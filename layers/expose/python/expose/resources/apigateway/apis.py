"""HTTP APIs: one of ours for each host and stage, and those of others that a tag names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from expose.aws import Clients
from expose.model import Owned, Resource, digest, fingerprint
from expose.refusals import NotYet
from expose.resources.apigateway.edge import changing, pages, unless_gone
from expose.resources.kind import Ids, Made
from expose.resources.mark import OWNER_TAG

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2.type_defs import CorsTypeDef, CreateApiRequestTypeDef

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
_HEADERS = ["authorization", "content-type", "x-amz-date", "x-amz-security-token"]


class Apis:
    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"})

    def __init__(self, clients: Clients, stack: str) -> None:
        self._clients = clients
        self._stack = stack

    def find(self, key: str) -> dict[str, Any] | None:
        """What there is to know of the HTTP API with this id; None where there is none."""
        gateway = self._clients.apigatewayv2
        try:
            api = gateway.get_api(ApiId=key)
        except gateway.exceptions.NotFoundException:
            return None
        if api.get("ProtocolType") != "HTTP":
            return None
        deploying = (each for each in pages(gateway.get_stages, ApiId=key) if each.get("AutoDeploy"))
        stages = sorted(each["StageName"] for each in deploying)  # $default before all others
        return {
            "stage": stages[0] if stages else "",
            "address": api.get("ApiEndpoint", "").removeprefix("https://"),
            "ours": api.get("Tags", {}).get(OWNER_TAG, "").startswith(f"{self._stack}/"),
        }

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        gateway = self._clients.apigatewayv2
        for entry in owned:
            if entry.identity.kind != "apigw.api" or not entry.aws_id:
                continue
            try:
                api = gateway.get_api(ApiId=entry.aws_id)
            except gateway.exceptions.NotFoundException:
                continue
            spec = {
                "name": api.get("Name", ""),
                "cors": list(api.get("CorsConfiguration", {}).get("AllowOrigins", [])),
                "closed": api.get("DisableExecuteApiEndpoint", False),
            }
            yield Owned(entry.identity, fingerprint(spec), entry.aws_id, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Names are not unique: one that is there already is found by its tag (F§5.1)."""
        for api in pages(self._clients.apigatewayv2.get_apis):
            if api.get("Tags", {}).get(OWNER_TAG) == self._owner(resource.identity.key):
                return self.update(resource, api["ApiId"], ids, mark)
        wanted: dict[str, Any] = {
            "Name": resource.spec["name"],
            "ProtocolType": "HTTP",
            "DisableExecuteApiEndpoint": resource.spec["closed"],
            "Tags": {OWNER_TAG: self._owner(resource.identity.key)},
            **({"CorsConfiguration": _cors(resource)} if resource.spec["cors"] else {}),
        }
        with changing():
            api = self._clients.apigatewayv2_once.create_api(**cast("CreateApiRequestTypeDef", wanted))
        return Made(api.get("ApiId", ""), address=_endpoint(api, resource))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        gateway, spec = self._clients.apigatewayv2, resource.spec
        cors: Any = {"CorsConfiguration": _cors(resource)} if spec["cors"] else {}
        with changing():
            api = gateway.update_api(
                ApiId=aws_id, Name=spec["name"], DisableExecuteApiEndpoint=spec["closed"], **cors
            )
        if not spec["cors"] and api.get("CorsConfiguration"):
            gateway.delete_cors_configuration(ApiId=aws_id)
        return Made(aws_id, address=_endpoint(api, resource))

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        for api in pages(self._clients.apigatewayv2.get_apis):
            if api.get("Tags", {}).get(OWNER_TAG) == self._owner(owned.identity.key):
                return str(api["ApiId"])
        return ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """Raise `NotYet` while it has routes, which somebody else must have made."""
        gateway = self._clients.apigatewayv2
        with unless_gone(), changing():
            if any(True for _ in pages(gateway.get_routes, ApiId=aws_id)):
                raise NotYet(f"API {aws_id} still has routes", seconds=30)
            gateway.delete_api(ApiId=aws_id)
        return ""

    def _owner(self, key: str) -> str:
        return f"{self._stack}/{digest(key)}"


def _cors(resource: Resource) -> CorsTypeDef:
    return {
        "AllowOrigins": list(resource.spec["cors"]),
        "AllowMethods": _METHODS,
        "AllowHeaders": _HEADERS,
    }


def _endpoint(api: Any, resource: Resource) -> str:
    """Where it is reached without a domain of its own."""
    return "" if resource.spec["closed"] else str(api.get("ApiEndpoint", "")).removeprefix("https://")
