"""Changes of an API: one at a time, deployed at once where a stage deploys by itself, and told to whoever serves it (F§5.1, F§5.4)."""

from __future__ import annotations

import functools
from collections.abc import Callable

from farm.aws import clock, later
from farm.aws.apigateway.deployed import snapshot
from farm.aws.apigateway.model import (
    Api,
    Gateway,
    Params,
    Result,
    Stage,
    check_idle,
    find,
    invalid,
    now,
    random_id,
)
from farm.aws.apigateway.paging import page

Act = Callable[[Gateway, Params], Result]


def changing(act: Act) -> Act:
    """A call that changes what is in an API."""

    @functools.wraps(act)
    def change(of: Gateway, asked: Params) -> Result:
        api = of.api(asked)
        check_idle(api.changed_at, of.settings.busy)
        result = act(of, asked)
        api.changed_at = clock.now()
        follow(of, api)
        return result

    return change


def telling(act: Act) -> Act:
    """A call that changes how requests are answered, otherwise."""

    @functools.wraps(act)
    def tell(of: Gateway, asked: Params) -> Result:
        result = act(of, asked)
        of.settings.changed()
        return result

    return tell


def follow(of: Gateway, api: Api) -> None:
    """Deploy what the API is now to the stages that deploy by themselves."""
    following = [stage for stage in api.stages.values() if stage.shown["AutoDeploy"]]
    if following:
        deployment = _deploy(
            api, "Automatic deployment triggered by changes to the Api configuration", auto=True
        )
        later(of.settings.deploying, lambda: _arrive(of, api, following, deployment))


def serve(api: Api, stage: Stage, deployment: str) -> None:
    """Let a stage serve a deployment. NotFoundException if there is none such."""
    stage.serves = find("Deployment", api.snapshots, deployment)
    stage.shown["DeploymentId"] = deployment
    stage.shown["LastUpdatedDate"] = now()


@telling
def create_deployment(of: Gateway, asked: Params) -> Result:
    api, name = of.api(asked), asked.get("StageName")
    stage = find("Stage", api.stages, name) if name else None
    if stage and stage.shown["AutoDeploy"]:
        raise invalid("Deployments cannot be made by hand for a stage with AutoDeploy")
    identity = _deploy(api, asked.get("Description", ""), auto=False)
    if stage:
        serve(api, stage, identity)
    return api.deployments[identity]


def get_deployment(of: Gateway, asked: Params) -> Result:
    return find("Deployment", of.api(asked).deployments, asked["DeploymentId"])


def get_deployments(of: Gateway, asked: Params) -> Result:
    return page(of, of.api(asked).deployments.values(), "DeploymentId", asked)


def delete_deployment(of: Gateway, asked: Params) -> Result:
    api, identity = of.api(asked), asked["DeploymentId"]
    find("Deployment", api.deployments, identity)
    if any(stage.shown.get("DeploymentId") == identity for stage in api.stages.values()):
        raise invalid("Active stages pointing to this deployment must be moved or deleted")
    del api.deployments[identity], api.snapshots[identity]
    return {}


def _deploy(api: Api, description: str, *, auto: bool) -> str:
    identity = random_id(6)
    api.deployments[identity] = {
        "DeploymentId": identity,
        "AutoDeployed": auto,
        "CreatedDate": now(),
        "DeploymentStatus": "DEPLOYED",
        **({"Description": description} if description else {}),
    }
    api.snapshots[identity] = snapshot(identity, api.shown, api.routes, api.integrations, api.authorizers)
    return identity


def _arrive(of: Gateway, api: Api, stages: list[Stage], deployment: str) -> None:
    """Later ones may have overtaken this deployment, or its stages may be gone."""
    if deployment not in api.snapshots:
        return
    for stage in stages:
        serve(api, stage, deployment)
    _forget_former(api, deployment)
    of.settings.changed()


def _forget_former(api: Api, latest: str) -> None:
    """AWS keeps no automatic deployment that has been replaced."""
    served = {stage.shown.get("DeploymentId") for stage in api.stages.values()}
    order = list(api.deployments)
    for identity in order[: order.index(latest)]:
        if api.deployments[identity]["AutoDeployed"] and identity not in served:
            del api.deployments[identity], api.snapshots[identity]
