"""Networks are read as EC2 has them, in bulk, and nothing that is gone or somebody else's gets in the way."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from moto.ec2 import ec2_backends
from refusals import refused

from expose.audit.network import Acl, AclEntry, Interface, Network, Route, Rule
from expose.audit.reach import openings
from expose.aws import Clients
from expose.networks import ACTIONS, Networks
from farm import seed
from farm.account import client
from farm.aws import ACCOUNT, REGION, ec2
from farm.gate import GATE, Fault
from farm.timeline import Timeline

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

api: EC2Client = client("ec2")
WORLD = "0.0.0.0/0"
OFFICE = "198.51.100.0/24"


class Yard:
    """A VPC, its interfaces as tasks have them, and the words that these tests use."""

    def __init__(self, *, ipv6: bool = False) -> None:
        self.network = seed.network(api, ipv6=ipv6)
        self.ipv6 = ipv6
        self.networks = Networks(Clients())

    def group(self, name: str, *permissions: dict[str, Any]) -> str:
        made = api.create_security_group(GroupName=name, Description=name, VpcId=self.network.vpc)["GroupId"]
        if permissions:
            api.authorize_security_group_ingress(GroupId=made, IpPermissions=list(permissions))
        return made

    def interface(self, *groups: str, subnet: str = "", public: bool = True) -> Any:
        """Moto's model of it."""
        return ec2.create_interface(
            ec2_backends[ACCOUNT][REGION],
            subnet_id=subnet or self.network.public[0],
            groups=groups or (self.network.security_group,),
            public=public,
            ipv6=self.ipv6,
            attachment="arn",
            tags={},
        )

    def read(self, *interfaces: Any) -> list[Interface]:
        found = self.networks.interfaces((each.id for each in interfaces), account=ACCOUNT)
        return [found[each.id] for each in interfaces if each.id in found]

    def around(self, *interfaces: Any) -> Network:
        return self.networks.around(self.read(*interfaces))

    def subnet(self) -> str:
        """One that no route table names."""
        made = api.create_subnet(VpcId=self.network.vpc, CidrBlock="127.20.200.0/24")
        return made["Subnet"]["SubnetId"]


@pytest.fixture
def yard(timeline: Timeline) -> Yard:
    return Yard()


def tcp(port: int, *sources: str, **more: Any) -> dict[str, Any]:
    ranges = [{"CidrIp": source} for source in sources]
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges, **more}


def test_an_interface_comes_with_its_place_its_groups_and_its_addresses(timeline: Timeline) -> None:
    yard = Yard(ipv6=True)
    made = yard.interface()
    (found,) = yard.read(made)

    assert found == Interface(
        id=made.id,
        subnet=yard.network.public[0],
        vpc=yard.network.vpc,
        groups=(yard.network.security_group,),
        private_ipv4=made.private_ip_address,
        public_ipv4=made.public_ip,
        ipv6=tuple(made.ipv6_addresses),
        owner=ACCOUNT,
    )


def test_an_interface_that_vanished_between_two_calls_is_not_there(yard: Yard) -> None:
    gone, stays = yard.interface(), yard.interface()
    ec2.release_interface(ec2_backends[ACCOUNT][REGION], gone.id)

    assert [each.id for each in yard.read(gone, stays)] == [stays.id]


def test_an_interface_of_another_account_in_a_shared_subnet_is_none_of_ours(yard: Yard) -> None:
    """F§8."""
    made = yard.interface()

    assert yard.networks.interfaces([made.id], account="999999999999") == {}
    assert yard.networks.holding([made.public_ip], account="999999999999") == {}


def test_an_interface_may_be_closed_to_the_internet(yard: Yard) -> None:
    made = yard.interface()
    made.deny_all_igw_traffic = True

    assert [each.blocks_internet for each in yard.read(made)] == [True]


def test_an_address_is_held_by_whoever_has_it_now(timeline: Timeline) -> None:
    yard = Yard(ipv6=True)
    one, other, gone = yard.interface(), yard.interface(), yard.interface()
    lost = gone.public_ip
    ec2.release_interface(ec2_backends[ACCOUNT][REGION], gone.id)
    asked = [one.public_ip, other.ipv6_addresses[0], lost, "2600::dead"]
    held = yard.networks.holding(asked, account=ACCOUNT)

    assert {address: found.private_ipv4 for address, found in held.items()} == {
        one.public_ip: one.private_ip_address,
        other.ipv6_addresses[0]: other.private_ip_address,
    }


def test_an_address_of_ipv6_is_found_however_it_is_written(timeline: Timeline) -> None:
    yard = Yard(ipv6=True)
    (address,) = yard.interface().ipv6_addresses

    assert list(yard.networks.holding([address.upper()], account=ACCOUNT)) == [address.upper()]


def test_an_address_that_came_back_belongs_to_its_new_holder(yard: Yard) -> None:
    ec2.settings().eager_reuse = True
    first = yard.interface()
    address = first.public_ip
    ec2.release_interface(ec2_backends[ACCOUNT][REGION], first.id)
    second = yard.interface()

    assert second.public_ip == address
    assert yard.networks.holding([address], account=ACCOUNT)[address].id == second.id


def test_asking_for_nothing_asks_nobody(yard: Yard) -> None:
    GATE.calls.clear()

    assert yard.networks.interfaces([], account=ACCOUNT) == {}
    assert yard.networks.holding([], account=ACCOUNT) == {}
    assert yard.networks.around([]) == Network()
    assert GATE.calls == []


def test_rules_are_read_with_all_kinds_of_sources(yard: Yard) -> None:
    app = yard.group("app")
    entries = [{"Cidr": OFFICE}, {"Cidr": "192.0.2.0/24"}]
    office = api.create_managed_prefix_list(
        PrefixListName="office", MaxEntries=5, AddressFamily="IPv4", Entries=entries
    )["PrefixList"]["PrefixListId"]
    web = yard.group(
        "web",
        tcp(443, WORLD, Ipv6Ranges=[{"CidrIpv6": "::/0"}]),
        tcp(22, PrefixListIds=[{"PrefixListId": office}]),
        tcp(5432, UserIdGroupPairs=[{"GroupId": app}]),
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": OFFICE}]},
        {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": WORLD}]},
    )
    around = yard.around(yard.interface(web))

    assert set(around.groups[web].rules) == {
        Rule("tcp", 443, 443, (WORLD, "::/0")),
        Rule("tcp", 22, 22, prefix_lists=(office,)),
        Rule("tcp", 5432, 5432, groups=(app,)),
        Rule("-1", 0, 65535, (OFFICE,)),
        Rule("icmp", 0, 65535, (WORLD,)),
    }
    assert around.prefix_lists == {office: (OFFICE, "192.0.2.0/24")}


def test_a_group_deleted_meanwhile_is_simply_not_there(yard: Yard) -> None:
    gone, stays = yard.group("gone", tcp(22, WORLD)), yard.group("stays", tcp(80, WORLD))
    made = yard.interface(gone, stays)
    (interface,) = yard.read(made)
    del ec2_backends[ACCOUNT][REGION].groups[yard.network.vpc][gone]
    around = yard.networks.around([interface])

    assert list(around.groups) == [stays]
    assert [(each.first, each.world) for each in openings(interface, around)] == [(80, True)]


def test_a_prefix_list_deleted_meanwhile_is_simply_not_there(yard: Yard) -> None:
    rule = tcp(22, PrefixListIds=[{"PrefixListId": "pl-0123456789abcdef0"}])
    interface = yard.interface(yard.group("web", rule, tcp(80, WORLD)))

    assert yard.around(interface).prefix_lists == {}


def test_a_failing_call_is_not_an_empty_answer(yard: Yard) -> None:
    interface = yard.read(yard.interface())
    GATE.faults.append(Fault("error", "UnauthorizedOperation", operation="DescribeSecurityGroups"))

    with refused("UnauthorizedOperation"):
        yard.networks.around(interface)


def test_a_subnet_has_its_own_table_else_the_main_one(yard: Yard) -> None:
    own, bare = yard.interface(), yard.interface(subnet=yard.subnet())
    around = yard.around(own, bare)
    interfaces = yard.read(own, bare)
    out = [route.target.split("-")[0] for route in around.table(interfaces[0]).routes]

    assert sorted(out) == ["igw", "local"]
    assert around.table(interfaces[1]).routes == (Route(seed.VPC, "local"),)


def test_a_subnet_has_its_own_acl_else_the_default_one(yard: Yard) -> None:
    made = api.create_network_acl(VpcId=yard.network.vpc)["NetworkAcl"]["NetworkAclId"]
    api.create_network_acl_entry(
        NetworkAclId=made,
        RuleNumber=90,
        Protocol="6",
        RuleAction="deny",
        Egress=False,
        CidrBlock=OFFICE,
        PortRange={"From": 22, "To": 23},
    )
    api.create_network_acl_entry(
        NetworkAclId=made, RuleNumber=100, Protocol="-1", RuleAction="allow", Egress=True, CidrBlock=WORLD
    )
    _put(yard.network.public[1], made)
    usual, own = yard.interface(), yard.interface(subnet=yard.network.public[1])
    around, (first, second) = yard.around(usual, own), yard.read(usual, own)
    everything = (AclEntry(100, True, "-1", 0, 65535, WORLD), AclEntry(32767, False, "-1", 0, 65535, WORLD))

    assert around.acl(first).inbound == around.acl(first).outbound == everything
    assert around.acl(second) == Acl(
        made,
        inbound=(AclEntry(32767, False, "-1", 0, 65535, WORLD), AclEntry(90, False, "tcp", 22, 23, OFFICE)),
        outbound=(everything[1], everything[0]),
    )


def test_the_default_acl_stands_in_for_a_subnet_that_is_not_listed_yet(yard: Yard) -> None:
    interface = yard.interface()
    for acl in ec2_backends[ACCOUNT][REGION].network_acls.values():
        acl._associations.clear()
    (read,) = yard.read(interface)

    assert yard.networks.around([read]).acl(read).inbound[0].allow


def test_denying_one_type_of_icmp_leaves_the_others(yard: Yard) -> None:
    acl = api.describe_network_acls(
        Filters=[{"Name": "association.subnet-id", "Values": [yard.network.public[0]]}]
    )["NetworkAcls"][0]["NetworkAclId"]
    api.create_network_acl_entry(
        NetworkAclId=acl,
        RuleNumber=90,
        Protocol="1",
        RuleAction="deny",
        Egress=False,
        CidrBlock=WORLD,
        IcmpTypeCode={"Type": 13, "Code": -1},
    )
    interface = yard.interface(
        yard.group(
            "ping", {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": WORLD}]}
        )
    )
    (read,) = yard.read(interface)

    assert [each.protocol for each in openings(read, yard.around(interface))] == ["icmp"]


def test_a_gateway_that_was_detached_lets_nobody_in(yard: Yard) -> None:
    interface = yard.interface(yard.group("web", tcp(80, WORLD)))
    (read,) = yard.read(interface)
    assert [each.first for each in openings(read, yard.around(interface))] == [80]

    (gateway,) = api.describe_internet_gateways()["InternetGateways"]
    api.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=yard.network.vpc)

    assert openings(read, yard.around(interface)) == ()


def test_of_a_dual_stack_task_both_families_are_open(timeline: Timeline) -> None:
    yard = Yard(ipv6=True)
    interface = yard.interface(yard.group("web", tcp(80, WORLD, Ipv6Ranges=[{"CidrIpv6": "::/0"}])))
    (read,) = yard.read(interface)

    assert [(each.family, each.first, each.world) for each in openings(read, yard.around(interface))] == [
        (4, 80, True),
        (6, 80, True),
    ]


def test_a_thousand_interfaces_in_fifty_groups_take_few_calls(yard: Yard) -> None:
    groups = [yard.group(f"service-{number}", tcp(8000 + number, WORLD)) for number in range(50)]
    made = [
        yard.interface(groups[number % 50], subnet=yard.network.public[number % 2]) for number in range(1000)
    ]
    GATE.calls.clear()
    interfaces = yard.read(*made)
    around = yard.networks.around(interfaces)

    assert len(interfaces) == 1000
    assert set(around.groups) == set(groups)
    assert Counter(call.operation for call in GATE.calls) == {
        "DescribeNetworkInterfaces": 5,  # 200 to a call
        "DescribeSecurityGroups": 1,
        "DescribeRouteTables": 1,
        "DescribeNetworkAcls": 1,
    }


def test_a_thousand_addresses_are_compared_in_five_calls(yard: Yard) -> None:
    made = [yard.interface() for _ in range(1000)]
    GATE.calls.clear()
    held = yard.networks.holding([each.public_ip for each in made], account=ACCOUNT)

    assert {address: found.id for address, found in held.items()} == {
        each.public_ip: each.id for each in made
    }
    assert len(GATE.calls) == 5


def test_more_than_200_groups_are_asked_for_in_several_calls(yard: Yard) -> None:
    made = [yard.interface(yard.group(f"service-{number}")) for number in range(201)]
    around = yard.around(*made)

    assert len(around.groups) == 201
    assert sum(call.operation == "DescribeSecurityGroups" for call in GATE.calls) == 2


def test_it_makes_no_call_that_it_does_not_declare(yard: Yard) -> None:
    rule = tcp(22, PrefixListIds=[{"PrefixListId": "pl-0123456789abcdef0"}])
    interface = yard.interface(yard.group("web", rule), subnet=yard.subnet())
    GATE.calls.clear()
    yard.around(interface)
    yard.networks.holding([interface.public_ip], account=ACCOUNT)

    assert {f"ec2:{call.operation}" for call in GATE.calls} == ACTIONS


def _put(subnet: str, acl: str) -> None:
    """AWS knows no association without a former one."""
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    for each in api.describe_network_acls(Filters=filters)["NetworkAcls"][0]["Associations"]:
        if each["SubnetId"] == subnet:
            api.replace_network_acl_association(
                AssociationId=each["NetworkAclAssociationId"], NetworkAclId=acl
            )
