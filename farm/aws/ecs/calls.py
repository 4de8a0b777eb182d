"""The calls about tasks as AWS answers them: RunTask, StartTask, StopTask, ListTasks, DescribeTasks (F§2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from moto.core.responses import ActionResult
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import DESCRIBE_TASKS_TAGS, EC2ContainerServiceResponse

from farm.aws.ecs.model import Task, state
from farm.aws.ecs.tags import check_tags
from farm.aws.ecs.tasks import create_task, set_task
from farm.aws.paging import BadTokenError, page

T = TypeVar("T")
_MOST_TASKS = 100
_NARROWING = ("family", "serviceName", "containerInstance", "launchType")


def some(
    response: EC2ContainerServiceResponse, items: Iterable[T], key: Callable[[T], str], size: int
) -> Any:
    """One page of a list, as `maxResults` and `nextToken` ask for it; `size` is the default."""
    asked = response._get_param("maxResults")
    if asked is not None and not 1 <= int(asked) <= 100:
        raise InvalidParameterException("maxResults should be between 1 and 100.")
    try:
        return page(items, key, int(asked or size), response._get_param("nextToken"))
    except BadTokenError as error:
        raise InvalidParameterException("Invalid token.") from error


def check_cluster(arn: str, cluster: str) -> None:
    """A long ARN says its cluster, and it must be the one asked."""
    parts = arn.split("/")
    if arn.startswith("arn:") and len(parts) == 3 and parts[1] != cluster:
        raise InvalidParameterException(f"Identifier is for cluster {parts[1]}. Your cluster is {cluster}")


def list_tasks(self: EC2ContainerServiceResponse) -> ActionResult:
    arns = [task.task_arn for task in _listed(self)]
    found, token = some(self, arns, str, _MOST_TASKS)
    return ActionResult({"taskArns": found, "nextToken": token})


def _listed(call: EC2ContainerServiceResponse) -> list[Task]:
    backend: EC2ContainerServiceBackend = call.ecs_backend
    cluster = backend._get_cluster(call._get_param("cluster", "default"))
    started_by, desired = call._get_param("startedBy"), call._get_param("desiredStatus", "RUNNING")
    family, service, host, launch_type = (call._get_param(name) for name in _NARROWING)
    if started_by and any((family, service, host, launch_type)):
        raise InvalidParameterException("startedBy cannot be combined with other filters.")
    tasks: Iterable[Task] = backend.tasks.get(cluster.name, {}).values()
    if service:
        name = backend._get_service(cluster.name, service).name
        tasks = state(backend).by_group[cluster.name, f"service:{name}"].values()
    return [
        task
        for task in tasks
        if task.desired_status == desired
        and started_by in {None, task.started_by}
        and family in {None, task.definition.family}
        and launch_type in {None, task.launch_type}
        and (not host or (task.container_instance_arn or "").split("/")[-1] == host.split("/")[-1])
    ]


def describe_tasks(self: EC2ContainerServiceResponse) -> ActionResult:
    backend: EC2ContainerServiceBackend = self.ecs_backend
    cluster = backend._get_cluster(self._get_param("cluster", "default"))
    asked: list[str] = self._get_param("tasks", [])
    if not asked:
        raise InvalidParameterException("Tasks cannot be empty.")
    if len(asked) > _MOST_TASKS:
        raise InvalidParameterException(f"Tasks cannot have more than {_MOST_TASKS} elements.")
    if "TAGS" in self._get_param("include", []):
        self._include_in_response(DESCRIBE_TASKS_TAGS)
    else:
        self._exclude_from_response(DESCRIBE_TASKS_TAGS)
    found = {one: _find(backend, cluster.name, one) for one in asked}
    missing = [
        {"arn": _arn(backend, cluster.name, one), "reason": "MISSING"}
        for one, task in found.items()
        if task is None
    ]
    return ActionResult({"tasks": [task for task in found.values() if task], "failures": missing})


def stop_task(self: EC2ContainerServiceResponse) -> ActionResult:
    """Decides only: the task goes its way from RUNNING to STOPPED in its own time, without its tags (F§2)."""
    backend: EC2ContainerServiceBackend = self.ecs_backend
    cluster = backend._get_cluster(self._get_param("cluster", "default"))
    task = _find(backend, cluster.name, self._get_param("task"))
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    if task.desired_status != "STOPPED":
        reason = self._get_param("reason") or "Task stopped by user"
        set_task(task, stop_code="UserInitiated", stopped_reason=reason)
        task.tags = []
    return ActionResult({"task": task})


def run_task(self: EC2ContainerServiceResponse) -> ActionResult:
    asked: list[None] = [None] * self._get_int_param("count", 1)
    return ActionResult({"tasks": [_begin(self, None) for _ in asked], "failures": []})


def start_task(self: EC2ContainerServiceResponse) -> ActionResult:
    hosts: list[str] = self._get_param("containerInstances", [])
    return ActionResult({"tasks": [_begin(self, host.split("/")[-1]) for host in hosts], "failures": []})


def _begin(call: EC2ContainerServiceResponse, host: str | None) -> Task:
    backend: EC2ContainerServiceBackend = call.ecs_backend
    definition = backend.describe_task_definition(call._get_param("taskDefinition"))
    group = call._get_param("group") or f"family:{definition.family}"
    if group.startswith("service:"):
        raise InvalidParameterException("Invalid namespace for group.")
    tags = call._get_param("tags") or []
    check_tags(tags)
    strategy = call._get_param("capacityProviderStrategy") or []
    return create_task(
        backend,
        backend._get_cluster(call._get_param("cluster", "default")),
        definition,
        group=group,
        launch_type=call._get_param("launchType"),
        capacity_provider=next((one["capacityProvider"] for one in strategy), None),
        started_by=call._get_param("startedBy") or "",
        network_configuration=network_of(call._get_param("networkConfiguration"), definition.network_mode),
        platform_version=call._get_param("platformVersion"),
        overrides=call._get_param("overrides"),
        tags=tags,
        host=host,
    )


def network_of(asked: dict[str, Any] | None, mode: str) -> dict[str, Any]:
    """The network configuration with the defaults that AWS fills in; required in awsvpc mode and only there."""
    if not asked:
        if mode == "awsvpc":
            raise InvalidParameterException(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified."
            )
        return {}
    if mode != "awsvpc":
        raise InvalidParameterException(
            "Network Configuration is not valid for the given networkMode of this task definition."
        )
    return {
        "awsvpcConfiguration": {"securityGroups": [], "assignPublicIp": "DISABLED"}
        | asked["awsvpcConfiguration"]
    }


def _find(backend: EC2ContainerServiceBackend, cluster: str, id_or_arn: str) -> Task | None:
    check_cluster(id_or_arn, cluster)
    tasks: dict[str, Task] = backend.tasks.get(cluster, {})
    if id_or_arn in tasks:
        return tasks[id_or_arn]
    return tasks.get(_arn(backend, cluster, id_or_arn)) if "/" not in id_or_arn else None


def _arn(backend: EC2ContainerServiceBackend, cluster: str, id_or_arn: str) -> str:
    if id_or_arn.startswith("arn:"):
        return id_or_arn
    return f"arn:aws:ecs:{backend.region_name}:{backend.account_id}:task/{cluster}/{id_or_arn}"
