"""EC2's answers to look-ups: the VPC that a subnet is in, for whatever has to be made in the same one."""

from __future__ import annotations

from expose.aws import Clients

ACTIONS = frozenset({"ec2:DescribeSubnets"})


class Vpcs:
    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def find(self, key: str) -> str:
        """The id of the VPC of subnet `key`. Raise EC2's InvalidSubnetID.NotFound where there is none."""
        (subnet,) = self._clients.ec2.describe_subnets(SubnetIds=[key])["Subnets"]
        return subnet.get("VpcId", "")
