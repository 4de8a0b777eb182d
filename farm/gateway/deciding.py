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
from farm.aws import ACCOUNT, ONE_AT_A_TIME, REGION, restapis
from farm.aws.apigateway.deployed import Deployed
from farm.gateway import logs, rewriting, routing
from farm.gateway.authorizing import Guard
from farm.gateway.forwarding import Forward
from farm.gateway.functions import Asked
from farm.gateway.integrating import Integrations
from farm.gateway.manners import HTTP, Manner
from farm.gateway.model import Entry, Settings, settings
from farm.gateway.refusing import RefusedError, throttled
from farm.gateway.resting import REST
from farm.gateway.routing import Match, Place, Request
from farm.gateway.throttling import Buckets, Limit

_REMEMBERED = 10_000


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
    manner: Manner = HTTP
    forward: Forward | None = None
    own: wire.Message | None = None


class Gateway:
    """All APIs of the account, of both kinds."""

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
        refusal = exchange.manner.said(refusal)
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
        headers, added = answer.headers, exchange.manner.signed(exchange.id)
        if deployed and deployed.cors:
            headers = tuple(one for one in headers if not one[0].lower().startswith("access-control-"))
            origin, preflight = exchange.request.header("Origin"), exchange.reason == _PREFLIGHT
            added |= routing.cors_headers(deployed.cors, origin, preflight=preflight)
        return wire.Message(answer.start, (*headers, *added.items()), answer.body)

    def _proceed(self, exchange: Exchange) -> None:
        request = exchange.request
        with ONE_AT_A_TIME:
            exchange.manner = manner = _manner(request.name)
            place, deployed = manner.locate(request)
            turned = settings()
        exchange.deployed, exchange.context = deployed, _context(exchange, place)
        match = manner.choose(deployed.routes, request.method, place.path)
        if match is None:
            if deployed.cors and routing.is_preflight(request):
                exchange.reason, exchange.own = _PREFLIGHT, wire.Message("HTTP/1.1 204 No Content")
                return
            raise manner.unrouted()
        exchange.route = exchange.context["routeKey"] = match.route.key
        exchange.context["resourcePath"] = match.route.key.partition(" ")[2]
        with ONE_AT_A_TIME:
            limit = _limit(deployed, match.route.key, turned)
            if not self._buckets.draw((deployed.api, deployed.stage, match.route.key), limit):
                raise throttled()
        asked = _asked(exchange, place, match, deployed)
        exchange.context |= self._guard.admit(match.route, asked, turned)
        with ONE_AT_A_TIME:
            to = self._integrations.lead(match.route.integration, turned.discovery)
        if match.route.integration:
            exchange.forward = manner.forward(to, asked, place, match.route.integration)


_PREFLIGHT = "a preflight that no route takes"


def _manner(host: str) -> Manner:
    """Of the kind of API that answers to a host: HTTP APIs are asked for what nobody knows."""
    return REST if any(one.host == host for one in restapis.apis()) else HTTP


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
