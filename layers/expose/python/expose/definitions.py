"""Task definitions as values: what of them matters here, their containers' ports, and where on the host these answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Port:
    """A port mapping of a container. One of a range of ports goes from `number` to `last`; `last` is 0 for a single port."""

    container: str
    number: int
    protocol: str = "tcp"
    last: int = 0

    def covers(self, number: int) -> bool:
        return self.number <= number <= (self.last or self.number)


class Binding(NamedTuple):
    """Where container ports answer on the host: `length` ports from `inside` on, at as many from `outside` on. `family` is
    4 or 6, 0 where ECS does not say.
    """

    container: str
    inside: int
    outside: int
    protocol: str = "tcp"
    family: int = 0
    length: int = 1

    def host_port(self, port: Port) -> int:
        """The host's port for a single container port; 0 where it is not among these."""
        at = port.number - self.inside
        fits = (self.container, self.protocol) == (port.container, port.protocol) and 0 <= at < self.length
        return self.outside + at if fits else 0

    def is_at(self, host_port: int) -> bool:
        return 0 <= host_port - self.outside < self.length


@dataclass(frozen=True, slots=True)
class Definition:
    """What of a task definition matters here. A revision never changes, but what is read of it has: since edition 2 with
    its ranges of ports.
    """

    arn: str
    family: str
    network_mode: str
    ports: tuple[Port, ...] = ()
    health_checked: bool = False
    edition: int = 2
