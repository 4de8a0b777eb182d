"""A list of the stack is narrowed: what it no longer allows is withdrawn within two minutes, with no event, and told so.

What a changed tag newly asks for and may not have changes nothing that works, for as long as that is still allowed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.farm import Farm
from tests.integration.guarded import FAST, TAG, create_function, expose, gateway, inventory
from tests.integration.world import become, cloudmap_services, restack, status

SPACE = "granja.animales.com"
NAME, OTHER = f"conejo.{SPACE}", f"liebre.{SPACE}"
SOON = 120  # seconds: two sweeps


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(
        parameters={**FAST, "CreateLoadBalancers": "internal", "AllowOpenRoutes": "yes"}
    ) as farm:
        farm.create_namespace(SPACE)
        farm.run_for(1)
        yield farm


def publish(farm: Farm, value: str = NAME, **more: str) -> None:
    farm.create_service("conejo", 2, tags={"expose:dns": value, **more})
    become(farm, "Active")
    assert farm.resolve(NAME)


def balanced(farm: Farm) -> list[str]:
    return [each["TargetGroupName"] for each in farm.client("elbv2").describe_target_groups()["TargetGroups"]]


def test_names(farm: Farm) -> None:
    publish(farm)
    restack(farm, AllowedNames="example.com")
    farm.run_for(SOON)
    assert farm.resolve(NAME) == []
    assert cloudmap_services(farm) == {}
    assert (status(farm)["status"], status(farm)["code"]) == ("Blocked", "NotAllowed")
    told = [event["detail"] for event in farm.published("Exposure Blocked")]
    assert [each["code"] for each in told] == ["NotAllowed"]
    restack(farm, AllowedNames="*")
    become(farm, "Active")
    assert farm.resolve(NAME) == farm.addresses("conejo")


def test_mechanisms(farm: Farm) -> None:
    publish(farm)
    restack(farm, AllowedMechanisms="lb,api")
    farm.run_for(SOON)
    assert cloudmap_services(farm) == {}
    assert status(farm)["code"] == "NotAllowed"


def test_clusters(farm: Farm) -> None:
    publish(farm)
    restack(farm, AllowedClusters="corral")
    farm.run_for(SOON)
    assert cloudmap_services(farm) == {}
    assert status(farm) == {}
    assert status(farm, tag="expose:*")["code"] == "NotAllowed"


def test_a_cluster_that_is_not_allowed_is_withdrawn_though_its_policy_cannot_be_read(farm: Farm) -> None:
    publish(farm)
    farm.tag("conejo", {"expose:policy": "sinc"})
    farm.run_for(60)
    restack(farm, AllowedClusters="corral")
    farm.run_for(SOON)
    assert cloudmap_services(farm) == {}


def test_load_balancers(farm: Farm) -> None:
    farm.create_service("conejo", 1, public=False, tags={"expose:lb": "internal host=conejo.com"})
    become(farm, "Active", tag="expose:lb")
    restack(farm, AllowedLoadBalancers="granja-*")
    farm.run_for(SOON)
    assert balanced(farm) == []
    assert status(farm, tag="expose:lb")["code"] == "NotAllowed"


def test_apis(farm: Farm) -> None:
    create_function(farm)
    api = gateway(farm).create_api(Name="theirs", ProtocolType="HTTP")["ApiId"]
    gateway(farm).create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    expose(farm, f"/orders auth=iam api={api}")
    assert gateway(farm).get_routes(ApiId=api)["Items"]
    restack(farm, AllowedApis="none")
    farm.run_for(SOON)
    assert gateway(farm).get_routes(ApiId=api)["Items"] == []
    assert status(farm, tag=TAG)["code"] == "NotAllowed"


def test_presets(farm: Farm) -> None:
    restack(farm, ApiPresets="staff: auth=iam")
    expose(farm, "/orders auth=@staff")
    restack(farm, ApiPresets="")
    farm.run_for(SOON)
    assert not [name for name in inventory(farm) if name.startswith(("routes", "integrations"))]
    assert status(farm, tag=TAG)["code"] == "NoPreset"


def test_a_changed_tag_that_may_not_be_had_changes_nothing_that_may(farm: Farm) -> None:
    publish(farm)
    restack(farm, AllowedNames=NAME)
    farm.run_for(SOON)
    farm.tag("conejo", {"expose:dns": OTHER})
    farm.run_for(SOON)
    assert status(farm)["code"] == "NotAllowed"
    farm.deploy_new_revision("conejo")
    farm.run_for(SOON)
    assert farm.resolve(NAME) == farm.addresses("conejo") != []


@pytest.mark.parametrize("value", [OTHER, f"{NAME} tll=5"])
def test_what_is_followed_instead_is_withdrawn_when_it_is_not_allowed_any_more_and_never_comes_back(
    farm: Farm, value: str
) -> None:
    publish(farm)
    restack(farm, AllowedNames=NAME)
    farm.tag("conejo", {"expose:dns": value})
    farm.run_for(SOON)
    assert farm.resolve(NAME)
    restack(farm, AllowedNames="example.com")
    farm.run_for(SOON)
    assert cloudmap_services(farm) == {}
    told = [event["detail"]["message"] for event in farm.published("Exposure Blocked")]
    assert "what it asked for before is withdrawn" in told[-1]
    restack(farm, AllowedNames=NAME)
    farm.run_for(1000)
    assert cloudmap_services(farm) == {}


def test_what_is_not_allowed_does_not_wait_for_what_is_asked_for_instead() -> None:
    """A load balancer takes minutes, in which the old way in may not stay."""
    with Farm.virtual(parameters={**FAST, "CreateLoadBalancers": "any"}) as farm:
        farm.create_service("conejo", 1, public=False, tags={"expose:lb": "internal host=conejo.com"})
        become(farm, "Active", tag="expose:lb", limit=200)
        restack(farm, AllowedLoadBalancers="internet-facing")
        farm.tag("conejo", {"expose:lb": "internet-facing host=conejo.com"})
        assert farm.run_until(lambda: schemes(farm) == ["internet-facing"], limit=100)
        assert status(farm, tag="expose:lb")["status"] == "Pending"
        become(farm, "Active", tag="expose:lb", limit=200)


def schemes(farm: Farm) -> list[str]:
    return sorted(each["Scheme"] for each in farm.client("elbv2").describe_load_balancers()["LoadBalancers"])


@pytest.mark.parametrize(("policy", "left"), [("sync", 0), ("upsert-only", 2), ("observe", 2)])
def test_a_policy_that_deletes_nothing_keeps_what_is_not_allowed(farm: Farm, policy: str, left: int) -> None:
    publish(farm, **{"expose:policy": "sync"})
    farm.tag("conejo", {"expose:policy": policy})
    farm.run_for(60)
    restack(farm, AllowedNames="example.com")
    farm.run_for(SOON)
    assert len(farm.resolve(NAME)) == left


def test_a_stack_at_rest_is_not_looked_at_again_and_one_that_is_updated_once(farm: Farm) -> None:
    publish(farm)
    farm.run_for(SOON)

    def looks() -> int:
        return len(farm.calls("dynamodb", "Query", "reconcile"))

    before = looks()
    farm.run_for(300)
    assert looks() == before
    restack(farm, AllowedNames="*,example.com")
    farm.run_for(300)
    assert looks() == before + 1
