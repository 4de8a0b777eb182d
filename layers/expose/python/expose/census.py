"""The census: every running task with a public address in the clusters that the stack may look at, tagged or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from expose.addresses import Addresses
from expose.arn import ServiceArn
from expose.aws import Clients, chunks
from expose.ecs import Source
from expose.model import Task
from expose.policy import Detail, Limits

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import TaskTypeDef

ACTIONS = frozenset({"ecs:DescribeTasks", "ecs:ListClusters", "ecs:ListTasks"})

_SERVICE = "service:"


class Census:
    def __init__(self, clients: Clients, source: Source, limits: Limits) -> None:
        self._clients = clients
        self._source = source
        self._limits = limits
        self._addresses = Addresses(clients)

    def clusters(self) -> list[str]:
        """The names of those that the stack may look at."""
        pages = self._clients.ecs.get_paginator("list_clusters").paginate()
        names = sorted(arn.rpartition("/")[2] for page in pages for arn in page["clusterArns"])
        return [name for name in names if self._limits.allow_cluster(name)]

    def tasks(self, cluster: str) -> Iterator[tuple[str, Task]]:
        """Each with whose it is: the ARN of its service, or `CLUSTER/GROUP` where it is of none."""
        for chunk in chunks(self._source.running(cluster), 100):
            described = self._clients.ecs.describe_tasks(cluster=cluster, tasks=chunk)["tasks"]
            running = {
                _id(task): task
                for task in described
                if (task.get("desiredStatus"), task.get("lastStatus")) == ("RUNNING", "RUNNING")
            }
            pairs = [(_task(task), task) for task in running.values()]
            if pairs:
                arn = _arn(chunk[0], cluster)
                for task in self._addresses.fill(pairs, arn=arn, detail=Detail.PUBLIC):
                    yield _whose(running[task.id], arn), task


def _task(described: TaskTypeDef) -> Task:
    started = described.get("startedAt")
    return Task(
        _id(described),
        described.get("taskDefinitionArn", ""),
        running=True,
        started_at=started.timestamp() if started else 0.0,
    )


def _id(task: TaskTypeDef) -> str:
    return task.get("taskArn", "").rpartition("/")[2]


def _arn(task: str, cluster: str) -> ServiceArn:
    """Of a service yet without a name beside this task."""
    _, partition, _, region, account, _ = task.split(":", 5)
    return ServiceArn(partition, region, account, cluster, "")


def _whose(task: TaskTypeDef, like: ServiceArn) -> str:
    group = task.get("group", "")
    if not group.startswith(_SERVICE):
        return f"{like.cluster}/{group}"
    return f"{like}{group.removeprefix(_SERVICE)}"
