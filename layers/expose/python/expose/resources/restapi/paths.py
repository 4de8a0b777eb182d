"""The path resources of a REST API: a tree, of which several exposures may share the upper parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from expose.aws import Clients
from expose.model import Owned, Resource, fingerprint
from expose.refusals import NotYet, Refused
from expose.resources.apigateway.edge import changing, said, there, unless_gone
from expose.resources.kind import Ids, Made


def tree(clients: Clients, api: str) -> Mapping[str, Any]:
    """All path resources of an API by id, with their methods; none where it is gone."""
    found: dict[str, Any] = {}
    with unless_gone():
        pages = clients.apigateway.get_paginator("get_resources").paginate(restApiId=api, embed=["methods"])
        for page in pages:
            found |= {each["id"]: each for each in page["items"]}
    return found


class Paths:
    """In an API of ours, so whichever is there is ours."""

    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:POST"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        """One that got another name is not there any more."""
        for entry, _, found in there("rest.resource", owned, lambda api: tree(self._clients, api)):
            part = _part(entry)
            if found.get("pathPart", "") == part:
                yield Owned(
                    entry.identity, fingerprint({"part": part}), entry.aws_id, refs=entry.refs, shared=True
                )

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Raise `Refused` where another variable stands in its place."""
        part = resource.spec["part"]
        if not part:
            return Made(self._find(ids, ""))
        gateway = self._clients.apigateway
        try:
            with changing():
                made = gateway.create_resource(restApiId=ids["api"], parentId=ids["parent"], pathPart=part)
        except gateway.exceptions.ConflictException as error:
            if known := self._find(ids, part):
                return Made(known)
            raise Refused("RouteTaken", f"{said(error)}: choose another path") from error
        return Made(made.get("id", ""))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return self.create(resource, ids, mark)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        known = ids.get("api") and (ids.get("parent") or "parent" not in owned.refs)
        return self._find(ids, _part(owned)) if known else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """Raise `NotYet` while anything is on it or below: deleting one deletes that as well. The root stays."""
        if "parent" not in owned.refs or not ids.get("api"):
            return ""
        there = tree(self._clients, ids["api"])
        if aws_id not in there:
            return ""
        below = any(each.get("parentId") == aws_id for each in there.values())
        if below or there[aws_id].get("resourceMethods"):
            raise NotYet(f"path {there[aws_id].get('path')} still has routes", seconds=30)
        with unless_gone(), changing():
            self._clients.apigateway.delete_resource(restApiId=ids["api"], resourceId=aws_id)
        return ""

    def _find(self, ids: Ids, part: str) -> str:
        """By its part of the path below its parent, which the root has not."""
        for name, each in tree(self._clients, ids["api"]).items():
            if (each.get("parentId", ""), each.get("pathPart", "")) == (ids.get("parent", ""), part):
                return name
        return ""


def _part(owned: Owned) -> str:
    return owned.identity.key.rpartition("/")[2]
