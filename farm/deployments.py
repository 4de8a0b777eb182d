"""What ECS says of a service while the scheduler works on it: deployment states, messages, and events (F§1.4).

A deployment is IN_PROGRESS until all of its tasks are ready and no other's are left, then COMPLETED; a service that has
what it asks for has reached a steady state, which is said once until something changes.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from farm.aws.ecs import shifting
from farm.aws.ecs.model import Task
from farm.aws.ecs.tasks import has_health_check
from farm.bus import Bus, iso
from farm.rollout import Live, Wish

Service = Any
"""moto's model of a service; moto has no types."""

_MOST_MESSAGES = 100


def wish(service: Service) -> Wish:
    settings = service.deployment_configuration
    return Wish(
        desired=service.desired_count,
        deployment=service.deployments[0]["id"],
        minimum_percent=settings["minimumHealthyPercent"],
        maximum_percent=settings["maximumPercent"],
        beside=shifting.stays_beside(service),
    )


def live(task: Task) -> Live:
    healthy = task.health_status == "HEALTHY" or not has_health_check(task)
    return Live(
        id=task.id,
        deployment=task.started_by,
        ready=task.last_status == "RUNNING" and healthy,
        unhealthy=task.health_status == "UNHEALTHY",
    )


class Books:
    """Keeps a service's deployments and messages as DescribeServices shows them, and emits what ECS would."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def opened(self, service: Service) -> None:
        """Announces the newest deployment, once."""
        current = service.deployments[0]
        if getattr(service, "farm_announced", "") != current["id"]:
            service.farm_announced = current["id"]
            service.farm_steady = False
            self._announce(service, "SERVICE_DEPLOYMENT_IN_PROGRESS", current["rolloutStateReason"])

    def settled(self, service: Service) -> None:
        """The service has what it asks for."""
        current = service.deployments[0]
        if current["rolloutState"] == "IN_PROGRESS":
            current["rolloutState"] = "COMPLETED"
            current["rolloutStateReason"] = f"ECS deployment {current['id']} completed."
            current["updatedAt"] = self._bus.now()
            self._announce(service, "SERVICE_DEPLOYMENT_COMPLETED", current["rolloutStateReason"])
            self._write(service, f"(deployment {current['id']}) deployment completed.")
        del service.deployments[1:]
        shifting.settle(service)
        if not getattr(service, "farm_steady", False):
            service.farm_steady = True
            self._write(service, "has reached a steady state.")
            self._act(service, "INFO", "SERVICE_STEADY_STATE")

    def moved(self, service: Service, *, started: Sequence[Task] = (), stopped: Sequence[Task] = ()) -> None:
        """The scheduler started and stopped tasks."""
        service.farm_steady = False
        for tasks, verb in ((started, "has started"), (stopped, "has stopped")):
            if tasks:
                names = " ".join(f"(task {task.id})" for task in tasks)
                self._write(service, f"{verb} {len(tasks)} tasks: {names}.")

    def unplaced(self, service: Service) -> None:
        """No container instance has room."""
        reason = "was unable to place a task because no container instance met all of its requirements."
        self._write(service, reason)
        self._act(service, "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE", reason=reason)

    def _announce(self, service: Service, name: str, reason: str) -> None:
        detail = {
            "eventType": "INFO",
            "eventName": name,
            "deploymentId": service.deployments[0]["id"],
            "updatedAt": iso(self._bus.now().timestamp(), milliseconds=True),
            "reason": reason,
        }
        self._bus.emit("aws.ecs", "ECS Deployment State Change", detail, [service.arn])

    def _act(self, service: Service, kind: str, name: str, **more: str) -> None:
        detail = {
            "eventType": kind,
            "eventName": name,
            "clusterArn": service.cluster_arn,
            "createdAt": iso(self._bus.now().timestamp(), milliseconds=True),
            **more,
        }
        self._bus.emit("aws.ecs", "ECS Service Action", detail, [service.arn])

    def _write(self, service: Service, text: str) -> None:
        message = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{service.arn}{self._bus.now()}{text}")),
            "createdAt": self._bus.now(),
            "message": f"(service {service.name}) {text}",
        }
        service.events.insert(0, message)
        del service.events[_MOST_MESSAGES:]


def why_stopped(service: Service, task: Task) -> str:
    """The stopped reason that ECS gives when its scheduler stops a task."""
    if task.health_status == "UNHEALTHY":
        return "Task failed container health checks"
    return f"Scaling activity initiated by (deployment {service.deployments[0]['id']})"
