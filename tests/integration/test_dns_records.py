"""Records: every option of a `dns` tag, every way a task can have an address, and what happens when they change."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from farm.farm import Farm
from farm.pace import FAST
from tests.integration.world import become, cloudmap_services, instances, status, writes

SPACE = "granja.animales.com"
NAME = f"conejo.{SPACE}"


def expose(farm: Farm, value: str = NAME, count: int = 2, service: str = "conejo", **more: Any) -> None:
    farm.create_namespace(SPACE)
    farm.run_for(1)
    farm.create_service(service, count, tags={"expose:dns": value}, **more)
    become(farm, "Active", service)


def retag(farm: Farm, value: str, service: str = "conejo") -> None:
    farm.tag(service, {"expose:dns": value})
    farm.run_for(40)
    assert status(farm, service)["status"] == "Active", status(farm, service)["message"]


def records(farm: Farm, name: str = NAME) -> dict[str, int]:
    """The record types of a name and their TTLs."""
    found = cloudmap_services(farm)[name]["DnsConfig"]["DnsRecords"]
    return {record["Type"]: record["TTL"] for record in found}


def attribute(farm: Farm, key: str, name: str = NAME) -> list[str]:
    return sorted(each.get(key, "") for each in instances(farm, name).values())


def look_at_everything(farm: Farm) -> None:
    """As the verification of the sweep asks for it."""
    assert farm.lambdas
    work = {"service": farm.arn("conejo"), "reason": "verification", "depth": 3}
    farm.client("sqs").send_message(
        QueueUrl=farm.lambdas.deployment.ref("WorkQueue"),
        MessageBody=json.dumps(work),
        MessageGroupId="test",
        MessageDeduplicationId=f"test-{farm.timeline.now()}",
    )
    farm.run_for(5)


def test_ip_says_which_addresses_and_can_change_its_mind() -> None:
    with Farm.virtual() as farm:
        expose(farm, f"{NAME} ip=private")
        assert farm.resolve(NAME) == farm.addresses("conejo", public=False)
        retag(farm, f"{NAME} ip=public")
        assert farm.resolve(NAME) == farm.addresses("conejo")
        assert {call.operation for call in writes(farm)} == {"CreateService", "RegisterInstance"}


def test_instances_carry_what_ecs_writes_and_our_mark() -> None:
    with Farm.virtual() as farm:
        expose(farm)
        tasks = {task["taskArn"].rpartition("/")[2]: task for task in farm.tasks("conejo")}
        found = instances(farm, NAME)
        assert sorted(found) == sorted(f"x-{task}" for task in tasks)
        for id_, attributes in found.items():
            assert attributes.pop("AWS_INSTANCE_IPV4") in farm.addresses("conejo")
            assert attributes.pop("EXPOSE_OWNER").endswith("/granja/conejo/expose:dns")
            assert attributes == {
                "AWS_INSTANCE_PORT": "8080",
                "AVAILABILITY_ZONE": tasks[id_.removeprefix("x-")]["availabilityZone"],
                "REGION": "eu-west-1",
                "ECS_CLUSTER_NAME": "granja",
                "ECS_SERVICE_NAME": "conejo",
                "ECS_TASK_DEFINITION_FAMILY": "conejo",
            }


def test_a_changed_ttl_is_updated_in_place() -> None:
    with Farm.virtual() as farm:
        expose(farm)
        assert records(farm) == {"A": 15}
        made = cloudmap_services(farm)[NAME]["CreateDate"]
        retag(farm, f"{NAME} ttl=300")
        assert records(farm) == {"A": 300}
        assert cloudmap_services(farm)[NAME]["CreateDate"] == made
        assert len(farm.calls("servicediscovery", "CreateService")) == 1
        assert farm.calls("servicediscovery", "DeregisterInstance") == []
        assert farm.resolve(NAME) == farm.addresses("conejo")


def test_port_and_container_choose_among_several() -> None:
    with Farm.virtual() as farm:
        expose(farm, f"{NAME} port=8443", service="cabra", ports=(8080, 8443))
        assert attribute(farm, "AWS_INSTANCE_PORT") == ["8443", "8443"]
        retag(farm, f"{NAME} port=8080 container=web", "cabra")
        assert attribute(farm, "AWS_INSTANCE_PORT") == ["8080", "8080"]


def test_a_port_may_be_named_where_the_task_definition_maps_none() -> None:
    with Farm.virtual() as farm:
        expose(farm, NAME, service="oveja", ports=())
        assert attribute(farm, "AWS_INSTANCE_PORT") == ["", ""]
        retag(farm, f"{NAME} port=9000 type=SRV", "oveja")
        assert attribute(farm, "AWS_INSTANCE_PORT") == ["9000", "9000"]


@pytest.mark.parametrize("kind", ["A", "AAAA", "A+AAAA", "SRV"])
def test_every_type_of_record_answers(kind: str) -> None:
    with Farm.virtual(ipv6=True) as farm:
        expose(farm, f"{NAME} type={kind}")
        details = [one for task in farm.tasks("conejo") for one in task["attachments"][0]["details"]]
        ipv6 = sorted(one["value"] for one in details if one["name"] == "ipv6Address")
        answers = {"A": farm.addresses("conejo"), "AAAA": ipv6}
        assert len(ipv6) == 2
        assert list(records(farm)) == kind.split("+")
        for record, addresses in answers.items():
            assert farm.resolve(NAME, record) == (addresses if record in kind.split("+") else [])
        if kind == "SRV":
            targets = [answer.split() for answer in farm.resolve(NAME, "SRV")]
            assert [port for _, _, port, _ in targets] == ["8080", "8080"]
            behind = [address for *_, target in targets for address in farm.resolve(target)]
            assert sorted(behind) == farm.addresses("conejo")


def test_a_changed_type_replaces_the_cloud_map_service() -> None:
    with Farm.virtual() as farm:
        expose(farm)
        retag(farm, f"{NAME} type=SRV ttl=5")
        assert records(farm) == {"SRV": 5}
        assert len(farm.resolve(NAME, "SRV")) == 2
        retag(farm, NAME)
        assert records(farm) == {"A": 15}
        assert farm.resolve(NAME) == farm.addresses("conejo")


def test_several_labels_on_one_service_are_several_names() -> None:
    admin = f"admin.{SPACE}"
    with Farm.virtual() as farm:
        expose(farm, f"{NAME} port=8443", service="cabra", ports=(8080, 8443))
        farm.tag("cabra", {"expose:dns:admin": f"{admin} ip=private port=8080"})
        become(farm, "Active", "cabra", "expose:dns:admin")
        assert farm.resolve(NAME) == farm.addresses("cabra")
        assert farm.resolve(admin) == farm.addresses("cabra", public=False)
        assert attribute(farm, "AWS_INSTANCE_PORT", admin) == ["8080", "8080"]
        farm.untag("cabra", "expose:dns")
        become(farm, "", "cabra")
        farm.scale("cabra", 3)
        farm.run_for(30)
        assert list(cloudmap_services(farm)) == [admin]
        assert farm.resolve(admin) == farm.addresses("cabra", public=False)
        assert len(farm.resolve(admin)) == 3


def test_ec2_tasks_with_an_interface_of_their_own_have_private_addresses_only() -> None:
    with Farm.virtual() as farm:
        farm.add_host()
        expose(farm, f"{NAME} ip=private", service="asno", launch_type="EC2", public=False)
        assert farm.resolve(NAME) == farm.addresses("asno", public=False) != []


@pytest.mark.parametrize("ip", ["public", "private"])
def test_tasks_in_bridge_mode_answer_at_their_hosts_with_the_ports_they_were_given(ip: str) -> None:
    with Farm.virtual() as farm:
        farm.add_host()
        expose(farm, f"{NAME} type=SRV ip={ip}", count=3, service="vaca", mode="bridge")
        bindings = [one for task in farm.tasks("vaca") for one in task["containers"][0]["networkBindings"]]
        ports = sorted(str(one["hostPort"]) for one in bindings)
        assert attribute(farm, "AWS_INSTANCE_PORT") == ports
        assert len(set(ports)) == 3
        assert set(attribute(farm, "AWS_INSTANCE_IPV4")) == hosts(farm, ip)


def test_tasks_in_host_mode_answer_at_their_hosts_with_their_own_port() -> None:
    with Farm.virtual() as farm:
        farm.add_host()
        farm.add_host()
        expose(farm, service="mula", mode="host")
        assert attribute(farm, "AWS_INSTANCE_PORT") == ["8080", "8080"]
        assert set(farm.resolve(NAME)) == hosts(farm, "public")
        assert len(farm.resolve(NAME)) == 2


def hosts(farm: Farm, ip: str) -> set[str]:
    """The addresses of the EC2 instances."""
    found = [one for group in farm.ec2.describe_instances()["Reservations"] for one in group["Instances"]]
    return {one["PublicIpAddress" if ip == "public" else "PrivateIpAddress"] for one in found}


def test_a_task_with_a_health_check_is_published_once_it_is_healthy() -> None:
    with Farm.virtual(pace=replace(FAST, healthy=20.0)) as farm:
        farm.create_namespace(SPACE)
        farm.create_service("pavo", 2, tags={"expose:dns": NAME}, checked=True)
        assert farm.run_until(lambda: len(farm.addresses("pavo")) == 2)
        farm.run_for(10)
        assert farm.resolve(NAME) == []
        assert status(farm, "pavo")["code"] == "NoTaskReady"
        become(farm, "Active", "pavo")
        farm.run_for(20)
        assert farm.resolve(NAME) == farm.addresses("pavo")
        assert len(farm.resolve(NAME)) == 2


def test_a_renamed_exposure_is_open_under_the_new_name_before_the_old_one_closes() -> None:
    new = f"liebre.{SPACE}"
    with Farm.virtual() as farm:
        expose(farm, count=4)
        addresses = farm.addresses("conejo")
        farm.tag("conejo", {"expose:dns": new})
        seen: set[tuple[bool, bool]] = set()
        complete = lambda name: farm.resolve(name) == addresses  # noqa: E731
        farm.run_until(lambda: bool(seen.add((complete(NAME), complete(new)))), limit=60)
        assert (True, True) in seen
        assert (False, False) not in seen
        assert farm.resolve(NAME) == []
        assert farm.resolve(new) == addresses
        assert list(cloudmap_services(farm)) == [new]


@pytest.mark.parametrize("value", [NAME, f"{NAME} ip=private type=SRV port=8080 ttl=60"])
def test_looking_at_everything_again_changes_nothing(value: str) -> None:
    with Farm.virtual() as farm:
        expose(farm, value)
        done, told = len(farm.calls()), len(farm.published())
        look_at_everything(farm)
        assert [call.operation for call in farm.calls(operation="ListInstances", caller="reconcile")]
        assert writes(farm, done) == []
        assert len(farm.published()) == told
