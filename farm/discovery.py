"""ECS's own service discovery: what ECS itself registers in Cloud Map for a service with `serviceRegistries` (F§3.4).

The instance's id is the task's, its address the private one. The product must leave these alone (design §6 rule 2).
"""

from __future__ import annotations

from typing import Any

from farm.aws import REGION, cloudmap
from farm.aws.cloudmap.instances import deregister_instance, register_instance
from farm.aws.cloudmap.model import Refused
from farm.aws.ecs import Task, service_of


def follow(task: Task) -> None:
    """Registers in ACTIVATING, deregisters in DEACTIVATING, or whenever the task is gone without (F§1.3)."""
    service = service_of(task)
    for entry in service.service_registries if service else ():
        registry_id = entry["registryArn"].rpartition("/")[2]
        if task.last_status == "ACTIVATING" and task.desired_status == "RUNNING":
            _register(registry_id, task, entry)
        elif task.last_status in {"DEACTIVATING", "STOPPED"}:
            _deregister(registry_id, task)


def _register(service_id: str, task: Task, entry: dict[str, Any]) -> None:
    address = next(
        one["privateIpv4Address"] for container in task.containers for one in container.network_interfaces
    )
    attributes = {
        "AWS_INSTANCE_IPV4": address,
        "AWS_INIT_HEALTH_STATUS": "HEALTHY",
        "AVAILABILITY_ZONE": str(task.availability_zone),
        "REGION": REGION,
        "ECS_SERVICE_NAME": str(task.service_name),
        "ECS_CLUSTER_NAME": task.cluster_name,
        "ECS_TASK_DEFINITION_FAMILY": str(task.definition.family),
    }
    if port := entry.get("containerPort"):
        attributes["AWS_INSTANCE_PORT"] = str(port)
    registry = cloudmap.registry()
    if service_id in registry.services:
        register_instance(
            registry, {"ServiceId": service_id, "InstanceId": task.id, "Attributes": attributes}
        )


def _deregister(service_id: str, task: Task) -> None:
    """Deregistered already, or with an operation still under way: nothing more to do."""
    registry = cloudmap.registry()
    service = registry.services.get(service_id)
    if service and task.id in service.instances:
        try:
            deregister_instance(registry, {"ServiceId": service_id, "InstanceId": task.id})
        except Refused as refusal:
            if refusal.code != "DuplicateRequest":
                raise
