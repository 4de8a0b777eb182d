"""The source: services, their tags and their running tasks, read from ECS; and the one thing asked of it, to stop one.

Whatever cannot be read raises; it never comes back as fewer tasks. A task that is no longer listed counts as stopped
only after ECS, asked for it by name, has said so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from expose.addresses import Addresses
from expose.arn import ServiceArn
from expose.aws import Clients, chunks, code
from expose.gone import NO_CLUSTER, check_gone, check_stopped
from expose.model import Definition, Port, Service, Task
from expose.policy import Detail, ready
from expose.refusals import NotYet

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import (
        ContainerTypeDef,
        FailureTypeDef,
        ServiceTypeDef,
        TaskDefinitionTypeDef,
        TaskTypeDef,
    )

ACTIONS = frozenset(
    {
        "ecs:DescribeClusters",
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
        "ecs:StopTask",
    }
)

_REASON = 1024  # characters of a reason to stop a task
_MINIMUM_HEALTHY = 100  # percent, where a service does not say


class Source:
    """Reads ECS for the controller. Task definitions are kept, because a revision never changes."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._addresses = Addresses(clients)
        self._definitions: dict[str, Definition] = {}

    def service(self, arn: ServiceArn, last: Service, *, now: float) -> Service:
        """The service with its tags as they are now, and the tasks that were last known.

        A service that is gone, or going, comes back inactive and without tags: both ask for nothing (F§1.4). That it is
        gone is believed only after a second, different question. Raise `NotYet` where ECS contradicts itself.
        """
        inactive = replace(last, active=False, wanted=0, tags={}, read_at=now)
        try:
            answer = self._clients.ecs.describe_services(
                cluster=arn.cluster, services=[arn.name], include=["TAGS"]
            )
            _only_missing(answer["failures"])
            found = {described.get("status"): described for described in answer["services"]}
            if "ACTIVE" in found:
                return self._active(found["ACTIVE"], last, now)
            if "DRAINING" in found:
                return inactive
            check_stopped(arn, self._described(arn, (task.id for task in last.tasks)))
        except ClientError as error:
            if code(error) != NO_CLUSTER:
                raise
            check_gone(arn.cluster, self._clients.ecs.describe_clusters(clusters=[arn.cluster]))
        return replace(inactive, tasks=())

    def tasks(
        self, service: Service, stopped: Collection[str], *, detail: Detail, afresh: bool, now: float
    ) -> tuple[Service, frozenset[str]]:
        """The service with its tasks as they are now, less those known to have `stopped`; and which of the tasks that
        were known are to stop, but may still serve.

        Tasks already known to run well are not described again, as their addresses never change; unless all is to be
        read `afresh`.
        """
        listed = [task for task in self._listed(service.arn) if task not in stopped]
        known = {task.id: task for task in service.tasks if task.id not in stopped}
        well = (
            {} if afresh else {task: each for task, each in known.items() if _complete(each, service, detail)}
        )
        kept = {task: well[task] for task in listed if task in well}
        asked = [
            *(task for task in listed if task not in kept),
            *(task for task in known if task not in listed),
        ]
        found = list(self._described(service.arn, asked))
        described = [task for task in found if not _stopping(task)]
        definitions = {arn: self.definition(arn) for arn in {task["taskDefinitionArn"] for task in described}}
        fresh = self._addresses.fill(
            [(_task(task, definitions[task["taskDefinitionArn"]]), task) for task in described],
            arn=service.arn,
            detail=detail,
        )
        tasks = kept | {task.id: task for task in fresh}
        read = replace(
            service,
            tasks=tuple(tasks[task] for task in sorted(tasks)),
            definitions=self._used(service, tasks.values()),
            read_at=now,
        )
        leaving = (_id(task["taskArn"]) for task in found if _stopping(task) and _serves(task))
        return read, frozenset(leaving)

    def definition(self, arn: str) -> Definition:
        if arn not in self._definitions:
            answer = self._clients.ecs.describe_task_definition(taskDefinition=arn)
            self._definitions[arn] = _definition(answer["taskDefinition"])
        return self._definitions[arn]

    def stop(self, arn: ServiceArn, task: str, reason: str) -> None:
        """The service starts another in its place."""
        self._clients.ecs.stop_task(cluster=arn.cluster, task=task, reason=reason[:_REASON])

    def running(self, cluster: str) -> Iterator[str]:
        """The ARNs of all tasks in a cluster that are meant to run."""
        for page in self._clients.ecs.get_paginator("list_tasks").paginate(cluster=cluster):
            yield from page["taskArns"]

    def groups(self, cluster: str, tasks: Iterable[str]) -> Iterator[tuple[str, str, bool]]:
        """The id, the group (`service:NAME`) and whether it is RUNNING, for each of these tasks that still exists."""
        for chunk in chunks(tasks, 100):
            for task in self._clients.ecs.describe_tasks(cluster=cluster, tasks=chunk)["tasks"]:
                yield _id(task["taskArn"]), task.get("group", ""), task.get("lastStatus") == "RUNNING"

    def _active(self, described: ServiceTypeDef, last: Service, now: float) -> Service:
        network = described.get("networkConfiguration", {}).get("awsvpcConfiguration")
        return replace(
            last,
            active=True,
            wanted=described.get("desiredCount", 0),
            tags={tag.get("key", ""): tag.get("value", "") for tag in described.get("tags", [])},
            subnets=tuple(network["subnets"]) if network else (),
            minimum_healthy=described.get("deploymentConfiguration", {}).get(
                "minimumHealthyPercent", _MINIMUM_HEALTHY
            ),
            health_grace=described.get("healthCheckGracePeriodSeconds", 0),
            rolling=_rolls(described),
            native=tuple(sorted(_native(described))),
            registries=tuple(
                (each.get("registryArn", ""), "port" in each or "containerPort" in each)
                for each in described.get("serviceRegistries", [])
            ),
            read_at=now,
        )

    def _listed(self, arn: ServiceArn) -> list[str]:
        pages = self._clients.ecs.get_paginator("list_tasks").paginate(
            cluster=arn.cluster, serviceName=arn.name, desiredStatus="RUNNING"
        )
        return [_id(task) for page in pages for task in page["taskArns"]]

    def _described(self, arn: ServiceArn, tasks: Iterable[str]) -> Iterator[TaskTypeDef]:
        for chunk in chunks(tasks, 100):
            answer = self._clients.ecs.describe_tasks(cluster=arn.cluster, tasks=chunk)
            _only_missing(answer["failures"])
            yield from answer["tasks"]

    def _used(self, service: Service, tasks: Iterable[Task]) -> Mapping[str, Definition]:
        used = sorted({task.definition for task in tasks})
        return {arn: service.definitions.get(arn) or self.definition(arn) for arn in used}


def _rolls(service: ServiceTypeDef) -> bool:
    deployments = service.get("deployments", [])
    return len(deployments) > 1 or any(each.get("rolloutState") == "IN_PROGRESS" for each in deployments)


def _native(service: ServiceTypeDef) -> Iterator[str]:
    """The target groups that ECS keeps itself, of both colours where it deploys blue/green (F§2)."""
    kept = [*service.get("loadBalancers", [])]
    kept += [each for task_set in service.get("taskSets", []) for each in task_set.get("loadBalancers", [])]
    for each in kept:
        yield each.get("targetGroupArn", "")
        yield each.get("advancedConfiguration", {}).get("alternateTargetGroupArn", "")


def _complete(task: Task, service: Service, detail: Detail) -> bool:
    """An IPv6 address comes with the task; a public IPv4 address may take a while."""
    has_address = bool(task.public_ipv4 or detail is Detail.PRIVATE)
    return ready(task, service) and has_address and (task.openings is not None or detail < Detail.OPEN)


def _only_missing(failures: Iterable[FailureTypeDef]) -> None:
    """MISSING is an answer; any other reason is a failure to read, and what could not be read was not removed."""
    for failure in failures:
        if failure.get("reason") != "MISSING":
            raise NotYet(f"ECS could not read {failure.get('arn')}: {failure.get('reason')}", seconds=10)


def _stopping(task: TaskTypeDef) -> bool:
    return task.get("desiredStatus") == "STOPPED" or task.get("lastStatus") == "STOPPED"


def _serves(task: TaskTypeDef) -> bool:
    """Whether its containers may still run, be it that they were told to stop (F§1.3)."""
    return task.get("lastStatus") in {"RUNNING", "DEACTIVATING", "STOPPING"}


def _id(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _task(task: TaskTypeDef, definition: Definition) -> Task:
    started = task.get("startedAt")
    return Task(
        id=_id(task["taskArn"]),
        definition=definition.arn,
        running=task.get("lastStatus") == "RUNNING",
        healthy=task.get("healthStatus") == "HEALTHY",
        started_at=started.timestamp() if started else 0.0,
        zone=task.get("availabilityZone", ""),
        bindings=tuple(
            sorted({binding for each in task.get("containers", []) for binding in _bindings(each)})
        ),
    )


def _bindings(container: ContainerTypeDef) -> Iterator[tuple[str, int, int, str]]:
    """The host port of each container port and protocol: one of them, where it is bound in both families."""
    bound: dict[tuple[int, str], int] = {}
    for binding in container.get("networkBindings", []):
        if "containerPort" in binding and "hostPort" in binding:
            bound.setdefault((binding["containerPort"], binding.get("protocol", "tcp")), binding["hostPort"])
    for (inside, protocol), outside in bound.items():
        yield container.get("name", ""), inside, outside, protocol


def _definition(described: TaskDefinitionTypeDef) -> Definition:
    containers = described.get("containerDefinitions", [])
    return Definition(
        arn=described.get("taskDefinitionArn", ""),
        family=described.get("family", ""),
        network_mode=described.get("networkMode", "bridge"),
        ports=tuple(
            Port(container.get("name", ""), mapping["containerPort"], mapping.get("protocol", "tcp"))
            for container in containers
            for mapping in container.get("portMappings", [])
            if "containerPort" in mapping
        ),
        health_checked=any(c.get("essential", True) and c.get("healthCheck") for c in containers),
    )
