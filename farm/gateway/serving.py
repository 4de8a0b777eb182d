"""The gateway on the wire: one address for all APIs, plain HTTP at one port, TLS with the domains' certificates at another.

API Gateway itself speaks TLS only; the plain port stands for it, so that no client need trust the farm's certificates.
An API's own name has no certificate of ours: it is served at the plain port alone. What is decided for a request is
decided in a thread of its own, since authorisers may take their time; carrying is done in one loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any

from farm import wire
from farm.aws import ONE_AT_A_TIME
from farm.aws.apigateway import seen
from farm.balancers import tls
from farm.balancers.fronts import Front
from farm.gateway.deciding import Exchange, Gateway
from farm.gateway.forwarding import Forward
from farm.gateway.refusing import RefusedError, timed_out, unavailable
from farm.gateway.routing import Request

_LOG = logging.getLogger(__name__)
ADDRESSES = tuple(f"127.30.254.{number}" for number in range(1, 33))
"""Of the farms on this machine: each takes the first that is free."""
PORT = 8080
_SECURE_PORTS = (443, 8443)
_HEAD_TIMEOUT = 60.0  # seconds that a client may take to say what it wants
_BACKLOG = 1024

Doors = Callable[[str, int], Sequence[tuple[str, int]]]
"""Where a balancer, by ARN, answers for a port."""


class Door:
    """Carries requests between `start` and `stop`."""

    def __init__(self, gateway: Gateway, doors: Doors) -> None:
        self.address, self.port, self.secure_port = "", PORT, 0
        self._gateway, self._doors = gateway, doors
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateway", daemon=True)
        self._servers: list[asyncio.Server] = []

    def start(self) -> None:
        """OSError if no address is free."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(timeout=10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    async def _open(self) -> None:
        for address in ADDRESSES:
            with contextlib.suppress(OSError):
                self._servers.append(await self._listen(address, PORT))
                self.address = address
                break
        else:
            raise OSError(
                f"no address for the gateway is free: {len(ADDRESSES)} farms run on this machine already"
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = _present
        for port in _SECURE_PORTS:
            with contextlib.suppress(OSError):
                self._servers.append(
                    await self._listen(self.address, port, ssl=context, ssl_handshake_timeout=5)
                )
                self.secure_port = port
                break

    async def _listen(self, address: str, port: int, **secure: Any) -> asyncio.Server:
        return await asyncio.start_server(self._converse, address, port, backlog=_BACKLOG, **secure)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            message = await asyncio.wait_for(wire.read_request(reader), _HEAD_TIMEOUT)
            answer = await self._answer(_request(message, writer.get_extra_info("peername")[0]))
            length = int(answer.header("Content-Length") or 0) if message.asked[0] == "HEAD" else None
            writer.write(answer.encoded(length=length))
            await writer.drain()
        except (OSError, wire.GarbledError):
            pass  # a client that goes away, dawdles or babbles is no trouble of the gateway's
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            writer.close()

    async def _answer(self, request: Request) -> wire.Message:
        exchange = await asyncio.to_thread(self._gateway.decide, request)
        answer = exchange.own or await self._carried(exchange)
        return self._gateway.finish(exchange, answer)

    async def _carried(self, exchange: Exchange) -> wire.Message:
        """What the backend says; it is tried once."""
        forward = exchange.forward
        try:
            if forward is None:
                raise unavailable("nothing was decided")
            return await self._ask(forward)
        except RefusedError as refusal:
            return self._gateway.refuse(exchange, refusal)

    async def _ask(self, forward: Forward) -> wire.Message:
        try:
            async with asyncio.timeout(forward.timeout):
                return await self._exchanged(forward)
        except TimeoutError as error:
            raise timed_out() from error
        except (OSError, wire.GarbledError) as error:
            raise unavailable(f"the backend broke off: {type(error).__name__}") from error

    async def _exchanged(self, forward: Forward) -> wire.Message:
        address, port, secure = self._place(forward)
        reader, writer = await asyncio.open_connection(address, port, **secure)
        try:
            writer.write(forward.message.encoded())
            await writer.drain()
            return await wire.read_response(reader, forward.message.asked[0])
        finally:
            writer.transport.abort()  # there is nothing left to say, and TLS would say goodbye at length

    def _place(self, forward: Forward) -> tuple[str, int, dict[str, Any]]:
        to = forward.to
        if not isinstance(to, Front):
            return to.address, to.port, {}
        doors = self._doors(to.arn, to.port)
        if not doors:
            raise unavailable("the load balancer does not answer")
        if not forward.server_name:
            return *doors[0], {}
        with ONE_AT_A_TIME:
            trusting = tls.trusting(to.certificate)
        return *doors[0], {"ssl": trusting, "server_hostname": forward.server_name}

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_default_executor()


def _request(message: wire.Message, source: str) -> Request:
    """Headers of one name become one, so that who authorises and who is asked read the same."""
    headers: dict[str, str] = {}
    for name, value in message.headers:
        known = next((one for one in headers if one.lower() == name.lower()), name)
        headers[known] = f"{headers[known]}, {value}" if known in headers else value
    method, path = message.asked
    return Request(message.header("Host"), path, method, headers, source, body=message.body)


def _present(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
    """Speak for a custom domain with its certificate; there is none for any other name."""
    with ONE_AT_A_TIME:
        domain = next((one for one in seen.domains() if one.name == name), None)
        try:
            if domain is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = tls.context(domain.certificate)
        except LookupError:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    return None
