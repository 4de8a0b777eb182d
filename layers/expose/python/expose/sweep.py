"""The sweep: the clock that finds what no event told, and repairs drift. Correctness never depends on an event.

It compares what ECS says with what the ledger remembers, in as few calls as there are pages, and queues only the
differences; beside them, each minute, one part of all services for a full check. Before all else the guard looks for
public addresses that are published and not held, so that no trouble of the rest holds that up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from expose.arn import ServiceArn
from expose.aws import AwsError, Clients, code
from expose.ecs import Source
from expose.guard import Guard
from expose.ledger import Ledger
from expose.model import digest
from expose.outbox import Outbox
from expose.policy import Limits
from expose.records import Memory, Record
from expose.refusals import Refused
from expose.tags import asking
from expose.telemetry import Telemetry
from expose.work import Depth, Work

if TYPE_CHECKING:
    from mypy_boto3_resourcegroupstaggingapi.type_defs import ResourceTagMappingTypeDef

ACTIONS = frozenset({"tag:GetResources"})

_IRRELEVANT = (
    100_000  # ids of tasks of services that are not exposed, kept so as not to ask for them every minute
)

Tagged = Mapping[str, Mapping[str, str]]
Known = Mapping[str, tuple[Memory | None, list[Record]]]


class Sweep:
    def __init__(
        self,
        *,
        clients: Clients,
        source: Source,
        ledger: Ledger,
        guard: Guard,
        outbox: Outbox,
        telemetry: Telemetry,
        limits: Limits,
        prefix: str,
        verify_minutes: int,
        clock: Callable[[], float],
    ) -> None:
        self._clients = clients
        self._source = source
        self._ledger = ledger
        self._guard = guard
        self._outbox = outbox
        self._telemetry = telemetry
        self._limits = limits
        self._prefix = prefix
        self._verify_minutes = verify_minutes
        self._clock = clock
        self._irrelevant: set[str] = set()

    def run(self) -> None:
        """Queue each service that has to be looked at, once."""
        everything = self._ledger.everything()
        self._outbox.all_now(self._guard.astray(everything), once=f"guard-{self._clock():.0f}")
        known = {arn: each for arn, each in everything.items() if self._can_follow(arn)}
        tagged = dict(self._tagged())
        works: dict[str, Work] = {}
        differences = 0
        for work in (
            *self._cannot_follow(tagged, everything),
            *self._tags_differ(tagged, known),
            *self._tasks_differ(known),
            *self._due(known),
        ):
            works[work.service] = works[work.service].with_(work) if work.service in works else work
            differences += 1
        for work in self._to_verify(known):
            works[work.service] = works[work.service].with_(work) if work.service in works else work
        self._outbox.all_now(works.values(), once=f"sweep-{self._clock():.0f}")
        self._guard.watch_zones(everything)
        self._telemetry.swept(services=len(known), queued=differences)

    def _can_follow(self, arn: str) -> bool:
        """Not where the ARN has the old short form, nor in a cluster that the stack may not read."""
        try:
            return self._limits.allow_cluster(ServiceArn.parse(arn).cluster)
        except Refused:
            return False

    def _cannot_follow(self, tagged: Tagged, everything: Known) -> Iterator[Work]:
        """Services that ask in vain: to be told so once in a while, and withdrawn if they were followed before."""
        for arn in {*tagged, *everything}:
            _, records = everything.get(arn, (None, []))
            owning = any(record.owned for record in records)
            asks_in_vain = not records and asking(tagged.get(arn, {}), prefix=self._prefix)
            if (owning or asks_in_vain) and not self._can_follow(arn):
                yield self._work(arn, "cannot be followed", Depth.SERVICE)

    def _tags_differ(self, tagged: Tagged, known: Known) -> Iterator[Work]:
        """Services that are new, or whose tags are not as remembered, or that are not there any more."""
        for arn, tags in tagged.items():
            if not self._can_follow(arn):
                continue
            memory, records = known.get(arn, (None, []))
            if tags != (self._ours(memory.service.tags) if memory and memory.service.active else {}) and (
                records or asking(tags, prefix=self._prefix)
            ):
                yield self._work(arn, "tags differ", Depth.SERVICE)
        for arn, (_, records) in known.items():
            if records and arn not in tagged:
                yield self._work(arn, "not tagged any more", Depth.SERVICE)

    def _tagged(self) -> Iterator[tuple[str, dict[str, str]]]:
        pages = self._clients.tagging.get_paginator("get_resources").paginate(
            ResourceTypeFilters=["ecs:service"], PaginationConfig={"PageSize": 100}
        )
        for page in pages:
            for resource in page["ResourceTagMappingList"]:
                if tags := self._ours(_tags(resource)):
                    yield resource.get("ResourceARN", ""), tags

    def _ours(self, tags: Mapping[str, str]) -> dict[str, str]:
        return {key: value for key, value in tags.items() if key.startswith(f"{self._prefix}:")}

    def _tasks_differ(self, known: Known) -> Iterator[Work]:
        """Services that publish a task which does not run any more, or run one that is not known yet."""
        clusters: dict[str, dict[str, tuple[Memory | None, list[Record]]]] = {}
        for arn, each in known.items():
            if each[1]:
                clusters.setdefault(ServiceArn.parse(arn).cluster, {})[arn] = each
        for cluster, services in sorted(clusters.items()):
            try:
                yield from self._in_cluster(cluster, services)
            except AwsError as error:  # one cluster's trouble is its own
                if code(error) == "ClusterNotFoundException":
                    yield from (self._work(arn, "the cluster is gone", Depth.SERVICE) for arn in services)
                else:
                    self._telemetry.warn(f"could not sweep cluster {cluster}: {error}")

    def _in_cluster(self, cluster: str, services: Known) -> Iterator[Work]:
        running = {arn.rsplit("/", 1)[-1]: arn for arn in self._source.running(cluster)}
        remembered: set[str] = set()
        for arn, (memory, records) in services.items():
            remembered |= {task.id for task in memory.service.tasks} if memory else set()
            if any(task not in running for record in records for task in record.tasks):
                yield self._work(arn, "a published task is gone", Depth.TASKS)
        unknown = [arn for task, arn in running.items() if task not in remembered | self._irrelevant]
        for task, group, started in self._source.groups(cluster, unknown):
            arn = next(
                (arn for arn in services if ServiceArn.parse(arn).name == group.removeprefix("service:")), ""
            )
            if arn and group.startswith("service:"):
                if started:
                    yield self._work(arn, "a running task is not known", Depth.TASKS)
            elif len(self._irrelevant) < _IRRELEVANT:
                self._irrelevant.add(task)

    def _due(self, known: Known) -> Iterator[Work]:
        """Services whose time for another look has come and gone: the message was lost, or could not wait so long."""
        now = self._clock()
        for arn, (_, records) in known.items():
            if any(record.look_at and record.look_at <= now for record in records):
                yield self._work(arn, "due", Depth.TASKS)

    def _to_verify(self, known: Known) -> Iterator[Work]:
        turn = int(self._clock() // 60) % self._verify_minutes
        for arn, (_, records) in known.items():
            if records and int(digest(arn), 16) % self._verify_minutes == turn:
                yield self._work(arn, "verification", Depth.FULL)

    def _work(self, arn: str, reason: str, depth: Depth) -> Work:
        return Work(arn, reason, depth, since=self._clock())


def _tags(resource: ResourceTagMappingTypeDef) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}
