"""What a trail says of calls to ECS: `AWS API Call via CloudTrail` and `Tag Change on Resource` (F§1.5).

Both are best effort on AWS and come after a while; whether ECS services make the second kind at all is unproven, so it
can be turned off. Calls that were refused are not reported here, nor are reads.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from moto.ecs.models import ecs_backends

from farm.aws import ACCOUNT, REGION
from farm.bus import Bus, iso
from farm.gate import Call
from farm.timeline import Timeline

_TRAILED = frozenset({"TagResource", "UntagResource", "CreateService", "UpdateService", "DeleteService"})
_TAGGING = {"TagResources": "tags", "UntagResources": "tagKeys"}


class Trail:
    """Watches the gate and emits, each `delay` seconds after the call."""

    def __init__(self, timeline: Timeline, bus: Bus, *, delay: float) -> None:
        self.tag_events = True
        """Whether aws.tag's events come at all."""
        self._timeline = timeline
        self._bus = bus
        self._delay = delay
        self._versions: Counter[str] = Counter()

    def observe(self, call: Call, result: Any) -> None:  # noqa: ARG002 - an observer's signature
        if call.service == "ecs" and call.operation in _TRAILED:
            self._later(self._api_call(call, "ecs", call.params))
            if call.operation in {"TagResource", "UntagResource"}:
                self._tags_changed(str(call.params["resourceArn"]), _keys(call.params))
        if call.service == "resourcegroupstaggingapi" and call.operation in _TAGGING:
            self._later(self._api_call(call, "tagging", call.params))
            for arn in call.params.get("ResourceARNList", []):
                self._tags_changed(arn, [*call.params.get("Tags", {}), *call.params.get("TagKeys", [])])

    def _tags_changed(self, arn: str, keys: list[str]) -> None:
        kind = arn.split(":")[5].partition("/")[0]
        if not self.tag_events or not arn.startswith("arn:aws:ecs:"):
            return
        self._versions[arn] += 1
        tags = ecs_backends[ACCOUNT][REGION].list_tags_for_resource(arn) or []
        detail = {
            "changed-tag-keys": keys,
            "service": "ecs",
            "resource-type": kind,
            "version": self._versions[arn],
            "tags": {tag["key"]: tag["value"] for tag in tags},
        }
        self._later(lambda: self._bus.emit("aws.tag", "Tag Change on Resource", detail, [arn]))

    def _api_call(self, call: Call, service: str, parameters: Mapping[str, Any]) -> Callable[[], object]:
        detail = {
            "eventVersion": "1.09",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": "AIDAFARM",
                "arn": f"arn:aws:iam::{ACCOUNT}:user/{call.caller}",
                "accountId": ACCOUNT,
                "userName": call.caller,
            },
            "eventTime": iso(call.at),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": call.operation,
            "awsRegion": REGION,
            "sourceIPAddress": "127.0.0.1",
            "userAgent": "farm",
            "requestParameters": dict(parameters),
            "responseElements": _response(call),
            "requestID": _id(call, "request"),
            "eventID": _id(call, "event"),
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        }
        return lambda: self._bus.emit(f"aws.{service}", "AWS API Call via CloudTrail", detail)

    def _later(self, action: Callable[[], object]) -> None:
        self._timeline.after(self._delay, action)


def _keys(params: Mapping[str, Any]) -> list[str]:
    return [tag["key"] for tag in params.get("tags", [])] + list(params.get("tagKeys", []))


def _response(call: Call) -> dict[str, Any] | None:
    """For a service, what identifies it: the request names it in `serviceName` or in `service`, by name or ARN (F§1.4)."""
    named = call.params.get("serviceName") or call.params.get("service")
    if not named:
        return None
    cluster = call.params.get("cluster", "default").rpartition("/")[2]
    name = named.rpartition("/")[2]
    prefix = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
    return {
        "service": {
            "serviceArn": f"{prefix}:service/{cluster}/{name}",
            "serviceName": name,
            "clusterArn": f"{prefix}:cluster/{cluster}",
        }
    }


def _id(call: Call, what: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{what} {call.operation} {call.at} {call.params}"))
