"""What is deployed as a Lambda function, and what any way of running one must offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

THROTTLED = "TooManyRequestsException"
"""The kind of error of an invocation for which the function's reserved concurrency has no room."""


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function of the stack. `caller` is its folder's name, by which gate and IAM know it."""

    logical_id: str
    name: str
    arn: str
    caller: str
    module_path: Path
    handler: str
    role: str
    environment: Mapping[str, str] = field(hash=False)
    timeout: float = 3.0
    memory: int = 128
    reserved: int | None = None
    """How many invocations may run at once, if that is limited."""
    retries: int = 2
    max_age: float = 21600.0
    dead_letters: str = ""
    """The queue for events that no retry could save: a dead-letter queue, or an on-failure destination."""
    on_failure: bool = False
    """Whether `dead_letters` is a destination, which is told the whole story, not only the event."""


@dataclass(frozen=True, slots=True)
class EventSource:
    """A queue that Lambda polls for a function."""

    function: str
    queue_arn: str
    batch_size: int = 10
    window: float = 0.0
    concurrency: int = 1000
    reports_failures: bool = False


class FunctionError(Exception):
    """An invocation that failed: the handler raised, took too long, or its process died."""

    def __init__(self, kind: str, message: str, trace: str = "") -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.trace = trace


class Runtime(Protocol):
    """Runs functions. Raises `FunctionError`; returns what the handler returned, as JSON would carry it."""

    def invoke(self, function: Function, event: Mapping[str, Any]) -> Any: ...
