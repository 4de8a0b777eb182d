"""Which services are tagged, against the tags that the ledger remembers. What a list of AWS lacks is only looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from expose.arn import ServiceArn
from expose.aws import AwsError, Clients, chunks, code
from expose.gone import NO_CLUSTER
from expose.policy import Limits
from expose.records import Memory, Record
from expose.refusals import NotYet, Refused
from expose.tags import asking
from expose.work import Depth, Work

if TYPE_CHECKING:
    from mypy_boto3_resourcegroupstaggingapi.type_defs import ResourceTagMappingTypeDef

ACTIONS = frozenset({"ecs:DescribeServices", "tag:GetResources"})

_AT_ONCE = 10  # services in one call
_MANY = 10  # services that may lose their tags at once before ECS is asked whether that can be

Known = Mapping[str, tuple[Memory | None, list[Record]]]
Tags = Mapping[str, str]


class Tagged:
    def __init__(self, clients: Clients, *, prefix: str, limits: Limits, clock: Callable[[], float]) -> None:
        self._clients = clients
        self._prefix = prefix
        self._limits = limits
        self._clock = clock

    def differences(self, everything: Known, known: Known) -> Iterator[Work]:
        """Services that are new, or whose tags are not as remembered, or that are not there any more. Those that are not
        `known` may not be followed: they ask in vain, and are told so once in a while.
        """
        tagged = dict(self._listed())
        new: list[str] = []
        for arn, tags in tagged.items():
            memory, records = everything.get(arn, (None, []))
            if not records and asking(tags, prefix=self._prefix):
                new.append(arn)
            elif records and arn in known and tags != self._remembered(memory):
                yield self._work(arn, "tags differ")
        yield from self._there(new)
        followed = [arn for arn, (_, records) in known.items() if records]
        untagged = [arn for arn in followed if arn not in tagged]
        if len(untagged) > max(_MANY, len(followed) / 2):
            self._doubt(untagged)
        yield from (self._work(arn, "not tagged any more") for arn in untagged)

    def _listed(self) -> Iterator[tuple[str, dict[str, str]]]:
        pages = self._clients.tagging.get_paginator("get_resources").paginate(
            ResourceTypeFilters=["ecs:service"], PaginationConfig={"PageSize": 100}
        )
        for page in pages:
            for resource in page["ResourceTagMappingList"]:
                if tags := self._ours(_tags(resource)):
                    yield resource.get("ResourceARN", ""), tags

    def _there(self, arns: Iterable[str]) -> Iterator[Work]:
        """Those of them that ECS knows: services that are gone may go on being listed with their tags (F§10.4). Where it
        does not say, or may not be asked, each is looked at.
        """
        for cluster, named in _by_cluster(arns).items():
            try:
                asked = cluster and self._limits.allow_cluster(cluster)
                there = {*(self._asked(cluster, named) if asked else named)}
            except (*AwsError, NotYet):
                there = {*named}
            yield from (self._work(named[name], "tags differ") for name in sorted(there))

    def _doubt(self, arns: Iterable[str]) -> None:
        """Raise `NotYet` where ECS says that one of the first of these is tagged: then the list is wrong."""
        for cluster, named in _by_cluster(sorted(arns)[:_MANY]).items():
            for name, tags in self._asked(cluster, named).items():
                if self._ours(tags):
                    raise NotYet(
                        f"tag:GetResources does not list {cluster}/{name} and many others, and ECS says that it is tagged",
                        seconds=60,
                    )

    def _asked(self, cluster: str, names: Iterable[str]) -> Mapping[str, Tags]:
        """What ECS says of those that it knows, by name."""
        found: dict[str, Tags] = {}
        for chunk in chunks(names, _AT_ONCE):
            try:
                answer = self._clients.ecs.describe_services(
                    cluster=cluster, services=chunk, include=["TAGS"]
                )
            except ClientError as error:
                if code(error) != NO_CLUSTER:
                    raise
                return {}
            for each in answer["services"]:
                if each.get("status") == "ACTIVE":
                    tags = {tag.get("key", ""): tag.get("value", "") for tag in each.get("tags", [])}
                    found[each.get("serviceName", "")] = tags
        return found

    def _remembered(self, memory: Memory | None) -> Tags:
        return self._ours(memory.service.tags) if memory and memory.service.active else {}

    def _ours(self, tags: Tags) -> dict[str, str]:
        return {key: value for key, value in tags.items() if key.startswith(f"{self._prefix}:")}

    def _work(self, arn: str, reason: str) -> Work:
        return Work(arn, reason, Depth.SERVICE, since=self._clock())


def _tags(resource: ResourceTagMappingTypeDef) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def _by_cluster(arns: Iterable[str]) -> dict[str, dict[str, str]]:
    """Their ARNs, by cluster and name; without a cluster, those whose ARN has the old short form."""
    found: dict[str, dict[str, str]] = {}
    for text in arns:
        try:
            arn = ServiceArn.parse(text)
        except Refused:
            found.setdefault("", {})[text] = text
        else:
            found.setdefault(arn.cluster, {})[arn.name] = text
    return found
