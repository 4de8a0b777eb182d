"""Where a load balancer stands: subnets of one VPC in zones of their own, security groups, an address in each subnet."""

from __future__ import annotations

from collections.abc import Sequence

from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ec2.models import EC2Backend
from moto.ec2.models.route_tables import Route
from moto.ec2.models.subnets import Subnet
from moto.elbv2.models import FakeLoadBalancer

from farm.aws.addresses import give_back_public, private_address, take_public
from farm.aws.elb.model import invalid, refused


def subnets(ec2: EC2Backend, ids: Sequence[str], *, kind: str, scheme: str) -> list[Subnet]:
    """The subnets that a load balancer is to stand in. Refused if it cannot."""
    found = [_subnet(ec2, one) for one in dict.fromkeys(ids)]
    zones = {one.availability_zone for one in found}
    if not found:
        raise invalid("At least one subnet must be specified")
    if len({one.vpc_id for one in found}) > 1:
        raise refused("InvalidSubnet", "All subnets must belong to the same VPC")
    if len(zones) < len(found):
        raise refused(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if kind == "application" and len(zones) < 2:
        raise invalid("At least two subnets in two different Availability Zones must be specified")
    if scheme == "internet-facing":
        _check_gateway(ec2, found)
    return found


def security_groups(ec2: EC2Backend, ids: Sequence[str], vpc: str, *, kind: str) -> list[str]:
    """Those asked for; the VPC's default group for an application load balancer without."""
    for one in ids:
        group = ec2.get_security_group_from_id(one)
        if group is None or group.vpc_id != vpc:
            raise refused(
                "InvalidSecurityGroup", f"One or more security groups are invalid: '{one}' is not in '{vpc}'"
            )
    if ids or kind != "application":
        return list(ids)
    return [str(ec2.get_default_security_group(vpc).id)]


def take_addresses(ec2: EC2Backend, balancer: FakeLoadBalancer, where: Sequence[Subnet]) -> None:
    """An address in each of these subnets; in those that it leaves it gives its address back."""
    held: dict[str, str] = balancer.__dict__.setdefault("farm_addresses", {})
    for subnet_id in held.keys() - {one.id for one in where}:
        _give_back(ec2, balancer, subnet_id, held.pop(subnet_id))
    for one in where:
        if one.id not in held:
            held[one.id] = _take(ec2, balancer, one)


def _take(ec2: EC2Backend, balancer: FakeLoadBalancer, subnet: Subnet) -> str:
    if balancer.scheme == "internet-facing":
        return take_public(ec2)
    address = private_address(ec2, subnet)
    subnet._subnet_ips[address] = balancer
    subnet._unused_ips.discard(address)
    return address


def _give_back(ec2: EC2Backend, balancer: FakeLoadBalancer, subnet_id: str, address: str) -> None:
    if balancer.scheme == "internet-facing":
        give_back_public(ec2, address)
    else:
        ec2.get_subnet(subnet_id)._subnet_ips.pop(address, None)


def _subnet(ec2: EC2Backend, subnet_id: str) -> Subnet:
    try:
        return ec2.get_subnet(subnet_id)
    except InvalidSubnetIdError as error:
        raise refused("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist") from error


def _check_gateway(ec2: EC2Backend, found: Sequence[Subnet]) -> None:
    """Only where the account says how its VPC is routed: one without any way out leaves it open."""
    tables = [one for one in ec2.route_tables.values() if one.vpc_id == found[0].vpc_id]
    ways_out = {one.id for one in tables if any(_leads_out(route) for route in one.routes)}
    main = next((one.id for one in tables if one.main_association_id), None)
    own = {subnet_id: one.id for one in tables for subnet_id in one._associations.values()}
    for subnet in found:
        if ways_out and own.get(subnet.id, main) not in ways_out:
            raise refused("InvalidSubnet", f"Subnet '{subnet.id}' has no route to an internet gateway")


def _leads_out(route: Route) -> bool:
    return str(route.gateway_id).startswith("igw-")
