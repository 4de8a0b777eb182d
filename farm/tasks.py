"""The data plane: every running task is a real HTTP server at its own loopback addresses.

Linux answers for all of 127.0.0.0/8, so each task listens at its private (127.20.x.y) and public (127.30.x.y) address,
and one at a host port listens at its host's. A task answers from RUNNING until its containers are gone, which is later
than the moment its stop was decided, as on AWS. One thread serves them all. `Directory` knows the same without a network.

A task may be sick: it answers everything with an error, or takes connections and never answers at all.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import threading
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from moto.ec2 import ec2_backends

from farm import wire
from farm.aws import ACCOUNT, REGION
from farm.aws.ecs import Task

_LOG = logging.getLogger(__name__)
SERVING = frozenset({"RUNNING", "DEACTIVATING", "STOPPING"})
"""The stages in which a task's containers run and answer."""
_REQUEST_TIMEOUT = 60.0  # seconds that a client may take to say what it wants

Sickness = int | Literal["hang"]
"""The status that a sick task answers with on every path, or that it never answers."""


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

    @classmethod
    def of(cls, task: Task) -> Identity:
        return cls(task.service_name or task.group, task.id, task.cluster_name)

    def page(self, request: wire.Message) -> bytes:
        method, path = request.asked
        forwarded = {
            name.lower(): value for name, value in request.headers if name.lower().startswith("x-forwarded-")
        }
        said = {"service": self.service, "task": self.task, "cluster": self.cluster}
        return json.dumps({**said, "method": method, "path": path, **forwarded}).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answers, and how."""

    identity: Identity
    status: Sickness


class Directory:
    """Who answers where now, for those that look without a network. `sick` has the tasks that are ill, by id."""

    def __init__(self, sick: Mapping[str, Sickness]) -> None:
        self._sick = sick
        self._at: dict[Listener, Identity] = {}
        self._of: dict[str, list[Listener]] = {}

    def follow(self, task: Task) -> None:
        for listener in self._of.pop(task.id, ()):
            if (found := self._at.get(listener)) and found.task == task.id:
                del self._at[listener]
        if task.last_status in SERVING:
            self._of[task.id] = listeners(task)
            self._at |= dict.fromkeys(self._of[task.id], Identity.of(task))

    def ask(self, address: str, port: int) -> Answer | None:
        """None if nobody is there."""
        identity = self._at.get(Listener(address, port))
        return Answer(identity, self._sick.get(identity.task, 200)) if identity else None


class DataPlane:
    """Opens and closes the tasks' listeners. Safe to call from any thread; opening waits until it listens."""

    def __init__(self, sick: Mapping[str, Sickness] | None = None) -> None:
        """`sick` has the tasks that are ill, by id; it may change at any time."""
        self._sick = sick if sick is not None else {}
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

    def follow(self, task: Task) -> None:
        """Open and close as the task's life has it."""
        if task.last_status in SERVING:
            self.open(Identity.of(task), listeners(task))
        else:
            self.close(task.id)

    def open(self, identity: Identity, listeners: list[Listener]) -> None:
        if identity.task not in self._servers:
            self._run(self._open(identity, listeners))

    def close(self, task: str) -> None:
        if task in self._servers:
            self._run(self._close(task))

    def tasks(self) -> set[str]:
        """The tasks that answer now."""
        return set(self._servers)

    def clients(self, task: str) -> int:
        """How many are connected to the task now, load balancers and their health checks among them."""
        return len(self._connections.get(task, ()))

    def _run(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(timeout=60)

    async def _open(self, identity: Identity, listeners: list[Listener]) -> None:
        self._connections[identity.task] = set()
        servers = self._servers[identity.task] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections = self._connections.get(identity.task, set())
            connections.add(writer)
            try:
                await self._converse(reader, writer, identity)
            except (TimeoutError, OSError, wire.GarbledError):
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

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, identity: Identity
    ) -> None:
        """One request, one answer, whatever was asked."""
        request = await asyncio.wait_for(wire.read_request(reader), _REQUEST_TIMEOUT)
        status = self._sick.get(identity.task, 200)
        if status == "hang":
            await reader.read()  # until the client has had enough
            return
        page = identity.page(request)
        body = b"" if request.asked[0] == "HEAD" else page
        writer.write(wire.response(status, body, "application/json").encoded(length=len(page)))
        await writer.drain()

    async def _close(self, task: str) -> None:
        for server in self._servers.pop(task, []):
            server.close()
        for writer in list(self._connections.pop(task, set())):
            writer.transport.abort()


def listeners(task: Task) -> list[Listener]:
    """Where a task can be reached: its own addresses and container ports, or its host's and the ports it got there."""
    if task.network_mode == "awsvpc":
        ports = {
            mapping["containerPort"]
            for container in task.definition.container_definitions
            for mapping in container.get("portMappings", [])
        }
        addresses = _of_interface(task)
    else:
        ports = {
            binding["hostPort"] for container in task.containers for binding in container.network_bindings
        }
        addresses = _of_host(task)
    return [Listener(address, port) for address in addresses for port in sorted(ports)]


def _of_interface(task: Task) -> Iterator[str]:
    details = [one for attachment in task.attachments for one in attachment["details"]]
    interface = next((one["value"] for one in details if one["name"] == "networkInterfaceId"), "")
    if found := ec2_backends[ACCOUNT][REGION].enis.get(interface):
        yield found.private_ip_address
        if found.public_ip:
            yield found.public_ip


def _of_host(task: Task) -> Iterator[str]:
    host = (task.container_instance_arn or "").rpartition("/")[2]
    if found := task.backend.container_instances.get(task.cluster_name, {}).get(host):
        instance = ec2_backends[ACCOUNT][REGION].get_instance(found.ec2_instance_id)
        yield instance.private_ip
        if instance.public_ip:
            yield instance.public_ip
