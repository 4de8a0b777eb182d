"""The source: services, their tags and their running tasks, read from ECS; and the one thing asked of it, to stop one.

Whatever cannot be read raises; it never comes back as fewer tasks. A task that is no longer listed counts as stopped
only after ECS, asked for it by name, has said so. What may change while a task runs is never remembered as final: it is
read each time that tasks are, a hundred in one call.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from expose.addresses import Addresses
from expose.arn import ServiceArn
from expose.aws import Clients, chunks, code
from expose.definitions import Definition
from expose.described import (
    definition_of,
    facts_of,
    id_of,
    is_stopping,
    native,
    network_of,
    newest_first,
    rolls,
    serves,
    task_of,
)
from expose.gone import NO_CLUSTER, check_gone, check_stopped
from expose.model import Service, Task
from expose.policy import Detail
from expose.refusals import NotYet
from expose.remembering import is_final, is_placed, where
from expose.traffic import Shift, of_deployments, of_task_sets

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import (
        FailureTypeDef,
        ServiceTypeDef,
        TaskTypeDef,
    )

ACTIONS = frozenset(
    {
        "ecs:DescribeClusters",
        "ecs:DescribeServiceDeployments",
        "ecs:DescribeServices",
        "ecs:DescribeTaskDefinition",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
        "ecs:StopTask",
    }
)

_REASON = 1024  # characters of a reason to stop a task
_EDITION = Definition("", "", "").edition
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
        self,
        service: Service,
        stopped: Collection[str],
        *,
        detail: Detail,
        afresh: bool,
        now: float,
        lacking: Collection[str] = (),
    ) -> tuple[Service, frozenset[str]]:
        """The service with its tasks as they are now, less those known to have `stopped`; and which of the tasks that
        were known are to stop, but may still serve.

        What never changes is not asked for again: a task's addresses, and nothing at all of one that runs and cannot
        fall ill. Except of tasks that are `lacking` something, and where all is to be read `afresh`.
        """
        listed = [task for task in self._listed(service.arn) if task not in stopped]
        known = {task.id: task for task in service.tasks if task.id not in stopped}
        placed = {
            task: each
            for task, each in known.items()
            if not afresh and task not in lacking and is_placed(each, detail)
        }
        kept = {task: placed[task] for task in listed if task in placed and is_final(placed[task], service)}
        asked = [
            *(task for task in listed if task not in kept),
            *(task for task in known if task not in listed),
        ]
        found = list(self._described(service.arn, asked))
        described = [task for task in found if not is_stopping(task)]
        definitions = self._defined(service, (task["taskDefinitionArn"] for task in described))
        seen = [(task_of(task, definitions[task["taskDefinitionArn"]]), task) for task in described]
        fresh = self._addresses.fill(
            [each for each in seen if each[0].id not in placed], arn=service.arn, detail=detail
        )
        moved = {task.id: where(task, placed[task.id]) for task, _ in seen if task.id in placed}
        tasks = kept | moved | {task.id: task for task in fresh}
        read = replace(
            service,
            tasks=tuple(tasks[task] for task in sorted(tasks)),
            definitions=self._defined(service, (task.definition for task in tasks.values())),
            read_at=now,
        )
        leaving = (id_of(task["taskArn"]) for task in found if is_stopping(task) and serves(task))
        return read, frozenset(leaving)

    def definition(self, arn: str) -> Definition:
        if arn not in self._definitions:
            answer = self._clients.ecs.describe_task_definition(taskDefinition=arn)
            self._definitions[arn] = definition_of(answer["taskDefinition"])
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
                yield id_of(task["taskArn"]), task.get("group", ""), task.get("lastStatus") == "RUNNING"

    def changed(self, cluster: str, known: Mapping[str, Task]) -> Iterator[str]:
        """Which of these tasks are not as they are `known`, in what changes while a task runs."""
        for chunk in chunks(sorted(known), 100):
            for task in self._clients.ecs.describe_tasks(cluster=cluster, tasks=chunk)["tasks"]:
                last = known[id_of(task["taskArn"])]
                if not is_stopping(task) and facts_of(task) != (last.running, last.healthy, last.bindings):
                    yield last.id

    def _active(self, described: ServiceTypeDef, last: Service, now: float) -> Service:
        network = network_of(described)
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
            rolling=rolls(described),
            serving=self._serving(described, before=last.serving or ()),
            native=tuple(sorted(native(described))),
            registries=tuple(
                (each.get("registryArn", ""), "port" in each or "containerPort" in each)
                for each in described.get("serviceRegistries", [])
            ),
            read_at=now,
        )

    def _serving(self, described: ServiceTypeDef, *, before: Collection[str]) -> tuple[str, ...] | None:
        """The deployments or task sets whose tasks count; None for those of all."""
        if described.get("deploymentController", {}).get("type", "ECS") != "ECS":
            sets = [(each.get("id", ""), each.get("status")) for each in described.get("taskSets", [])]
            primary = [name for name, status in sets if status == "PRIMARY"]
            return of_task_sets(primary, [name for name, _ in sets], before=before)
        if described.get("deploymentConfiguration", {}).get("strategy", "ROLLING") == "ROLLING":
            return None
        deployments = [each.get("id", "") for each in newest_first(described)]
        shift = self._shift(described) if len(deployments) > 1 else None
        return of_deployments(deployments, shift, before=before)

    def _shift(self, described: ServiceTypeDef) -> Shift | None:
        current = described.get("currentServiceDeployment")
        if not current:
            return None
        answer = self._clients.ecs.describe_service_deployments(serviceDeploymentArns=[current])
        for each in answer["serviceDeployments"]:
            target = each.get("targetServiceRevision", {})
            return Shift(
                each.get("status", ""),
                each.get("lifecycleStage", ""),
                target.get("requestedProductionTrafficWeight"),
            )
        return None

    def _listed(self, arn: ServiceArn) -> list[str]:
        pages = self._clients.ecs.get_paginator("list_tasks").paginate(
            cluster=arn.cluster, serviceName=arn.name, desiredStatus="RUNNING"
        )
        return [id_of(task) for page in pages for task in page["taskArns"]]

    def _described(self, arn: ServiceArn, tasks: Iterable[str]) -> Iterator[TaskTypeDef]:
        for chunk in chunks(tasks, 100):
            answer = self._clients.ecs.describe_tasks(cluster=arn.cluster, tasks=chunk)
            _only_missing(answer["failures"])
            yield from answer["tasks"]

    def _defined(self, service: Service, arns: Iterable[str]) -> Mapping[str, Definition]:
        """From memory, where that holds all that is read of them today."""
        known = {arn: each for arn, each in service.definitions.items() if each.edition == _EDITION}
        return {arn: known.get(arn) or self.definition(arn) for arn in sorted({*arns})}


def _only_missing(failures: Iterable[FailureTypeDef]) -> None:
    """MISSING is an answer; any other reason is a failure to read, and what could not be read was not removed."""
    for failure in failures:
        if failure.get("reason") != "MISSING":
            raise NotYet(f"ECS could not read {failure.get('arn')}: {failure.get('reason')}", seconds=10)
