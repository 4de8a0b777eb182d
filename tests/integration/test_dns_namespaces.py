"""Namespaces: found by the longest suffix, made where the stack may, shared and counted, and those of others left alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from farm.farm import Farm
from tests.integration.world import become, cloudmap_services, instances, kept, status, writes

SPACE = "granja.animales.com"
NAME = f"conejo.{SPACE}"
GRACE = 120


@contextmanager
def making(kind: str = "public") -> Iterator[Farm]:
    """A farm whose stack makes the namespaces that are missing."""
    parameters = {"CreateNamespaces": kind, "GraceSeconds": str(GRACE)}
    with Farm.virtual(parameters=parameters) as farm:
        yield farm


def expose(farm: Farm, service: str, name: str = "", **more: Any) -> None:
    farm.create_service(service, 1, tags={"expose:dns": name or f"{service}.{SPACE}"}, **more)


def spaces(farm: Farm) -> Mapping[str, Any]:
    return {space["Name"]: space for space in farm.cloudmap.list_namespaces()["Namespaces"]}


def test_a_public_namespace_answers_with_public_addresses() -> None:
    with Farm.virtual() as farm:
        farm.create_namespace(SPACE)
        expose(farm, "conejo")
        become(farm, "Active")
        assert farm.resolve(NAME) == farm.addresses("conejo") != []


def test_a_private_namespace_answers_with_private_addresses() -> None:
    with Farm.virtual() as farm:
        farm.create_namespace(SPACE, "private")
        expose(farm, "conejo", public=False)
        become(farm, "Active")
        assert farm.resolve(NAME) == farm.addresses("conejo", public=False) != []


def test_an_http_namespace_has_instances_and_no_dns() -> None:
    with Farm.virtual() as farm:
        farm.create_namespace("granja", "http")
        expose(farm, "conejo", "conejo.granja")
        become(farm, "Active")
        assert "DnsConfig" not in cloudmap_services(farm)["conejo.granja"]
        found = farm.cloudmap.discover_instances(NamespaceName="granja", ServiceName="conejo")["Instances"]
        seen = [each["Attributes"]["AWS_INSTANCE_IPV4"] for each in found]
        assert seen == farm.addresses("conejo", public=False) != []


def test_the_longest_namespace_wins_and_only_whole_labels_count() -> None:
    with Farm.virtual() as farm:
        for name in ("com", "animales.com", SPACE, "ja.animales.com"):
            farm.create_namespace(name, "private")
        expose(farm, "conejo")
        expose(farm, "gallina", "gallina.corral.animales.com")
        become(farm, "Active")
        become(farm, "Active", "gallina")
        assert sorted(cloudmap_services(farm)) == [NAME, "gallina.corral.animales.com"]
        assert cloudmap_services(farm)["gallina.corral.animales.com"]["Name"] == "gallina.corral"
        assert cloudmap_services(farm)[NAME]["Name"] == "conejo"


def test_a_longer_namespace_that_appears_takes_the_name_over() -> None:
    with Farm.virtual(parameters={"VerifyMinutes": "1"}) as farm:
        farm.create_namespace("animales.com")
        expose(farm, "conejo")
        become(farm, "Active")
        farm.create_namespace(SPACE)
        farm.run_for(300)
        assert [each["Name"] for each in cloudmap_services(farm).values()] == ["conejo"]
        assert farm.resolve(NAME) == farm.addresses("conejo") != []
        before = len(farm.calls())
        farm.run_for(180)
        assert writes(farm, before) == []


def test_two_namespaces_of_one_name_are_told_apart_by_ip() -> None:
    with Farm.virtual() as farm:
        farm.create_namespace(SPACE)
        farm.create_namespace(SPACE, "private")
        farm.run_for(1)
        expose(farm, "conejo")
        expose(farm, "gallina", f"gallina.{SPACE} ip=public")
        expose(farm, "oveja", f"oveja.{SPACE} ip=private", public=False)
        refusal = become(farm, "Blocked")
        assert refusal["code"] == "SeveralNamespaces"
        assert "ip=public" in refusal["message"]
        become(farm, "Active", "gallina")
        become(farm, "Active", "oveja")
        homes = {each["Name"]: each["NamespaceId"] for each in cloudmap_services(farm).values()}
        kinds = {space["Id"]: space["Type"] for space in farm.cloudmap.list_namespaces()["Namespaces"]}
        assert {name: kinds[home] for name, home in homes.items()} == {
            "gallina": "DNS_PUBLIC",
            "oveja": "DNS_PRIVATE",
        }


def test_a_namespace_of_the_same_name_that_appears_disturbs_nothing_that_works() -> None:
    with Farm.virtual(parameters={"VerifyMinutes": "1"}) as farm:
        farm.create_namespace(SPACE)
        expose(farm, "conejo")
        become(farm, "Active")
        farm.create_namespace(SPACE, "private")
        farm.run_for(90)
        farm.kill(farm.tasks("conejo")[0]["taskArn"].rpartition("/")[2])
        farm.run_for(90)
        published = [each["AWS_INSTANCE_IPV4"] for each in instances(farm, NAME).values()]
        assert published == farm.addresses("conejo") != []


@pytest.mark.parametrize(
    ("kind", "made", "target"),
    [
        ("public", "DNS_PUBLIC", NAME),
        ("private", "DNS_PRIVATE", "conejo.granja"),
        ("http", "HTTP", "conejo.granja"),
    ],
)
def test_a_missing_namespace_is_made_where_the_stack_may(kind: str, made: str, target: str) -> None:
    with making(kind) as farm:
        expose(farm, "conejo", target)
        become(farm, "Active")
        parent = target.partition(".")[2]
        assert spaces(farm)[parent]["Type"] == made
        addresses = [each["AWS_INSTANCE_IPV4"] for each in instances(farm, target).values()]
        assert addresses == farm.addresses("conejo", public=kind == "public") != []


def test_no_public_namespace_is_made_for_a_bare_top_level() -> None:
    with making() as farm:
        expose(farm, "conejo", "conejo.com")
        assert become(farm, "Blocked")["code"] == "NoNamespace"
        assert spaces(farm) == {}


def test_a_made_namespace_is_shared_and_goes_some_time_after_the_last_one_left() -> None:
    with making() as farm:
        expose(farm, "conejo")
        expose(farm, "gallina")
        become(farm, "Active")
        become(farm, "Active", "gallina")
        assert list(spaces(farm)) == [SPACE]
        assert farm.calls("servicediscovery", "DeleteNamespace") == []

        farm.untag("conejo", "expose:dns")
        become(farm, "", limit=GRACE)
        farm.run_for(2 * GRACE)
        assert farm.resolve(f"gallina.{SPACE}") == farm.addresses("gallina") != []

        farm.untag("gallina", "expose:dns")
        farm.run_for(GRACE - 30)
        assert cloudmap_services(farm) == {}
        assert list(spaces(farm)) == [SPACE]
        become(farm, "", "gallina", limit=2 * GRACE)
        assert spaces(farm) == {}
        farm.run_for(120)
        assert kept(farm) == []


def test_a_namespace_joined_again_by_the_same_service_within_the_grace_is_counted_again() -> None:
    with making() as farm:
        expose(farm, "conejo")
        become(farm, "Active")
        farm.untag("conejo", "expose:dns")
        farm.run_for(GRACE / 2)
        farm.tag("conejo", {"expose:dns": NAME})
        become(farm, "Active")
        expose(farm, "gallina")
        become(farm, "Active", "gallina")

        farm.untag("gallina", "expose:dns")
        become(farm, "", "gallina", limit=4 * GRACE)
        assert farm.calls("servicediscovery", "DeleteNamespace") == []
        assert farm.resolve(NAME) == farm.addresses("conejo") != []
        expose(farm, "oveja")
        become(farm, "Active", "oveja")


def test_a_namespace_joined_by_another_service_within_the_grace_stays() -> None:
    with making() as farm:
        expose(farm, "conejo")
        become(farm, "Active")
        farm.untag("conejo", "expose:dns")
        farm.run_for(GRACE / 2)
        expose(farm, "gallina")
        become(farm, "Active", "gallina")
        become(farm, "", limit=2 * GRACE)
        assert farm.calls("servicediscovery", "DeleteNamespace") == []
        assert farm.resolve(f"gallina.{SPACE}") == farm.addresses("gallina") != []


def test_a_made_namespace_in_which_somebody_else_has_put_a_service_is_not_taken_from_them() -> None:
    with making() as farm:
        expose(farm, "conejo")
        become(farm, "Active")
        farm.cloudmap.create_service(Name="theirs", NamespaceId=spaces(farm)[SPACE]["Id"])
        farm.untag("conejo", "expose:dns")
        farm.run_for(3 * GRACE)
        assert list(cloudmap_services(farm)) == [f"theirs.{SPACE}"]
        assert status(farm)["status"] == "Pending"
        expose(farm, "gallina")
        farm.tag("conejo", {"expose:dns": NAME})
        for service in ("conejo", "gallina"):
            become(farm, "Active", service)
            assert farm.resolve(f"{service}.{SPACE}") == farm.addresses(service) != []


@pytest.mark.parametrize("made", ["no", "public"])
def test_a_namespace_that_somebody_else_made_is_neither_changed_nor_deleted(made: str) -> None:
    with making(made) as farm:
        farm.create_namespace(SPACE)
        farm.run_for(1)
        before = spaces(farm)[SPACE]
        expose(farm, "conejo")
        become(farm, "Active")
        farm.untag("conejo", "expose:dns")
        become(farm, "")
        farm.run_for(2 * GRACE)
        after = spaces(farm)[SPACE]
        assert {**after, "ServiceCount": 0} == {**before, "ServiceCount": 0}
        assert farm.cloudmap.list_tags_for_resource(ResourceARN=after["Arn"])["Tags"] == []
        assert {call.operation for call in writes(farm)} == {
            "CreateService",
            "RegisterInstance",
            "DeregisterInstance",
            "DeleteService",
        }


def test_a_second_private_namespace_of_the_name_in_another_vpc_changes_nothing_for_the_first() -> None:
    """The VPC of the tasks says which is meant, and each of them has the name for itself."""
    with Farm.virtual(parameters={"VerifyMinutes": "1"}) as farm:
        farm.create_namespace("granja.animales.com", "private")
        farm.run_for(5)
        farm.create_service("conejo", 1, public=False, tags={"expose:dns": NAME})
        become(farm, "Active")
        other = farm.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        farm.cloudmap.create_private_dns_namespace(Name="granja.animales.com", Vpc=other)
        farm.run_for(180)
        assert status(farm)["message"] == "1 of 1"

        farm.delete_service("conejo")
        become(farm, "")
        farm.create_service("gallina", 1, public=False, tags={"expose:dns": NAME})
        become(farm, "Active", "gallina")
        (made,) = farm.cloudmap.list_services()["Services"]
        service = farm.cloudmap.get_service(Id=made["Id"])["Service"]
        space = farm.cloudmap.get_namespace(Id=service["NamespaceId"])["Namespace"]
        zone = space["Properties"]["DnsProperties"]["HostedZoneId"]
        vpcs = farm.client("route53").get_hosted_zone(Id=zone)["VPCs"]
        assert [each["VPCId"] for each in vpcs] == [farm.network.vpc]
