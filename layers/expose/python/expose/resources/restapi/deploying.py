"""Deploying a REST API: what it holds now becomes what its stage answers with, at most once in five seconds (F§5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from expose.aws import Clients, throttled
from expose.refusals import NotYet
from expose.resources.apigateway.edge import changing, said, unless_gone
from expose.resources.restapi.paths import tree

_UNLED = "No integration defined for method"
_RATE = 5.0  # seconds between two deployments


class Deploying:
    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def retreat(self, api: str, stage: str) -> None:
        """After something was removed: without any method nothing can be deployed, and a stage has nothing to answer with."""
        used = self._has_methods(api)
        if not used and self._stage(api, stage):
            with unless_gone():
                self._clients.apigateway.delete_stage(restApiId=api, stageName=stage)
            used = self._has_methods(api)  # of another service, which came meanwhile and has lost its stage
        if used:
            self.deploy(api, stage)

    def _has_methods(self, api: str) -> bool:
        return any(each.get("resourceMethods") for each in tree(self._clients, api).values())

    def deploy(self, api: str, stage: str) -> None:
        """Raise `NotYet` where it is too early, or another service is not done with a route of its own."""
        gateway = self._clients.apigateway
        before = self._stage(api, stage)
        try:
            with changing():
                self._clients.apigateway_once.create_deployment(restApiId=api, stageName=stage)
        except ClientError as error:
            if throttled(error):
                raise NotYet("the account deploys REST APIs once in five seconds", seconds=_RATE) from error
            if _UNLED in said(error):
                raise NotYet(
                    "another service is just making a route of the same API", seconds=_RATE
                ) from error
            raise
        if not before.get("methodSettings", {}).get("*/*", {}).get("metricsEnabled"):
            metrics: Any = [{"op": "replace", "path": "/*/*/metrics/enabled", "value": "true"}]
            gateway.update_stage(restApiId=api, stageName=stage, patchOperations=metrics)
        if old := before.get("deploymentId"):
            with unless_gone():
                gateway.delete_deployment(restApiId=api, deploymentId=old)

    def live(self, api: str, stage: str) -> Mapping[str, Mapping[str, str]]:
        """The authorisation of each method of each path, as the stage answers now."""
        deployment = self._stage(api, stage).get("deploymentId", "")
        if not deployment:
            return {}
        found = self._clients.apigateway.get_deployment(
            restApiId=api, deploymentId=deployment, embed=["apisummary"]
        )
        return {
            path: {method: each.get("authorizationType", "") for method, each in methods.items()}
            for path, methods in found.get("apiSummary", {}).items()
        }

    def _stage(self, api: str, stage: str) -> Mapping[str, Any]:
        gateway = self._clients.apigateway
        try:
            return gateway.get_stage(restApiId=api, stageName=stage)
        except gateway.exceptions.NotFoundException:
            return {}
