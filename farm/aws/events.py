"""EventBridge as AWS has it: the whole envelope, honest rules, targets that cannot fail the producer, schedules that fire.

Calls of PutEvents come in through moto; AWS's own events through `emit`, which no API caller may imitate. Targets are
SQS queues, and Lambda functions through whoever said `connect`; what cannot be delivered goes to the target's
dead-letter queue or is dropped, as on AWS (F§6).
"""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import ServiceException
from moto.events import models
from moto.events.exceptions import InvalidEventPatternException, ValidationException
from moto.events.responses import EventsHandler
from moto.sqs.models import sqs_backends
from moto.utilities.arns import parse_arn

from farm.aws import ACCOUNT, ONE_AT_A_TIME, REGION, clock, patterns, payloads

Envelope = Mapping[str, Any]
Invoke = Callable[[str, Any], bool]

_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_LIMIT = 262_144


def mend() -> None:
    """Patch moto's EventBridge in place."""
    models.EventPattern.load = classmethod(_load_pattern)
    models.EventPattern.matches_event = lambda self, event: patterns.matches(self.get_pattern(), event)
    models.EventsBackend.put_events = _put_events
    models.EventsBackend.put_rule = _with_schedule(models.EventsBackend.put_rule)
    models.EventsBackend.put_targets = _checked(models.EventsBackend.put_targets)
    EventsHandler.test_event_pattern = _test_event_pattern


def connect(invoke: Invoke, *, account: str = ACCOUNT, region: str = REGION) -> None:
    """Lambda targets go to `invoke(function ARN, payload)`, which says whether there is such a function."""
    vars(models.events_backends[account][region])["invoke"] = invoke


def emit(envelope: Envelope, *, account: str = ACCOUNT, region: str = REGION) -> None:
    """Put a whole event on the default bus, as AWS's own services do."""
    with ONE_AT_A_TIME:
        _route(models.events_backends[account][region], "default", envelope)


def _put_events(backend: models.EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(events) > 10:
        raise ValidationException(
            "1 validation error detected: entries must have length less than or equal to 10"
        )
    if sum(len(json.dumps(event)) for event in events) > _LIMIT:
        raise ValidationException("Total size of the entries in the request is over the limit.")
    return [_put_event(backend, event) for event in events]


def _put_event(backend: models.EventsBackend, event: Mapping[str, Any]) -> dict[str, Any]:
    for name in ("Source", "DetailType", "Detail"):
        if not event.get(name):
            return _refused(
                "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
            )
    if event["Source"].lower().startswith("aws."):
        return _refused("NotAuthorizedForSourceException", "Not authorized for the source.")
    try:
        detail = json.loads(event["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return _refused("MalformedDetail", "Detail is malformed.")
    envelope = _envelope(backend, event, detail)
    _route(backend, backend._normalize_event_bus_arn(event.get("EventBusName")), envelope)
    return {"EventId": envelope["id"]}


def _refused(code: str, message: str) -> dict[str, Any]:
    return {"ErrorCode": code, "ErrorMessage": message}


def _envelope(backend: models.EventsBackend, event: Mapping[str, Any], detail: Mapping[str, Any]) -> Envelope:
    at = event.get("Time")
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": event["DetailType"],
        "source": event["Source"],
        "account": backend.account_id,
        "time": datetime.fromtimestamp(float(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else clock.iso(),
        "region": backend.region_name,
        "resources": event.get("Resources", []),
        "detail": detail,
    }


def _route(backend: models.EventsBackend, bus: str, envelope: Envelope) -> None:
    if bus not in backend.event_buses:  # AWS takes the event and delivers it to nobody
        return
    for rule in list(backend.event_buses[bus].rules.values()):
        pattern = rule.event_pattern.get_pattern()
        if rule.state != "DISABLED" and pattern and patterns.matches(pattern, envelope):
            _send(backend, rule, envelope)


def _send(backend: models.EventsBackend, rule: models.Rule, envelope: Envelope) -> None:
    for target in list(rule.targets):
        payload = payloads.payload(target, envelope)
        trouble = _deliver(backend, target, payload)
        if trouble:
            _bury(rule, target, payload, trouble)


def _bury(rule: models.Rule, target: Mapping[str, Any], payload: Any, trouble: tuple[str, str]) -> None:
    """To the target's dead-letter queue; without one, or without the queue, the event is dropped."""
    attributes = {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": trouble[0],
        "ERROR_MESSAGE": trouble[1],
    }
    if "DeadLetterConfig" in target:
        with contextlib.suppress(ServiceException):
            to_queue(target["DeadLetterConfig"]["Arn"], json.dumps(payload), attributes)


def _deliver(
    backend: models.EventsBackend, target: Mapping[str, Any], payload: Any
) -> tuple[str, str] | None:
    """The error code and message for the dead-letter queue, or None when it arrived."""
    if ":lambda:" in target["Arn"]:
        invoke: Invoke | None = vars(backend).get("invoke")
        found = invoke is not None and invoke(target["Arn"], payload)
        return None if found else ("NO_RESOURCE", "The function does not exist.")
    try:
        to_queue(
            target["Arn"], json.dumps(payload), group=target.get("SqsParameters", {}).get("MessageGroupId")
        )
    except ServiceException as refusal:
        missing = "NonExistentQueue" in refusal.code
        return ("NO_RESOURCE" if missing else "SDK_CLIENT_ERROR", refusal.message)
    return None


def to_queue(
    arn: str, body: str, attributes: Mapping[str, str] | None = None, *, group: str | None = None
) -> None:
    """Put a message on a queue as an AWS service does."""
    queue = parse_arn(arn)
    sqs_backends[queue.account][queue.region].send_message(
        queue_name=queue.resource_id,
        message_body=body,
        message_attributes={
            k: {"DataType": "String", "StringValue": v} for k, v in (attributes or {}).items()
        },
        group_id=group,
    )


def _load_pattern(cls: type[models.EventPattern], raw: str | None) -> models.EventPattern:
    if not raw:
        return cls(raw, {})
    try:
        pattern = json.loads(raw)
        patterns.check(pattern)
    except json.JSONDecodeError as error:
        raise InvalidEventPatternException(reason="Invalid JSON") from error
    except patterns.InvalidPatternError as error:
        raise InvalidEventPatternException(reason=str(error)) from error
    return cls(raw, pattern)


def _test_event_pattern(handler: EventsHandler) -> str:
    pattern = models.EventPattern.load(handler._get_param("EventPattern"))
    return json.dumps({"Result": pattern.matches_event(json.loads(handler._get_param("Event")))})


def _with_schedule(put_rule: Callable[..., models.Rule]) -> Callable[..., models.Rule]:
    def scheduled(backend: models.EventsBackend, *args: Any, **kwargs: Any) -> models.Rule:
        rule = put_rule(backend, *args, **kwargs)
        rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", rule.scheduled_expression or "")
        if rate:
            seconds = int(rate[1]) * _SECONDS[rate[2]]
            clock.after(seconds, lambda: _tick(backend, rule, seconds))
        return rule

    return scheduled


def _tick(backend: models.EventsBackend, rule: models.Rule, seconds: float) -> None:
    """Fire a schedule and come again, until the rule is deleted or put anew."""
    if backend.event_buses["default"].rules.get(rule.name) is not rule:
        return
    clock.after(seconds, lambda: _tick(backend, rule, seconds))
    if rule.state != "DISABLED":
        event = {"Source": "aws.events", "DetailType": "Scheduled Event", "Resources": [rule.arn]}
        with ONE_AT_A_TIME:
            _send(backend, rule, _envelope(backend, event, {}))


def _checked(put_targets: Callable[..., None]) -> Callable[..., None]:
    def checked(
        backend: models.EventsBackend, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]
    ) -> None:
        for target in targets:
            if parse_arn(target["Arn"]).service not in {"lambda", "sqs"}:
                raise ValidationException(
                    f"The farm delivers to Lambda and SQS only, not to {target['Arn']}."
                )
        put_targets(backend, name, event_bus_arn, targets)

    return checked
