"""Load balancers, listeners, groups and certificates behave as AWS's (F§4.2): made once, refused in AWS's words, gone wholly."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

import pytest
from balancing import Balancing, api, forward
from moto.ec2 import ec2_backends
from refusals import refused

from farm.account import client
from farm.aws import ACCOUNT, REGION, acm, elb
from farm.aws.addresses import addresses
from farm.timeline import Timeline

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient

certificates: ACMClient = client("acm")


@pytest.fixture
def world(timeline: Timeline) -> Balancing:
    return Balancing(timeline)


def known(balancer: str) -> Any:
    return api.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]


# load balancers


def test_a_balancer_takes_its_time(world: Balancing, timeline: Timeline) -> None:
    """F§9: looking does not make it ready."""
    balancer = world.balancer()
    seen = [known(balancer)["State"]["Code"] for _ in range(2)]
    timeline.run_for(120)
    assert [*seen, known(balancer)["State"]["Code"]] == ["provisioning", "provisioning", "active"]


@pytest.mark.parametrize(
    ("kind", "scheme", "prefix", "name"),
    [
        ("application", "internal", "app", r"internal-front-\d+\.eu-west-1\.elb\.amazonaws\.com"),
        ("application", "internet-facing", "app", r"front-\d+\.eu-west-1\.elb\.amazonaws\.com"),
        ("network", "internal", "net", r"front-[0-9a-f]{16}\.elb\.eu-west-1\.amazonaws\.com"),
        ("network", "internet-facing", "net", r"front-[0-9a-f]{16}\.elb\.eu-west-1\.amazonaws\.com"),
    ],
)
def test_names_of_a_balancer(world: Balancing, kind: str, scheme: str, prefix: str, name: str) -> None:
    """ARNs say of which type it is, its listeners' too; the name in DNS says it in its own way."""
    balancer = world.balancer(kind=kind, Scheme=scheme, Subnets=list(world.network.public))
    shown = known(balancer)
    assert re.fullmatch(name, shown["DNSName"])
    assert f":loadbalancer/{prefix}/front/" in balancer
    group = world.group(protocol="HTTP" if kind == "application" else "TCP")
    listener = world.listener(balancer, group, protocol="HTTP" if kind == "application" else "TCP")
    assert f":listener/{prefix}/front/" in listener


@pytest.mark.parametrize(
    ("scheme", "pool"), [("internal", "127.20.0.0/16"), ("internet-facing", "127.30.0.0/16")]
)
def test_a_balancer_has_an_address_in_each_subnet(world: Balancing, scheme: str, pool: str) -> None:
    """Of its own, and its no longer when it goes."""
    for name in ("front", "other"):
        world.balancer(name, Scheme=scheme, Subnets=list(world.network.public))
    held = [one for balancer in elb.balancers() for one in elb.addresses(balancer)]
    assert len(set(held)) == 4
    assert all(ipaddress.ip_address(one) in ipaddress.ip_network(pool) for one in held)
    assert taken() >= set(held)
    for balancer in elb.balancers():
        api.delete_load_balancer(LoadBalancerArn=balancer.arn)
    assert not taken() & set(held)


def taken() -> set[str]:
    """The addresses that something on the farm has."""
    ec2 = ec2_backends[ACCOUNT][REGION]
    private = {one for zone in ec2.subnets.values() for subnet in zone.values() for one in subnet._subnet_ips}
    return private | addresses(ec2).taken


def test_the_same_balancer_once_more_is_no_error(world: Balancing) -> None:
    """F§4.2; another one of its name is."""
    balancer = world.balancer(Tags=[{"Key": "owner", "Value": "me"}])
    assert world.balancer() == balancer
    for other in ({"kind": "network"}, {"Scheme": "internet-facing", "Subnets": list(world.network.public)}):
        with refused("DuplicateLoadBalancerName"):
            world.balancer(**other)


@pytest.mark.parametrize("name", ["a" * 33, "-a", "a-", "a_b", "internal-a"])
def test_names_that_no_balancer_may_have(world: Balancing, name: str) -> None:
    """F§4.2; a target group may begin with `internal-`, and nothing else of these."""
    with refused("ValidationError"):
        world.balancer(name)
    if name.startswith("internal-"):
        world.group(name)
    else:
        with refused("ValidationError"):
            world.group(name)


def test_where_a_balancer_may_stand(world: Balancing) -> None:
    """F§4.2: subnets that are there, one per zone, two zones for an application load balancer."""
    private, public = world.network.private, world.network.public
    with refused("SubnetNotFound"):
        world.balancer(Subnets=["subnet-0123456789abcdef0"])
    with refused("ValidationError"):
        world.balancer(Subnets=[private[0]])
    with refused("InvalidConfigurationRequest"):
        world.balancer(Subnets=[private[0], public[0]])
    with refused("InvalidSecurityGroup"):
        world.balancer(SecurityGroups=["sg-0123456789abcdef0"])
    world.balancer(kind="network", Subnets=[private[0]])


def test_facing_the_internet_needs_a_way_there(world: Balancing) -> None:
    """F§4.2: a route to an internet gateway."""
    ec2, (one, other) = client("ec2"), world.network.private
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    table = ec2.create_route_table(VpcId=world.network.vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, GatewayId=gateway, DestinationCidrBlock="0.0.0.0/0")
    for subnet in ec2.describe_route_tables(
        Filters=[{"Name": "association.subnet-id", "Values": [one, other]}]
    )["RouteTables"]:
        for association in subnet["Associations"]:
            ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    ec2.associate_route_table(RouteTableId=table, SubnetId=one)
    with refused("InvalidSubnet"):
        world.balancer(Scheme="internet-facing")
    ec2.associate_route_table(RouteTableId=table, SubnetId=other)
    world.balancer(Scheme="internet-facing")


def test_an_application_balancer_without_security_groups_gets_the_vpcs_own(world: Balancing) -> None:
    default = client("ec2").describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [world.network.vpc]},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )["SecurityGroups"]
    assert known(world.balancer())["SecurityGroups"] == [default[0]["GroupId"]]
    assert known(world.balancer("net", "network"))["SecurityGroups"] == []


def test_only_so_many_balancers(world: Balancing) -> None:
    """F§4.2."""
    elb.settings().most_balancers = 1
    world.balancer()
    world.balancer()
    with refused("TooManyLoadBalancers"):
        world.balancer("other")


def test_deleting_a_balancer_takes_all_of_it_along(world: Balancing) -> None:
    """F§4.2: listeners and rules; its groups stay and are free. Once more is no error."""
    balancer, group = world.balancer(), world.group()
    listener = world.listener(balancer)
    rule = world.rule(listener, group)
    for _ in range(2):
        api.delete_load_balancer(LoadBalancerArn=balancer)
    with refused("ListenerNotFound"):
        api.describe_listeners(ListenerArns=[listener])
    with refused("RuleNotFound"):
        api.describe_rules(RuleArns=[rule])
    with refused("LoadBalancerNotFound"):
        known(balancer)
    with refused("LoadBalancerNotFound"):
        api.describe_load_balancers(Names=["front"])
    api.delete_target_group(TargetGroupArn=group)


def test_lists_come_in_pages(world: Balancing) -> None:
    """A page ends where it was told to, and says that there is more."""
    elb.settings().page = 1
    made = {world.balancer("one"), world.balancer("other")}
    pages = list(api.get_paginator("describe_load_balancers").paginate())
    assert [len(page["LoadBalancers"]) for page in pages] == [1, 1]
    assert {page["LoadBalancers"][0]["LoadBalancerArn"] for page in pages} == made


# listeners


def test_a_port_has_one_listener(world: Balancing) -> None:
    """F§4.2; asked for once more as it is, it is given."""
    balancer, group = world.balancer(), world.group()
    listener = world.listener(balancer, group)
    assert world.listener(balancer, group) == listener
    with refused("DuplicateListener"):
        world.listener(balancer)
    other = world.listener(balancer, port=81)
    with refused("DuplicateListener"):
        api.modify_listener(ListenerArn=other, Port=80)


@pytest.mark.parametrize(("kind", "protocol"), [("application", "TCP"), ("network", "HTTP")])
def test_a_listener_speaks_what_its_balancer_speaks(world: Balancing, kind: str, protocol: str) -> None:
    """F§4.2."""
    with refused("ValidationError"):
        world.listener(world.balancer(kind=kind), protocol=protocol)


@pytest.mark.parametrize(
    ("protocol", "fitting"),
    [("TCP", {"TCP", "TCP_UDP"}), ("UDP", {"UDP", "TCP_UDP"}), ("TCP_UDP", {"TCP_UDP"})],
)
def test_a_group_must_fit_its_listener(world: Balancing, protocol: str, fitting: set[str]) -> None:
    """F§4.2."""
    balancer, taken = world.balancer(kind="network"), set()
    for number, other in enumerate(("TCP", "UDP", "TCP_UDP", "TLS", "HTTP")):
        group = world.group(f"web-{number}", other)
        if other in fitting:
            world.listener(balancer, group, port=80 + number, protocol=protocol)
            taken.add(other)
        else:
            with refused("IncompatibleProtocols"):
                world.listener(balancer, group, port=80 + number, protocol=protocol)
    assert taken == fitting


def test_weights_on_a_network_balancer_are_not_everywhere(world: Balancing) -> None:
    """F§4.2."""
    balancer, groups = world.balancer(kind="network"), [world.group("a", "TCP"), world.group("b", "TCP")]
    listener = world.listener(balancer, *groups, protocol="TCP")
    elb.settings().weighted_network = False
    with refused("ValidationError"):
        api.modify_listener(ListenerArn=listener, DefaultActions=[forward(*groups)])


def test_a_listener_that_is_not_there(world: Balancing) -> None:
    """F§4.2: an error even for who deletes it."""
    balancer = world.balancer()
    listener = world.listener(balancer)
    api.delete_listener(ListenerArn=listener)
    with refused("ListenerNotFound"):
        api.delete_listener(ListenerArn=listener)
    with refused("ListenerNotFound"):
        api.describe_rules(ListenerArn=listener)
    assert api.describe_listeners(LoadBalancerArn=balancer)["Listeners"] == []


def test_only_so_many_listeners(world: Balancing) -> None:
    """F§4.2."""
    elb.settings().most_listeners = 1
    balancer = world.balancer()
    world.listener(balancer)
    with refused("TooManyListeners"):
        world.listener(balancer, port=81)


# certificates


def test_tls_needs_a_certificate(world: Balancing) -> None:
    """F§4.2: one that is there."""
    balancer, wanted = world.balancer(), {"port": 443, "protocol": "HTTPS"}
    with refused("ValidationError") as answer:
        world.listener(balancer, **wanted)
    assert answer["Error"]["Message"] == "A certificate must be specified for HTTPS listeners"
    gone = f"arn:aws:acm:eu-west-1:123456789012:certificate/{'0' * 8}"
    with refused("CertificateNotFound"):
        world.listener(balancer, **wanted, Certificates=[{"CertificateArn": gone}])
    arn = certificates.request_certificate(DomainName="a.b")["CertificateArn"]
    listener = world.listener(balancer, **wanted, Certificates=[{"CertificateArn": arn}])
    assert api.describe_listeners(ListenerArns=[listener])["Listeners"][0]["Certificates"] == [
        {"CertificateArn": arn}
    ]


def test_a_certificate_is_in_use_for_as_long_as_its_listener_is_there(world: Balancing) -> None:
    arn, balancer = certificates.request_certificate(DomainName="a.b")["CertificateArn"], world.balancer()
    world.listener(balancer, port=443, protocol="HTTPS", Certificates=[{"CertificateArn": arn}])
    users = [certificates.describe_certificate(CertificateArn=arn)["Certificate"]["InUseBy"]]
    api.delete_load_balancer(LoadBalancerArn=balancer)
    users.append(certificates.describe_certificate(CertificateArn=arn)["Certificate"]["InUseBy"])
    assert users == [[balancer], []]


def test_a_certificate_is_listed_with_its_names_once_it_is_issued(timeline: Timeline) -> None:
    """And whoever ends TLS has its key."""
    acm.settings().validation = 30
    arn = certificates.request_certificate(DomainName="*.a.b", SubjectAlternativeNames=["a.b"])[
        "CertificateArn"
    ]
    assert certificates.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"] == []
    timeline.run_for(30)
    (found,) = certificates.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
    assert (found["CertificateArn"], found["DomainName"], found["Status"]) == (arn, "*.a.b", "ISSUED")
    assert set(found["SubjectAlternativeNameSummaries"]) == {"*.a.b", "a.b"}
    assert b"PRIVATE KEY" in acm.material(arn).key
