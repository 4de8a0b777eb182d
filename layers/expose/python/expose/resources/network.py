"""EC2's answers to look-ups: the VPC that a subnet is in, and where in it a load balancer of ours can stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expose.aws import Clients
from expose.resources.apigateway import Links
from expose.resources.elb import Balancers

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef, RouteTableTypeDef, SubnetTypeDef

ACTIONS = frozenset({"ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"})


_LINK_SUBNETS = 10  # that a VPC link may stand in


@dataclass(frozen=True, slots=True)
class Placement:
    """What the stack says of where load balancers go: the subnets to choose from, all where it names none, and their
    security groups, and those of VPC links; and the VPC links to use. Those of other VPCs are for what stands there.
    """

    subnets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    link_groups: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


class Vpcs:
    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def find(self, key: str) -> str:
        """The id of the VPC of subnet `key`. Raise EC2's InvalidSubnetID.NotFound where there is none."""
        (subnet,) = self._clients.ec2.describe_subnets(SubnetIds=[key])["Subnets"]
        return subnet.get("VpcId", "")


class Sites:
    def __init__(self, clients: Clients, placement: Placement, balancers: Balancers) -> None:
        self._clients = clients
        self._placement = placement
        self._balancers = balancers

    def find(self, key: str) -> dict[str, Any]:
        """For `TYPE/SCHEME/SUBNET`: the VPC of that subnet, the subnets and security groups for a load balancer of that
        scheme, one subnet in each zone, and the ARN of ours if it is there already.
        """
        kind, scheme, subnet = key.split("/")
        vpc = Vpcs(self._clients).find(subnet)
        there: list[FilterTypeDef] = [{"Name": "vpc-id", "Values": [vpc]}]
        tables = self._clients.ec2.get_paginator("describe_route_tables").paginate(Filters=there)
        subnets = self._clients.ec2.get_paginator("describe_subnets").paginate(Filters=there)
        return {
            "vpc": vpc,
            "balancer": self._balancers.existing(f"{kind}/{scheme}/{vpc}"),
            "subnets": choose(
                [
                    each
                    for page in subnets
                    for each in page["Subnets"]
                    if not self._placement.subnets or each.get("SubnetId") in self._placement.subnets
                ],
                _Routes(table for page in tables for table in page["RouteTables"]),
                scheme,
            ),
            "groups": groups_in(self._clients, vpc, self._placement.groups),
        }


def groups_in(clients: Clients, vpc: str, wanted: tuple[str, ...]) -> list[str]:
    """Those of the wanted security groups that are in this VPC."""
    if not wanted:
        return []
    filters: list[FilterTypeDef] = [
        {"Name": "vpc-id", "Values": [vpc]},
        {"Name": "group-id", "Values": list(wanted)},
    ]
    pages = clients.ec2.get_paginator("describe_security_groups").paginate(Filters=filters)
    return sorted(each.get("GroupId", "") for page in pages for each in page["SecurityGroups"])


class LinkSites:
    """Which VPC link leads to tasks, or where it is to stand."""

    def __init__(self, clients: Clients, placement: Placement, links: Links) -> None:
        self._clients = clients
        self._placement = placement
        self._links = links

    def find(self, key: str) -> dict[str, Any]:
        """For subnets with + between them: the id of the link that is given for their VPC, if one is; else the key, the
        subnets and the security groups of ours.
        """
        wanted = key.split("+")
        vpc = Vpcs(self._clients).find(wanted[0])
        there: list[FilterTypeDef] = [{"Name": "vpc-id", "Values": [vpc]}]
        pages = self._clients.ec2.get_paginator("describe_subnets").paginate(Filters=there)
        subnets = {each.get("SubnetId", "") for page in pages for each in page["Subnets"]}
        if given := self._links.given(self._placement.links, there=subnets):
            return {"given": given}
        groups = groups_in(self._clients, vpc, self._placement.link_groups)
        link, standing = self._links.fitting(
            vpc, there=subnets, subnets=wanted[:_LINK_SUBNETS], groups=groups
        )
        return {"given": "", "link": link, "subnets": standing, "groups": groups}


class _Routes:
    """Which subnets have a route to the internet: by their own route table, else by the VPC's main one."""

    def __init__(self, tables: Iterable[RouteTableTypeDef]) -> None:
        self._own: dict[str, bool] = {}
        self._main = False
        for table in tables:
            routes = table.get("Routes", [])
            public = any(route.get("GatewayId", "").startswith("igw-") for route in routes)
            for association in table.get("Associations", []):
                if association.get("Main"):
                    self._main = public
                self._own[association.get("SubnetId", "")] = public

    def is_public(self, subnet: str) -> bool:
        return self._own.get(subnet, self._main)


def choose(subnets: Iterable[SubnetTypeDef], routes: _Routes, scheme: str) -> list[str]:
    """One in each zone. Facing the internet only public ones will do; inside private ones come first."""
    by_zone: dict[str, tuple[bool, str]] = {}
    for subnet in subnets:
        name, zone = subnet.get("SubnetId", ""), subnet.get("AvailabilityZone", "")
        public = routes.is_public(name)
        if public or scheme == "internal":
            by_zone[zone] = min(by_zone.get(zone, (True, "~")), (public, name))
    return sorted(name for _, name in by_zone.values())
