"""The target group that an entrance forwards to, and the targets in it; or the targets alone, in somebody else's group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

from expose.definitions import Definition
from expose.mechanisms.lb.entrances import Entrance
from expose.mechanisms.members import members
from expose.mechanisms.ports import endpoint
from expose.mechanisms.surroundings import Lookup, Surroundings
from expose.model import Exposure, Identity, Resource, Service, Task
from expose.refusals import Refused
from expose.tags import meaningless

_ALONE = frozenset({"port", "container", "replace", "grace"})  # the options that say something of targets
_INTERVAL, _TIMEOUT, _HEALTHY, _DRAIN = 10, 5, 2, 30
_TERMINATED = {"TLS": "TCP"}  # what goes on behind an NLB's listener, where that is not the same


def own(exposure: Exposure, service: Service, entrance: Entrance) -> Resource:
    """The group made for this exposure. What cannot be changed on a group is part of its identity (F§4.1)."""
    protocol = exposure.options.get("protocol", "TCP" if entrance.is_network else "HTTP")
    protocol = _TERMINATED.get(protocol, protocol)
    of = "ip" if service.subnets else "instance"
    return Resource(
        Identity("elb.group", f"{entrance.balancer}/{entrance.vpc}/{of}/{protocol}"),
        spec={"protocol": protocol, "type": of, **_check(exposure, entrance, protocol)},
        refs={"vpc": entrance.vpc},
    )


def targets(
    exposure: Exposure, service: Service, group: Resource, blocks: Sequence[str]
) -> Sequence[Resource]:
    """One for each task. `blocks` are those of the group's VPC, empty where every task is inside."""
    return _targets(exposure, service, group.identity.key, group.identity, group.spec["type"], blocks)


def membership(
    exposure: Exposure, name: str, service: Service, surroundings: Surroundings
) -> Sequence[Resource]:
    """Targets in a group that somebody else made, and a claim of each port, so that no two tags keep the same ones."""
    for option in exposure.options:
        if option not in _ALONE:
            raise meaningless(exposure, option, "targets in a group of somebody else")
    group = surroundings.found.get(Lookup("elb.group", name.removeprefix("tg/")))
    if group is None:
        raise Refused("NoTargetGroup", exposure.said(f"there is no target group {name[3:]}: create it"))
    if group["arn"] in service.native:
        raise Refused(
            "KeptByEcs",
            exposure.said(
                f"ECS itself keeps this service's tasks in target group {name[3:]}: remove the tag"
            ),
        )
    if group["type"] not in {"ip", "instance"} or (group["type"] == "instance" and service.subnets):
        needed = "ip" if service.subnets else "ip or instance"
        raise Refused(
            "WrongTargetType",
            exposure.said(
                f"target group {name[3:]} takes {group['type']} targets, and this service's network mode needs "
                f"{needed}: name another group"
            ),
        )
    targets = _targets(exposure, service, name, group["arn"], group["type"], group["blocks"])
    claims = {
        target.spec["port"]: Resource(
            Identity("claim", f"lb/{name}/{service.arn.label}/{target.spec['port']}"),
            spec={"said": f"port {target.spec['port']} of {service.arn.label} in {name}"},
        )
        for target in targets
    }
    return [
        *claims.values(),
        *(
            replace(target, refs={**target.refs, "claim": claims[target.spec["port"]].identity})
            for target in targets
        ),
    ]


def _targets(
    exposure: Exposure,
    service: Service,
    key: str,
    group: Identity | str,
    of: str,
    blocks: Sequence[str],
) -> list[Resource]:
    def target(task: Task, definition: Definition) -> Resource:
        number = endpoint(exposure, task, definition, required=True)
        name = _name(exposure, task, of)
        return Resource(
            Identity("elb.target", f"{key}/{name}:{number}"),
            spec={"id": name, "port": number, "zone": _zone(name, of, blocks)},
            refs={"group": group},
            task=task.id,
        )

    return members(exposure, service, target)


def _name(exposure: Exposure, task: Task, of: str) -> str:
    if of == "instance" and not task.instance:
        raise Refused("NoInstance", exposure.said("the EC2 instance of the tasks is not known yet"))
    if of == "ip" and not task.private_ipv4:
        problem = "the tasks have no private IPv4 address: run them in subnets with IPv4"
        raise Refused("NoPrivateAddress", exposure.said(problem))
    return task.instance if of == "instance" else task.private_ipv4


def _zone(name: str, of: str, blocks: Sequence[str]) -> str:
    """ELB knows the zone of an address inside its VPC, and has to be told that one is outside (F§4.1)."""
    outside = of == "ip" and blocks and not any(ip_address(name) in ip_network(block) for block in blocks)
    return "all" if outside else ""


def _check(exposure: Exposure, entrance: Entrance, protocol: str) -> dict[str, Any]:
    options = exposure.options
    grpc = protocol == "GRPC"
    over_http = not entrance.is_network or "health" in options
    interval = options.get("interval", _INTERVAL)
    matcher = "12" if grpc else "200-399" if entrance.is_network else "200"
    if not over_http and "matcher" in options:
        raise meaningless(exposure, "matcher", "a check that only connects; say health=/path as well")
    return {
        "check": "HTTPS" if protocol == "HTTPS" else "HTTP" if over_http else "TCP",
        "path": options.get("health", "/AWS.ALB/healthcheck" if grpc else "/") if over_http else "",
        "matcher": options.get("matcher", matcher) if over_http else "",
        "interval": interval,
        "timeout": min(_TIMEOUT, interval - 1),
        "healthy": options.get("healthy", _HEALTHY),
        "drain": options.get("drain", _DRAIN),
    }
