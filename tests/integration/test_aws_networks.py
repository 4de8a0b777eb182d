"""EC2's route tables, ACLs and prefix lists behave as AWS's, as far as the audit reads them (F§8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from refusals import refused

from farm import seed
from farm.account import client
from farm.timeline import Timeline

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

api: EC2Client = client("ec2")


@pytest.fixture
def network(timeline: Timeline) -> seed.Network:
    return seed.network(api)


def entries(acl: dict[str, Any]) -> set[tuple[int, str, bool, str]]:
    return {
        (
            each["RuleNumber"],
            each["RuleAction"],
            each["Egress"],
            each.get("CidrBlock") or each["Ipv6CidrBlock"],
        )
        for each in acl["Entries"]
    }


def default_acl(vpc: str) -> Any:
    filters: Any = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "default", "Values": ["true"]}]
    (found,) = api.describe_network_acls(Filters=filters)["NetworkAcls"]
    return found


def test_one_subnet_of_several_finds_its_route_table(network: seed.Network) -> None:
    """The values of a filter are alternatives (F§8: route tables are found by subnet)."""
    asked = [network.public[0], network.private[1], "subnet-0123456789abcdef0"]
    found = api.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": asked}])

    assert len(found["RouteTables"]) == 2


@pytest.mark.parametrize("kind", ["route_tables", "network_acls", "security_groups", "subnets"])
def test_a_filter_takes_at_most_200_values(network: seed.Network, kind: str) -> None:
    """F§1.6."""
    with refused("FilterLimitExceeded"):
        getattr(api, f"describe_{kind}")(
            Filters=[{"Name": "vpc-id", "Values": [f"vpc-{n}" for n in range(201)]}]
        )


def test_the_default_acl_allows_all_and_a_new_one_nothing(network: seed.Network) -> None:
    """F§8: NACLs decide as well."""
    new: Any = api.create_network_acl(VpcId=network.vpc)["NetworkAcl"]

    assert entries(default_acl(network.vpc)) == {
        (number, action, egress, "0.0.0.0/0")
        for number, action in ((100, "allow"), (32767, "deny"))
        for egress in (True, False)
    }
    assert entries(new) == {(32767, "deny", egress, "0.0.0.0/0") for egress in (True, False)}


def test_the_default_acl_of_a_dual_stack_vpc_allows_ipv6_too(timeline: Timeline) -> None:
    """F§8."""
    network = seed.network(api, ipv6=True)
    later = api.create_vpc(CidrBlock="127.21.0.0/16")["Vpc"]["VpcId"]
    api.associate_vpc_cidr_block(VpcId=later, AmazonProvidedIpv6CidrBlock=True)

    for vpc in (network.vpc, later):
        assert {each for each in entries(default_acl(vpc)) if each[3] == "::/0"} == {
            (number, action, egress, "::/0")
            for number, action in ((101, "allow"), (32768, "deny"))
            for egress in (True, False)
        }


def test_an_entry_for_icmp_keeps_its_type(network: seed.Network) -> None:
    """F§8."""
    acl = default_acl(network.vpc)["NetworkAclId"]
    api.create_network_acl_entry(
        NetworkAclId=acl,
        RuleNumber=90,
        Protocol="1",
        RuleAction="deny",
        Egress=False,
        CidrBlock="0.0.0.0/0",
        IcmpTypeCode={"Type": 8, "Code": -1},
    )

    (found,) = [each for each in default_acl(network.vpc)["Entries"] if each["RuleNumber"] == 90]
    assert found["IcmpTypeCode"] == {"Type": 8, "Code": -1}


def test_a_route_is_a_blackhole_while_its_gateway_is_detached(network: seed.Network) -> None:
    """F§8: a public subnet is one with a route to an internet gateway."""
    (gateway,) = (each["InternetGatewayId"] for each in api.describe_internet_gateways()["InternetGateways"])

    def states() -> set[str]:
        tables = api.describe_route_tables(Filters=[{"Name": "route.gateway-id", "Values": [gateway]}])
        return {
            route["State"]
            for table in tables["RouteTables"]
            for route in table["Routes"]
            if route.get("GatewayId") == gateway
        }

    assert states() == {"active"}
    api.detach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    assert states() == {"blackhole"}
    api.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    assert states() == {"active"}


def test_the_entries_of_no_prefix_list_are_an_error(timeline: Timeline) -> None:
    """F§8: rules may name prefix lists."""
    with refused("InvalidPrefixListID.NotFound"):
        api.get_managed_prefix_list_entries(PrefixListId="pl-0123456789abcdef0")
