"""Errors in the form in which each AWS service sends them: JSON, query XML, or EC2's own XML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

_XML = {"ec2", "cloudformation", "elbv2", "iam", "sns", "sts", "cloudwatch"}
_DENIALS = {"ec2": "UnauthorizedOperation", "sqs": "AccessDenied"}
_REST = {"apigateway", "apigatewayv2"}
_REST_STATUS = {
    "AccessDeniedException": 403,
    "NotFoundException": 404,
    "ConflictException": 409,
    "TooManyRequestsException": 429,
}
_UNAVAILABLE = {"RequestLimitExceeded", "ServiceUnavailable", "ServiceUnavailableException", "Unavailable"}
_FAILURES = {
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "ServerException",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is refused: the code, the words, and what else a modelled error carries."""

    code: str
    message: str
    members: Mapping[str, Any] = field(default_factory=dict)


def denial_code(service: str) -> str:
    """What the service calls a call that IAM does not allow."""
    return _DENIALS.get(service, "AccessDenied" if service in _XML else "AccessDeniedException")


def answer(service: str, refusal: Refusal) -> tuple[int, dict[str, Any], str]:
    """Status, headers and body of a refused call."""
    status = _status(service, refusal.code)
    if service not in _XML:
        body = json.dumps({"__type": refusal.code, "message": refusal.message, **refusal.members})
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": refusal.code}
        if service == "sqs":
            headers["x-amzn-query-error"] = f"{refusal.code};Sender"
        return status, headers, body
    error = f"<Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message>"
    if service == "ec2":
        body = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>farm</RequestID></Response>"
    else:
        body = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>farm</RequestId></ErrorResponse>"
    return status, {"Content-Type": "text/xml"}, body


def code_of(headers: Mapping[str, Any], body: Any) -> str:
    """The error code of an answer that moto made."""
    text = body.decode() if isinstance(body, bytes) else str(body)
    if found := re.search(r"<Code>(.*?)</Code>", text) or re.search(
        r'"__type":\s*"(?:[^"]*#)?([^"]+)"', text
    ):
        return found[1]
    named = {name.lower(): value for name, value in headers.items()}
    return str(named.get("x-amzn-errortype", "Unknown")).split("#")[-1]


def _status(service: str, code: str) -> int:
    if service in _REST and code in _REST_STATUS:
        return _REST_STATUS[code]
    if code in _UNAVAILABLE:
        return 503
    if code in _FAILURES:
        return 500
    return 403 if service in _XML and code in {"AccessDenied", "UnauthorizedOperation"} else 400
