"""Which port of a task an exposure means: shared by every mechanism, as it is one rule of reading (design §2)."""

from __future__ import annotations

from expose.model import Definition, Exposure, Port, Task
from expose.refusals import Refused


def endpoint(exposure: Exposure, task: Task, definition: Definition, *, required: bool) -> int:
    """The port at which the task's address answers: the host's in bridge and host mode, else the container's.

    0 where the task has no container port and none is `required`. Raise `Refused` where the tag does not say which
    of several is meant, or names one that does not exist, or one that is not bound on the host.
    """
    port = _container_port(exposure, definition, required=required)
    if port is None or definition.network_mode == "awsvpc":
        return port.number if port else 0
    for container, number, bound in task.bindings:
        if (container, number) == (port.container, port.number):
            return bound
    if definition.network_mode == "host":
        return port.number
    raise Refused(
        "PortNotBound", exposure.said(f"container port {port.number} is not bound to any port of the host")
    )


def _container_port(exposure: Exposure, definition: Definition, *, required: bool) -> Port | None:
    number, container = exposure.options.get("port"), exposure.options.get("container")
    if not definition.ports and not container and (number or not required):
        return Port("", number) if number else None  # awsvpc tasks may listen without a port mapping
    fitting = [
        port
        for port in definition.ports
        if number in (None, port.number) and container in (None, port.container)
    ]
    apart = definition.network_mode == "bridge"  # there each container has its own ports
    if (
        len({(port.container if apart else "", port.number) for port in fitting}) == 1
    ):  # be it for tcp and for udp
        return fitting[0]
    listed = ", ".join(f"{port.container}:{port.number}" for port in definition.ports) or "none"
    if fitting:
        raise Refused(
            "SeveralPorts",
            exposure.said(
                f"the task definition has several container ports ({listed}): say which with port= or container="
            ),
        )
    asked = " ".join(
        f"{name}={value}" for name, value in (("port", number), ("container", container)) if value
    )
    raise Refused(
        "NoPort",
        exposure.said(
            f"{f'no container port fits {asked}' if asked else 'a container port is needed'}; "
            f"task definition {definition.family} has: {listed}"
        ),
    )
