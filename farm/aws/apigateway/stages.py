"""Stages: what of an API is served, how fast, and what is written down about it (F§5.4)."""

from __future__ import annotations

import re

from farm.aws.apigateway.changes import follow, serve, telling
from farm.aws.apigateway.http_apis import mapped
from farm.aws.apigateway.model import (
    Api,
    Gateway,
    Params,
    Refused,
    Result,
    Stage,
    check_room,
    check_unmanaged,
    conflict,
    find,
    given,
    invalid,
    now,
)
from farm.aws.apigateway.paging import page

_NAME = re.compile(r"[a-zA-Z0-9_]{1,128}|\$default")
_LOG_GROUP = re.compile(r"arn:aws:logs:[a-z0-9-]+:\d{12}:log-group:[\w./#-]+(:\*)?")
_MEMBERS = ("AccessLogSettings", "AutoDeploy", "DefaultRouteSettings", "Description")


@telling
def create_stage(of: Gateway, asked: Params) -> Result:
    api, name = of.api(asked), asked["StageName"]
    if not _NAME.fullmatch(name):
        raise invalid("Stage name only allows a-zA-Z0-9_ or $default")
    if name in api.stages:
        raise conflict("Stage already exists")
    check_room(of, len(api.stages), of.settings.most_stages, "Stages")
    created = {"CreatedDate": now(), "LastUpdatedDate": now()}
    shown = _merged({"StageName": name, "AutoDeploy": False, **created}, asked)
    stage = Stage(shown)
    _check(api, shown, asked)
    api.stages[name] = stage
    of.tags[of.arn("apis", api.id, "stages", name)] = dict(asked.get("Tags", {}))
    _deploy(of, api, stage, asked)
    return _shown(of, api, stage)


def get_stage(of: Gateway, asked: Params) -> Result:
    api = of.api(asked)
    return _shown(of, api, find("Stage", api.stages, asked["StageName"]))


def get_stages(of: Gateway, asked: Params) -> Result:
    api = of.api(asked)
    return page(of, [_shown(of, api, stage) for stage in api.stages.values()], "StageName", asked)


@telling
def update_stage(of: Gateway, asked: Params) -> Result:
    """What is not given stays, each route's settings by themselves; those of routes that are gone are in the way."""
    api = of.api(asked)
    stage = find("Stage", api.stages, asked["StageName"])
    shown = _merged(stage.shown, asked) | {"LastUpdatedDate": now()}
    _check(api, shown, asked)
    stage.shown = shown
    _deploy(of, api, stage, asked)
    return _shown(of, api, stage)


@telling
def delete_stage(of: Gateway, asked: Params) -> Result:
    api, name = of.api(asked), asked["StageName"]
    check_unmanaged(find("Stage", api.stages, name).shown)
    if names := mapped(of, api.id, name):
        raise invalid(f"Cannot delete stage '{name}' because it is mapped by the domain names {names}")
    del api.stages[name]
    of.tags.pop(of.arn("apis", api.id, "stages", name), None)
    return {}


@telling
def delete_route_settings(of: Gateway, asked: Params) -> Result:
    stage = find("Stage", of.api(asked).stages, asked["StageName"])
    if stage.shown["RouteSettings"].pop(asked["RouteKey"], None) is None:
        raise _no_route(asked["RouteKey"])
    return {}


@telling
def delete_access_log_settings(of: Gateway, asked: Params) -> Result:
    find("Stage", of.api(asked).stages, asked["StageName"]).shown.pop("AccessLogSettings", None)
    return {}


def _merged(present: Result, asked: Params) -> Result:
    shown = {
        "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
        **present,
        **given(asked, _MEMBERS),
    }
    for name in ("RouteSettings", "StageVariables"):
        both = {**present.get(name, {}), **asked.get(name, {})}
        shown[name] = {key: value for key, value in both.items() if value != ""}
    return shown


def _deploy(of: Gateway, api: Api, stage: Stage, asked: Params) -> None:
    if asked.get("AutoDeploy"):
        follow(of, api)
    elif "DeploymentId" in asked:
        serve(api, stage, asked["DeploymentId"])


def _check(api: Api, shown: Result, asked: Params) -> None:
    wanted = asked.get("DeploymentId")
    if wanted and shown["AutoDeploy"]:
        raise invalid("Deployment ID cannot be set while AutoDeploy is enabled")
    if wanted:
        find("Deployment", api.snapshots, wanted)
    keys = {route["RouteKey"] for route in api.routes.values()}
    for key, settings in shown["RouteSettings"].items():
        if key not in keys:
            raise _no_route(key)
        _check_settings(settings)
    _check_settings(shown["DefaultRouteSettings"])
    check_logs(shown.get("AccessLogSettings"))


def _check_settings(settings: Result) -> None:
    if settings.get("DataTraceEnabled") or settings.get("LoggingLevel", "OFF") != "OFF":
        raise invalid("Execution logs are not supported on protocolType HTTP")
    if settings.get("ThrottlingRateLimit", 0) < 0 or settings.get("ThrottlingBurstLimit", 0) < 0:
        raise invalid("Throttling limits must not be negative")


def check_logs(settings: Result | None) -> None:
    """Access logs of either version of API Gateway."""
    if settings is None:
        return
    if not _LOG_GROUP.fullmatch(settings.get("DestinationArn", "")):
        raise invalid("Invalid ARN specified in the request: access logs need the ARN of a log group")
    form = settings.get("Format", "")
    if "\n" in form or "$context.requestId" not in form:
        raise invalid("Access log format must be single line, and must contain at least $context.requestId")


def _no_route(key: str) -> Refused:
    return Refused(
        "NotFoundException", f"Unable to find Route by key {key} within the provided RouteSettings"
    )


def _shown(of: Gateway, api: Api, stage: Stage) -> Result:
    return of.tagged(stage.shown, "apis", api.id, "stages", stage.shown["StageName"])
