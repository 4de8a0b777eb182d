"""What clients of APIs do: a request, or many; with real sockets where the farm has them."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable, Mapping
from functools import partial

from farm import wire
from farm.aws import ONE_AT_A_TIME
from farm.balancers import tls
from farm.balancers.traffic import Ticking, Traffic, WallTraffic
from farm.gateway import names
from farm.gateway.deciding import Gateway
from farm.gateway.looking import Look, reply
from farm.gateway.model import Reply
from farm.gateway.routing import Request
from farm.gateway.serving import ADDRESSES, Door
from farm.gateway.signing import signed
from farm.tasks import Directory
from farm.timeline import Timeline

_PATIENCE = 35.0  # seconds: longer than any integration may take


class ApiTraffic(Ticking):
    """Requests on the timeline, which take no time."""

    def __init__(self, timeline: Timeline, per_second: float, call: Callable[[], Reply]) -> None:
        super().__init__(timeline, per_second)
        self._call = call

    def _ask(self) -> str:
        got = self._call()
        if got.status >= 300 or not got.task:
            return str(got.status)
        self._answer(got.service, got.task)
        return ""


class Calling:
    """The part of the internet that calls HTTP APIs, given who serves where."""

    timeline: Timeline
    door: Door | None
    """Where real requests are taken; None on virtual time."""

    def __init__(self, timeline: Timeline, directory: Directory) -> None:
        self.timeline = timeline
        self.door = None
        self.gateway = Gateway(timeline.now)
        """Counts requests per route, and remembers the last ones."""
        self._look = Look(self.gateway, directory)

    def gateway_address(self, host: str, *, secure: bool = False) -> tuple[str, int]:
        """Where to knock for an API's own host name or a custom domain. LookupError if no API has it.

        `secure` is TLS with the custom domain's certificate; otherwise plain HTTP stands for it.
        """
        if self.door is None:
            raise LookupError("a virtual farm has no sockets: use invoke")
        with ONE_AT_A_TIME:
            known = names.hosts()
        if host not in known:
            raise LookupError(f"{host}: no API has this name")
        return self.door.address, self.door.secure_port if secure else self.door.port

    def invoke(
        self,
        host: str,
        path: str = "/",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        sign: bool = False,
    ) -> Reply:
        """One request and what came of it. `sign` signs it with the farm's user's key."""
        request = Request(host, path, method, dict(headers or {}), body=body)
        return self._send(signed(request) if sign else request)

    def api_traffic(
        self,
        host: str,
        path: str = "/",
        *,
        headers: Mapping[str, str] | None = None,
        per_second: float = 50,
        certificate: str = "",
        sign: bool = False,
    ) -> Traffic:
        """Requests while a `with` lasts. `certificate` is the ARN of the one to trust, for TLS.

        With `sign` all bear the signature of the first, good for five minutes.
        """
        request = Request(host, path, headers=dict(headers or {}))
        request = signed(request) if sign else request
        if self.door is None:
            return ApiTraffic(self.timeline, per_second, partial(self._send, request))
        secure = _trusting(certificate)
        doors = partial(self._doors, host, secure is not None)
        return WallTraffic(doors, request, per_second, secure)

    def _doors(self, host: str, secure: bool) -> list[tuple[str, int]]:
        return [self.gateway_address(host, secure=secure)]

    def _send(self, request: Request) -> Reply:
        if self.door is None:
            exchange = self.gateway.decide(request)
            answer = self.gateway.finish(exchange, self._look.answer(exchange))
            return reply(answer, exchange.route, exchange.reason)
        answer = _over_the_wire(request, self.door.address, self.door.port)
        wanted = answer.header("Apigw-Requestid") or answer.header("x-amzn-RequestId")
        entry = next((one for one in reversed(self.gateway.entries.copy()) if one.id == wanted), None)
        return reply(answer, entry.route if entry else "", entry.reason if entry else "")

    def _gateway_ip(self) -> str:
        return self.door.address if self.door else ADDRESSES[0]


def _over_the_wire(request: Request, address: str, port: int) -> wire.Message:
    connection = http.client.HTTPConnection(address, port, timeout=_PATIENCE)
    try:
        headers = {"Host": request.host, **request.headers}
        connection.request(request.method, request.path, request.body or None, headers)
        got = connection.getresponse()
        body = got.read()
        return wire.Message(f"HTTP/1.1 {got.status} {got.reason}", tuple(got.getheaders()), body)
    finally:
        connection.close()


def _trusting(certificate: str) -> ssl.SSLContext | None:
    with ONE_AT_A_TIME:
        return tls.trusting(certificate) if certificate else None
