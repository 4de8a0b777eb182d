"""The data plane: every running task is a real HTTP server at its own loopback addresses.

Linux answers for all of 127.0.0.0/8, so each task listens at its private (127.20.x.y) and public (127.30.x.y) address,
and one at a host port listens at its host's. A task answers from RUNNING until its containers are gone, which is later
than the moment its stop was decided, as on AWS. One thread serves them all.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

_LOG = logging.getLogger(__name__)
_REQUEST_TIMEOUT = 10.0  # seconds that a client may take to say what it wants


@dataclass(frozen=True, slots=True)
class Listener:
    """One address and port at which a task answers."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What a task says of itself to whoever asks."""

    service: str
    task: str
    cluster: str

    def page(self) -> bytes:
        return (
            json.dumps({"service": self.service, "task": self.task, "cluster": self.cluster}).encode() + b"\n"
        )


class DataPlane:
    """Opens and closes the tasks' listeners. Safe to call from any thread; opening waits until it listens."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._servers: dict[str, list[asyncio.Server]] = {}
        self._connections: dict[str, set[asyncio.StreamWriter]] = {}
        self._thread = threading.Thread(target=self._loop.run_forever, name="tasks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        for task in list(self._servers):
            self.close(task)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    def open(self, identity: Identity, listeners: list[Listener]) -> None:
        if identity.task not in self._servers:
            self._run(self._open(identity, listeners))

    def close(self, task: str) -> None:
        if task in self._servers:
            self._run(self._close(task))

    def tasks(self) -> set[str]:
        """The tasks that answer now."""
        return set(self._servers)

    def _run(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(timeout=10)

    async def _open(self, identity: Identity, listeners: list[Listener]) -> None:
        self._connections[identity.task] = set()
        servers = self._servers[identity.task] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections = self._connections.get(identity.task, set())
            connections.add(writer)
            try:
                await asyncio.wait_for(_converse(reader, writer, identity), timeout=_REQUEST_TIMEOUT)
            except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                pass  # a client that goes away, dawdles or babbles is no trouble of the task's
            finally:
                connections.discard(writer)
                writer.close()

        for listener in listeners:
            try:
                servers.append(await asyncio.start_server(answer, listener.address, listener.port))
            except OSError as error:
                reason = errno.errorcode.get(error.errno or 0, str(error))
                _LOG.warning(
                    "task %s cannot listen at %s:%d: %s",
                    identity.task,
                    listener.address,
                    listener.port,
                    reason,
                )

    async def _close(self, task: str) -> None:
        for server in self._servers.pop(task, []):
            server.close()
        for writer in list(self._connections.pop(task, set())):
            writer.transport.abort()


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, identity: Identity) -> None:
    """One request, one answer, whatever was asked."""
    head = await reader.readuntil(b"\r\n\r\n")
    body = identity.page()
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    if not head.startswith(b"HEAD "):
        writer.write(body)
    await writer.drain()
