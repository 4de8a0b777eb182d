"""A request's way through the gateway, as far as it needs no socket: both kinds of farm decide by it.

Locate, choose a route, throttle, authorise, find the backend, rewrite: in this order, and no step is skipped. `decide`
says where to send what, or that the gateway answers itself; `finish` is for the answer, wherever it is from. Moto's
models are touched with `ONE_AT_A_TIME` held, but whom authorisers ask is asked without it: they may need the account.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from farm import wire
from farm.aws import ACCOUNT, ONE_AT_A_TIME, REGION
from farm.aws.apigateway import seen
from farm.aws.apigateway.deployed import Deployed, Integration
from farm.gateway import logs, rewriting, routing
from farm.gateway.authorizing import Guard
from farm.gateway.functions import Asked
from farm.gateway.integrating import Destination, Integrations
from farm.gateway.model import Entry, Settings, settings
from farm.gateway.refusing import RefusedError, forbidden, not_found, throttled
from farm.gateway.routing import Match, Place, Request
from farm.gateway.throttling import Buckets, Limit

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Forward:
    """What to send where, and how long to wait. `server_name` is for TLS, where the hop has it."""

    to: Destination
    message: wire.Message
    timeout: float
    server_name: str = ""


@dataclass(slots=True)
class Exchange:
    """One request on its way. It ends with `forward`, or with what the gateway says itself."""

    id: str
    at: float
    request: Request
    deployed: Deployed | None = None
    route: str = ""
    context: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    forward: Forward | None = None
    own: wire.Message | None = None


class Gateway:
    """All HTTP APIs of the account."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()
        """Requests by API, stage and route key; those without a route are under an empty key."""
        self.entries: deque[Entry] = deque(maxlen=_REMEMBERED)
        """The requests that are done with, the last ones only."""
        self._now = now
        self._guard, self._buckets, self._integrations = Guard(now), Buckets(now), Integrations(now)

    def decide(self, request: Request) -> Exchange:
        exchange = Exchange(secrets.token_urlsafe(11), self._now(), request)
        try:
            self._proceed(exchange)
        except RefusedError as refusal:
            self.refuse(exchange, refusal)
        return exchange

    def refuse(self, exchange: Exchange, refusal: RefusedError) -> wire.Message:
        """The gateway answers by itself."""
        exchange.reason = refusal.reason
        body = json.dumps({"message": refusal.message}, separators=(",", ":")).encode()
        exchange.own = wire.response(refusal.status, body, "application/json", *refusal.headers.items())
        return exchange.own

    def finish(self, exchange: Exchange, answer: wire.Message) -> wire.Message:
        """The answer as the client gets it, counted and logged."""
        deployed = exchange.deployed
        if deployed:
            self.counts[deployed.api, deployed.stage, exchange.route] += 1
        api, stage = (deployed.api, deployed.stage) if deployed else ("", "")
        entry = Entry(exchange.id, exchange.at, api, stage, exchange.route, answer.status, exchange.reason)
        self.entries.append(entry)
        if deployed and deployed.access_logs:
            logs.write(deployed.access_logs, exchange.context, entry, exchange.own is None)
        headers, added = answer.headers, {"Apigw-Requestid": exchange.id}
        if deployed and deployed.cors:
            headers = tuple(one for one in headers if not one[0].lower().startswith("access-control-"))
            origin, preflight = exchange.request.header("Origin"), exchange.reason == _PREFLIGHT
            added |= routing.cors_headers(deployed.cors, origin, preflight=preflight)
        return wire.Message(answer.start, (*headers, *added.items()), answer.body)

    def _proceed(self, exchange: Exchange) -> None:
        request = exchange.request
        with ONE_AT_A_TIME:
            place, deployed = _located(request)
            turned = settings()
        exchange.deployed, exchange.context = deployed, _context(exchange, place)
        match = routing.choose(deployed.routes, request.method, place.path)
        if match is None:
            if deployed.cors and routing.is_preflight(request):
                exchange.reason, exchange.own = _PREFLIGHT, wire.Message("HTTP/1.1 204 No Content")
                return
            raise not_found("no route takes this")
        exchange.route = exchange.context["routeKey"] = match.route.key
        with ONE_AT_A_TIME:
            limit = _limit(deployed, match.route.key, turned)
            if not self._buckets.draw((deployed.api, deployed.stage, match.route.key), limit):
                raise throttled()
        asked = _asked(exchange, place, match, deployed)
        exchange.context |= self._guard.admit(match.route, asked, turned)
        with ONE_AT_A_TIME:
            to = self._integrations.lead(match.route.integration, turned.discovery)
        if match.route.integration:
            exchange.forward = _forward(to, asked, place, match.route.integration)


_PREFLIGHT = "a preflight that no route takes"


def _located(request: Request) -> tuple[Place, Deployed]:
    """Which stage a request means. To a host that it does not know AWS says that it is forbidden."""
    place, path = None, request.plain_path
    api = next((one for one in seen.apis() if one.host == request.name), None)
    if api:
        if not api.open:
            raise not_found("the API's own endpoint is disabled")
        place = routing.at_endpoint(api.id, api.stages, path)
        if place is None:
            raise not_found("the API has no such stage")
    else:
        place = routing.at_domain(seen.mappings(request.name), path)
    if place is None:
        raise forbidden("no API answers to this host and path")
    deployed = seen.deployed(place.api, place.stage)
    if deployed is None:
        raise not_found("the mapping's stage is gone")
    return place, deployed


def _context(exchange: Exchange, place: Place) -> dict[str, str]:
    """What `$context` knows before the route is chosen."""
    request = exchange.request
    return {
        "requestId": exchange.id,
        "extendedRequestId": exchange.id,
        "accountId": ACCOUNT,
        "apiId": place.api,
        "stage": place.stage,
        "routeKey": "",
        "httpMethod": request.method,
        "path": request.plain_path,
        "protocol": "HTTP/1.1",
        "domainName": request.name,
        "domainPrefix": request.name.partition(".")[0],
        "requestTimeEpoch": str(int(exchange.at * 1000)),
        "identity.sourceIp": request.source,
        "identity.userAgent": request.header("User-Agent"),
    }


def _limit(deployed: Deployed, key: str, turned: Settings) -> Limit:
    said = deployed.settings_of(key)
    return Limit(
        turned.rate if said.rate is None else said.rate, turned.burst if said.burst is None else said.burst
    )


def _asked(exchange: Exchange, place: Place, match: Match, deployed: Deployed) -> Asked:
    request, variables = exchange.request, match.variables
    look = rewriting.looking(request, place, variables, exchange.context, deployed.variables)
    what = f"{place.api}/{place.stage}/{request.method}/{place.path.removeprefix('/')}"
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{what}"
    return Asked(request, look, exchange.context, variables, deployed.variables, arn)


def _forward(to: Destination, asked: Asked, place: Place, integration: Integration) -> Forward:
    request, parameters = asked.request, integration.parameters
    method = request.method if integration.method in {"", "ANY"} else integration.method
    target = rewriting.target(request, place, parameters, asked.look)
    headers = rewriting.headers(_passed_on(request), parameters, asked.look)
    message = wire.Message(f"{method} {target} HTTP/1.1", tuple(headers.items()), request.body)
    return Forward(to, message, integration.timeout, integration.server_name or "")


def _passed_on(request: Request) -> dict[str, str]:
    """The client's headers, and what the backend would not know otherwise. API Gateway is reached over TLS only."""
    before = request.header("X-Forwarded-For")
    told = {
        "Host": request.name,
        "X-Forwarded-For": f"{before}, {request.source}" if before else request.source,
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        "Forwarded": f"for={request.source};host={request.name};proto=https",
        "Via": "HTTP/1.1 AmazonAPIGateway",
    }
    known = {name.lower() for name in told}
    return {name: value for name, value in request.headers.items() if name.lower() not in known} | told
