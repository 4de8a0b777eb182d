"""Moto's ECS made right: services that only wish, tasks that move only when told, calls with AWS's limits (F§1, F§2).

Nothing lives here. The living ECS (`farm.living`) and tests move tasks with `start_task`, `set_task`, `retire_task`
and `purge_task`; services hold their deployments, newest first, with counts that follow the tasks.
"""

from __future__ import annotations

from moto.ecs.models import EC2ContainerServiceBackend, Service
from moto.ecs.responses import EC2ContainerServiceResponse

from farm.aws.ecs import calls, hosts, services, shifting, tags
from farm.aws.ecs.hosts import add_host
from farm.aws.ecs.model import Container, Settings, Task, settings, tasks_of
from farm.aws.ecs.services import purge_service
from farm.aws.ecs.stages import STAGES
from farm.aws.ecs.tasks import (
    create_task,
    has_health_check,
    purge_task,
    recount,
    retire_task,
    service_of,
    set_health,
    set_task,
    start_task,
    stop_timeout,
)

__all__ = [
    "STAGES",
    "Container",
    "Settings",
    "Task",
    "add_host",
    "create_task",
    "has_health_check",
    "mend",
    "purge_service",
    "purge_task",
    "recount",
    "retire_task",
    "service_of",
    "set_health",
    "set_task",
    "settings",
    "start_task",
    "stop_timeout",
    "tasks_of",
]

_CALLS = (
    services.create_service,
    services.update_service,
    services.delete_service,
    services.list_services,
    services.describe_services,
    shifting.describe_service_deployments,
    calls.run_task,
    calls.start_task,
    calls.stop_task,
    calls.list_tasks,
    calls.describe_tasks,
    tags.tag_resource,
)
_moto_arn = Service.arn.fget


def mend() -> None:
    """Put moto's ECS right."""
    for call in _CALLS:
        setattr(EC2ContainerServiceResponse, call.__name__, call)
    EC2ContainerServiceBackend.create_cluster = hosts.create_cluster
    EC2ContainerServiceBackend.tag_resource = tags.add_tags
    EC2ContainerServiceBackend.untag_resource = tags.remove_tags
    Service.arn = property(_arn)


def _arn(self: Service) -> str:
    """A service keeps the ARN that it was born with, short or long, whatever the account setting says later."""
    return str(self.__dict__.get("farm_arn") or _moto_arn(self))
