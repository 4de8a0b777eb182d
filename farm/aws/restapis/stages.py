"""Stages: which deployment is served, how fast, and what is written down about it (F§5.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from farm.aws.apigateway.model import Params, Result, conflict, given, invalid, now
from farm.aws.apigateway.stages import check_logs
from farm.aws.restapis.changes import Read, changing, flag, number, operations, patched, rate, telling
from farm.aws.restapis.model import Rest, RestApi, check_room, find

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_MEMBERS = ("description", "documentationVersion", "tracingEnabled", "variables")
_PATCHED: Mapping[str, Read] = {
    "accessLogSettings": str,
    "deploymentId": str,
    "description": str,
    "tracingEnabled": flag,
    "variables": str,
}
_SETTINGS: Mapping[str, tuple[str, Read]] = {
    "metrics/enabled": ("metricsEnabled", flag),
    "logging/loglevel": ("loggingLevel", str),
    "logging/dataTrace": ("dataTraceEnabled", flag),
    "throttling/burstLimit": ("throttlingBurstLimit", number),
    "throttling/rateLimit": ("throttlingRateLimit", rate),
    "caching/enabled": ("cachingEnabled", flag),
}
_METHOD_SETTINGS = re.compile(rf"/(\*/\*|[^/]+/[^/]+)/({'|'.join(_SETTINGS)})")
_UNSET = {"metricsEnabled": False, "loggingLevel": "OFF", "dataTraceEnabled": False, "cachingEnabled": False}


@changing
@telling
def create_stage(of: Rest, asked: Params) -> Result:
    api, name = of.api(asked), asked["stageName"]
    find("Deployment", api.deployments, asked["deploymentId"])
    if name in api.stages:
        raise conflict("Stage already exists")
    serve(of, api, asked)
    return _shown(of, api, name)


def get_stage(of: Rest, asked: Params) -> Result:
    return _shown(of, of.api(asked), asked["stageName"])


def get_stages(of: Rest, asked: Params) -> Result:
    """All at once, or those of one deployment: this list has no pages."""
    api, wanted = of.api(asked), asked.get("deploymentId")
    names = [name for name, stage in api.stages.items() if wanted in {None, stage["deploymentId"]}]
    return {"item": [_shown(of, api, name) for name in names]}


@changing
@telling
def update_stage(of: Rest, asked: Params) -> Result:
    api, name = of.api(asked), asked["stageName"]
    shown = find("stage", api.stages, name)
    for op, path, value in operations(asked):
        found = _METHOD_SETTINGS.fullmatch(path)
        shown = (
            _set(shown, op, found[1], found[2], value) if found else patched(shown, op, path, value, _PATCHED)
        )
    _check(of, api, shown)
    api.stages[name] = {**shown, "lastUpdatedDate": now()}
    return _shown(of, api, name)


@changing
@telling
def delete_stage(of: Rest, asked: Params) -> Result:
    api, name = of.api(asked), asked["stageName"]
    find("stage", api.stages, name)
    del api.stages[name]
    of.forget_tags("restapis", api.id, "stages", name)
    return {}


def serve(of: Rest, api: RestApi, asked: Params) -> None:
    """Let a stage serve a deployment; a stage that is not there yet is made."""
    name = asked["stageName"]
    if not _NAME.fullmatch(name):
        raise invalid("Stage name only allows a-zA-Z0-9_-")
    if name not in api.stages:
        check_room(len(api.stages), of.settings.most_stages, "Stages for this API")
        of.tag(asked.get("tags", {}), "restapis", api.id, "stages", name)
    present = api.stages.get(name) or {
        "stageName": name,
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "tracingEnabled": False,
        "createdDate": now(),
    }
    api.stages[name] = {
        **present,
        **given(asked, _MEMBERS),
        "deploymentId": asked["deploymentId"],
        "lastUpdatedDate": now(),
    }


def _set(shown: Result, op: str, key: str, name: str, value: str) -> Result:
    """One setting of a method, given as RESOURCE/METHOD, or of all as `*/*`."""
    if op == "add":
        raise invalid(f"Invalid patch path '/{key}/{name}' specified for op 'add'.")
    member, read = _SETTINGS[name]
    settings = {**_UNSET, **shown["methodSettings"].get(key, {})}
    settings[member] = _UNSET.get(member) if op == "remove" else read(value)
    return {**shown, "methodSettings": {**shown["methodSettings"], key: settings}}


def _check(of: Rest, api: RestApi, shown: Result) -> None:
    find("Deployment", api.deployments, shown["deploymentId"])
    logs = shown.get("accessLogSettings")
    if logs and not of.settings.logs_role:
        raise invalid("CloudWatch Logs role ARN must be set in account settings to enable logging")
    if logs:
        check_logs({"DestinationArn": logs.get("destinationArn", ""), "Format": logs.get("format", "")})


def _shown(of: Rest, api: RestApi, name: str) -> Result:
    return of.tagged(find("stage", api.stages, name), "restapis", api.id, "stages", name)
