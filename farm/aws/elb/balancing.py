"""Load balancers: made and provisioned, described, deleted with all that hangs on them (F§4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.elbv2.exceptions import LoadBalancerNotFoundError
from moto.elbv2.models import AvailabilityZone, ELBv2Backend, FakeLoadBalancer

from farm.aws import clock, later
from farm.aws.elb.listening import forget
from farm.aws.elb.model import ec2_of, invalid, random_hex, refused, state_of
from farm.aws.elb.names import check_balancer_name
from farm.aws.elb.networks import security_groups as checked_groups
from farm.aws.elb.networks import subnets as checked_subnets
from farm.aws.elb.networks import take_addresses
from farm.aws.elb.registering import follow_users

_KINDS = {"application": "app", "network": "net"}
_SCHEMES = frozenset({"internal", "internet-facing"})


def create_load_balancer(
    self: ELBv2Backend,
    name: str,
    security_groups: Sequence[str] | None,
    subnet_ids: Sequence[str] | None,
    subnet_mappings: Sequence[Mapping[str, str]] | None = None,
    scheme: str | None = None,
    loadbalancer_type: str | None = None,
    ip_address_type: str = "ipv4",
    tags: list[dict[str, str]] | None = None,
) -> FakeLoadBalancer:
    """The same once more is no error: it gives the load balancer that there is, with the tags that it has."""
    kind, scheme = loadbalancer_type or "application", scheme or "internet-facing"
    _check(name, kind, scheme)
    ids = [*(subnet_ids or ()), *(one["SubnetId"] for one in subnet_mappings or ())]
    subnets = checked_subnets(ec2_of(self), ids, kind=kind, scheme=scheme)
    vpc = subnets[0].vpc_id
    groups = checked_groups(ec2_of(self), security_groups or (), vpc, kind=kind)
    if twin := next((one for one in self.load_balancers.values() if one.name == name), None):
        _check_same(twin, (kind, scheme, ip_address_type), subnets, groups)
        return twin
    if len(self.load_balancers) >= state_of(self).settings.most_balancers:
        raise refused("TooManyLoadBalancers", "The maximum number of load balancers has been reached")
    identity = random_hex(16)
    balancer = FakeLoadBalancer(
        name,
        groups,
        subnets,
        vpc,
        arn=f"arn:aws:elasticloadbalancing:{self.region_name}:{self.account_id}:"
        f"loadbalancer/{_KINDS[kind]}/{name}/{identity}",
        dns_name=_dns_name(name, identity, kind, scheme, self.region_name),
        state="provisioning",
        scheme=scheme,
        loadbalancer_type=kind,
        ip_address_type=ip_address_type,
    )
    balancer.created_time = datetime.fromtimestamp(clock.now(), UTC)
    self.load_balancers[balancer.arn] = balancer
    self.tagging_service.tag_resource(balancer.arn, tags)
    take_addresses(ec2_of(self), balancer, subnets)
    state_of(self).settings.changed()
    later(state_of(self).settings.provisioning, lambda: _activate(self, balancer))
    return balancer


def delete_load_balancer(self: ELBv2Backend, arn: str) -> None:
    """One that is not there is no error."""
    balancer = self.load_balancers.get(arn)
    if balancer is None:
        return
    if balancer.attrs["deletion_protection.enabled"] == "true":
        raise refused(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    del self.load_balancers[arn]
    for listener in balancer.listeners.values():
        forget(self, listener)
    self.tagging_service.delete_all_tags_for_resource(arn)
    take_addresses(ec2_of(self), balancer, ())
    follow_users(self)


def describe_load_balancers(
    self: ELBv2Backend, arns: Sequence[str] | None, names: Sequence[str] | None
) -> list[FakeLoadBalancer]:
    if arns and names:
        raise invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
    present = list(self.load_balancers.values())
    if not arns and not names:
        return present
    found = [one for one in present if one.arn in (arns or ()) or one.name in (names or ())]
    if missing := {*(arns or ()), *(names or ())} - {one.arn for one in found} - {one.name for one in found}:
        text = ", ".join(sorted(missing))
        raise refused("LoadBalancerNotFound", f"Load balancers '[{text}]' not found")
    return found


def set_subnets(
    self: ELBv2Backend, arn: str, subnets: Sequence[str], subnet_mappings: Sequence[Mapping[str, str]]
) -> list[AvailabilityZone]:
    balancer = self.load_balancers.get(arn)
    if balancer is None:
        raise LoadBalancerNotFoundError
    ids = [*subnets, *(one["SubnetId"] for one in subnet_mappings)]
    balancer.subnets = checked_subnets(ec2_of(self), ids, kind=balancer.type, scheme=balancer.scheme)
    take_addresses(ec2_of(self), balancer, balancer.subnets)
    state_of(self).settings.changed()
    return list(balancer.availability_zones)


def _check(name: str, kind: str, scheme: str) -> None:
    check_balancer_name(name)
    if kind not in _KINDS:
        raise invalid(f"The farm has no load balancers of type '{kind}'")
    if scheme not in _SCHEMES:
        raise refused("InvalidScheme", f"Scheme '{scheme}' must be one of internal, internet-facing")


def _check_same(
    twin: FakeLoadBalancer, kinds: tuple[str, ...], subnets: Sequence[Any], groups: Sequence[str]
) -> None:
    same = (
        (twin.type, twin.scheme, twin.ip_address_type) == kinds
        and {one.id for one in twin.subnets} == {one.id for one in subnets}
        and set(twin.security_groups) == set(groups)
    )
    if not same:
        raise refused(
            "DuplicateLoadBalancerName",
            f"A load balancer with the same name '{twin.name}' exists, but with different settings",
        )


def _dns_name(name: str, identity: str, kind: str, scheme: str, region: str) -> str:
    if kind == "network":
        return f"{name}-{identity}.elb.{region}.amazonaws.com"
    prefix = "internal-" if scheme == "internal" else ""
    return f"{prefix}{name}-{int(identity, 16) % 10**10}.{region}.elb.amazonaws.com"


def _activate(of: ELBv2Backend, balancer: FakeLoadBalancer) -> None:
    balancer.state = "active"
    state_of(of).settings.changed()
