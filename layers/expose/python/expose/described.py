"""What ECS's answers say, as values of ours: services, tasks, task definitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from expose.definitions import Binding, Definition, Port
from expose.model import Task

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import (
        AwsVpcConfigurationOutputTypeDef,
        ContainerTypeDef,
        DeploymentTypeDef,
        NetworkBindingTypeDef,
        PortMappingTypeDef,
        ServiceTypeDef,
        TaskDefinitionTypeDef,
        TaskTypeDef,
    )


def rolls(service: ServiceTypeDef) -> bool:
    """Whether a deployment of any controller is under way: more than one stands, or one is not complete."""
    deployments, sets = service.get("deployments", []), service.get("taskSets", [])
    return (
        len(deployments) > 1
        or len(sets) > 1
        or any(each.get("rolloutState") == "IN_PROGRESS" for each in deployments)
        or any(each.get("stabilityStatus") == "STABILIZING" for each in sets)
    )


def newest_first(service: ServiceTypeDef) -> list[DeploymentTypeDef]:
    """By age, for what is called PRIMARY may be the old one again after a rollback."""
    deployments = service.get("deployments", [])
    if not all("createdAt" in each for each in deployments):
        return sorted(deployments, key=lambda each: each.get("status") != "PRIMARY")
    return sorted(deployments, key=lambda each: each["createdAt"], reverse=True)


def network_of(service: ServiceTypeDef) -> AwsVpcConfigurationOutputTypeDef | None:
    """Where its tasks are; a service with task sets leaves that to them."""
    sets = sorted(service.get("taskSets", []), key=lambda each: each.get("status") != "PRIMARY")
    for each in (service, *sets):
        if network := each.get("networkConfiguration", {}).get("awsvpcConfiguration"):
            return network
    return None


def native(service: ServiceTypeDef) -> Iterator[str]:
    """The target groups that ECS keeps itself, of both colours where it deploys blue/green (F§2)."""
    kept = [*service.get("loadBalancers", [])]
    kept += [each for task_set in service.get("taskSets", []) for each in task_set.get("loadBalancers", [])]
    for each in kept:
        yield each.get("targetGroupArn", "")
        yield each.get("advancedConfiguration", {}).get("alternateTargetGroupArn", "")


def is_stopping(task: TaskTypeDef) -> bool:
    return task.get("desiredStatus") == "STOPPED" or task.get("lastStatus") == "STOPPED"


def serves(task: TaskTypeDef) -> bool:
    """Whether its containers may still run, be it that they were told to stop (F§1.3)."""
    return task.get("lastStatus") in {"RUNNING", "DEACTIVATING", "STOPPING"}


def id_of(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def task_of(task: TaskTypeDef, definition: Definition) -> Task:
    started = task.get("startedAt")
    running, healthy, bindings = facts_of(task)
    return Task(
        id=id_of(task["taskArn"]),
        definition=definition.arn,
        running=running,
        healthy=healthy,
        started_at=started.timestamp() if started else 0.0,
        zone=task.get("availabilityZone", ""),
        bindings=bindings,
        started_by=task.get("startedBy", ""),
    )


def facts_of(task: TaskTypeDef) -> tuple[bool, bool, tuple[Binding, ...]]:
    """What may change while a task runs: whether it does, whether it is healthy, where it is bound."""
    bindings = {binding for each in task.get("containers", []) for binding in _bindings(each)}
    return (
        task.get("lastStatus") == "RUNNING",
        task.get("healthStatus") == "HEALTHY",
        tuple(sorted(bindings)),
    )


def _bindings(container: ContainerTypeDef) -> Iterator[Binding]:
    for binding in container.get("networkBindings", []):
        inside = _range(binding.get("containerPortRange"), binding.get("containerPort"))
        outside = _range(binding.get("hostPortRange"), binding.get("hostPort"))
        if inside and outside:
            yield Binding(
                container.get("name", ""),
                inside.start,
                outside.start,
                binding.get("protocol", "tcp"),
                _family(binding),
                len(inside),
            )


def _family(binding: NetworkBindingTypeDef) -> int:
    """A port may be bound in both families, to a different port of the host in each (F§1.2)."""
    address = binding.get("bindIP", "")
    return 6 if ":" in address else 4 if address else 0


def _range(several: str | None, single: int | None) -> range | None:
    """Of the ports that ECS gives as `9000-9010`, or as one number."""
    if several:
        first, _, last = several.partition("-")
        return range(int(first), int(last or first) + 1)
    return None if single is None else range(single, single + 1)


def definition_of(described: TaskDefinitionTypeDef) -> Definition:
    containers = described.get("containerDefinitions", [])
    return Definition(
        arn=described.get("taskDefinitionArn", ""),
        family=described.get("family", ""),
        network_mode=described.get("networkMode", "bridge"),
        ports=tuple(
            port
            for container in containers
            for mapping in container.get("portMappings", [])
            if (port := _port(container.get("name", ""), mapping))
        ),
        health_checked=any(c.get("essential", True) and c.get("healthCheck") for c in containers),
    )


def _port(container: str, mapping: PortMappingTypeDef) -> Port | None:
    ports = _range(mapping.get("containerPortRange"), mapping.get("containerPort"))
    if ports is None:
        return None
    last = ports[-1] if len(ports) > 1 else 0
    return Port(container, ports.start, mapping.get("protocol", "tcp"), last)
