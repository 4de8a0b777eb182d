"""CloudFormation's custom resources: a request to a function, an answer by HTTP PUT to an address in the request."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from farm.aws import clock
from farm.functions import Function

_PATIENCE = 3600.0
_REQUIRED = ("Status", "PhysicalResourceId", "StackId", "RequestId", "LogicalResourceId")


class DeploymentError(Exception):
    """CloudFormation would stop here and say so."""


@dataclass(slots=True)
class CustomResource:
    """One custom resource of the stack, known by the physical id that its function gave it."""

    kind: str
    function: str
    properties: Mapping[str, Any]
    physical_id: str = field(default="", init=False)

    def request(
        self,
        kind: str,
        function: Function,
        stack_id: str,
        logical_id: str,
        invoke: Callable[[Function, Mapping[str, Any]], object],
    ) -> None:
        """Send one request and wait for its answer, for an hour as CloudFormation does."""
        with _Mailbox() as mailbox:
            event = {
                "RequestType": kind,
                "ServiceToken": function.arn,
                "ResponseURL": mailbox.url,
                "StackId": stack_id,
                "RequestId": str(uuid.uuid4()),
                "LogicalResourceId": logical_id,
                "ResourceType": self.kind,
                "ResourceProperties": _as_text(self.properties),
            }
            if self.physical_id:
                event["PhysicalResourceId"] = self.physical_id
            invoke(function, event)
            clock.run_until(mailbox.has_mail, limit=_PATIENCE)
            self.physical_id = _checked(mailbox.answer, event)


def _as_text(value: Any) -> Any:
    """CloudFormation hands every scalar to a custom resource as a string."""
    if isinstance(value, Mapping):
        return {name: _as_text(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _checked(answer: Mapping[str, Any] | None, event: Mapping[str, Any]) -> str:
    where = f"{event['LogicalResourceId']}: {event['RequestType']}"
    if answer is None:
        raise DeploymentError(f"{where} was not answered within the hour")
    if missing := [name for name in _REQUIRED if not answer.get(name)]:
        raise DeploymentError(f"{where}: invalid response, {', '.join(missing)} missing")
    if any(answer[name] != event[name] for name in ("StackId", "RequestId", "LogicalResourceId")):
        raise DeploymentError(f"{where}: the response belongs to another request")
    if answer["Status"] != "SUCCESS":
        raise DeploymentError(f"{where} failed: {answer.get('Reason', 'no reason given')}")
    return str(answer["PhysicalResourceId"])


class _Mailbox:
    """Stands in for the presigned S3 address that CloudFormation gives: takes one PUT."""

    def __init__(self) -> None:
        self.answer: Mapping[str, Any] | None = None
        mailbox = self

        class Slot(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                mailbox.answer = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Slot)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/{uuid.uuid4()}?X-Amz-Signature=farm"

    def has_mail(self) -> bool:
        return self.answer is not None

    def __enter__(self) -> _Mailbox:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
