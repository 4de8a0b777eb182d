"""Stages of our own APIs: they deploy by themselves, count every route apart, and log where the stack says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from expose.aws import Clients
from expose.model import Owned, Resource, fingerprint, resolve
from expose.resources.apigateway.edge import changing, unless_gone
from expose.resources.kind import Ids, Made
from expose.resources.mark import OWNER_TAG

_FORMAT = json.dumps(
    {
        name: f"$context.{value}"
        for name, value in {
            "requestId": "requestId",
            "time": "requestTime",
            "ip": "identity.sourceIp",
            "route": "routeKey",
            "path": "path",
            "status": "status",
            "latency": "responseLatency",
            "integration": "integrationLatency",
            "error": "integrationErrorMessage",
            "denied": "authorizer.error",
        }.items()
    }
)


class Stages:
    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"})

    def __init__(self, clients: Clients, stack: str) -> None:
        self._clients = clients
        self._stack = stack

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        entries = list(owned)
        known = {entry.identity: entry for entry in entries}
        gateway = self._clients.apigatewayv2
        for entry in entries:
            ids = resolve(entry.refs, known) if entry.identity.kind == "apigw.stage" else {}
            if not entry.aws_id or not (api := ids.get("api", "")):
                continue
            try:
                stage = gateway.get_stage(ApiId=api, StageName=entry.aws_id)
            except gateway.exceptions.NotFoundException:
                continue
            spec = {
                "name": entry.aws_id,
                "logs": stage.get("AccessLogSettings", {}).get("DestinationArn", ""),
            }
            if stage.get("AutoDeploy"):
                yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        gateway, name = self._clients.apigatewayv2, resource.spec["name"]
        try:
            with changing():
                gateway.create_stage(
                    ApiId=ids["api"],
                    StageName=name,
                    AutoDeploy=True,
                    DefaultRouteSettings={"DetailedMetricsEnabled": True},
                    Tags={OWNER_TAG: self._stack},
                    **_logs(resource),
                )
        except gateway.exceptions.ConflictException:  # in an API of our own, so it is ours
            return self.update(resource, name, ids, mark)
        return Made(name)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        gateway = self._clients.apigatewayv2
        with changing():
            stage = gateway.update_stage(
                ApiId=ids["api"], StageName=aws_id, AutoDeploy=True, **_logs(resource)
            )
            if stage.get("AccessLogSettings") and not resource.spec["logs"]:
                gateway.delete_access_log_settings(ApiId=ids["api"], StageName=aws_id)
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        name = owned.identity.key.rpartition("/")[2]
        gateway = self._clients.apigatewayv2
        try:
            return gateway.get_stage(ApiId=ids["api"], StageName=name)["StageName"] if ids.get("api") else ""
        except gateway.exceptions.NotFoundException:
            return ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        if ids.get("api"):
            gateway = self._clients.apigatewayv2
            with unless_gone(), changing():
                gateway.get_stage(ApiId=ids["api"], StageName=aws_id)
                gateway.delete_stage(ApiId=ids["api"], StageName=aws_id)
        return ""


def _logs(resource: Resource) -> Any:
    logs = resource.spec["logs"]
    return {"AccessLogSettings": {"DestinationArn": logs, "Format": _FORMAT}} if logs else {}
