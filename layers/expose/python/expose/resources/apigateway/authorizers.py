"""Authorisers: ten for an API, so those of equal content are one (F§5.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from expose.aws import Clients
from expose.model import Owned, Resource, fingerprint
from expose.refusals import Refused
from expose.resources.apigateway.edge import by_id, changing, said, there, unless_gone, unless_used
from expose.resources.kind import Ids, Made

_HEADER = ["$request.header.Authorization"]
_URI = re.compile(
    r"arn:(?P<partition>[^:]+):apigateway:(?P<region>[^:]+):lambda:path/2015-03-31/functions/(?P<function>.+)/invocations"
)


class Authorizers:
    """Told by their name, which is the digest of their content."""

    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry, _, found in there("apigw.authorizer", owned, self._all):
            spec = _seen(found)
            yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Raise `Refused` for an issuer that API Gateway does not take."""
        name = _name(resource.identity.key)
        gateway = self._clients.apigatewayv2
        for found in self._all(ids["api"]).values():
            if found["Name"] == name:
                return self.update(resource, found["AuthorizerId"], ids, mark)
        try:
            with changing():
                made = self._clients.apigatewayv2_once.create_authorizer(
                    ApiId=ids["api"], Name=name, AuthorizerType=resource.spec["type"], **_wanted(resource)
                )
        except gateway.exceptions.BadRequestException as error:
            problem = f"API Gateway does not take this issuer, audience or function: {said(error)}"
            raise Refused("BadAuthorizer", problem) from error
        return Made(made.get("AuthorizerId", ""))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        with changing():
            self._clients.apigatewayv2.update_authorizer(
                ApiId=ids["api"],
                AuthorizerId=aws_id,
                AuthorizerType=resource.spec["type"],
                **_wanted(resource),
            )
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        for found in self._all(ids["api"]).values() if ids.get("api") else ():
            if found["Name"] == _name(owned.identity.key):
                return str(found["AuthorizerId"])
        return ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        gateway = self._clients.apigatewayv2
        if ids.get("api"):
            with unless_used(f"authorizer {aws_id}"), unless_gone(), changing():
                gateway.get_authorizer(ApiId=ids["api"], AuthorizerId=aws_id)
                gateway.delete_authorizer(ApiId=ids["api"], AuthorizerId=aws_id)
        return ""

    def _all(self, api: str) -> dict[str, Any]:
        return by_id(self._clients.apigatewayv2.get_authorizers, "AuthorizerId", ApiId=api)


def _name(key: str) -> str:
    return f"expose-{key.rpartition('/')[2]}"


def _wanted(resource: Resource) -> Any:
    spec = resource.spec
    if spec["type"] == "JWT":
        jwt = {"Issuer": spec["issuer"], "Audience": list(spec["audience"])}
        return {"IdentitySource": _HEADER, "JwtConfiguration": jwt}
    service = f"arn:{spec['partition']}:apigateway:{spec['region']}:lambda:path/2015-03-31/functions"
    return {
        "IdentitySource": _HEADER,
        "AuthorizerUri": f"{service}/{spec['function']}/invocations",
        "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True,
        "AuthorizerResultTtlInSeconds": 0,
    }


def _seen(found: Any) -> dict[str, Any]:
    """The spec that an authoriser fulfils; one that looks for its token elsewhere fulfils none."""
    if found.get("IdentitySource") != _HEADER:
        return {}
    if found.get("AuthorizerType") == "JWT":
        jwt = found.get("JwtConfiguration", {})
        return {"type": "JWT", "issuer": jwt.get("Issuer", ""), "audience": sorted(jwt.get("Audience", []))}
    uri = _URI.fullmatch(found.get("AuthorizerUri", ""))
    simple = found.get("AuthorizerPayloadFormatVersion") == "2.0" and found.get("EnableSimpleResponses")
    return {"type": "REQUEST", **uri.groupdict()} if uri and simple else {}
