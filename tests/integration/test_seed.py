"""The farm's network: what tells a public subnet from a private one is its route, as in AWS."""

from __future__ import annotations

import boto3
import pytest

from farm import seed
from farm.timeline import Timeline


@pytest.mark.parametrize("ipv6", [False, True])
def test_only_public_subnets_have_a_way_out(timeline: Timeline, *, ipv6: bool) -> None:
    ec2 = boto3.client("ec2", "eu-west-1")
    network = seed.network(ec2, ipv6=ipv6)
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])["RouteTables"]
    out = {
        subnet["SubnetId"]: {
            route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")
            for route in table["Routes"]
            if route.get("GatewayId", "").startswith("igw-")
        }
        for table in tables
        for subnet in table["Associations"]
        if "SubnetId" in subnet
    }

    everywhere = {"0.0.0.0/0", "::/0"} if ipv6 else {"0.0.0.0/0"}
    assert out == dict.fromkeys(network.public, everywhere) | {subnet: set() for subnet in network.private}
    (gateway,) = ec2.describe_internet_gateways()["InternetGateways"]
    assert [each["VpcId"] for each in gateway["Attachments"]] == [network.vpc]


def test_tasks_and_load_balancers_have_groups_of_their_own(timeline: Timeline) -> None:
    ec2 = boto3.client("ec2", "eu-west-1")
    network = seed.network(ec2)
    found = ec2.describe_security_groups(GroupIds=[network.security_group, network.balancer_group])

    assert {group["GroupName"] for group in found["SecurityGroups"]} == {"tasks", "balancers"}
    assert network.configuration(public=True)["awsvpcConfiguration"]["securityGroups"] == [
        network.security_group
    ]
