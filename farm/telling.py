"""What happens on a farm, a line for each thing: who changes what by which call, what becomes of tasks and services, what
the product says, and what the names answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TypeVar

from farm.bus import Envelope
from farm.farm import Farm
from farm.gate import GATE, Call

T = TypeVar("T")
_STAGES = frozenset({"PENDING", "RUNNING", "STOPPED"})
"""What is worth a line in a task's life; a decided stop is another."""
_WRITES = (
    "Create", "Update", "Delete", "Register", "Deregister", "Tag", "Untag", "Run", "Start", "Stop", "Put", "Modify",
    "Add", "Remove", "Set",
)  # fmt: skip
_SEEN = frozenset({"ecs", "servicediscovery", "elbv2", "apigatewayv2", "apigateway", "ssm"})
_OF_REST = ("name", "pathPart", "httpMethod", "domainName", "stageName", "resourceId", "restApiId")
"""What names a thing of a REST API; the most telling first."""


def news(farm: Farm, names: dict[str, int]) -> list[tuple[str, str]]:
    """Of what kind, and what: all since it was asked for last. `names` is what it remembers meanwhile."""
    return [*_of_calls(), *_of_events(farm), *_of_names(farm, names)]


def _of_calls() -> Iterator[tuple[str, str]]:
    for call in _taken(GATE.calls):
        if call.operation == "PutEvents":
            yield from map(_verdict, call.params["Entries"])
        elif call.service in _SEEN and call.operation.startswith(_WRITES):
            error = f"  refused: {call.error}" if call.error else ""
            yield call.caller, f"{call.operation} {_subject(call)}{error}"


def _verdict(entry: Mapping[str, str]) -> tuple[str, str]:
    """One of the product's own events, in a line."""
    detail = json.loads(entry["Detail"])
    service = str(detail.get("service", "")).rpartition("/")[2]
    audited = entry["DetailType"] == "Public Address Audit"
    keys = ("state", "grade", "kind", "message") if audited else ("tag", "status", "code", "message")
    said = " ".join(str(detail[key]) for key in keys if detail.get(key))
    return "audit" if audited else "exposure", f"{service} {said or entry['DetailType']}"


def _of_events(farm: Farm) -> Iterator[tuple[str, str]]:
    for event in _taken(farm.bus.log):
        detail = event["detail"]
        if event["detail-type"] == "ECS Task State Change":
            decided = detail["desiredStatus"] == "STOPPED" and detail["lastStatus"] == "RUNNING"
            if decided or detail["lastStatus"] in _STAGES:
                stage = "will stop" if decided else detail["lastStatus"]
                yield "task", f"{_service_of(event)} {detail['taskArn'][-8:]} {stage}"
        elif event["detail-type"] in {"ECS Deployment State Change", "ECS Service Action"}:
            yield "service", f"{event['resources'][0].rpartition('/')[2]} {detail['eventName']}"


def _of_names(farm: Farm, known: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Every name whose answer has another number of values than before, or other values."""
    now = {
        f"{name} {kind}": records.values
        for zone in farm.names.zones()
        for (name, kind), records in zone.records.items()
    }
    for name in sorted(now.keys() | known.keys()):
        signature = hash(now.get(name))
        if known.get(name, hash(None)) != signature:
            yield "dns", f"{name}  {' '.join(now.get(name, ())) or '(gone)'}"
        known[name] = signature
    for name in known.keys() - now.keys():
        del known[name]


def _taken(log: list[T]) -> list[T]:
    """All that a log holds, out of the log."""
    taken = log[:]
    del log[: len(taken)]
    return taken


def _subject(call: Call) -> str:
    """What a call is about, by whichever parameter says it; and the targets, or parameters, that come or go."""
    targets = "".join(f" {target['Id']}" for target in call.params.get("Targets", ()))
    targets += " ".join(call.params.get("Names", ()) if call.service == "ssm" else ())
    for key in (
        "serviceName",
        "service",
        "resourceArn",
        "task",
        "InstanceId",
        "Name",
        "ResourceARN",
        "ServiceId",
        "TargetGroupArn",
        "ListenerArn",
        "RuleArn",
        "LoadBalancerArn",
        "RouteKey",
        "DomainName",
        "StageName",
        "ApiId",
        "VpcLinkId",
        "ResourceId",
        *_OF_REST,
    ):
        if value := call.params.get(key):
            return _named(str(value)) + targets
    return targets.strip()


def _named(value: str) -> str:
    """The name in an ARN, or the id where it has none. Of load balancing's the name comes before ids."""
    if not value.startswith("arn:"):
        return value
    parts = value.split("/")
    if ":elasticloadbalancing:" in value:
        return parts[1] if ":targetgroup/" in value else parts[2]
    return parts[-1]


def _service_of(event: Envelope) -> str:
    return str(event["detail"]["group"]).removeprefix("service:")
