"""Which port of a task an exposure means: shared by every mechanism, as it is one rule of reading (design §2)."""

from __future__ import annotations

from expose.model import Definition, Exposure, Port, Task
from expose.refusals import Refused


def endpoint(exposure: Exposure, task: Task, definition: Definition, *, required: bool) -> int:
    """The port at which the task's address answers: the host's in bridge and host mode, else the container's.

    0 where the task has no container port and none is `required`. Raise `Refused` where the tag does not say which
    of several is meant, or names one that does not exist, or one that is not bound on the host.
    """
    port = _container_port(exposure, definition, exposure.options.get("port"), required=required)
    return _dialled(exposure, port, task, definition) if port else 0


def dialled(exposure: Exposure, task: Task, definition: Definition, number: int, protocol: str) -> int:
    """The same, for a container port that the tag names together with its protocol."""
    port = _container_port(exposure, definition, number, protocol, required=True)
    return _dialled(exposure, port or Port("", number, protocol), task, definition)


def _dialled(exposure: Exposure, port: Port, task: Task, definition: Definition) -> int:
    if definition.network_mode == "awsvpc":
        return port.number
    for container, number, bound, protocol in task.bindings:
        if (container, number, protocol) == (port.container, port.number, port.protocol):
            return bound
    if definition.network_mode == "host":
        return port.number
    raise Refused(
        "PortNotBound", exposure.said(f"container port {port.number} is not bound to any port of the host")
    )


def _container_port(
    exposure: Exposure, definition: Definition, number: int | None, protocol: str = "", *, required: bool
) -> Port | None:
    container = exposure.options.get("container")
    if not definition.ports and not container and (number or not required):
        # awsvpc tasks may listen without a port mapping
        return Port("", number, protocol or "tcp") if number else None
    fitting = [
        port
        for port in definition.ports
        if number in (None, port.number)
        and container in (None, port.container)
        and protocol in ("", port.protocol)
    ]
    apart = definition.network_mode == "bridge"  # there each container has its own ports
    if len({(port.container if apart else "", port.number) for port in fitting}) == 1:
        return min(fitting, key=lambda port: port.protocol)  # be it for tcp and for udp
    listed = ", ".join(map(_said, definition.ports)) or "none"
    if fitting:
        raise Refused(
            "SeveralPorts",
            exposure.said(
                f"the task definition has several container ports ({listed}): say which with "
                f"{'' if protocol else 'port= or '}container="
            ),
        )
    named = _numbered(number, protocol) if protocol else f"port={number}"
    asked = " ".join(
        text for text, value in ((named, number), (f"container={container}", container)) if value
    )
    raise Refused(
        "NoPort",
        exposure.said(
            f"{f'no container port fits {asked}' if asked else 'a container port is needed'}; "
            f"task definition {definition.family} has: {listed}"
        ),
    )


def _said(port: Port) -> str:
    return f"{port.container}:{_numbered(port.number, port.protocol)}"


def _numbered(number: int | None, protocol: str) -> str:
    return f"{number}{'' if protocol == 'tcp' else f'/{protocol}'}"
