"""From an event to the name of a service to look at. Events name the work, they never describe it.

The one exception is a task whose desired status is STOPPED: that never reverts, so its id travels along and its
address is withdrawn without asking anyone. Field positions are those of F§1.2 to §1.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from expose.work import Depth, Work

Event = Mapping[str, Any]


_SERVING = frozenset(
    {"RUNNING", "DEACTIVATING", "STOPPING"}
)  # its containers may run on for stopTimeout (F§1.3)


_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""By the beginning of a Region's name: all but `aws`, for an event that holds no ARN."""


class Malformed(ValueError):  # noqa: N818 - it names what the event is
    """No event that we know, or not in its shape. Asking again would not help."""


def read(event: Event) -> list[Work]:
    """The work that an event asks for, one for each service that it is about. Raise `Malformed`."""
    try:
        works = list(_READERS[event["detail-type"]](event, event["detail"]))
        strangers = [work.service for work in works if not _names_a_service(work.service)]
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise Malformed(f"{type(error).__name__}: {error} in {str(event)[:500]}") from error
    if strangers:
        raise Malformed(f"{strangers[0]!r} is not the ARN of an ECS service")
    return works


def _names_a_service(arn: str) -> bool:
    parts = arn.split(":", 5)
    return len(parts) == 6 and parts[2] == "ecs" and parts[5].startswith("service/")


def _task(event: Event, detail: Event) -> Iterator[Work]:
    group = detail["group"]
    if not group.startswith("service:"):
        return
    task = detail["taskArn"].rsplit("/", 1)[-1]
    service = f"{detail['clusterArn'].replace(':cluster/', ':service/', 1)}/{group.removeprefix('service:')}"
    if detail["desiredStatus"] == "STOPPED" and detail["lastStatus"] in _SERVING:
        yield Work(service, "task stopping", Depth.RECORD, stopping=(task,), since=_time(event))
    elif detail["desiredStatus"] == "STOPPED":
        yield Work(service, "task stopped", Depth.RECORD, stopped=(task,), since=_time(event))
    elif detail["lastStatus"] == "RUNNING":
        yield Work(service, "task running", Depth.TASKS, since=_time(event), patient=True)


def _deployment(event: Event, detail: Event) -> Iterator[Work]:
    reason = f"deployment {detail['eventName']}"
    yield Work(event["resources"][0], reason, Depth.SERVICE, since=_time(event), patient=True)


def _tag(event: Event, _: Event) -> Iterator[Work]:
    yield Work(event["resources"][0], "tags changed", Depth.SERVICE, since=_time(event))


def _api_call(event: Event, detail: Event) -> Iterator[Work]:
    """A successful CloudTrail call; the service that it is about stands in different fields (F§1.4, F§1.5)."""
    if detail.get("errorCode"):
        return
    name = detail["eventName"]
    for arn in _called_on(event, detail):
        if _names_a_service(arn):
            patient = name == "UpdateService"
            yield Work(arn, f"{name} called", Depth.SERVICE, since=_time(event), patient=patient)


def _called_on(event: Event, detail: Event) -> list[str]:
    """None where CloudTrail left out all that could tell: the sweep finds out."""
    parameters = detail.get("requestParameters") or {}
    if "resourceARNList" in parameters:
        return list(parameters["resourceARNList"])
    if "resourceArn" in parameters:
        return [parameters["resourceArn"]]
    answered = (detail.get("responseElements") or {}).get("service") or {}
    told = answered.get("serviceArn") or parameters.get("serviceArn")
    name = parameters.get("serviceName") or parameters.get("service")
    if told:
        return [told]
    return [_requested(event, parameters, name)] if name else []


def _requested(event: Event, parameters: Event, name: str) -> str:
    if name.startswith("arn:"):
        return name
    cluster = parameters.get("cluster") or "default"
    caller = event["detail"].get("userIdentity") or {}
    arns = [each for each in (cluster, caller.get("arn") or "") if each.startswith("arn:")]
    partition = arns[0].split(":")[1] if arns else _partition(event["region"])
    name = f"service/{cluster.rsplit('/', 1)[-1]}/{name}"
    return f"arn:{partition}:ecs:{event['region']}:{event['account']}:{name}"


def _partition(region: str) -> str:
    found = (partition for prefix, partition in _PARTITIONS.items() if region.startswith(prefix))
    return next(found, "aws")


def _time(event: Event) -> float:
    return datetime.fromisoformat(event["time"]).timestamp()


_READERS = {
    "ECS Task State Change": _task,
    "ECS Deployment State Change": _deployment,
    "Tag Change on Resource": _tag,
    "AWS API Call via CloudTrail": _api_call,
}
