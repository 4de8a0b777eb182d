"""Membership: which tasks of a cluster run, against those that are published and remembered. In one pass over both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from botocore.exceptions import ClientError

from expose.arn import ServiceArn
from expose.aws import code
from expose.ecs import Source
from expose.gone import NO_CLUSTER
from expose.policy import reverts
from expose.records import Memory, Record
from expose.work import Depth, Work

Services = Mapping[str, tuple[Memory | None, list[Record]]]

_SERVICE = "service:"


class Membership:
    """Tasks of services that are not exposed are remembered, by their group, so as not to ask for them every minute."""

    def __init__(self, source: Source, *, clock: Callable[[], float]) -> None:
        self._source = source
        self._clock = clock
        self._strangers: dict[str, dict[str, str]] = {}

    def differences(self, cluster: str, services: Services) -> Iterator[Work]:
        """Services of a cluster that publish a task which does not run any more, run one that is not known yet, or
        one that has changed.
        """
        try:
            running = {_id(arn) for arn in self._source.running(cluster)}
        except ClientError as error:
            if code(error) != NO_CLUSTER:
                raise
            yield from (self._work(arn, "the cluster is gone", Depth.SERVICE) for arn in services)
            return
        remembered: set[str] = set()
        for arn, (memory, records) in services.items():
            tasks = {task.id for task in memory.service.tasks} if memory else set()
            remembered |= tasks
            if gone := {task for record in records for task in record.tasks} - running:
                alone = running.isdisjoint(tasks | gone)  # perhaps it is the service that is gone
                yield self._work(arn, "a published task is gone", Depth.SERVICE if alone else Depth.TASKS)
        yield from self._unknown(cluster, running - remembered, services)
        yield from self._changed(cluster, running, services)

    def _unknown(self, cluster: str, tasks: set[str], services: Services) -> Iterator[Work]:
        names = {f"{_SERVICE}{ServiceArn.parse(arn).name}": arn for arn in services}
        before = self._strangers.get(cluster, {})
        strangers = self._strangers[cluster] = {
            task: before[task] for task in tasks & before.keys() if before[task] not in names
        }
        for task, group, started in self._source.groups(cluster, sorted(tasks - strangers.keys())):
            if group not in names:
                strangers[task] = group
            elif started:
                yield self._work(names[group], "a running task is not known", Depth.TASKS)

    def _changed(self, cluster: str, running: set[str], services: Services) -> Iterator[Work]:
        """Services of which a task is not as it was last read, of which no event tells: a hundred tasks in one call, and
        only those of which that may be.
        """
        known = {
            task.id: (arn, task)
            for arn, (memory, _) in services.items()
            if memory
            for task in memory.service.tasks
            if task.running and task.id in running and reverts(task, memory.service)
        }
        changed = self._source.changed(cluster, {name: task for name, (_, task) in known.items()})
        for arn in sorted({known[task][0] for task in changed}):
            yield self._work(arn, "a task has changed", Depth.TASKS)

    def _work(self, arn: str, reason: str, depth: Depth) -> Work:
        return Work(arn, reason, depth, since=self._clock())


def _id(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
