"""The life of a task, one step at a time and only when told: for the living ECS, and for tests that need a task.

`start_task` begins one, `set_task` moves it to a stage or decides that it stops, `retire_task` ends it at once,
`purge_task` makes ECS forget it. Each step counts the task's `version` up, as each makes an event on AWS (F§1.1).
"""

from __future__ import annotations

from typing import Any

from moto.ecs.models import (
    Cluster,
    EC2ContainerServiceBackend,
    Service,
    TaskDefinition,
)
from moto.moto_api._internal import mock_random

from farm.aws.ecs import network
from farm.aws.ecs.hosts import place
from farm.aws.ecs.model import Container, Task, now, state, tasks_of
from farm.aws.ecs.stages import STAGES, enter

_FARGATE = ("FARGATE", "FARGATE_SPOT")


def start_task(service: Service, *, last_status: str = "PROVISIONING", deployment: str = "") -> Task:
    """A task of the service, of its primary deployment unless another is named, taken as far as `last_status`.

    Raises InvalidParameterException if no container instance has room for it.
    """
    of = next(one for one in service.deployments if one["id"] == deployment or not deployment)
    backend: EC2ContainerServiceBackend = service._backend
    definition = backend.describe_task_definition(of["taskDefinition"])
    tags = {"SERVICE": service.tags, "TASK_DEFINITION": definition.tags}.get(service.propagate_tags, [])
    task = create_task(
        backend,
        backend.clusters[service.cluster_name],
        definition,
        group=f"service:{service.name}",
        started_by=of["id"],
        launch_type=of.get("launchType"),
        capacity_provider=next(
            (one["capacityProvider"] for one in of.get("capacityProviderStrategy") or []), None
        ),
        network_configuration=of.get("networkConfiguration") or {},
        platform_version=of.get("platformVersion"),
        tags=tags,
    )
    task.enable_execute_command = bool(getattr(service, "enable_execute_command", False))
    for stage in STAGES[: STAGES.index(last_status) + 1]:
        set_task(task, stage)
    recount(service)
    return task


def create_task(  # noqa: PLR0913 - a task is all of this; RunTask and the service scheduler ask alike
    backend: EC2ContainerServiceBackend,
    cluster: Cluster,
    definition: TaskDefinition,
    *,
    group: str,
    launch_type: str | None = None,
    capacity_provider: str | None = None,
    started_by: str = "",
    network_configuration: dict[str, Any] | None = None,
    platform_version: str | None = None,
    overrides: dict[str, Any] | None = None,
    tags: list[dict[str, str]] | None = None,
    host: str | None = None,
) -> Task:
    """A task in PROVISIONING, placed but without an address yet."""
    fargate = launch_type == "FARGATE" or capacity_provider in _FARGATE
    task_id = mock_random.uuid4().hex
    task = Task(
        id=task_id,
        task_arn=_task_arn(backend, cluster.name, task_id),
        cluster_name=cluster.name,
        cluster_arn=cluster.arn,
        task_definition_arn=definition.arn,
        group=group,
        launch_type="FARGATE" if fargate else launch_type or "EC2",
        started_by=started_by,
        _backend=backend,
        _definition=definition,
        tags=[dict(tag) for tag in tags or []],
        overrides={"containerOverrides": [], "inferenceAcceleratorOverrides": []} | (overrides or {}),
        network_configuration=network_configuration or {},
        capacity_provider_name=capacity_provider,
        platform_version=(platform_version or "1.4.0").replace("LATEST", "1.4.0") if fargate else None,
        platform_family="Linux" if fargate else None,
        cpu=definition.cpu,
        memory=definition.memory,
        created_at=now(),
    )
    task.containers = [_container(task, defined) for defined in definition.container_definitions]
    if not fargate:
        place(task, host)
    network.prepare(task)
    backend.tasks.setdefault(cluster.name, {})[task.task_arn] = task
    state(backend).by_group[cluster.name, group][task.task_arn] = task
    return task


def set_task(
    task: Task,
    last_status: str | None = None,
    *,
    stop_code: str | None = None,
    stopped_reason: str | None = None,
    exit_code: int | None = None,
) -> Task:
    """One step: into a stage, and, with a `stop_code`, the decision that the task stops, which never reverts."""
    if stop_code and task.desired_status != "STOPPED":
        task.desired_status, task.stop_code, task.stopped_reason = "STOPPED", stop_code, stopped_reason
        task.stopping_at = now()
    if last_status:
        task.last_status = last_status
        enter(task, exit_code)
    task.version += 1
    if service := service_of(task):
        recount(service)
    return task


def retire_task(
    task: Task,
    *,
    stop_code: str = "EssentialContainerExited",
    stopped_reason: str = "Essential container in task exited",
    exit_code: int = 137,
) -> Task:
    """The task is gone without warning: the first that anybody hears is STOPPED. Its interface is released."""
    return set_task(task, "STOPPED", stop_code=stop_code, stopped_reason=stopped_reason, exit_code=exit_code)


def purge_task(task: Task) -> None:
    """ECS forgets a stopped task after an hour or so (F§1.3): from then on it is MISSING."""
    network.detach(task)
    task.backend.tasks.get(task.cluster_name, {}).pop(task.task_arn, None)
    state(task.backend).by_group[task.cluster_name, task.group].pop(task.task_arn, None)


def set_health(task: Task, health: str) -> None:
    """What container health checks found. It makes no event, so `version` stays (F§1.2)."""
    for container, defined in zip(task.containers, task.definition.container_definitions, strict=True):
        if defined.get("healthCheck"):
            container.health_status = health
    task.health_status = health


def has_health_check(task: Task) -> bool:
    """Whether an essential container is checked: without, healthStatus stays UNKNOWN for ever."""
    return any(
        one.get("healthCheck") and one.get("essential", True) for one in task.definition.container_definitions
    )


def stop_timeout(task: Task) -> float:
    """Seconds between SIGTERM and SIGKILL."""
    return float(max(one.get("stopTimeout") or 30 for one in task.definition.container_definitions))


def service_of(task: Task) -> Service | None:
    return task.backend.services.get(f"{task.cluster_name}:{task.service_name}")


def recount(service: Service) -> None:
    """The counts that DescribeServices shows; a service that drains is INACTIVE when its last task has stopped."""
    live = [task for task in tasks_of(service) if task.desired_status == "RUNNING"]
    running = [task.started_by for task in live if task.last_status == "RUNNING"]
    service.running_count, service.pending_count = len(running), len(live) - len(running)
    for deployment in service.deployments:
        of = [task for task in live if task.started_by == deployment["id"]]
        deployment["runningCount"] = running.count(deployment["id"])
        deployment["pendingCount"] = len(of) - deployment["runningCount"]
    if service.status == "DRAINING" and all(task.last_status == "STOPPED" for task in tasks_of(service)):
        service.status, service.tags = "INACTIVE", []


def _task_arn(backend: EC2ContainerServiceBackend, cluster: str, task_id: str) -> str:
    long = backend.enable_long_arn_for_name(name="taskLongArnFormat")
    path = f"{cluster}/{task_id}" if long else task_id
    return f"arn:aws:ecs:{backend.region_name}:{backend.account_id}:task/{path}"


def _container(task: Task, defined: dict[str, Any]) -> Container:
    backend = task.backend
    own = f"{task.cluster_name}/{task.id}/{mock_random.uuid4()}"
    return Container(
        container_arn=f"arn:aws:ecs:{backend.region_name}:{backend.account_id}:container/{own}",
        task_arn=task.task_arn,
        name=defined["name"],
        image=defined["image"],
        cpu=str(defined.get("cpu", 0)),
        memory=str(defined["memory"]) if defined.get("memory") else None,
        memory_reservation=str(defined["memoryReservation"]) if defined.get("memoryReservation") else None,
    )
