"""Integrations: how a request goes on from a route, through the link, to what stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from expose.aws import Clients
from expose.model import Owned, Resource, fingerprint
from expose.refusals import NotYet
from expose.resources.apigateway.edge import changing, pages, said, unless_gone
from expose.resources.kind import Ids, Made

_LINKED = 15.0  # seconds before it is looked again whether the link can be used


class Integrations:
    """Told by their description, which names the exposure and the path."""

    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        entries = list(owned)
        ids = {entry.identity: entry.aws_id for entry in entries}
        listed: dict[str, dict[str, Any]] = {}
        for entry in entries:
            ref = entry.refs.get("api", "") if entry.identity.kind == "apigw.integration" else ""
            api = ref if isinstance(ref, str) else ids.get(ref, "")
            if not api or not entry.aws_id:
                continue
            if api not in listed:
                listed[api] = self._all(api)
            if found := listed[api].get(entry.aws_id):
                yield Owned(
                    entry.identity,
                    _fingerprint(found, found.get("Description", ""), mark, entry),
                    entry.aws_id,
                    refs=entry.refs,
                )

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Creating is not safe to repeat: one that is there is found by its description."""
        self._check_link(ids["link"])
        description = _description(resource.identity.key, mark)
        for found in self._all(ids["api"]).values():
            if found.get("Description") == description:
                return self.update(resource, found["IntegrationId"], ids, mark)
        with changing():
            made = self._clients.apigatewayv2.create_integration(
                ApiId=ids["api"], Description=description, **_wanted(resource.spec, ids)
            )
        return Made(made.get("IntegrationId", ""))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        with changing():
            self._clients.apigatewayv2.update_integration(
                ApiId=ids["api"], IntegrationId=aws_id, **_wanted(resource.spec, ids)
            )
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
        if not ids.get("api"):
            return ""
        try:
            with unless_gone(), changing():
                gateway.delete_integration(ApiId=ids["api"], IntegrationId=aws_id)
        except gateway.exceptions.ConflictException as error:
            raise NotYet(f"integration {aws_id} is still in use: {said(error)}", seconds=5) from error
        return ""

    def _check_link(self, link: str) -> None:
        """A route to a link that is not ready would answer 503."""
        found = self._clients.apigatewayv2.get_vpc_link(VpcLinkId=link)
        if found.get("VpcLinkStatus") == "PENDING":
            raise NotYet(f"VPC link {link} is being made, which takes minutes", seconds=_LINKED)

    def _all(self, api: str) -> dict[str, Any]:
        gateway = self._clients.apigatewayv2
        try:
            return {each["IntegrationId"]: each for each in pages(gateway.get_integrations, ApiId=api)}
        except gateway.exceptions.NotFoundException:
            return {}


def _description(key: str, mark: str) -> str:
    return f"{mark} {key}"[:1024]


def _wanted(spec: Mapping[str, Any], ids: Ids) -> Any:
    """In API Gateway's words; a mapping that is empty is one to remove."""
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


def _fingerprint(found: Mapping[str, Any], description: str, mark: str, entry: Owned) -> str:
    """The entry's own where nothing has been changed by others, which is all that matters here."""
    parameters = found.get("RequestParameters", {})
    seen = {
        "path": parameters.get("overwrite:path", ""),
        "link": found.get("ConnectionId", ""),
        "type": found.get("ConnectionType", ""),
        "description": description,
    }
    path = entry.identity.key.partition("#")[2]
    same = (
        seen["path"] == path
        and seen["type"] == "VPC_LINK"
        and description == _description(entry.identity.key, mark)
    )
    return entry.fingerprint if same else fingerprint(seen)
