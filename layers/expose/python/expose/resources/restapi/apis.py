"""REST APIs: one of ours for each name and stage, known by its tag, for names are not unique."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from expose.aws import Clients
from expose.model import Identity, Owned, Resource, fingerprint
from expose.refusals import NotYet
from expose.resources.apigateway.edge import changing, unless_gone
from expose.resources.kind import Ids, Made
from expose.resources.mark import OWNER_TAG, owner


class RestApis:
    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"})

    def __init__(self, clients: Clients, stack: str) -> None:
        self._clients = clients
        self._stack = stack

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        gateway = self._clients.apigateway
        for entry in owned:
            if entry.identity.kind != "rest.api" or not entry.aws_id:
                continue
            try:
                api = gateway.get_rest_api(restApiId=entry.aws_id)
            except gateway.exceptions.NotFoundException:
                continue
            yield Owned(entry.identity, fingerprint({"name": api.get("name", "")}), entry.aws_id, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        aws_id = self._find(resource.identity)
        if not aws_id:
            with changing():
                api = self._clients.apigateway_once.create_rest_api(
                    name=resource.spec["name"],
                    endpointConfiguration={"types": ["REGIONAL"]},
                    tags={OWNER_TAG: owner(self._stack, resource.identity)},
                )
            aws_id = api.get("id", "")
        return Made(aws_id, address=self._address(resource.identity, aws_id))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        """Somebody has renamed it."""
        with changing():
            self._clients.apigateway.update_rest_api(
                restApiId=aws_id,
                patchOperations=[{"op": "replace", "path": "/name", "value": resource.spec["name"]}],
            )
        return Made(aws_id, address=self._address(resource.identity, aws_id))

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return self._find(owned.identity)

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """Raise `NotYet` while it has a path, which somebody else must have made."""
        gateway = self._clients.apigateway
        with unless_gone(), changing():
            gateway.get_rest_api(restApiId=aws_id)
            pages = gateway.get_paginator("get_resources").paginate(restApiId=aws_id)
            if any(each.get("parentId") for page in pages for each in page["items"]):
                raise NotYet(f"REST API {aws_id} still has paths", seconds=30)
            gateway.delete_rest_api(restApiId=aws_id)
        return ""

    def _find(self, identity: Identity) -> str:
        for page in self._clients.apigateway.get_paginator("get_rest_apis").paginate():
            for api in page["items"]:
                if api.get("tags", {}).get(OWNER_TAG) == owner(self._stack, identity):
                    return api.get("id", "")
        return ""

    def _address(self, identity: Identity, aws_id: str) -> str:
        """Where its stage is reached."""
        region = self._clients.apigateway.meta.region_name
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return f"{aws_id}.execute-api.{region}.{domain}/{identity.key.rpartition('/')[2]}"
