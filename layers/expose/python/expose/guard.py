"""The takeover guard: no exposure of ours leads to a public address that nobody of ours holds.

An address that AWS has taken back may be a stranger's a minute later, with all that is sent there (F§8). So each sweep
compares what the ledger says we publish with what interfaces of this account hold now, whatever ECS, the tags or the
events say; and in zones that others keep, what is written there with the trail of what tasks once held. EC2 not
answering tells nothing, and stops nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address

from expose.audit.findings import Finding, identity
from expose.audit.network import Interface
from expose.aws import AwsError, Clients
from expose.networks import Networks
from expose.published import Published, published
from expose.records import Memory, Record
from expose.reported import Case, Reported, Subject
from expose.telemetry import Telemetry
from expose.trail import Holding, Trail
from expose.work import Depth, Work

ACTIONS = frozenset({"route53:ListResourceRecordSets"})

STALE_RECORD = "stale-record"

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
        trail: Trail,
        reported: Reported,
        telemetry: Telemetry,
        account: str,
        zones: Sequence[str],
        clock: Callable[[], float],
    ) -> None:
        self._clients = clients
        self._networks = networks
        self._trail = trail
        self._reported = reported
        self._telemetry = telemetry
        self._account = account
        self._zones = zones
        self._clock = clock

    def astray(self, known: Known) -> list[Work]:
        """Work for each service that publishes a public address that is not its task's any more."""
        said = {
            arn: list(published(memory, records, now=self._clock()))
            for arn, (memory, records) in known.items()
        }
        try:
            stale = self._stale(said)
        except AwsError as error:  # what could not be read was not given back
            self._telemetry.warn(f"could not compare the published addresses with those held: {error}")
            return []
        if count := sum(map(len, stale.values())):
            self._telemetry.astray(count)
        now = self._clock()
        return [
            Work(arn, "an address is not held any more", Depth.TASKS, astray=tuple(addresses), since=now)
            for arn, addresses in stale.items()
        ]

    def watch_zones(self, known: Known) -> None:
        """Report records of others that lead to what was once a task's; each zone's trouble is its own."""
        if not self._zones:
            return
        now = self._clock()
        ours = {
            each.address for memory, records in known.values() for each in published(memory, records, now=now)
        }
        watched = [found for zone in self._zones if (found := self._watch(zone, ours)) is not None]
        self._reported.count(watched)

    def _stale(self, said: Mapping[str, Sequence[Published]]) -> dict[str, list[str]]:
        held = self._networks.holding(
            {each.address for all_ in said.values() for each in all_}, account=self._account
        )
        missing = {
            arn: [each for each in all_ if not _is_held(each, held.get(each.address))]
            for arn, all_ in said.items()
        }
        return {
            arn: sorted(found)
            for arn, each in missing.items()
            if (found := {one.address for one in each if self._was_public(one)})
        }

    def _was_public(self, one: Published) -> bool:
        """A private address of a task that is not known any more is nobody else's business."""
        if one.private is not None or ip_address(one.address).is_global:
            return True
        return any(holding.task == one.task for holding in self._trail.at(one.address))

    def _watch(self, zone: str, ours: set[str]) -> Subject | None:
        subject = f"zone/{zone}"
        try:
            lines = [line for line in self._lines(zone) if line.address not in ours]
            held = self._networks.holding({line.address for line in lines}, account=self._account)
            gone = [line for line in lines if line.address not in held]
            cases = [
                self._case(subject, line, once) for line in gone if (once := self._trail.at(line.address))
            ]
            return self._reported.settle(subject, self._reported.of(subject), Subject(tuple(cases)))
        except AwsError as error:
            self._telemetry.warn(f"could not watch hosted zone {zone}: {error}")
            return None

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
