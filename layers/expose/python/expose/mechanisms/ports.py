"""Which port of a task an exposure means: shared by every mechanism, as it is one rule of reading (design §2)."""

from __future__ import annotations

from dataclasses import replace

from expose.definitions import Definition, Port
from expose.model import Exposure, Task
from expose.refusals import Refused


def endpoint(
    exposure: Exposure, task: Task, definition: Definition, *, required: bool, family: int = 4
) -> int:
    """The port at which the task's address of this family answers: the host's in bridge and host mode, else the container's.

    0 where the task has no container port and none is `required`. Raise `Refused` where the tag does not say which
    of several is meant, or names one that does not exist, or one that is not bound on the host.
    """
    port = _container_port(exposure, definition, exposure.options.get("port"), required=required)
    return _dialled(exposure, port, task, definition, family) if port else 0


def dialled(
    exposure: Exposure, task: Task, definition: Definition, number: int, protocol: str, *, family: int = 4
) -> int:
    """The same, for a container port that the tag names together with its protocol."""
    port = _container_port(exposure, definition, number, protocol, required=True)
    return _dialled(exposure, port or Port("", number, protocol), task, definition, family)


def _dialled(exposure: Exposure, port: Port, task: Task, definition: Definition, family: int) -> int:
    """Where ECS tells no binding of the family, which by default it does not for IPv6, another one's has to do."""
    if definition.network_mode == "awsvpc":
        return port.number
    bound = [(each.family != family, found) for each in task.bindings if (found := each.host_port(port))]
    if bound:
        return min(bound)[1]
    if definition.network_mode == "host":
        return port.number
    raise Refused(
        "PortNotBound", exposure.said(f"container port {port.number} is not bound to any port of the host")
    )


def _container_port(
    exposure: Exposure, definition: Definition, number: int | None, protocol: str = "", *, required: bool
) -> Port | None:
    """Of a range of ports only one that the tag names is meant."""
    container = exposure.options.get("container")
    single = [port for port in definition.ports if not port.last]
    if not container and ((number and not definition.ports) or not (number or required or single)):
        # awsvpc tasks may listen without a port mapping
        return Port("", number, protocol or "tcp") if number else None
    fitting = [
        replace(port, number=number or port.number, last=0)
        for port in (definition.ports if number else single)
        if (number is None or port.covers(number))
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
    ports = f"{port.number}-{port.last}" if port.last else port.number
    return f"{port.container}:{_numbered(ports, port.protocol)}"


def _numbered(number: int | str | None, protocol: str) -> str:
    return f"{number}{'' if protocol == 'tcp' else f'/{protocol}'}"
