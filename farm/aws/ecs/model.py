"""What a task and its containers are, in the names that DescribeTasks has, and where they are kept.

moto's own Task knows one container and moves when looked at, so tasks are ours; everything else stays moto's. What we
remember besides lives on moto's backend, so that moto's reset forgets it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.ec2 import ec2_backends
from moto.ec2.models import EC2Backend
from moto.ecs.models import EC2ContainerServiceBackend, Service, TaskDefinition, ecs_backends

from farm.aws import ACCOUNT, REGION, clock

Details = list[dict[str, str]]


@dataclass
class Container:
    container_arn: str
    task_arn: str
    name: str
    image: str
    cpu: str
    memory: str | None
    memory_reservation: str | None
    last_status: str = "PENDING"
    health_status: str = "UNKNOWN"
    exit_code: int | None = None
    reason: str | None = None
    runtime_id: str | None = None
    image_digest: str | None = None
    network_interfaces: list[dict[str, str]] = field(default_factory=list)
    network_bindings: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Task:
    """One task. moto serialises its fields by name; those that begin with an underscore it does not know."""

    id: str
    task_arn: str
    cluster_name: str
    cluster_arn: str
    task_definition_arn: str
    group: str
    launch_type: str
    _backend: EC2ContainerServiceBackend = field(repr=False)
    _definition: TaskDefinition = field(repr=False)
    started_by: str = ""
    containers: list[Container] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    attributes: Details = field(default_factory=list)
    tags: Details = field(default_factory=list)
    overrides: dict[str, Any] = field(default_factory=dict)
    network_configuration: dict[str, Any] = field(default_factory=dict)
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    health_status: str = "UNKNOWN"
    version: int = 0
    """Counts what made an event; a task that nobody has brought to life yet has had none."""
    cpu: str | None = None
    memory: str | None = None
    availability_zone: str | None = None
    capacity_provider_name: str | None = None
    container_instance_arn: str | None = None
    platform_version: str | None = None
    platform_family: str | None = None
    enable_execute_command: bool = False
    connectivity: str | None = None
    connectivity_at: datetime | None = None
    created_at: datetime | None = None
    pull_started_at: datetime | None = None
    pull_stopped_at: datetime | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    execution_stopped_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None

    @property
    def backend(self) -> EC2ContainerServiceBackend:
        return self._backend

    @property
    def definition(self) -> TaskDefinition:
        return self._definition

    @property
    def network_mode(self) -> str:
        return str(self._definition.network_mode)

    @property
    def service_name(self) -> str | None:
        return self.group.removeprefix("service:") if self.group.startswith("service:") else None


@dataclass(slots=True)
class Settings:
    """What tests and the living ECS may turn."""

    host_bindings: bool = True
    """Whether tasks in host mode report networkBindings; AWS is not clear about it (F§1.2)."""


@dataclass(slots=True)
class State:
    settings: Settings = field(default_factory=Settings)
    by_group: dict[tuple[str, str], dict[str, Task]] = field(default_factory=lambda: defaultdict(dict))
    host_ports: dict[str, dict[str, set[int]]] = field(default_factory=lambda: defaultdict(dict))
    """Per container instance and task, the ports of the host in use."""
    placed: int = 0


def state(backend: EC2ContainerServiceBackend) -> State:
    found: State = backend.__dict__.setdefault("farm_ecs", State())
    return found


def settings(region: str = REGION) -> Settings:
    return state(ecs_backends[ACCOUNT][region]).settings


def ec2_of(backend: EC2ContainerServiceBackend) -> EC2Backend:
    return ec2_backends[backend.account_id][backend.region_name]


def now() -> datetime:
    return datetime.fromtimestamp(clock.now(), UTC)


def tasks_of(service: Service) -> list[Task]:
    """A service's tasks in the order of their birth, those that stopped a while ago included until purged."""
    return list(state(service._backend).by_group[service.cluster_name, f"service:{service.name}"].values())
