"""Traffic through a balancer, measured: who answered how often, what was lost and why, how long it took.

Both kinds send so many requests a second, evenly, from `with` to its end, whatever becomes of them. `VirtualTraffic`
goes by what routing decides and who serves there at that instant; `WallTraffic` is real requests over real sockets.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from farm import wire
from farm.balancers import fronts
from farm.balancers.routing import Forward, Request, Turns, choose
from farm.tasks import Directory
from farm.timeline import Timeline

_PATIENCE = 30.0  # seconds that a client waits for an answer


@dataclass(frozen=True, slots=True)
class Lost:
    """A request that got no good answer. `reason` is the status it got, or what befell the connection."""

    at: float
    reason: str


class Traffic(ABC):
    """What came of the requests so far, which are sent while a `with` lasts."""

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        """By service."""
        self.tasks: Counter[str] = Counter()
        """The same by task."""
        self.lost: list[Lost] = []
        self._seconds: list[float] = []

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def sent(self) -> int:
        """Those that are done with."""
        return self.answered.total() + len(self.lost)

    @property
    def reasons(self) -> Counter[str]:
        return Counter(lost.reason for lost in self.lost)

    def latency(self, share: float = 0.5) -> float:
        """The seconds within which this share of the answers came: 0.99 for the 99th percentile. 0 without any."""
        ordered = sorted(self._seconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0

    def _answer(self, service: str, task: str, seconds: float = 0.0) -> None:
        self.answered[service] += 1
        self.tasks[task] += 1
        self._seconds.append(seconds)


class Ticking(Traffic):
    """Requests on the timeline, which take no time."""

    def __init__(self, timeline: Timeline, per_second: float) -> None:
        super().__init__()
        self._timeline = timeline
        self._step = 1 / per_second
        self._going = False

    def __enter__(self) -> Self:
        self._going = True
        self._next = self._timeline.now()
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._going = False

    @abstractmethod
    def _ask(self) -> str:
        """Send one. Why it is lost, or nothing."""

    def _wait(self) -> None:
        self._next += self._step
        self._timeline.after(self._next - self._timeline.now(), self._send)

    def _send(self) -> None:
        if not self._going:
            return
        if reason := self._ask():
            self.lost.append(Lost(self._timeline.now(), reason))
        self._wait()


class VirtualTraffic(Ticking):
    """Requests to a balancer on the timeline."""

    def __init__(
        self,
        timeline: Timeline,
        directory: Directory,
        balancer: str,
        port: int,
        request: Request,
        per_second: float,
    ) -> None:
        super().__init__(timeline, per_second)
        self._directory = directory
        self._balancer, self._port, self._request = balancer, port, request
        self._pick = Turns()

    def _ask(self) -> str:
        try:
            listener = fronts.named(self._balancer, self._port)
        except LookupError:
            return "no listener"
        is_http = listener.protocol in {"HTTP", "HTTPS"}
        match choose(listener, self._request, targets=fronts.targets, pick=self._pick):
            case Forward(address, port):
                answer = self._directory.ask(address, port)
            case other:
                return str(other.status) if is_http else "reset"
        if answer is None:
            return "502" if is_http else "reset"
        if answer.status == "hang":
            return "504" if is_http else "timeout"
        if answer.status >= 400:
            return str(answer.status)
        self._answer(answer.identity.service, answer.identity.task)
        return ""


class WallTraffic(Traffic):
    """Real requests, from one thread. `doors` says where to knock; with several, each gets its turn."""

    def __init__(
        self,
        doors: Callable[[], Sequence[tuple[str, int]]],
        request: Request,
        per_second: float,
        secure: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__()
        self._doors, self._request, self._secure = doors, request, secure
        self._step = 1 / per_second
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="traffic", daemon=True)
        self._under_way: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._sending = asyncio.run_coroutine_threadsafe(self._send_all(), self._loop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sending.cancel()
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result(timeout=2 * _PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    async def _send_all(self) -> None:
        begun, count = self._loop.time(), 0
        while True:
            task = self._loop.create_task(self._send(count))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            count += 1
            await asyncio.sleep(begun + count * self._step - self._loop.time())

    async def _finish(self) -> None:
        if self._under_way:
            await asyncio.wait(set(self._under_way))
        await asyncio.sleep(0)  # for transports to say goodbye

    async def _send(self, number: int) -> None:
        begun, at = self._loop.time(), time.time()
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await self._ask(number)
        except TimeoutError:
            self.lost.append(Lost(at, "timeout"))
        except LookupError:
            self.lost.append(Lost(at, "no listener"))
        except ConnectionRefusedError:
            self.lost.append(Lost(at, "refused"))
        except ssl.SSLError:
            self.lost.append(Lost(at, "tls"))
        except (OSError, wire.GarbledError):
            self.lost.append(Lost(at, "reset"))
        else:
            self._count(answer, at, self._loop.time() - begun)

    async def _ask(self, number: int) -> wire.Message:
        doors, asked = self._doors(), self._request
        if not doors:
            raise LookupError
        address, port = doors[number % len(doors)]
        reader, writer = await asyncio.open_connection(
            address, port, ssl=self._secure, server_hostname=asked.name or None if self._secure else None
        )
        try:
            message = wire.request(asked.method, asked.path, asked.host or address, *asked.headers.items())
            writer.write(message.encoded())
            return await wire.read_response(reader, asked.method)
        finally:
            writer.transport.abort()  # there is nothing left to say, and TLS would say goodbye at length

    def _count(self, answer: wire.Message, at: float, seconds: float) -> None:
        if answer.status >= 300 or not answer.body.startswith(b"{"):
            self.lost.append(Lost(at, str(answer.status)))
            return
        page = json.loads(answer.body)
        self._answer(page["service"], page["task"], seconds)
