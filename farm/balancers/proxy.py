"""How a balancer carries what arrives: one HTTP request (application), or one connection as it is (network).

TLS ends at the balancer. Between balancer and task all is in the clear, whatever the target group's protocol says: the
farm's tasks speak nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable

from farm import wire
from farm.balancers.fronts import Front
from farm.balancers.routing import Decision, Fixed, Forward, Redirect, Request, Unavailable

Decide = Callable[[Front, Request], Decision]
_OWN = ("Server", "awselb/2.0")
_HEAD_TIMEOUT = 60.0  # seconds that a client may take to say what it wants
_PIECE = 65536


async def http(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, front: Front, decide: Decide
) -> None:
    """One request and its answer: the target's, or the balancer's own."""
    try:
        request = await asyncio.wait_for(wire.read_request(reader), _HEAD_TIMEOUT)
    except wire.GarbledError:
        answer, method = _own(400), ""
    else:
        method = request.asked[0]
        answer = await _answer(request, writer.get_extra_info("peername")[0], front, decide)
    length = int(answer.header("Content-Length") or 0) if method == "HEAD" else None
    writer.write(answer.encoded(length=length))
    await writer.drain()


async def tcp(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, front: Front, decide: Decide
) -> None:
    """A connection, until its target ends it. Reset if there is no target, or it refuses."""
    decision = decide(front, Request(source=writer.get_extra_info("peername")[0]))
    if not isinstance(decision, Forward):
        _reset(writer)
        return
    try:
        target_reader, target_writer = await asyncio.open_connection(decision.address, decision.port)
    except OSError:
        _reset(writer)
        return
    outward = asyncio.create_task(_pump(reader, target_writer))
    try:
        await _pump(target_reader, writer)
    except OSError:
        _reset(writer)
    finally:
        outward.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await outward
        target_writer.close()


async def _answer(request: wire.Message, client: str, front: Front, decide: Decide) -> wire.Message:
    method, path = request.asked
    asked = Request(request.header("Host"), path, method, dict(request.headers), client)
    match decide(front, asked):
        case Forward() as target:
            return await _ask(target, request, client, front)
        case Fixed(status, content_type, body):
            return _own(status, body, content_type)
        case Redirect(status, location):
            return _own(status, "", "text/html", ("Location", location))
        case Unavailable(_, status):
            return _own(status)


async def _ask(target: Forward, request: wire.Message, client: str, front: Front) -> wire.Message:
    """What the target answers; 502 if it refuses or breaks off, 504 if it takes too long."""
    try:
        async with asyncio.timeout(front.idle):
            return await _exchange(target, _forwarded(request, client, front))
    except TimeoutError:
        return _own(504)
    except (OSError, wire.GarbledError):
        return _own(502)


async def _exchange(target: Forward, request: wire.Message) -> wire.Message:
    reader, writer = await asyncio.open_connection(target.address, target.port)
    try:
        writer.write(request.encoded())
        await writer.drain()
        return await wire.read_response(reader, request.asked[0])
    finally:
        writer.close()


def _forwarded(request: wire.Message, client: str, front: Front) -> wire.Message:
    """The request with what the target would not know otherwise: who asked, and how."""
    before = request.header("X-Forwarded-For")
    added = {
        "X-Forwarded-For": f"{before}, {client}" if before else client,
        "X-Forwarded-Proto": "https" if front.is_secure else "http",
        "X-Forwarded-Port": str(front.port),
    }
    known = {name.lower() for name in added}
    kept = [header for header in request.headers if header[0].lower() not in known]
    return wire.Message(request.start, (*kept, *added.items()), request.body)


def _own(
    status: int, body: str | None = None, content_type: str = "text/html", *more: wire.Header
) -> wire.Message:
    """An answer of the balancer's own."""
    message = wire.response(status, b"", content_type, _OWN, *more)
    text = f"<h1>{message.start.partition(' ')[2]}</h1>\n" if body is None else body
    return wire.Message(message.start, message.headers, text.encode())


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one direction to its end, and pass the end on."""
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection so that its client sees it broken, not finished."""
    at_once = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()
