"""What carries our mark and is in no ledger: found, looked at in full at once, told; and what nobody asks for goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from farm.farm import Farm
from tests.integration.listed import parameters, published
from tests.integration.world import become, cloudmap_services, instances, kept, status

NAME = "conejo.granja.animales.com"
DNS, IP, LB = "expose:dns", "expose:ip", "expose:lb"
TAGS = {DNS: NAME, IP: "8080", LB: "internal:8000 path=/a"}
FAST = {"GraceSeconds": "0", "CreateLoadBalancers": "any"}
SWEEP = 65  # seconds: one sweep, and what it queues
HALF_AN_HOUR = 1800


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(parameters=FAST) as farm:
        farm.create_namespace("granja.animales.com")
        farm.run_for(5)
        yield farm


def expose(farm: Farm, tag: str, service: str = "conejo", **more: str) -> None:
    farm.create_service(service, 2, tags={tag: TAGS[tag], **more})
    become(farm, "Active", service, tag, limit=300)
    farm.run_for(SWEEP)


def lose_the_ledger(farm: Farm) -> None:
    """All of it, between two sweeps; and from now on nobody tells anything."""
    farm.bus.lose(lambda event: True)
    farm.run_for(SWEEP - farm.timeline.now() % 60)
    table = farm._deployed().deployment.ref("Ledger")
    client = farm.client("dynamodb")
    for item in farm.ledger():
        client.delete_item(TableName=table, Key={key: {"S": item[key]} for key in ("pk", "sk")})


def named(farm: Farm) -> Sequence[str]:
    return farm.resolve(NAME)


def listed(farm: Farm) -> Sequence[str]:
    return published(farm)


def balanced(farm: Farm) -> Sequence[str]:
    groups = farm.elb.describe_target_groups()["TargetGroups"]
    found = [farm.targets(each["TargetGroupArn"]) for each in groups]
    return sorted(address for each in found for (address, _), state in each.items() if state != "draining")


LOOKS: dict[str, Callable[[Farm], Sequence[str]]] = {DNS: named, IP: listed, LB: balanced}


@pytest.mark.parametrize("policy", ["sync", "upsert-only"])
@pytest.mark.parametrize("tag", TAGS)
def test_stale_addresses_of_a_ledger_that_was_lost_go_with_the_first_look(
    farm: Farm, tag: str, policy: str
) -> None:
    expose(farm, tag, **{"expose:policy": policy})
    lose_the_ledger(farm)
    dead = farm.tasks("conejo")[0]["taskArn"].rpartition("/")[2]
    farm.kill(dead)
    farm.run_for(1)
    before = LOOKS[tag](farm)
    assert farm.run_until(
        lambda: LOOKS[tag](farm) == farm.addresses("conejo", public=tag != LB) != [], limit=180
    )
    assert len(before) == 2
    (told, *_) = [event["detail"] for event in farm.published("Resource Adopted")]
    assert (told["service"], told["tag"]) == (farm.arn("conejo"), tag)
    assert '"ResourcesAdopted":' in "".join(farm.logs["reconcile"])


def test_what_is_made_anew_adopts_nothing(farm: Farm) -> None:
    for tag in TAGS:
        expose(farm, tag, f"conejo-{tag[-2:]}")
    farm.run_for(HALF_AN_HOUR)
    assert farm.published("Resource Adopted") == []
    assert [one for one in farm.ledger() if one["pk"] == "AUDIT#orphans"] == []


@pytest.mark.parametrize("tag", [DNS, IP])
def test_what_belongs_to_nobody_is_withdrawn_after_two_looks(farm: Farm, tag: str) -> None:
    expose(farm, tag)
    lose_the_ledger(farm)
    farm.untag("conejo", tag)
    farm.run_for(SWEEP)
    assert cloudmap_services(farm) or parameters(farm), "never on one answer"
    farm.run_for(HALF_AN_HOUR)
    assert (cloudmap_services(farm), parameters(farm), kept(farm)) == ({}, {}, [])
    told = [each for each in farm.published("Public Address Audit") if each["detail"]["kind"] == "orphan"]
    assert [each["detail"]["state"] for each in told] == ["open", "closed"]
    assert farm.arn("conejo") == told[0]["detail"]["service"]


@pytest.mark.parametrize("owner", ["ecs-expose-2/granja/conejo/expose:dns", "ecs-expose-2", ""])
def test_what_carries_another_stack_s_mark_or_none_is_not_looked_at(farm: Farm, owner: str) -> None:
    space = farm.cloudmap.list_namespaces()["Namespaces"][0]["Id"]
    tags: Any = [{"Key": "ecs-expose:owner", "Value": owner}] if owner else []
    farm.cloudmap.create_service(Name="theirs", NamespaceId=space, Tags=tags)
    farm.run_for(HALF_AN_HOUR)
    assert list(cloudmap_services(farm)) == ["theirs.granja.animales.com"]
    assert farm.published("Public Address Audit") == kept(farm) == []


def test_a_shared_thing_that_belongs_to_nobody_is_told_and_left(farm: Farm) -> None:
    """Its mark does not say whose it was."""
    expose(farm, LB)
    lose_the_ledger(farm)
    farm.untag("conejo", LB)
    farm.run_for(HALF_AN_HOUR)
    told = [each["detail"]["subject"] for each in farm.published("Public Address Audit")]
    assert any(":loadbalancer/" in arn for arn in told)
    assert farm.elb.describe_load_balancers()["LoadBalancers"]


def test_what_was_made_late_beside_what_is_owned_goes_with_the_verification(farm: Farm) -> None:
    """A creation that took effect after its claim was given up."""
    expose(farm, DNS)
    space = farm.cloudmap.list_namespaces()["Namespaces"][0]["Id"]
    mark = "ecs-expose/granja/conejo/expose:dns"
    late = farm.cloudmap.create_service(
        Name="liebre", NamespaceId=space, Tags=[{"Key": "ecs-expose:owner", "Value": mark}]
    )["Service"]["Id"]
    farm.cloudmap.register_instance(
        ServiceId=late,
        InstanceId="x-0a1b",
        Attributes={"AWS_INSTANCE_IPV4": "3.80.1.2", "EXPOSE_OWNER": mark},
    )
    farm.run_for(3 * HALF_AN_HOUR)
    assert list(cloudmap_services(farm)) == [NAME]
    assert len(instances(farm, NAME)) == 2
    assert status(farm)["status"] == "Active"
