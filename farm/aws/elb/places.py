"""Where a target is, and whether its group may have it there: private addresses only, or instances of the VPC (F§4.1)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.vpcs import VPC
from moto.elbv2.exceptions import InvalidTargetError, TargetNotRunning
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup

from farm.aws.elb.model import ec2_of, invalid, refused

_PRIVATE = tuple(
    ipaddress.IPv4Network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)


@dataclass(frozen=True, slots=True)
class Place:
    address: str
    zone: str
    """`all` for one outside the VPC that any node may send to."""


def place(of: ELBv2Backend, group: FakeTargetGroup, asked: Mapping[str, Any]) -> Place:
    """Where the target is that somebody wants to register. Refused if it may not be there."""
    if group.target_type == "instance":
        return _of_instance(ec2_of(of), group, asked)
    if group.target_type == "ip":
        return _of_address(ec2_of(of), group, asked)
    return Place(str(asked["Id"]), "all")


def _of_instance(ec2: EC2Backend, group: FakeTargetGroup, asked: Mapping[str, Any]) -> Place:
    if asked.get("AvailabilityZone"):
        raise invalid("You cannot specify an Availability Zone for a target of type 'instance'")
    instance = ec2.get_instance_by_id(asked["Id"])
    if instance is None or instance.vpc_id != group.vpc_id:
        raise InvalidTargetError
    if instance.state != "running":
        raise TargetNotRunning(asked["Id"])
    return Place(instance.private_ip, ec2.get_subnet(instance.subnet_id).availability_zone)


def _of_address(ec2: EC2Backend, group: FakeTargetGroup, asked: Mapping[str, Any]) -> Place:
    text, zone = str(asked["Id"]), asked.get("AvailabilityZone")
    address = _parsed(text)
    if any(address in block for block in _blocks(ec2.get_vpc(group.vpc_id))):
        found = _zone(ec2, group.vpc_id, address)
        if zone not in {None, found}:
            raise refused(
                "InvalidTarget", f"The IP address '{text}' is not in the Availability Zone '{zone}'"
            )
        return Place(text, found)
    others = [block for vpc in ec2.vpcs.values() for block in _blocks(vpc)]
    if not any(address in block for block in (*_PRIVATE, *others)):
        raise refused(
            "InvalidTarget",
            f"The IP address '{text}' is publicly routable: it cannot be registered as a target",
        )
    if zone != "all" and zone not in _zones(ec2, group.vpc_id):
        raise refused(
            "InvalidTarget",
            f"The IP address '{text}' is outside the VPC '{group.vpc_id}': specify an Availability Zone or 'all'",
        )
    return Place(text, zone)


def _parsed(text: str) -> ipaddress.IPv4Address:
    try:
        return ipaddress.IPv4Address(text)
    except ipaddress.AddressValueError as error:
        raise invalid(f"The IP address '{text}' is not a valid IPv4 address") from error


def _blocks(vpc: VPC) -> Iterator[ipaddress.IPv4Network]:
    for association in vpc.get_cidr_block_association_set():
        yield ipaddress.IPv4Network(association["cidr_block"])


def _zone(ec2: EC2Backend, vpc_id: str, address: ipaddress.IPv4Address) -> str:
    """The zone of the subnet that the address is in. An address of the VPC that no subnet has is in all and in none."""
    subnets = ec2.describe_subnets(filters={"vpc-id": [vpc_id]})
    return next((str(one.availability_zone) for one in subnets if address in one.cidr), "all")


def _zones(ec2: EC2Backend, vpc_id: str) -> set[str]:
    return {str(one.availability_zone) for one in ec2.describe_subnets(filters={"vpc-id": [vpc_id]})}
