"""What can go wrong with a call to AWS, and how those who make calls wait and die."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, Protocol
from xml.sax.saxutils import quoteattr

from moto.core.utils import get_service_model

from farm.aws import clock


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

    def __init__(self, message: str, kind: str = "Runtime.ExitError") -> None:
        super().__init__(message)
        self.kind = kind
        """As Lambda calls it."""


class Sandbox(Protocol):
    """Whoever makes calls, as far as the gate has to know."""

    def pause(self) -> None:
        """Before and after each call: others may come first. Raises `Crash` in one that is dead."""

    def wait(self, seconds: float) -> None:
        """In the middle of a call."""

    def sleep(self, seconds: float) -> None:
        """Between calls, of its own will."""

    def die(self, crash: Crash) -> NoReturn:
        """Here and now, and for good."""


class Outside:
    """Whoever is no function: the account's user, and tests. Time stands while they call."""

    def pause(self) -> None:
        """Nobody else comes first."""

    def wait(self, seconds: float) -> None:
        clock.hold(seconds)

    def sleep(self, seconds: float) -> None:
        clock.sleep(seconds)

    def die(self, crash: Crash) -> NoReturn:
        raise crash


@dataclass(slots=True)
class Fault:
    """What goes wrong with which calls.

    - `error`: refused with `code`, without effect.
    - `lost`: it takes effect, the answer never arrives.
    - `empty`: a successful answer that holds nothing: a page of a list without entries.
    - `slow`: it takes `seconds` more, and effect. A client whose read timeout is shorter does not wait for the answer.
    - `hang`: no answer ever; clients wait for their read timeout. The effect stays out, in phase "after" only the answer.
    - `crash`, `oom`: the caller's process ends, before or after the effect (in process only).

    `nth` counts the calls that match, from 1; None is each of them. On virtual time a client's every attempt is a call.
    """

    kind: Literal["error", "lost", "crash", "oom", "hang", "slow", "empty"]
    code: str = ""
    service: str = ""
    operation: str = ""
    nth: int | Container[int] | None = None
    where: Callable[[Call], bool] | None = None
    phase: Literal["before", "after"] = "before"
    members: Mapping[str, Any] = field(default_factory=dict)
    """More members of a modelled error, such as DuplicateOperationId."""
    seconds: float = 30.0
    """Of `slow`."""
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

    @property
    def deadly(self) -> bool:
        return self.kind in {"crash", "oom"}

    def crash(self, call: Call) -> Crash:
        """What a deadly one does to the caller."""
        how = "signal: killed" if self.kind == "oom" else "exit status 1"
        return Crash(f"Runtime exited with error: {how}, {self.phase} {call.service} {call.operation}")


def emptied(call: Call, answer: tuple[int, dict[str, Any], Any]) -> tuple[int, dict[str, Any], Any]:
    """The same answer with nothing in it: no entries, no further page. A refusal stays what it is."""
    status, headers, _ = answer
    if status >= 400:
        return answer
    model = get_service_model(call.service)
    output = model.operation_model(call.operation).output_shape
    lists = [
        shape.serialization.get("name", name)
        for name, shape in (output.members.items() if output else ())
        if shape.type_name == "list"
    ]
    if model.protocol in {"json", "rest-json"}:
        return status, headers, json.dumps({name: [] for name in lists})
    inner = "".join(f"<{name}/>" for name in lists)
    if model.protocol == "query":
        inner = f"<{call.operation}Result>{inner}</{call.operation}Result>"
    space = quoteattr(str(model.metadata.get("xmlNamespace", "")))
    body = f"<{call.operation}Response xmlns={space}>{inner}</{call.operation}Response>"
    return status, headers, body
