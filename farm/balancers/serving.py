"""The balancers on the wire: a server at each address of each active balancer, for each of its listeners.

They follow the control plane: it is looked at when it says that it changed. Which rule, which
target is decided anew for every request. One thread serves them all; it takes `ONE_AT_A_TIME` to look, so nobody who
holds that may wait for it.

Ports below 1024 are not everybody's: where one may not be bound, the listener is at the port plus 8000. `reach` says.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import threading
from dataclasses import dataclass
from typing import Any

from farm.aws import ONE_AT_A_TIME
from farm.balancers import fronts, proxy, tls
from farm.balancers.fronts import Front
from farm.balancers.routing import Decision, Fixed, Request, Turns, choose

_LOG = logging.getLogger(__name__)
_PRIVILEGED_SHIFT = 8000
_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class _Door:
    """A listener at one address."""

    front: Front
    server: asyncio.Server
    port: int
    """The one that is bound."""


class Balancers:
    """Opens and closes the listeners as the account has them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_complain)
        self._thread = threading.Thread(target=self._loop.run_forever, name="balancers", daemon=True)
        self._stale = asyncio.Event()
        self._doors: dict[tuple[str, int], _Door] = {}
        self._pick = Turns()

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._follow(), self._loop)
        self.look()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(timeout=60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    def look(self) -> None:
        """Look at the control plane again, soon."""
        self._loop.call_soon_threadsafe(self._stale.set)

    def reach(self, balancer: str, port: int) -> list[tuple[str, int]]:
        """Where the balancer with this name, DNS name or ARN answers for a port, address by address."""
        return [
            (address, door.port)
            for (address, asked), door in list(self._doors.items())
            if asked == port and balancer in {door.front.balancer, door.front.dns_name, door.front.arn}
        ]

    async def _follow(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            with ONE_AT_A_TIME:
                found = fronts.fronts()
            try:
                await self._match(found)
            except Exception:  # noqa: BLE001 - one listener's bug must not leave all others where they were
                _LOG.exception("the balancers could not follow the account")

    async def _match(self, found: list[Front]) -> None:
        wanted = {
            (address, front.port): front
            for front in found
            if not front.is_datagram
            for address in front.addresses
        }
        for place, door in list(self._doors.items()):
            if wanted.get(place) != door.front:
                del self._doors[place]
                door.server.close()
        for (address, port), front in wanted.items():
            if (address, port) not in self._doors and (opened := await self._open(address, front)):
                self._doors[address, port] = opened

    async def _open(self, address: str, front: Front) -> _Door | None:
        for port in (front.port, front.port + _PRIVILEGED_SHIFT):
            try:
                return _Door(front, await self._listen(address, port, front), port)
            except PermissionError:
                continue
            except OSError as error:
                reason = errno.errorcode.get(error.errno or 0, str(error))
                _LOG.warning("%s cannot listen at %s:%d: %s", front.balancer, address, port, reason)
                break
            except LookupError:
                _LOG.warning("%s has no certificate %s", front.balancer, front.certificate)
                break
        return None

    async def _listen(self, address: str, port: int, front: Front) -> asyncio.Server:
        carry = proxy.http if front.is_application else proxy.tcp

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await carry(reader, writer, front, self._decide)
            except OSError:
                pass  # a client that goes away or dawdles is no trouble of the balancer's
            except asyncio.CancelledError:
                writer.transport.abort()
                raise
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

        secure: dict[str, Any] = {}
        if front.is_secure:
            with ONE_AT_A_TIME:
                context = tls.context(front.certificate)
            secure = {"ssl": context, "ssl_handshake_timeout": 30, "ssl_shutdown_timeout": 1}
        return await asyncio.start_server(converse, address, port, backlog=_BACKLOG, **secure)

    def _decide(self, front: Front, request: Request) -> Decision:
        with ONE_AT_A_TIME:
            listener = fronts.listener(front)
            if listener is None:
                return Fixed(503)
            return choose(listener, request, targets=fronts.targets, pick=self._pick)

    async def _end(self) -> None:
        for door in self._doors.values():
            door.server.close()
        self._doors.clear()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # for transports to say goodbye


def _complain(loop: asyncio.AbstractEventLoop, trouble: dict[str, Any]) -> None:
    """A client that gives up in the middle of a handshake is no trouble of the balancer's; all else is."""
    if not isinstance(trouble.get("exception"), OSError):
        loop.default_exception_handler(trouble)
