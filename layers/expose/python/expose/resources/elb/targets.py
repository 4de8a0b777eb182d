"""Targets: one for each task, registered and deregistered many at a time; and what their group finds of their health.

A target that is draining is not there any more: it counts as gone, and its address is not registered again before ELB
has let go of it, for a task that gets a recycled address must not be cut off with the one before (F§4.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from expose.aws import Clients, chunks, code
from expose.model import WATCHED, Identity, Owned, Resource, fingerprint
from expose.refusals import NoRoom, NotYet, Refused
from expose.resources.elb.mark import quotas
from expose.resources.kind import WELL, Condition, Ids, Made, Settled

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import TargetDescriptionTypeDef, TargetHealthDescriptionTypeDef

_SIZE = 100
_DRAINING = frozenset({"draining", "unhealthy.draining"})
_DRAINS = 10.0  # seconds before it is looked whether an address is free


@dataclass(frozen=True, slots=True)
class _Health:
    state: str
    reason: str
    words: str
    zone: str = ""

    @property
    def is_there(self) -> bool:
        return self.state not in _DRAINING and self.reason != "Target.NotRegistered"

    @property
    def condition(self) -> Condition:
        if self.state in {"healthy", "initial"} or self.reason == "Target.HealthCheckDisabled":
            return WELL
        return Condition(f"{self.state}, {self.reason}: {self.words}".rstrip(": "), self.state == "unhealthy")


class Targets:
    size = _SIZE

    ACTIONS = frozenset(
        {
            "elasticloadbalancing:DeregisterTargets",
            "elasticloadbalancing:DescribeTargetHealth",
            "elasticloadbalancing:RegisterTargets",
        }
    )

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        """All in our own groups, whether or not the ledger knows them; in those of others, what it knows."""
        entries = list(owned)
        for group in entries:
            if group.identity.kind == "elb.group" and group.aws_id:
                for target, health in self._all(group.aws_id).items():
                    if health.is_there:
                        key = f"{group.identity.key}/{target}"
                        yield _seen(key, target, health, {"group": group.identity})
        for entry, health in self._each(entries, {}):
            if health.is_there:
                yield _seen(entry.identity.key, entry.aws_id, health, entry.refs)

    def create_many(
        self, resources: Sequence[Resource], ids: Ids, mark: str
    ) -> Mapping[Identity, Made | NotYet | Refused]:
        group = ids["group"]
        seen = self._healths(group, [_target(resource) for resource in resources])
        results: dict[Identity, Made | NotYet | Refused] = {}
        free: list[Resource] = []
        for resource in resources:
            health = seen.get(_target(resource))
            if health and health.state in _DRAINING and not resource.spec["id"].startswith("i-"):
                results[resource.identity] = NotYet(
                    f"{_target(resource)} still drains for an earlier task", seconds=_DRAINS
                )
            else:
                free.append(resource)
        return results | self._registered(free, group)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        result = self.create_many([resource], ids, mark)[resource.identity]
        if isinstance(result, Made):
            return result
        raise result

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return self.create(resource, ids, mark)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return owned.identity.key.rpartition("/")[2] if ids.get("group") else ""

    def delete_many(self, owned: Sequence[Owned], ids: Ids) -> None:
        """Deregistering one that is not registered does no harm."""
        elb = self._clients.elbv2
        targets = [_described(each.identity.key.rpartition("/")[2]) for each in owned]
        try:
            elb.deregister_targets(TargetGroupArn=ids["group"], Targets=targets)
        except elb.exceptions.TargetGroupNotFoundException:
            return

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        self.delete_many([owned], ids)
        return ""

    def settle(self, running: Iterable[Owned], ids: Mapping[Identity, str]) -> Mapping[Identity, Settled]:
        """Those of which their group has found out how they are."""
        settled: dict[Identity, Settled] = {}
        for entry, health in self._each(running, ids):
            if not health.is_there:
                settled[entry.identity] = Settled(error=f"target {entry.aws_id} was deregistered by others")
            elif health.state != "initial":
                settled[entry.identity] = Settled(entry.aws_id, condition=health.condition)
        return settled

    def examine(self, owned: Iterable[Owned], ids: Mapping[Identity, str]) -> Mapping[Identity, Condition]:
        return {entry.identity: health.condition for entry, health in self._each(owned, ids)}

    def _each(self, owned: Iterable[Owned], ids: Mapping[Identity, str]) -> Iterator[tuple[Owned, _Health]]:
        gone = _Health("unused", "Target.NotRegistered", "its target group is gone")
        for arn, entries in _by_group(owned, ids).items():
            try:
                seen = self._healths(arn, [entry.aws_id for entry in entries])
            except self._clients.elbv2.exceptions.TargetGroupNotFoundException:
                seen = {}
            yield from ((entry, seen.get(entry.aws_id, gone)) for entry in entries)

    def _registered(
        self, resources: Sequence[Resource], group: str
    ) -> dict[Identity, Made | NotYet | Refused]:
        if not resources:
            return {}
        try:
            with quotas():
                self._clients.elbv2.register_targets(
                    TargetGroupArn=group, Targets=[_described(_target(each), each) for each in resources]
                )
        except Refused as full:
            return {each.identity: NoRoom(full.message, seconds=30) for each in resources}
        except ClientError as error:
            if code(error) != "InvalidTarget":
                raise
            if len(resources) > 1:  # which of them, ELB does not say
                return {
                    key: result
                    for each in resources
                    for key, result in self._registered([each], group).items()
                }
            message = error.response.get("Error", {}).get("Message", "")
            problem = (
                f"ELB refuses {_target(resources[0])} as a target: {message}. Its VPC must be that of the target group, or "
                "a private network that is connected to it: name another load balancer or group"
            )
            return {resources[0].identity: Refused("InvalidTarget", problem)}
        return {each.identity: Made(_target(each), operation=WATCHED) for each in resources}

    def _all(self, group: str) -> dict[str, _Health]:
        """By `ID:PORT`; nothing where the group is gone."""
        elb = self._clients.elbv2
        try:
            answer = elb.describe_target_health(TargetGroupArn=group)
        except elb.exceptions.TargetGroupNotFoundException:
            return {}
        return dict(map(_health, answer["TargetHealthDescriptions"]))

    def _healths(self, group: str, targets: Iterable[str]) -> dict[str, _Health]:
        """Of those named."""
        answers = [
            self._clients.elbv2.describe_target_health(
                TargetGroupArn=group, Targets=[_described(each) for each in some]
            )
            for some in chunks(targets, _SIZE)
        ]
        return {
            target: health
            for answer in answers
            for target, health in map(_health, answer["TargetHealthDescriptions"])
        }


def _by_group(owned: Iterable[Owned], ids: Mapping[Identity, str]) -> dict[str, list[Owned]]:
    """The targets whose group's ARN is known, by that."""
    groups: dict[str, list[Owned]] = {}
    for entry in owned:
        ref = entry.refs.get("group", "") if entry.identity.kind == "elb.target" else ""
        arn = ref if isinstance(ref, str) else ids.get(ref, "")
        if arn and entry.aws_id:
            groups.setdefault(arn, []).append(entry)
    return groups


def _target(resource: Resource) -> str:
    return f"{resource.spec['id']}:{resource.spec['port']}"


def _described(target: str, resource: Resource | None = None) -> TargetDescriptionTypeDef:
    """As ELB wants it, always with the port, which is part of its identity."""
    name, _, port = target.rpartition(":")
    described: TargetDescriptionTypeDef = {"Id": name, "Port": int(port)}
    if resource and resource.spec["zone"]:
        described["AvailabilityZone"] = resource.spec["zone"]
    return described


def _health(described: TargetHealthDescriptionTypeDef) -> tuple[str, _Health]:
    target, health = described.get("Target", {"Id": ""}), described.get("TargetHealth", {})
    return f"{target['Id']}:{target.get('Port')}", _Health(
        health.get("State", ""),
        health.get("Reason", ""),
        health.get("Description", ""),
        "all" if target.get("AvailabilityZone") == "all" else "",  # others are found out by ELB itself
    )


def _seen(key: str, target: str, health: _Health, refs: Mapping[str, Identity | str]) -> Owned:
    name, _, port = target.rpartition(":")
    spec = {"id": name, "port": int(port), "zone": health.zone}
    return Owned(Identity("elb.target", key), fingerprint(spec), target, refs=refs)
