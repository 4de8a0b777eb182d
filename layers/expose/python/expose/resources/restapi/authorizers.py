"""Authorisers of REST APIs: Cognito user pools, one for each pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from expose.aws import Clients
from expose.model import Identity, Owned, Resource, fingerprint
from expose.refusals import Refused
from expose.resources.apigateway.edge import changing, said, there, unless_gone, unless_used
from expose.resources.kind import Ids, Made

if TYPE_CHECKING:
    from mypy_boto3_apigateway.type_defs import PatchOperationTypeDef

_HEADER = "method.request.header.Authorization"


class RestAuthorizers:
    """Told by their name, which is the digest of the pool's ARN."""

    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry, _, found in there("rest.authorizer", owned, self._all):
            pools = found.get("providerARNs", [])
            spec = {"pool": pools[0] if len(pools) == 1 and found.get("identitySource") == _HEADER else ""}
            yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        if known := self._find(ids["api"], resource.identity):
            return self.update(resource, known, ids, mark)
        gateway = self._clients.apigateway
        try:
            with changing():
                made = self._clients.apigateway_once.create_authorizer(
                    restApiId=ids["api"],
                    name=_name(resource.identity),
                    type="COGNITO_USER_POOLS",
                    providerARNs=[resource.spec["pool"]],
                    identitySource=_HEADER,
                )
        except gateway.exceptions.BadRequestException as error:
            raise Refused(
                "BadAuthorizer", f"API Gateway does not take this user pool: {said(error)}"
            ) from error
        return Made(made.get("id", ""))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        """Adding the pool that is there already changes nothing."""
        gateway, pool = self._clients.apigateway, resource.spec["pool"]
        others = set(self._all(ids["api"])[aws_id].get("providerARNs", [])) - {pool}
        changes: list[PatchOperationTypeDef] = [
            {"op": "replace", "path": "/identitySource", "value": _HEADER},
            {"op": "add", "path": "/providerARNs", "value": pool},
        ]
        changes += [{"op": "remove", "path": "/providerARNs", "value": other} for other in sorted(others)]
        with changing():
            gateway.update_authorizer(restApiId=ids["api"], authorizerId=aws_id, patchOperations=changes)
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return self._find(ids["api"], owned.identity) if ids.get("api") else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        gateway = self._clients.apigateway
        if ids.get("api"):
            with unless_used(f"authorizer {aws_id}"), unless_gone(), changing():
                gateway.get_authorizer(restApiId=ids["api"], authorizerId=aws_id)
                gateway.delete_authorizer(restApiId=ids["api"], authorizerId=aws_id)
        return ""

    def _find(self, api: str, identity: Identity) -> str:
        found = (name for name, each in self._all(api).items() if each.get("name") == _name(identity))
        return next(found, "")

    def _all(self, api: str) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        with unless_gone():
            for page in self._clients.apigateway.get_paginator("get_authorizers").paginate(restApiId=api):
                found |= {each.get("id", ""): each for each in page["items"]}
        return found


def _name(identity: Identity) -> str:
    return f"expose-{identity.key.rpartition('/')[2]}"
