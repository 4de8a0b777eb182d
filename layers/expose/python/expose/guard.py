"""The takeover guard: no exposure of ours leads to a public address that nobody of ours holds.

An address that AWS has taken back may be a stranger's a minute later, with all that is sent there (F§8). So each sweep
compares what the ledger says we publish with what interfaces of this account hold now, whatever ECS, the tags or the
events say; and in zones that others keep, what is written there with the trail of what tasks once held. EC2 not
answering tells nothing. That most of them are held by nobody at once is believed only after other questions (F§10.4).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address

from expose.apart import Apart
from expose.arn import ServiceArn
from expose.audit.findings import Finding, identity
from expose.audit.network import Interface
from expose.aws import AwsError, Clients
from expose.ecs import Source
from expose.networks import Networks
from expose.published import Published, published
from expose.records import Memory, Record
from expose.reported import Case, Reported, Subject
from expose.telemetry import Telemetry
from expose.trail import Holding, Trail
from expose.work import Depth, Work

ACTIONS = frozenset({"route53:ListResourceRecordSets"})

STALE_RECORD = "stale-record"

_MANY = 3  # addresses that may go at once on one answer, be they most of all

Known = Mapping[str, tuple[Memory | None, list[Record]]]


@dataclass(frozen=True, slots=True)
class _Line:
    """One address of one record of a zone."""

    name: str
    type: str
    address: str


class Guard:
    def __init__(
        self,
        *,
        clients: Clients,
        networks: Networks,
        source: Source,
        trail: Trail,
        reported: Reported,
        telemetry: Telemetry,
        account: str,
        zones: Sequence[str],
        clock: Callable[[], float],
    ) -> None:
        self._clients = clients
        self._networks = networks
        self._source = source
        self._trail = trail
        self._reported = reported
        self._telemetry = telemetry
        self._account = account
        self._zones = zones
        self._clock = clock

    def astray(self, known: Known) -> list[Work]:
        """Work for each service that publishes a public address that is not its task's any more. What EC2 does not let be
        read was not given back.
        """
        said = {
            arn: list(published(memory, records, now=self._clock()))
            for arn, (memory, records) in known.items()
        }
        stale = self._stale(said)
        if count := sum(map(len, stale.values())):
            self._telemetry.astray(count)
        now = self._clock()
        return [
            Work(arn, "an address is not held any more", Depth.TASKS, astray=tuple(addresses), since=now)
            for arn, addresses in stale.items()
        ]

    def watch_zones(self, known: Known, apart: Apart) -> tuple[()]:
        """Report records of others that lead to what was once a task's; each zone's trouble is its own."""
        now = self._clock()
        ours = {
            each.address for memory, records in known.values() for each in published(memory, records, now=now)
        }
        watched = [
            apart.run(f"watch hosted zone {zone}", partial(self._watch, zone, ours)) for zone in self._zones
        ]
        if watched:
            self._reported.count(subject for subject in watched if subject is not None)
        return ()

    def _stale(self, said: Mapping[str, Sequence[Published]]) -> dict[str, list[str]]:
        held = self._networks.holding(
            {each.address for all_ in said.values() for each in all_}, account=self._account
        )
        missing = {
            arn: [each for each in all_ if not _is_held(each, held.get(each.address))]
            for arn, all_ in said.items()
        }
        if sum(map(len, missing.values())) > max(_MANY, sum(map(len, said.values())) / 2):
            missing = self._confirmed(missing)
        return {
            arn: sorted(found)
            for arn, each in missing.items()
            if (found := {one.address for one in each if self._was_public(one)})
        }

    def _confirmed(self, missing: Mapping[str, Sequence[Published]]) -> dict[str, list[Published]]:
        """Those of many that are gone as well when asked in other ways: EC2 has no interface of theirs that holds the
        address; and where it has none of theirs at all, ECS does not say that the task runs. ECS not answering saves
        none of them.
        """
        seen = self._networks.beside(
            {one.private for each in missing.values() for one in each if one.private}, account=self._account
        )
        confirmed: dict[str, list[Published]] = {}
        doubted = 0
        for arn, each in missing.items():
            running = self._running(arn, {one.task for one in each if one.private not in seen})
            confirmed[arn] = [
                one
                for one in each
                if one.task not in running
                and str(ip_address(one.address)) not in seen.get(one.private or "", ())
            ]
            doubted += len(each) - len(confirmed[arn])
        if doubted:
            self._telemetry.warn(
                f"EC2 says that nobody holds {doubted} published addresses; asked in another way, it or ECS says "
                "otherwise: they stay, and are looked at again"
            )
        return confirmed

    def _running(self, service: str, tasks: Collection[str]) -> set[str]:
        cluster = ServiceArn.parse(service).cluster
        try:
            return {task for task, _, runs in self._source.groups(cluster, sorted(tasks)) if runs}
        except AwsError as error:
            self._telemetry.warn(f"could not ask ECS for tasks of cluster {cluster}: {error}")
            return set()

    def _was_public(self, one: Published) -> bool:
        """A private address of a task that is not known any more is nobody else's business."""
        if one.private is not None or ip_address(one.address).is_global:
            return True
        return any(holding.task == one.task for holding in self._trail.at(one.address))

    def _watch(self, zone: str, ours: set[str]) -> Subject:
        subject = f"zone/{zone}"
        lines = [line for line in self._lines(zone) if line.address not in ours]
        held = self._networks.holding({line.address for line in lines}, account=self._account)
        gone = [line for line in lines if line.address not in held]
        cases = [self._case(subject, line, once) for line in gone if (once := self._trail.at(line.address))]
        return self._reported.settle(subject, self._reported.of(subject), Subject(tuple(cases)))

    def _lines(self, zone: str) -> Iterator[_Line]:
        pages = self._clients.route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
        for page in pages:
            for record in page["ResourceRecordSets"]:
                if record["Type"] in {"A", "AAAA"}:
                    for value in record.get("ResourceRecords", []):
                        name = record["Name"].rstrip(".").replace("\\052", "*")
                        yield _Line(name, record["Type"], value["Value"])

    def _case(self, subject: str, line: _Line, once: Sequence[Holding]) -> Case:
        last = once[0]
        until = (
            f" until {datetime.fromtimestamp(last.until, UTC):%Y-%m-%d %H:%M:%S} UTC" if last.until else ""
        )
        finding = Finding(
            identity(subject, STALE_RECORD, line.name, line.type, line.address),
            STALE_RECORD,
            "critical",
            last.service,
            f"{line.type} {line.name}",
            family=6 if line.type == "AAAA" else 4,
            message=f"{line.name} ({line.type}, {subject}) leads to {line.address}, which was task {last.task}'s of "
            f"{last.service}{until} and may be anybody's now: remove the record",
            tasks=(last.task,),
        )
        return Case(finding, (line.address,), self._clock())


def _is_held(one: Published, interface: Interface | None) -> bool:
    """By the very task, as far as its private address tells."""
    if interface is None:
        return False
    return not one.private or interface.private_ipv4 == one.private
