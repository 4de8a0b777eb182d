"""Lambda: functions invoked by rules and by hand, retried when asynchronous, fed from queues, their failures buried.

deployment = deploy(...)
lambdas = Lambdas(deployment, InProcess())
lambdas.start()
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from moto.core.exceptions import ServiceException

from farm.aws import ONE_AT_A_TIME, clock, events
from farm.deploy import Deployment
from farm.functions import THROTTLED, Function, FunctionError, Runtime
from farm.iam import may
from farm.pump import Pump

Job = Callable[[], None]
Launch = Callable[[Job], object]
Portion = Callable[[int], int]

_LOG = logging.getLogger(__name__)
_FIRST_RETRY = 60.0


def at_once(job: Job) -> None:
    """How jobs are launched on virtual time: here and now."""
    job()


def whole(batch_size: int) -> int:
    """How many messages a poll gets where nothing is left to chance: as many as it asks for."""
    return batch_size


def in_threads(executor: Executor) -> Launch:
    """How jobs are launched on the wall clock: beside everything else."""

    def guarded(job: Job) -> None:
        try:
            job()
        except Exception:  # noqa: BLE001 - one invocation's bug must not vanish with its thread
            _LOG.exception("an invocation on the farm failed")

    return lambda job: executor.submit(guarded, job)


class Lambdas:
    """The functions of one deployment, alive."""

    def __init__(
        self, deployment: Deployment, runtime: Runtime, launch: Launch = at_once, portion: Portion = whole
    ) -> None:
        self.deployment = deployment
        self.runtime = runtime
        self.launch = launch
        self.portion = portion
        self.failures: list[tuple[str, FunctionError]] = []
        """Caller and error of every invocation that failed."""

    def start(self) -> None:
        """Begin to poll the queues, send the custom resources their Create, connect the rules: CloudFormation's order."""
        for name in self.deployment.sources:
            Pump(self, name).start()
        self.deployment.create(self.invoke_now)
        events.connect(self._invoke_arn)

    def delete_stack(self) -> None:
        """Delete the deployment, custom resources first asked."""
        self.deployment.delete(self.invoke_now)

    def invoke(self, caller: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function by its folder's name and wait for the result, as `aws lambda invoke` does."""
        return self.run(self.deployment.function(caller), event)

    def invoke_later(self, function: Function, event: Mapping[str, Any]) -> None:
        """Invoke asynchronously: two retries, after one and two minutes more, then the function's dead letters (F§6)."""
        clock.after(0, lambda: self.invoke_now(function, event))

    def invoke_now(self, function: Function, event: Mapping[str, Any]) -> None:
        """The same, with the first attempt launched here: for whoever is not in the middle of a call."""
        attempt = _Attempt(function, event, clock.now())
        self.launch(lambda: self._try(attempt, 1))

    def run(self, function: Function, event: Mapping[str, Any]) -> Any:
        """One invocation. Raises `FunctionError`, and remembers it."""
        try:
            return self.runtime.invoke(function, event)
        except FunctionError as error:
            self.failures.append((function.caller, error))
            raise

    def _invoke_arn(self, arn: str, payload: Any) -> bool:
        for function in self.deployment.functions.values():
            if function.arn == arn:
                self.invoke_later(function, payload)
                return True
        return False

    def _try(self, attempt: _Attempt, number: int) -> None:
        try:
            self.run(attempt.function, attempt.event)
        except FunctionError as error:
            if error.kind == THROTTLED:
                self._wait_for_room(attempt, number)
                return
            pause = _FIRST_RETRY * 2 ** (number - 1)
            age = clock.now() + pause - attempt.since
            if number > attempt.function.retries or age > attempt.function.max_age:
                self._bury(attempt, number, error)
            else:
                clock.after(pause, lambda: self.launch(lambda: self._try(attempt, number + 1)))

    def _wait_for_room(self, attempt: _Attempt, number: int) -> None:
        """An event that found all environments busy comes again, more and more seldom, and has lost no attempt."""
        pause = min(300.0, 2.0**attempt.throttled)
        attempt.throttled += 1
        if clock.now() + pause - attempt.since > attempt.function.max_age:
            self._bury(attempt, number, FunctionError(THROTTLED, "Rate Exceeded."))
        else:
            clock.after(pause, lambda: self.launch(lambda: self._try(attempt, number)))

    def _bury(self, attempt: _Attempt, number: int, error: FunctionError) -> None:
        function = attempt.function
        if not function.dead_letters or not may(function.caller, "sqs:SendMessage", function.dead_letters):
            _LOG.error("%s: an event is dropped: %s", function.name, error)
            return
        body: Any = attempt.told(number, error) if function.on_failure else attempt.event
        described = {
            "RequestID": attempt.id,
            "ErrorCode": "200",
            "ErrorMessage": error.message[:1024] or error.kind,
        }
        try:
            with ONE_AT_A_TIME:
                attributes = {} if function.on_failure else described
                events.to_queue(function.dead_letters, json.dumps(body), attributes)
        except ServiceException as refusal:
            _LOG.error("%s: an event is dropped: %s", function.name, refusal)


class _Attempt:
    """One asynchronous event on its way through its attempts."""

    def __init__(self, function: Function, event: Mapping[str, Any], since: float) -> None:
        self.function = function
        self.event = event
        self.since = since
        self.throttled = 0
        self.id = str(uuid.uuid4())

    def told(self, number: int, error: FunctionError) -> dict[str, Any]:
        """What an on-failure destination is told."""
        spent = number > self.function.retries
        return {
            "version": "1.0",
            "timestamp": clock.iso(),
            "requestContext": {
                "requestId": self.id,
                "functionArn": f"{self.function.arn}:$LATEST",
                "condition": "RetriesExhausted" if spent else "EventAgeExceeded",
                "approximateInvokeCount": number,
            },
            "requestPayload": self.event,
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "responsePayload": {"errorMessage": error.message, "errorType": error.kind},
        }
