"""REST APIs' manner: a resource is chosen before its method, and the integration's URI says what the backend sees (F§5.5).

What a client may not do is told in other words than by HTTP APIs, and what has no method lacks an authentication token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

from farm.aws import restapis
from farm.aws.apigateway.deployed import Deployed, Integration, Route
from farm.aws.restapis import RestIntegration
from farm.gateway import rewriting, routing
from farm.gateway.forwarding import Forward, forward, passed_on
from farm.gateway.functions import Asked
from farm.gateway.integrating import Destination
from farm.gateway.model import settings
from farm.gateway.refusing import RefusedError, broken, forbidden
from farm.gateway.rewriting import Look
from farm.gateway.routing import Match, Place, Request

_PLACE = re.compile(r"\{([^{}]+)\}")
_UNAUTHORIZED = 401, "Unauthorized"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method."
)
_WORDS = {
    "MissingAuthenticationToken": (403, "Missing Authentication Token"),
    "IncompleteSignature": (403, "Authorization header is not in a form that could be a signature's"),
    "InvalidSignature": (403, _MISMATCH),
    "UnrecognizedClient": (403, "The security token included in the request is invalid."),
    "AccessDenied": (403, "User is not authorized to perform: execute-api:Invoke on this resource"),
    "ExpiredToken": (401, "The incoming token has expired"),
    "InsufficientScope": _UNAUTHORIZED,
}
"""By the code of a refusal. [M], but for the first."""
_BY_STATUS = {
    401: _UNAUTHORIZED,
    500: (500, "Internal server error"),
    503: (504, "Network error communicating with endpoint"),
}
"""By the status that an HTTP API would give ([M])."""


def choose(routes: Sequence[Route], method: str, path: str) -> Match | None:
    """The resource that fits best, segment by segment; of its methods the one that is named, or ANY."""
    fitting = [
        (routing.kinds(pattern), route, variables)
        for route in routes
        if (variables := routing.variables(pattern := route.key.partition(" ")[2], path)) is not None
    ]
    best = min((kinds for kinds, _, _ in fitting), default=())
    methods = {
        route.key.partition(" ")[0]: Match(route, variables)
        for kinds, route, variables in fitting
        if kinds == best
    }
    return methods.get(method, methods.get("ANY"))


class RestApis:
    """As REST APIs have it, at their own hosts."""

    def locate(self, request: Request) -> tuple[Place, Deployed]:
        api = next(one for one in restapis.apis() if one.host == request.name)
        if not api.open:
            raise forbidden("the API's own endpoint is disabled")
        place = routing.at_endpoint(api.id, api.stages, request.plain_path)
        deployed = restapis.deployed(place.api, place.stage) if place else None
        if place is None or deployed is None:
            raise forbidden("the API has no such stage")
        return place, deployed

    def choose(self, routes: Sequence[Route], method: str, path: str) -> Match | None:
        return choose(routes, method, path)

    def unrouted(self) -> RefusedError:
        return forbidden("no method takes this", code="MissingAuthenticationToken")

    def forward(self, to: Destination, asked: Asked, place: Place, integration: Integration) -> Forward:
        if not isinstance(integration, RestIntegration):
            raise broken("the integration is not a REST API's")
        request, uri = asked.request, urlsplit(rewriting.filled(integration.endpoint, asked.look))
        mapped = _mapped(integration.parameters, asked.look)
        headers = {**passed_on(request, uri.netloc), "X-Amzn-Apigateway-Api-Id": place.api}
        changes = {f"overwrite:header.{name}": value for name, value in mapped["header"].items()}
        stage = f"/{place.stage}" if settings().staged else ""
        path = stage + _filled(uri.path or "/", mapped["path"])
        query = _query([request.query, uri.query], mapped["querystring"])
        target = rewriting.escaped(path) + (f"?{query}" if query else "")
        return forward(to, request, integration, target, rewriting.headers(headers, changes, asked.look))

    def said(self, refusal: RefusedError) -> RefusedError:
        """Headers of HTTP APIs' own are left out; the code is told."""
        unsaid = refusal.status, refusal.message
        status, message = _WORDS.get(refusal.code) or _BY_STATUS.get(refusal.status, unsaid)
        headers = {"x-amzn-ErrorType": f"{refusal.code or message.title().replace(' ', '')}Exception"}
        return RefusedError(status, message, refusal.reason, headers, code=refusal.code)

    def signed(self, identity: str) -> dict[str, str]:
        return {"x-amzn-RequestId": identity, "x-amz-apigw-id": identity}


REST = RestApis()


def _mapped(parameters: Mapping[str, str], look: Look) -> dict[str, dict[str, str]]:
    """What the integration's parameters put where: integration.request.path.proxy is `proxy` of `path`."""
    found: dict[str, dict[str, str]] = {"path": {}, "querystring": {}, "header": {}}
    for key, source in parameters.items():
        kind, _, name = key.removeprefix("integration.request.").partition(".")
        static = source.startswith("'")
        found[kind][name] = source.strip("'") if static else look(source.removeprefix("method."))
    return found


def _filled(path: str, values: Mapping[str, str]) -> str:
    """The URI's path with its variables put in. RefusedError for one that no parameter maps."""
    for found in _PLACE.finditer(path):
        if found[1] not in values:
            raise broken(f"the URI's {found[0]} is not mapped")
    return _PLACE.sub(lambda found: values[found[1]], path)


def _query(parts: Sequence[str], mapped: Mapping[str, str]) -> str:
    """The client's, the URI's, and what parameters make of it."""
    query = "&".join(part for part in parts if part)
    if not mapped:
        return query
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in mapped]
    return urlencode([*kept, *mapped.items()])
