"""Every AWS call passes here: who made it and what it asked for, whether it is let through, and what came of it.

The gate sits where moto dispatches a call, in process and in the server alike, so that it sees each attempt of any SDK.
Tests read `GATE.calls`, plant `Fault`s, and set `throttle` and `iam`; the living ECS observes.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, NoReturn

import botocore.endpoint
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.responses import BaseResponse
from moto.core.utils import get_service_model

from farm import errors
from farm.aws import ONE_AT_A_TIME, clock
from farm.faults import Call, Crash, Fault, Outside, Sandbox, emptied
from farm.throttle import Throttle

__all__ = ["GATE", "USER", "Call", "Crash", "Fault", "Gate", "Sandbox", "mend"]

Answer = tuple[int, dict[str, Any], Any]
USER = "user"
_READ_TIMEOUT = 60.0
"""Botocore's own, in seconds."""

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
        self.sandbox: Sandbox = Outside()
        """How whoever calls waits and dies."""

    def pass_through(self, response: BaseResponse, act: Callable[[], Answer]) -> Answer:
        """Let one call through to moto, or not."""
        call = self._call(response)
        if not call.operation:
            return act()
        lock: Any = ONE_AT_A_TIME
        if lock._is_owned():  # a call in the middle of another one: nobody may come between
            return self._pass(response, call, act)
        self.sandbox.pause()
        try:
            return self._pass(response, replace(call, at=clock.now()), act)
        finally:
            self.sandbox.pause()

    def _pass(self, response: BaseResponse, call: Call, act: Callable[[], Answer]) -> Answer:
        with _alone(response):
            fault = next((fault for fault in self.faults if fault.strikes(call)), None)
        patience = getattr(_client, "read_timeout", _READ_TIMEOUT)
        if fault and fault.phase == "before":
            self._strike(call, fault, response, patience)
        with _alone(response):
            answer, refused = self._answer(call, fault, act)
        if not fault or refused:
            return answer
        if fault.phase == "after":
            self._strike(call, fault, response, patience)
        if fault.kind == "lost" or (fault.kind == "slow" and fault.seconds >= patience):
            _lose_answer(call, response, ReadTimeoutError if fault.kind == "slow" else ConnectionClosedError)
        return emptied(call, answer) if fault.kind == "empty" else answer

    def _strike(self, call: Call, fault: Fault, response: BaseResponse, patience: float) -> None:
        """Before or after the effect."""
        if fault.deadly:
            self._note(call, fault)
            self.sandbox.die(fault.crash(call))
        elif fault.kind == "slow":
            self.sandbox.wait(min(fault.seconds, patience))
        elif fault.kind == "hang":
            self._note(call, fault)
            self.sandbox.wait(patience)
            _lose_answer(call, response, ReadTimeoutError)

    def _note(self, call: Call, fault: Fault) -> None:
        """A call that comes to an end before its effect is remembered too."""
        if fault.phase == "before":
            self.calls.append(replace(call, error=fault.kind.capitalize()))

    def _answer(self, call: Call, fault: Fault | None, act: Callable[[], Answer]) -> tuple[Answer, bool]:
        """What AWS answers, and whether it refuses."""
        if refusal := self._refusal(call, fault):
            self.calls.append(replace(call, error=refusal.code))
            return errors.answer(call.service, refusal), True
        try:
            answer = act()
        except Exception as bug:  # of moto: seen in the log, and left to moto
            self.calls.append(replace(call, error=type(bug).__name__))
            raise
        self._record(call, answer)
        return answer, False

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


_client = threading.local()
"""`read_timeout`: of the client whose call this thread makes."""


def mend() -> None:
    """Patch moto's dispatcher in place, and let botocore's pauses between attempts pass on the farm's time."""
    call_action = BaseResponse.call_action
    endpoint_class: Any = botocore.endpoint.Endpoint
    get_response = endpoint_class._get_response

    def guarded(response: BaseResponse) -> Answer:
        return GATE.pass_through(response, lambda: call_action(response))

    def timed(endpoint: Any, request: Any, operation_model: Any, context: Mapping[str, Any]) -> Any:
        config = context.get("client_config")
        _client.read_timeout = config.read_timeout if config else _READ_TIMEOUT
        return get_response(endpoint, request, operation_model, context)

    BaseResponse.call_action = guarded
    endpoint_class._get_response = timed
    vars(botocore.endpoint)["time"] = _Pauses()


class _Pauses:
    """Stands in for the module `time` where botocore waits between attempts."""

    def __getattr__(self, name: str) -> Any:
        return GATE.sandbox.wait if name == "sleep" else getattr(time, name)


def _lose_answer(
    call: Call, response: BaseResponse, error: type[ConnectionClosedError | ReadTimeoutError]
) -> NoReturn:
    if response.is_werkzeug_request:
        response.normalized_request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError
    raise error(endpoint_url=f"https://{call.service}.farm")


def _alone(response: BaseResponse) -> AbstractContextManager[Any]:
    """Nobody else acts meanwhile, but for a long poll: that locks by itself while it takes messages."""
    return nullcontext() if _waits(response) else ONE_AT_A_TIME


def _waits(response: BaseResponse) -> bool:
    """A long poll, which must not keep everybody else out."""
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
