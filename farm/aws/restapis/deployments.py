"""Deployments: an API as it was at one moment. Nothing is served that is not deployed; no stage deploys by itself (F§5.5)."""

from __future__ import annotations

from farm.aws.apigateway.model import Params, Result, invalid, now, random_id
from farm.aws.restapis.changes import changing, telling
from farm.aws.restapis.deployed import snapshot
from farm.aws.restapis.model import Deployment, Rest, RestApi, find
from farm.aws.restapis.paging import page
from farm.aws.restapis.stages import serve


@changing
@telling
def create_deployment(of: Rest, asked: Params) -> Result:
    """A stage that is named is made, or moved to it."""
    api = of.api(asked)
    _check(api)
    identity, description = random_id(6), asked.get("description", "")
    shown = {"id": identity, "createdDate": now(), **({"description": description} if description else {})}
    deployment = Deployment(shown, snapshot(identity, api.resources.values(), api.authorizers))
    if asked.get("stageName"):
        serve(of, api, {**asked, "deploymentId": identity, "description": asked.get("stageDescription")})
    api.deployments[identity] = deployment
    return shown


def get_deployment(of: Rest, asked: Params) -> Result:
    found = find("Deployment", of.api(asked).deployments, asked["deploymentId"])
    return _shown(found, asked)


def get_deployments(of: Rest, asked: Params) -> Result:
    return page(of, [one.shown for one in of.api(asked).deployments.values()], asked)


@changing
def delete_deployment(of: Rest, asked: Params) -> Result:
    api, identity = of.api(asked), asked["deploymentId"]
    find("Deployment", api.deployments, identity)
    if any(stage["deploymentId"] == identity for stage in api.stages.values()):
        raise invalid("Active stages pointing to this deployment must be moved or deleted")
    del api.deployments[identity]
    return {}


def _shown(deployment: Deployment, asked: Params) -> Result:
    """The summary only where it is asked for."""
    if "apisummary" not in asked.get("embed", ()):
        return deployment.shown
    return {**deployment.shown, "apiSummary": deployment.snapshot.summary}


def _check(api: RestApi) -> None:
    methods = [one for resource in api.resources.values() for one in resource["resourceMethods"].values()]
    if not methods:
        raise invalid("The REST API doesn't contain any methods")
    if not all("methodIntegration" in one for one in methods):
        raise invalid("No integration defined for method")
