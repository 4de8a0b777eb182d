"""HTTP/1.1 as the farm's tasks, balancers and clients speak it: one request and one response a connection.

Bodies are read whole, since nobody sends gigabytes here; what is sent on has its length and `Connection: close`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

_PER_CONNECTION = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length"}
"""Headers that speak of one connection or of how a body is sent over it."""
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
Header = tuple[str, str]


class GarbledError(Exception):
    """What arrived is not HTTP, or ended too soon."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response."""

    start: str
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    def header(self, name: str, default: str = "") -> str:
        return next((value for known, value in self.headers if known.lower() == name.lower()), default)

    @property
    def status(self) -> int:
        """Of a response."""
        return int(self.start.split(" ", 2)[1])

    @property
    def asked(self) -> tuple[str, str]:
        """Method and path of a request."""
        method, path, _ = self.start.split(" ", 2)
        return method, path

    def encoded(self, *more: Header, length: int | None = None) -> bytes:
        """As bytes, with more headers. `length` is what to say of the body where it is not what is sent."""
        kept = [header for header in self.headers if header[0].lower() not in _PER_CONNECTION]
        size = len(self.body) if length is None else length
        ends = [("Content-Length", str(size)), ("Connection", "close")]
        lines = [self.start, *(f"{name}: {value}" for name, value in (*kept, *more, *ends))]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


def response(status: int, body: bytes = b"", content_type: str = "text/plain", *more: Header) -> Message:
    phrase = _PHRASES.get(status, "")
    return Message(f"HTTP/1.1 {status} {phrase}", (("Content-Type", content_type), *more), body)


def request(method: str, path: str, host: str, *more: Header) -> Message:
    return Message(f"{method} {path} HTTP/1.1", (("Host", host), *more))


async def read_request(reader: asyncio.StreamReader) -> Message:
    """GarbledError if it is not one."""
    message = await _head(reader)
    if message.start.count(" ") != 2:
        raise GarbledError(message.start)
    return await _with_body(message, reader, to_end=False)


async def read_response(reader: asyncio.StreamReader, method: str = "GET") -> Message:
    """GarbledError if it is not one, or ends before its end."""
    message = await _head(reader)
    if not message.start.startswith("HTTP/1.") or not message.start.split(" ")[1].isdecimal():
        raise GarbledError(message.start)
    if method == "HEAD" or message.status in {204, 304}:
        return message
    return await _with_body(message, reader, to_end=True)


async def _head(reader: asyncio.StreamReader) -> Message:
    try:
        start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise GarbledError("no head") from error
    return Message(start, tuple(_headers(lines)))


def _headers(lines: Iterable[str]) -> Iterable[Header]:
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise GarbledError(line)
        yield name.strip(), value.strip()


async def _with_body(message: Message, reader: asyncio.StreamReader, *, to_end: bool) -> Message:
    try:
        if "chunked" in message.header("Transfer-Encoding").lower():
            return Message(message.start, message.headers, await _chunks(reader))
        if length := message.header("Content-Length"):
            return Message(message.start, message.headers, await reader.readexactly(int(length)))
    except (asyncio.IncompleteReadError, ValueError) as error:
        raise GarbledError("the body is not all there") from error
    return Message(message.start, message.headers, await reader.read()) if to_end else message


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while (await reader.readline()).strip():
        pass  # trailers
    return bytes(body)
