"""Looking at what is exposed as the controller would, for people: everything read afresh, nothing changed.

The credentials are those of whoever looks, who may be allowed less than the functions: what cannot be read of one
exposure is told as its trouble, and the next is looked at all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from botocore.exceptions import ClientError

from expose.arn import ServiceArn
from expose.asks import Ask, Reader
from expose.aws import AwsError, Clients, code
from expose.ecs import Source
from expose.foresight import Foreseeing, Foresight
from expose.ledger import Ledger
from expose.memories import idle_since
from expose.model import Identity, Service
from expose.names import Names
from expose.policy import Detail, Limits
from expose.records import Memory, Record
from expose.refusals import Refused
from expose.work import Depth

_CLAIM = "claim"


class NotThere(Exception):  # noqa: N818 - it names what was found
    """There is nothing of that name. The text says what there is instead."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """A service, and what would come of each of its tags now.

    `barred` says why it may not be followed at all. `held` tells of each name that it wants whose exposures have it
    instead.
    """

    service: Service
    foresights: tuple[Foresight, ...] = ()
    barred: Refused | None = None
    held: Mapping[Identity, tuple[str, ...]] = field(default_factory=dict)


class Inspector:
    def __init__(
        self,
        *,
        clients: Clients,
        source: Source,
        ledger: Ledger,
        names: Names,
        foreseeing: Foreseeing,
        reader: Reader,
        limits: Limits,
        prefix: str,
        clock: Callable[[], float],
    ) -> None:
        self._clients = clients
        self._source = source
        self._ledger = ledger
        self._names = names
        self._deciding = foreseeing.deciding
        self._foreseeing = foreseeing
        self._reader = reader
        self._limits = limits
        self._prefix = prefix
        self._clock = clock

    def records(self) -> list[Record]:
        """Every exposure that the ledger knows, by service and tag."""
        everything = self._ledger.everything()
        return [
            record
            for arn in sorted(everything)
            for record in sorted(everything[arn][1], key=lambda record: record.tag)
        ]

    def find(self, cluster: str, name: str) -> str:
        """The ARN of a service that is there, or that left something behind. Raise `NotThere` for any other."""
        try:
            answer = self._clients.ecs.describe_services(cluster=cluster, services=[name])
        except AwsError as error:
            if code(error) != "ClusterNotFoundException":
                raise
            pages = self._clients.ecs.get_paginator("list_clusters").paginate()
            there = [arn for page in pages for arn in page["clusterArns"]]
            raise NotThere(f"no cluster is called {cluster!r}: {_nearest(cluster, there)}") from error
        if described := [each for each in answer["services"] if each.get("status") != "INACTIVE"]:
            return described[0].get("serviceArn", "")
        for record in self.records():
            if record.service.endswith(f":service/{cluster}/{name}"):
                return record.service
        listed = self._clients.ecs.get_paginator("list_services").paginate(cluster=cluster)
        there = [arn for page in listed for arn in page["serviceArns"]]
        raise NotThere(f"no service in cluster {cluster!r} is called {name!r}: {_nearest(name, there)}")

    def inspect(self, arn: str) -> Inspection:
        memory, records = self._ledger.load(arn)
        try:
            parsed = ServiceArn.parse(arn)
        except Refused as refused:
            short = arn.split(":")
            unnamed = ServiceArn(short[1], short[3], short[4], "", arn.rpartition("/")[2])
            return Inspection(Service(unnamed), barred=refused)
        memory = memory or Memory(Service(parsed))
        service = self._source.service(parsed, memory.service, now=self._clock())
        asks = self._asks(service, records, Depth.FULL)
        if service.active:
            heard = {*memory.stopped, *memory.stopping}
            service = self._tasks(service, heard, needed=max(map(self._deciding.detail, asks), default=0))
        return self._inspection(replace(memory, service=service), records, asks, afresh=True)

    def remembered(self) -> Iterator[Inspection]:
        """Every service that the ledger knows, as it stands there: AWS is asked only what nobody has asked it yet."""
        for arn, (memory, records) in sorted(self._ledger.everything().items()):
            if memory is None or memory.unreadable:
                yield self.inspect(arn)
            elif records:
                asks = self._asks(memory.service, records, Depth.RECORD)
                yield self._inspection(memory, records, asks, afresh=False)

    def _asks(self, service: Service, records: Sequence[Record], depth: Depth) -> list[Ask]:
        followed = self._followed(service)
        return [self._deciding.look_up(ask, followed) for ask in self._reader.read(followed, records, depth)]

    def _inspection(
        self, memory: Memory, records: Sequence[Record], asks: Sequence[Ask], *, afresh: bool
    ) -> Inspection:
        service = memory.service
        since = idle_since(memory, service, self._clock())
        followed = self._followed(service)
        unknown = (_unknown(record) for record in records if record.unreadable)
        seen = (*(self._foresee(ask, followed, since, afresh=afresh) for ask in asks), *unknown)
        return Inspection(service, seen, self._barred(service), self._held(seen))

    def _barred(self, service: Service) -> Refused | None:
        return self._limits.barred(service.arn.cluster, f"{self._prefix}: tags of {service.arn.label}")

    def _followed(self, service: Service) -> Service:
        """One that may not be followed is as good as gone."""
        return replace(service, active=False) if self._barred(service) else service

    def _tasks(self, service: Service, heard: Collection[str], *, needed: int) -> Service:
        """With all that can be known of each. Whoever may not see the security groups is told the rest."""
        try:
            return self._source.tasks(service, heard, detail=Detail.OPEN, afresh=True, now=self._clock())[0]
        except ClientError as error:
            if code(error) != "UnauthorizedOperation" or needed == Detail.OPEN:
                raise
        return self._source.tasks(service, heard, detail=Detail.PUBLIC, afresh=True, now=self._clock())[0]

    def _foresee(self, ask: Ask, service: Service, since: float, *, afresh: bool) -> Foresight:
        idle_for = self._clock() - since if since else 0.0
        try:
            return self._foreseeing.foresee(ask, service, none_ready_for=idle_for, afresh=afresh)
        except AwsError as error:
            return Foresight(ask, ask.record, {}, refused=ask.refusal, failed=ask.failure or error)

    def _held(self, seen: tuple[Foresight, ...]) -> dict[Identity, tuple[str, ...]]:
        """Names that are wanted, and that the exposure does not hold yet, with the marks of those that do."""
        wanted = {
            resource.identity: self._deciding.mark(each.ask.record)
            for each in seen
            for resource in each.desired
            if resource.identity.kind == _CLAIM and resource.identity not in each.current
        }
        found = {
            claim: tuple(sorted(self._names.holders(claim.key) - {mark})) for claim, mark in wanted.items()
        }
        return {claim: holders for claim, holders in found.items() if holders}


def _unknown(record: Record) -> Foresight:
    """Of what the ledger remembers and does not let be read."""
    refusal = Refused(record.code, record.message)
    return Foresight(Ask(record, refusal=refusal), record, {}, refused=refusal)


def _nearest(name: str, arns: list[str]) -> str:
    """What to say instead of a name that nothing has."""
    names = sorted(arn.rpartition("/")[2] for arn in arns)
    if not names:
        return "there are none; is this the right Region and account?"
    close = get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(names[:20])}"
