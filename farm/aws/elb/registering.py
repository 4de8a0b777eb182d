"""Targets: an address and a port each, with a state that says why they get traffic or not (F§4.1).

Who deregisters a target may not have it back until it has drained; who does not look loses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup

from farm.aws import clock
from farm.aws.elb.health import Check, Health, Round, Terms, watch
from farm.aws.elb.model import backend, backend_of, ec2_of, find_users, refused, state_of, users
from farm.aws.elb.places import Place, place

_NETWORK = frozenset({"TCP", "UDP", "TLS", "TCP_UDP"})


@dataclass(frozen=True, slots=True)
class Target:
    """A target as it is now."""

    id: str
    port: int
    address: str
    """Where it is: for an instance, its private address."""
    zone: str
    """The zone it is in, or `all`."""
    state: str
    reason: str = ""
    description: str = ""


@dataclass(slots=True, eq=False)
class _Registered:
    id: str
    port: int
    place: Place
    health: Health | None = None
    """None while nobody forwards to the group."""
    gone_at: float | None = None
    """When it has drained, if it is to go."""


def targets(group: FakeTargetGroup | str) -> list[Target]:
    """All targets of a group, those that drain among them, in the order in which they were registered.

    The group may be given by its ARN; one that is not there has none.
    """
    found = backend().target_groups.get(group) if isinstance(group, str) else group
    return [_view(found, one) for one in _registered(found).values()] if found else []


def register_targets(self: ELBv2Backend, target_group_arn: str, instances: list[Mapping[str, Any]]) -> None:
    group, settings = _group(self, target_group_arn), state_of(self).settings
    wanted = {_key(group, one): place(self, group, one) for one in instances}
    present = _registered(group)
    if len(present.keys() | wanted.keys()) > settings.most_targets:
        raise refused("TooManyTargets", "The maximum number of targets per target group has been reached")
    for (identity, port), where in wanted.items():
        found = present.setdefault((identity, port), _Registered(identity, port, where))
        if found.gone_at is not None and settings.revive:
            found.gone_at = found.health = None
    watch_targets(group)


def deregister_targets(self: ELBv2Backend, target_group_arn: str, instances: list[Mapping[str, Any]]) -> None:
    """Those that are not registered are no error."""
    group = _group(self, target_group_arn)
    present = _registered(group)
    for key in {_key(group, one) for one in instances} & present.keys():
        if present[key].gone_at is None:
            present[key].gone_at = clock.now() + _delay(group)


def describe_target_health(
    self: ELBv2Backend, target_group_arn: str, targets: list[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    group = _group(self, target_group_arn)
    present = _registered(group)
    wanted = [_key(group, one) for one in targets] or list(present)
    shown = [
        _view(group, present[key]) if key in present else _not_registered(*key)
        for key in dict.fromkeys(wanted)
    ]
    return [_answer(group, one) for one in shown]


def forget_instances(self: FakeTargetGroup, instance_ids: list[str]) -> None:
    """Instances that were terminated are deregistered by AWS itself."""
    for one in _registered(self).values():
        if one.id in instance_ids and one.gone_at is None:
            one.gone_at = clock.now() + _delay(self)


def watch_targets(group: FakeTargetGroup) -> None:
    """Check the group's targets if somebody forwards to it, else stop; safe to repeat.

    A target that comes into use is new to the load balancer, whatever was found before.
    """
    used, registering = bool(users(group)), state_of(backend_of(group)).settings.registering
    for target in _registered(group).values():
        if not used:
            target.health = None
        elif target.health is None and target.gone_at is None:
            target.health = Health(ready_at=clock.now() + registering)
            _watch(group, target, target.health)


def _watch(group: FakeTargetGroup, target: _Registered, health: Health) -> None:
    """For as long as this very registration lasts, in a group that is still there and in use."""

    def following() -> Round | None:
        of = backend_of(group)
        there = of.target_groups.get(group.arn) is group
        if not there or target.health is not health or target.gone_at is not None:
            return None
        return Round(_check(group, target), _terms(group), state_of(of).settings.probe)

    watch(health, following)


def _check(group: FakeTargetGroup, target: _Registered) -> Check:
    port, protocol = group.health_check_port, str(group.health_check_protocol)
    grpc = group.protocol_version == "GRPC" and protocol != "TCP"
    return Check(
        address=target.place.address,
        port=target.port if port == "traffic-port" else int(port),
        protocol="GRPC" if grpc else protocol,
        path="" if protocol == "TCP" else group.health_check_path or "/",
        timeout=float(group.health_check_timeout_seconds),
    )


def _terms(group: FakeTargetGroup) -> Terms:
    """An application load balancer trusts a new target after one check; of the other AWS does not say so clearly."""
    matcher = {} if group.health_check_protocol == "TCP" else group.matcher or {}
    healthy = int(group.healthy_threshold_count)
    return Terms(
        interval=float(group.health_check_interval_seconds),
        healthy=healthy,
        unhealthy=int(group.unhealthy_threshold_count),
        first=healthy if group.protocol in _NETWORK else 1,
        matcher=str(matcher.get("GrpcCode") or matcher.get("HttpCode") or ""),
    )


def _view(group: FakeTargetGroup, target: _Registered) -> Target:
    where = target.place
    return Target(target.id, target.port, where.address, where.zone, *_condition(group, target))


def _condition(group: FakeTargetGroup, target: _Registered) -> tuple[str, str, str]:
    if target.gone_at is not None:
        return "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"
    if target.health is None:
        words = "Target group is not configured to receive traffic from the load balancer"
        return "unused", "Target.NotInUse", words
    if _is_cut_off(group, target.place.zone):
        words = "Target is in an Availability Zone that is not enabled for the load balancer"
        return "unused", "Target.NotInUse", words
    if group.target_type == "instance" and not _runs(group, target.id):
        return "unused", "Target.InvalidState", "Target is in the stopped state"
    return target.health.describe()


def _is_cut_off(group: FakeTargetGroup, zone: str) -> bool:
    """Whether an application load balancer has no node in the target's zone."""
    balancer = backend_of(group).load_balancers[users(group)[0]]
    zones = {subnet.availability_zone for subnet in balancer.subnets}
    return bool(balancer.type == "application") and zone not in zones | {"all"}


def _runs(group: FakeTargetGroup, instance_id: str) -> bool:
    instance = ec2_of(backend_of(group)).get_instance_by_id(instance_id)
    return bool(instance) and instance.state == "running"


def _not_registered(identity: str, port: int) -> Target:
    words = "Target is not registered to the target group"
    return Target(identity, port, "", "", "unused", "Target.NotRegistered", words)


def _answer(group: FakeTargetGroup, target: Target) -> dict[str, Any]:
    shown: dict[str, Any] = {"Id": target.id, "Port": target.port}
    if group.target_type == "ip" and target.zone:
        shown["AvailabilityZone"] = target.zone
    health = {
        "State": target.state,
        "Reason": target.reason or None,
        "Description": target.description or None,
    }
    port = str(target.port) if group.health_check_port == "traffic-port" else group.health_check_port
    return {"Target": shown, "HealthCheckPort": port, "TargetHealth": health}


def _registered(group: FakeTargetGroup) -> dict[tuple[str, int], _Registered]:
    """By id and port; whoever has drained by now is gone."""
    found: dict[tuple[str, int], _Registered] = group.__dict__.setdefault("farm_targets", {})
    for key in [key for key, one in found.items() if one.gone_at is not None and one.gone_at <= clock.now()]:
        del found[key]
    return found


def _delay(group: FakeTargetGroup) -> float:
    """How long a target drains. Nothing drains from a group that nobody forwards to."""
    if not users(group):
        return 0.0
    override = state_of(backend_of(group)).settings.draining
    return float(group.attributes["deregistration_delay.timeout_seconds"]) if override is None else override


def _key(group: FakeTargetGroup, asked: Mapping[str, Any]) -> tuple[str, int]:
    return str(asked["Id"]), int(asked.get("Port") or group.port or 0)


def _group(of: ELBv2Backend, arn: str) -> FakeTargetGroup:
    if found := of.target_groups.get(arn):
        return found
    raise TargetGroupNotFoundError


def follow_users(of: ELBv2Backend) -> None:
    """Listeners or rules have changed: look at the targets of groups that came into use, no longer at those let go."""
    state = state_of(of)
    before, state.users = state.users, find_users(of)
    state.released |= dict.fromkeys(before.keys() - state.users.keys(), clock.now())
    for arn in (before.keys() ^ state.users.keys()) & of.target_groups.keys():
        watch_targets(of.target_groups[arn])
    state.settings.changed()
