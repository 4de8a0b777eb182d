"""What a farm's clients see: names that resolve, tasks that answer, load balancers and HTTP APIs that carry traffic.

On virtual time there are no sockets: names are looked up, and who would answer is known from a directory.
"""

from __future__ import annotations

import ssl
from contextlib import ExitStack
from functools import partial

from farm import dns, gateway
from farm.aws import ONE_AT_A_TIME, apigateway, cloudmap, elb, route53
from farm.aws.ecs import Task
from farm.balancers import fronts, probes, tls
from farm.balancers.routing import Request
from farm.balancers.serving import Balancers
from farm.balancers.traffic import Traffic, VirtualTraffic, WallTraffic
from farm.gateway import names
from farm.gateway.calling import Calling
from farm.gateway.serving import Door
from farm.pace import Pace
from farm.tasks import DataPlane, Directory, Sickness
from farm.timeline import Timeline


class Internet(Calling):
    """The part of a farm that is not its account. What calls HTTP APIs is in `Calling`."""

    def __init__(self, timeline: Timeline, pace: Pace) -> None:
        self._sick: dict[str, Sickness] = {}
        self._directory = Directory(self._sick)
        super().__init__(timeline, self._directory)
        self.names = dns.Propagation(timeline, self._zones, pace.propagation)
        self.server: dns.Server | None = None
        self.plane: DataPlane | None = None
        self.balancers: Balancers | None = None

    def connect(self, exits: ExitStack, dns_port: int) -> None:
        """From now on there are sockets. OSError if the name server's port is in use."""
        self.server = dns.Server(self.names.zones, port=dns_port)
        self.server.start()
        exits.callback(self.server.stop)
        self.plane = DataPlane(self._sick)
        self.plane.start()
        exits.callback(self.plane.stop)
        self.balancers = Balancers()
        self.balancers.start()
        exits.callback(self.balancers.stop)
        self.door = Door(self.gateway, self.balancers.reach)
        self.door.start()
        exits.callback(self.door.stop)

    def attach(self, pace: Pace) -> None:
        """Let the account's services tell what clients get to see."""
        cloudmap.settings().operation_seconds = pace.operation
        cloudmap.settings().changed = self.names.changed
        balancing = elb.settings()
        balancing.provisioning, balancing.registering = pace.balancing, pace.registering
        balancing.changed = self._balancing_changed
        apigateway.settings().linking = pace.linking
        apigateway.settings().changed = self.names.changed
        route53.settings().changed = self.names.changed
        gateway.settings().discovery = pace.finding
        balancing.probe = partial(probes.knock if self.plane else probes.look, self._directory)

    def follow(self, task: Task) -> None:
        """A task has taken a step."""
        self._directory.follow(task)
        if self.plane:
            self.plane.follow(task)

    def sicken(self, task: str, status: Sickness = 500) -> None:
        """From now on the task, by id or ARN, answers everything with this status, or hangs."""
        self._sick[task.rpartition("/")[2]] = status

    def heal(self, task: str) -> None:
        self._sick.pop(task.rpartition("/")[2], None)

    def resolve(self, name: str, kind: str = "A") -> list[str]:
        """What the name servers hold for a name now: all of it, sorted; a client is told eight at most."""
        found = dns.look_up(name, kind, self.names.zones())
        return sorted(found.values) if found else []

    def dig(self, name: str, kind: str = "A") -> list[str]:
        """What a client hears: a real query to the name server. Sorted; empty for no such name or type."""
        if self.server is None:
            raise LookupError("a virtual farm has no name server: use resolve")
        response = dns.ask(name, kind, self.server.address, self.server.port)
        return sorted(rdata.to_text() for rrset in response.answer for rdata in rrset)

    def reach(self, balancer: str, port: int) -> tuple[str, int]:
        """Where to knock for a port of the load balancer with this name, DNS name or ARN.

        The port is another one where only root may bind it. LookupError if nothing listens, or not yet.
        """
        if found := self.doors(balancer, port):
            return found[0]
        raise LookupError(f"{balancer}: nothing listens at port {port}")

    def doors(self, balancer: str, port: int) -> list[tuple[str, int]]:
        """The same at every address that the balancer has; none if nothing listens, or not yet."""
        if self.balancers is None:
            raise LookupError("a virtual farm has no sockets: use traffic")
        return self.balancers.reach(balancer, port)

    def traffic(
        self,
        balancer: str,
        port: int = 80,
        request: Request | None = None,
        *,
        per_second: float = 50,
        certificate: str = "",
    ) -> Traffic:
        """Requests to a load balancer while a `with` lasts. `certificate` is the ARN of the one to trust, for TLS."""
        asked = request or Request()
        if self.balancers is None:
            return VirtualTraffic(self.timeline, self._directory, balancer, port, asked, per_second)
        return WallTraffic(partial(self.doors, balancer, port), asked, per_second, _trusting(certificate))

    def _balancing_changed(self) -> None:
        self.names.changed()
        if self.balancers:
            self.balancers.look()

    def _zones(self) -> list[dns.Zone]:
        of_aws = [*fronts.zones(), *names.zones(self._gateway_ip())]
        return [*cloudmap.zones(), *of_aws, *names.hosted(of_aws)]


def _trusting(certificate: str) -> ssl.SSLContext | None:
    with ONE_AT_A_TIME:
        return tls.trusting(certificate) if certificate else None
