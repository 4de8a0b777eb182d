"""Integrations: how a request goes on from a route, through the link, to what stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from expose.aws import Clients
from expose.model import Owned, Resource, fingerprint
from expose.refusals import NotYet
from expose.resources.apigateway.edge import by_id, changing, named, there, unless_gone, unless_used
from expose.resources.apigateway.links import check_made
from expose.resources.kind import Ids, Made

_BACKED = 3.0  # seconds before it is looked again whether a backend has tasks


class Integrations:
    """Told by their description, which names the exposure and the path."""

    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry, ids, found in there("apigw.integration", owned, self._all):
            spec = _seen(found, entry, ids)
            yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Creating is not safe to repeat: one that is there is found by its description."""
        check_made(self._clients, ids["link"])
        description = _description(resource.identity.key, mark)
        for found in self._all(ids["api"]).values():
            if found.get("Description") == description:
                return self.update(resource, found["IntegrationId"], ids, mark)
        with changing():
            made = self._clients.apigatewayv2_once.create_integration(
                ApiId=ids["api"], Description=description, **_wanted(resource.spec, ids)
            )
        return Made(made.get("IntegrationId", ""))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        """A link and a backend that are new have to be ready before requests go there."""
        gateway, wanted = self._clients.apigatewayv2, _wanted(resource.spec, ids)
        before = gateway.get_integration(ApiId=ids["api"], IntegrationId=aws_id)
        if before.get("ConnectionId") != ids["link"]:
            check_made(self._clients, ids["link"])
        if before.get("IntegrationUri") != wanted["IntegrationUri"]:
            check_backed(self._clients, wanted["IntegrationUri"])
        wanted["RequestParameters"].setdefault("overwrite:header.host", "")  # which removes it
        with changing():
            gateway.update_integration(ApiId=ids["api"], IntegrationId=aws_id, **wanted)
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        if not ids.get("api"):
            return ""
        description = _description(owned.identity.key, mark)
        for found in self._all(ids["api"]).values():
            if found.get("Description") == description:
                return str(found["IntegrationId"])
        return ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        gateway = self._clients.apigatewayv2
        if ids.get("api"):
            with unless_used(f"integration {aws_id}"), unless_gone(), changing():
                gateway.get_integration(ApiId=ids["api"], IntegrationId=aws_id)
                gateway.delete_integration(ApiId=ids["api"], IntegrationId=aws_id)
        return ""

    def _all(self, api: str) -> dict[str, Any]:
        return by_id(self._clients.apigatewayv2.get_integrations, "IntegrationId", ApiId=api)


def _description(key: str, mark: str) -> str:
    return f"{mark} {key}"[:1024]


def _wanted(spec: Mapping[str, Any], ids: Ids) -> Any:
    """In API Gateway's words."""
    return {
        "IntegrationType": "HTTP_PROXY",
        "IntegrationMethod": "ANY",
        "ConnectionType": "VPC_LINK",
        "ConnectionId": ids["link"],
        "IntegrationUri": f"{spec['uri']}{ids['backend']}",
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": spec["timeout"] * 1000,
        "RequestParameters": {
            "overwrite:path": spec["path"],
            **({"overwrite:header.host": spec["host"]} if spec["host"] else {}),
        },
        **({"TlsConfig": {"ServerNameToVerify": spec["tls"]}} if spec["tls"] else {}),
    }


def check_backed(clients: Clients, uri: str) -> None:
    """Raise `NotYet` for a Cloud Map service without instances: what works is not moved to where nobody answers."""
    if ":servicediscovery:" not in uri:
        return
    service = uri.rpartition("/")[2]
    if not clients.servicediscovery.list_instances(ServiceId=service, MaxResults=1)["Instances"]:
        raise NotYet("the path is taken over once the tasks are registered", seconds=_BACKED)


def _seen(found: Mapping[str, Any], entry: Owned, ids: Ids) -> dict[str, Any]:
    """The spec that an integration fulfils, in which what is ours has our name."""
    parameters = found.get("RequestParameters", {})
    uri = found.get("IntegrationUri", "")
    return {
        "uri": uri.removesuffix(ids.get("backend", "")),
        "path": parameters.get("overwrite:path", ""),
        "host": parameters.get("overwrite:header.host", ""),
        "tls": found.get("TlsConfig", {}).get("ServerNameToVerify", ""),
        "timeout": found.get("TimeoutInMillis", 0) // 1000,
        "backend": str(entry.refs["backend"]) if uri.endswith(ids.get("backend", "")) else "",
        "link": named(entry, ids, "link", found.get("ConnectionId", "")),
    }
