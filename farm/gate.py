"""Every AWS call passes here: who made it and what it asked for, whether it is let through, and what came of it.

The gate sits where moto dispatches a call, in process and in the server alike, so that it sees each attempt of any SDK.
Tests read `GATE.calls`, plant `Fault`s, and set `throttle` and `iam`; the living ECS observes.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import botocore.endpoint
from botocore.exceptions import ConnectionClosedError
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.responses import BaseResponse
from moto.core.utils import get_service_model

from farm import errors
from farm.aws import ONE_AT_A_TIME, clock
from farm.throttle import Throttle

Answer = tuple[int, dict[str, Any], Any]
USER = "user"


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt of one AWS call. `service` is boto3's name, `operation` and `params` are as sent."""

    caller: str
    service: str
    operation: str
    params: Mapping[str, Any]
    at: float
    error: str = ""


class Crash(BaseException):
    """The caller's process ends here. Not an `Exception`: nothing in the caller may catch it."""


@dataclass(slots=True)
class Fault:
    """What goes wrong with which calls.

    `error`: refused with `code`, without effect. `lost`: it takes effect, the answer never arrives. `crash`: the caller
    dies, before or after the effect (in process only). `nth` counts the calls that match, from 1; None is each of them.
    """

    kind: Literal["error", "lost", "crash"]
    code: str = ""
    service: str = ""
    operation: str = ""
    nth: int | Container[int] | None = None
    where: Callable[[Call], bool] | None = None
    phase: Literal["before", "after"] = "before"
    members: Mapping[str, Any] = field(default_factory=dict)
    """More members of a modelled error, such as DuplicateOperationId."""
    seen: int = field(default=0, init=False)

    def strikes(self, call: Call) -> bool:
        """Whether it is this call's turn. Counts the calls that match."""
        if self.service not in {"", call.service} or self.operation not in {"", call.operation}:
            return False
        if self.where and not self.where(call):
            return False
        self.seen += 1
        if isinstance(self.nth, int):
            return self.seen == self.nth
        return self.nth is None or self.seen in self.nth


Observer = Callable[[Call, Any], None]


class Gate:
    """The one gate of the process. `reset` puts back what tests change."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.calls: list[Call] = []
        self.observers: list[Observer] = []
        self.callers: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.throttle: Throttle | None = None
        self.iam: Callable[[Call], str | None] | None = None
        self.acting: str | None = None
        """Who calls, whatever key signed: functions in one process may share a client."""

    def pass_through(self, response: BaseResponse, act: Callable[[], Answer]) -> Answer:
        """Let one call through to moto, or not."""
        call = self._call(response)
        if not call.operation:
            return act()
        fault = next((fault for fault in self.faults if fault.strikes(call)), None)
        if refusal := self._refusal(call, fault):
            self.calls.append(replace(call, error=refusal.code))
            return errors.answer(call.service, refusal)
        if fault and fault.kind == "crash" and fault.phase == "before":
            self.calls.append(replace(call, error="Crash"))
            raise Crash(f"before {call.service} {call.operation}")
        try:
            answer = act()
        except Exception as bug:  # of moto: seen in the log, and left to moto
            self.calls.append(replace(call, error=type(bug).__name__))
            raise
        self._record(call, answer)
        if fault:
            _lose_answer(call, fault, response)
        return answer

    def _call(self, response: BaseResponse) -> Call:
        key = re.search(r"Credential=([^/]+)/", response.headers.get("Authorization", ""))
        operation = response._get_action() or ""
        return Call(
            caller=self.acting or self.callers.get(key[1] if key else "", USER),
            service=response.boto3_service_name,
            operation=operation,
            params=_params(response, operation) if operation else {},
            at=clock.now(),
        )

    def _refusal(self, call: Call, fault: Fault | None) -> errors.Refusal | None:
        if fault and fault.kind == "error":
            return errors.Refusal(fault.code, f"{fault.code}, because the farm was told so", fault.members)
        if self.throttle and (code := self.throttle.refuse(call.service, call.operation)):
            return errors.Refusal(code, "Rate exceeded")
        if self.iam and (denial := self.iam(call)):
            return errors.Refusal(errors.denial_code(call.service), denial)
        return None

    def _record(self, call: Call, answer: Answer) -> None:
        status, headers, body = answer
        if status >= 400:
            self.calls.append(replace(call, error=errors.code_of(headers, body)))
            return
        self.calls.append(call)
        result = json.loads(body) if self.observers and str(body).startswith("{") else None
        for observer in self.observers:
            observer(call, result)


GATE = Gate()


def mend() -> None:
    """Patch moto's dispatcher in place, and let botocore's pauses between attempts pass on the farm's time."""
    call_action = BaseResponse.call_action

    def guarded(response: BaseResponse) -> Answer:
        act: Callable[[], Answer] = lambda: call_action(response)  # noqa: E731 - it closes over `response`
        if _waits(response):
            return GATE.pass_through(response, act)
        with ONE_AT_A_TIME:
            return GATE.pass_through(response, act)

    BaseResponse.call_action = guarded
    vars(botocore.endpoint)["time"] = _Pauses()


class _Pauses:
    """Stands in for the module `time` where botocore waits between attempts."""

    def __getattr__(self, name: str) -> Any:
        return clock.hold if name == "sleep" else getattr(time, name)


def _lose_answer(call: Call, fault: Fault, response: BaseResponse) -> None:
    if fault.kind == "crash":
        raise Crash(f"after {call.service} {call.operation}")
    if response.is_werkzeug_request:
        response.normalized_request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError
    raise ConnectionClosedError(endpoint_url=f"https://{call.service}.farm")


def _waits(response: BaseResponse) -> bool:
    """A long poll, which must not keep everybody else out. It locks by itself while it takes messages."""
    return bool(response.service_name == "sqs") and response._get_action() == "ReceiveMessage"


def _params(response: BaseResponse, operation: str) -> Mapping[str, Any]:
    """The parameters by the names of AWS's model, whatever the protocol."""
    request = response.normalized_request
    model = get_service_model(response.boto3_service_name)
    protocol = determine_request_protocol(model, request.content_type)
    if protocol == "json":
        return dict(json.loads(request.data or "{}"))
    parser = PROTOCOL_PARSERS[protocol](model.operation_model(operation), map_type=dict)
    parts = {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": request.data,
        "url_path": request.path,
        "url_params": response.uri_match,
    }
    return dict(parser.parse(parts) or {})
