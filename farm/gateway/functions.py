"""Lambda authorisers: the event that a REQUEST authoriser gets, and what its answer means (F§5.3).

The function itself is a callable in `Settings.functions`. Answers are kept for the authoriser's TTL, by what its
identity sources say, and shared by all routes that it guards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from farm.aws import ACCOUNT, REGION
from farm.aws.apigateway.deployed import Authorizer
from farm.gateway.invoking import may_invoke
from farm.gateway.model import Function
from farm.gateway.refusing import broken, forbidden, unauthorized
from farm.gateway.rewriting import Look
from farm.gateway.routing import Request
from farm.iam import evaluate

_URI = re.compile(
    r"arn:aws:apigateway:[^:]+:lambda:path/2015-03-31/functions/(arn:aws:lambda:.+)/invocations"
)
Context = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an authoriser is told of a request."""

    request: Request
    look: Look
    context: Mapping[str, str]
    variables: Mapping[str, str]
    stage_variables: Mapping[str, str]
    arn: str
    """Of what would be invoked: arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH."""


@dataclass(slots=True)
class Answers:
    """What the functions said, for as long as it counts."""

    now: Callable[[], float]
    _kept: dict[tuple[str, ...], tuple[float, Any]] = field(default_factory=dict)

    def of(self, authorizer: Authorizer, asked: Asked, functions: Mapping[str, Function]) -> Context:
        """What the function adds to the request's context. RefusedError if it refuses, or fails."""
        identity = [_identity(source, asked.look) for source in authorizer.identity]
        if not all(identity):
            raise unauthorized("an identity source is missing")
        key = (authorizer.id, *identity)
        until, answer = self._kept.get(key, (float("-inf"), None))
        if self.now() >= until:
            answer = _asked(authorizer, asked, identity, functions)
            if identity:
                self._kept[key] = (self.now() + authorizer.ttl, answer)
        return _judged(authorizer, answer, asked.arn)


def function_of(uri: str) -> str:
    """The function's ARN in an AuthorizerUri; nothing if it has none."""
    found = _URI.fullmatch(uri)
    return found[1] if found else ""


def _identity(source: str, look: Look) -> str:
    return look(source.removeprefix("$"))


def _asked(
    authorizer: Authorizer, asked: Asked, identity: Sequence[str], functions: Mapping[str, Function]
) -> Any:
    arn = function_of(authorizer.uri)
    function = functions.get(arn)
    if function is None:
        raise broken("the authoriser's function is not there")
    if not may_invoke(arn, asked.context["apiId"], authorizer.id):
        raise broken("API Gateway may not invoke the authoriser's function")
    event = _event(asked, identity) if authorizer.payload == "2.0" else _old_event(asked)
    try:
        return function(event)
    except Exception as error:  # whatever a function raises, the client sees the same
        raise broken(f"the authoriser's function failed: {type(error).__name__}") from error


def _judged(authorizer: Authorizer, answer: Any, arn: str) -> Context:
    if not isinstance(answer, Mapping):
        raise broken("the authoriser's answer is malformed")
    if authorizer.simple:
        if not isinstance(answer.get("isAuthorized"), bool):
            raise broken("the authoriser's answer is malformed")
        allowed = answer["isAuthorized"]
    else:
        try:
            allowed = evaluate(_statements(answer), "execute-api:Invoke", arn, {})
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise broken("the authoriser's policy is malformed") from error
    if not allowed:
        raise forbidden("the authoriser refuses")
    return {f"authorizer.{name}": str(value) for name, value in (answer.get("context") or {}).items()}


def _statements(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = answer["policyDocument"]["Statement"]
    return list(found) if isinstance(found, list) else [found]


def _event(asked: Asked, identity: Sequence[str]) -> dict[str, Any]:
    """Payload format 2.0."""
    request, context = asked.request, asked.context
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": asked.arn,
        "identitySource": list(identity),
        "routeKey": context["routeKey"],
        "rawPath": request.plain_path,
        "rawQueryString": request.query,
        "cookies": [part.strip() for part in request.header("Cookie").split(";") if part.strip()],
        "headers": _joined((name.lower(), value) for name, value in request.headers.items()),
        "queryStringParameters": _joined(parse_qsl(request.query, keep_blank_values=True)),
        "requestContext": {
            **_common(asked),
            "routeKey": context["routeKey"],
            "http": {
                "method": request.method,
                "path": request.plain_path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source,
                "userAgent": request.header("User-Agent"),
            },
        },
        "pathParameters": dict(asked.variables),
        "stageVariables": dict(asked.stage_variables),
    }


def _old_event(asked: Asked) -> dict[str, Any]:
    """Payload format 1.0."""
    request = asked.request
    _, _, resource = asked.context["routeKey"].partition(" ")
    return {
        "version": "1.0",
        "type": "REQUEST",
        "methodArn": asked.arn,
        "resource": resource,
        "path": request.plain_path,
        "httpMethod": request.method,
        "headers": dict(request.headers),
        "queryStringParameters": _joined(parse_qsl(request.query, keep_blank_values=True)),
        "pathParameters": dict(asked.variables),
        "stageVariables": dict(asked.stage_variables),
        "requestContext": {
            **_common(asked),
            "resourcePath": resource,
            "httpMethod": request.method,
            "path": request.plain_path,
            "identity": {"sourceIp": request.source, "userAgent": request.header("User-Agent")},
        },
    }


def _common(asked: Asked) -> dict[str, Any]:
    return {
        "accountId": ACCOUNT,
        "apiId": asked.context["apiId"],
        "domainName": asked.context["domainName"],
        "domainPrefix": asked.context["domainName"].partition(".")[0],
        "requestId": asked.context["requestId"],
        "stage": asked.context["stage"],
        "region": REGION,
    }


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Several of a name in one, with commas."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found
