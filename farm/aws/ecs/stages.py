"""The stages of a task's life, and what each brings with it: addresses, running containers, ports, and their end."""

from __future__ import annotations

from moto.moto_api._internal import mock_random

from farm.aws.ecs import network
from farm.aws.ecs.hosts import leave
from farm.aws.ecs.model import Task, now

STAGES = (
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
)


def enter(task: Task, exit_code: int | None) -> None:
    """What a stage brings with it; a task may skip stages, so what earlier ones would have done is made up for."""
    match task.last_status:
        case "PENDING":
            network.attach(task)
            task.connectivity, task.connectivity_at = "CONNECTED", now()
            task.pull_started_at = now()
        case "ACTIVATING":
            task.pull_stopped_at = now()
        case "RUNNING":
            network.attach(task)
            task.started_at = now()
            for container in task.containers:
                container.last_status = "RUNNING"
                container.runtime_id = f"{task.id}-{mock_random.randint(10**8, 10**10)}"
                container.image_digest = f"sha256:{mock_random.get_random_hex(64)}"
            network.bind(task)
        case "DEPROVISIONING":
            _stop_containers(task, exit_code)
        case "STOPPED":
            _stop_containers(task, exit_code)
            leave(task)
            network.detach(task)
            task.stopped_at = now()


def _stop_containers(task: Task, exit_code: int | None) -> None:
    task.desired_status = "STOPPED"
    task.stopping_at = task.stopping_at or now()
    for container in task.containers:
        if container.last_status == "RUNNING":
            container.exit_code = exit_code or 0
            task.execution_stopped_at = now()
        container.last_status = "STOPPED"
