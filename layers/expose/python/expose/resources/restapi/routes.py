"""Routes of a REST API: a method on a path and on all below it, with whoever guards it and where it leads; and deploying them.

A method is made with its authorisation and changed from one to another in a single call; and neither is live before the
deployment that follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from expose.aws import Clients
from expose.mechanisms.api.doors import OPEN
from expose.mechanisms.api.rest import OWNED
from expose.model import Identity, Owned, Resource, fingerprint, resolve
from expose.refusals import NotYet, Refused
from expose.resources.apigateway.edge import changing, named, said, unless_gone
from expose.resources.apigateway.links import check_made
from expose.resources.kind import Ids, Made
from expose.resources.restapi.deploying import Deploying
from expose.resources.restapi.paths import tree

_BELOW = ("", "/{proxy}")
"""What stands after the path itself in the URI: nothing, or all that is below."""
_PROXY = {"integration.request.path.proxy": "method.request.path.proxy"}


class RestRoutes:
    """All that are made, changed or removed in one call are deployed together."""

    ACTIONS = frozenset(
        {"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"}
    )
    size = 20

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._deploying = Deploying(clients)

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        """One of which a part is there, or that is live, is not gone; it fulfils its spec only if it is whole and live."""
        entries = list(owned)
        known = {entry.identity: entry for entry in entries}
        trees: dict[str, Mapping[str, Any]] = {}
        lives: dict[str, Mapping[str, Mapping[str, str]]] = {}
        for entry in entries:
            ids = resolve(entry.refs, known) if entry.identity.kind == "rest.route" and entry.aws_id else {}
            if not (api := ids.get("api", "")):
                continue
            if api not in trees:
                trees[api], lives[api] = tree(self._clients, api), self._deploying.live(api, ids["stage"])
            places = [trees[api].get(ids.get(place, ""), {}) for place in ("own", "below")]
            found = [each.get("resourceMethods", {}).get(entry.aws_id, {}) for each in places]
            deployed = [lives[api].get(each.get("path", ""), {}).get(entry.aws_id, "") for each in places]
            if not any(found) and not any(deployed):
                continue
            specs = [_seen(each, entry, ids, below) for each, below in zip(found, _BELOW, strict=True)]
            whole = specs[0] == specs[1] and deployed == [each.get("authorizationType") for each in found]
            is_open = OPEN in deployed or any(each.get("authorizationType") == OPEN for each in found)
            seen = fingerprint(specs[0]) if whole else ""
            yield Owned(entry.identity, seen, entry.aws_id, refs=entry.refs, open=is_open)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        result = self.create_many([resource], ids, mark)[resource.identity]
        if isinstance(result, Made):
            return result
        raise result

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return self.create(resource, ids, mark)

    def create_many(
        self, resources: Sequence[Resource], ids: Ids, mark: str
    ) -> Mapping[Identity, Made | NotYet | Refused]:
        check_made(self._clients, ids["link"])
        for resource in resources:
            for place, below in zip(("own", "below"), _BELOW, strict=True):
                self._put(resource.spec, ids, ids[place], below)
        self._deploying.deploy(ids["api"], ids["stage"])
        return {resource.identity: Made(resource.spec["method"]) for resource in resources}

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return owned.identity.key.partition(" ")[0].rpartition("/")[2] if ids.get("api") else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        self.delete_many([owned], ids)
        return ""

    def delete_many(self, owned: Sequence[Owned], ids: Ids) -> None:
        """One that has another owner by now has been taken over. What is gone already may still be live."""
        there = tree(self._clients, ids["api"])
        if not there:
            return
        gateway = self._clients.apigateway
        for entry in owned:
            method = self.locate(entry, ids, "")
            for place in ("own", "below"):
                found = there.get(ids[place], {}).get("resourceMethods", {}).get(method, {})
                if found.get("operationName") == ids["owner"]:
                    with unless_gone(), changing():
                        gateway.delete_method(restApiId=ids["api"], resourceId=ids[place], httpMethod=method)
        self._deploying.retreat(ids["api"], ids["stage"])

    def _put(self, spec: Mapping[str, Any], ids: Ids, path: str, below: str) -> None:
        gateway = self._clients.apigateway
        where: Any = {"restApiId": ids["api"], "resourceId": path, "httpMethod": spec["method"]}
        authorizer: Any = {"authorizerId": ids["authorizer"]} if "authorizer" in ids else {}
        scopes: Any = {"authorizationScopes": list(spec["scopes"])} if spec["scopes"] else {}
        try:
            with changing():
                gateway.put_method(
                    **where,
                    authorizationType=spec["authorization"],
                    operationName=ids["owner"],
                    requestParameters={"method.request.path.proxy": True} if below else {},
                    **authorizer,
                    **scopes,
                )
        except gateway.exceptions.ConflictException:
            before = gateway.get_method(**where)
            if not before.get("operationName", "").startswith(OWNED):
                problem = f"somebody made method {spec['method']} on this path by hand: remove it, or choose another path"
                raise Refused("RouteTaken", problem) from None
            with changing():
                gateway.update_method(**where, patchOperations=_changes(before, spec, ids))
        self._lead(spec, where, ids["link"], below)

    def _lead(self, spec: Mapping[str, Any], where: Any, link: str, below: str) -> None:
        """Raise `Refused` where API Gateway does not take the target. A method that leads nowhere may not stay: with it
        nobody could deploy the API.
        """
        gateway = self._clients.apigateway
        try:
            with changing():
                gateway.put_integration(
                    **where,
                    type="HTTP_PROXY",
                    integrationHttpMethod=spec["method"],
                    uri=f"{spec['uri']}{below}" if below else _whole(spec["uri"]),
                    connectionType="VPC_LINK",
                    connectionId=link,
                    integrationTarget=spec["target"],
                    requestParameters=_PROXY if below else {},
                    timeoutInMillis=spec["timeout"] * 1000,
                )
        except gateway.exceptions.BadRequestException as error:
            if not gateway.get_method(**where).get("methodIntegration"):
                gateway.delete_method(**where)
            problem = (
                f"API Gateway does not take {spec['target']}: {said(error)}. Where it wants the load balancer and not "
                "the listener, or the other way round, set the stack's parameter ApiRestTarget"
            )
            raise Refused("BadTarget", problem) from error


def _whole(uri: str) -> str:
    """A URI has a path."""
    return uri if uri.count("/") > 2 else f"{uri}/"


def _changes(before: Any, spec: Mapping[str, Any], ids: Ids) -> list[Any]:
    """From whoever guards it now to who shall, in one call."""
    had, wanted = set(before.get("authorizationScopes", [])), set(spec["scopes"])
    return [
        {"op": "replace", "path": "/operationName", "value": ids["owner"]},
        {"op": "replace", "path": "/authorizationType", "value": spec["authorization"]},
        {"op": "replace", "path": "/authorizerId", "value": ids.get("authorizer", "")},
        *({"op": "add", "path": "/authorizationScopes", "value": each} for each in sorted(wanted - had)),
        *({"op": "remove", "path": "/authorizationScopes", "value": each} for each in sorted(had - wanted)),
    ]


def _seen(found: Mapping[str, Any], entry: Owned, ids: Ids, below: str) -> dict[str, Any]:
    """The spec that a method fulfils, in which what is ours has our name."""
    integration = found.get("methodIntegration", {})
    ours = found.get("operationName") == ids["owner"]
    return {
        "method": entry.aws_id if ours else "",
        "authorization": found.get("authorizationType", OPEN),
        "scopes": sorted(found.get("authorizationScopes", [])),
        "authorizer": named(entry, ids, "authorizer", found.get("authorizerId") or ""),
        "uri": integration.get("uri", "").removesuffix(below or "/"),
        "timeout": integration.get("timeoutInMillis", 0) // 1000,
        "target": integration.get("integrationTarget", ""),
        "link": named(entry, ids, "link", integration.get("connectionId", "")),
    }
