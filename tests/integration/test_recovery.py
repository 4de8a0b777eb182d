"""When the cause of a refusal or a failure goes away, the exposure becomes Active by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from farm.aws import cloudmap
from farm.farm import Farm
from farm.gate import GATE, Fault
from tests.integration.world import become, status

SPACE = "granja.animales.com"
NAME = f"conejo.{SPACE}"
SOON, AT_LAST = 300, 1000


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual() as farm:
        farm.create_namespace(SPACE)
        farm.run_for(1)
        yield farm


def assert_answers(farm: Farm, service: str = "conejo", *, limit: int) -> None:
    become(farm, "Active", service, limit=limit)
    assert farm.resolve(NAME) == farm.addresses(service) != []
    assert farm.published("Exposure Changed")[-1]["detail"]["service"] == farm.arn(service)


def test_a_name_is_taken_over_when_its_holder_leaves(farm: Farm) -> None:
    farm.create_service("conejo", 1, tags={"expose:dns": NAME})
    become(farm, "Active")
    farm.create_service("liebre", 2, tags={"expose:dns": NAME})
    become(farm, "Blocked", "liebre")
    farm.run_for(30)
    assert farm.resolve(NAME) == farm.addresses("conejo")
    farm.untag("conejo", "expose:dns")
    assert_answers(farm, "liebre", limit=SOON)


def test_a_name_is_taken_over_when_its_holder_is_deleted(farm: Farm) -> None:
    farm.create_service("conejo", 1, tags={"expose:dns": NAME})
    become(farm, "Active")
    farm.create_service("liebre", 2, tags={"expose:dns": NAME})
    become(farm, "Blocked", "liebre")
    farm.delete_service("conejo")
    assert_answers(farm, "liebre", limit=SOON)


def test_a_namespace_that_appears_is_used() -> None:
    with Farm.virtual() as farm:
        farm.create_service("conejo", 1, tags={"expose:dns": NAME})
        assert become(farm, "Blocked")["code"] == "NoNamespace"
        farm.run_for(30)
        farm.create_namespace(SPACE)
        assert_answers(farm, limit=SOON)


def test_a_name_is_had_when_somebody_removes_what_was_in_the_way(farm: Farm) -> None:
    space = farm.cloudmap.list_namespaces()["Namespaces"][0]["Id"]
    theirs = farm.cloudmap.create_service(Name="conejo", NamespaceId=space)["Service"]["Id"]
    farm.create_service("conejo", 1, tags={"expose:dns": NAME})
    assert become(farm, "Blocked")["code"] == "NameTaken"
    farm.cloudmap.delete_service(Id=theirs)
    assert_answers(farm, limit=SOON)


def test_a_refusal_of_long_ago_is_still_tried_again(farm: Farm) -> None:
    farm.create_service("conejo", 1, tags={"expose:dns": "conejo.corral.com"})
    become(farm, "Blocked")
    farm.run_for(3000)
    assert status(farm)["status"] == "Blocked"
    farm.create_namespace("corral.com")
    become(farm, "Active", limit=AT_LAST)


def test_a_corrected_tag_is_followed_at_once(farm: Farm) -> None:
    farm.create_service("conejo", 1, tags={"expose:dns": f"{NAME} prot=8080"})
    become(farm, "Invalid")
    farm.tag("conejo", {"expose:dns": f"{NAME} port=8080"})
    assert_answers(farm, limit=30)


def failing_operations(farm: Farm) -> None:
    cloudmap.fail_next("ACCESS_DENIED", "Route 53 says no", kind="REGISTER_INSTANCE", times=2)


def refused_calls(farm: Farm) -> None:
    GATE.faults.append(
        Fault("error", "AccessDeniedException", "servicediscovery", "CreateService", nth={1, 2})
    )


@pytest.mark.parametrize("trouble", [failing_operations, refused_calls])
def test_what_failed_is_told_and_tried_again(farm: Farm, trouble: Callable[[Farm], None]) -> None:
    trouble(farm)
    farm.create_service("conejo", 1, tags={"expose:dns": NAME})
    failure = become(farm, "Failed")
    for said in ("expose:dns", NAME):
        assert said in failure["message"]
    assert [event["detail"]["tag"] for event in farm.published("Exposure Failed")] == ["expose:dns"]
    assert_answers(farm, limit=SOON)


def test_a_look_up_that_failed_is_no_answer() -> None:
    """It must not pass for `there is no such namespace`, and have one made."""
    with Farm.virtual(parameters={"CreateNamespaces": "public"}) as farm:
        farm.create_namespace("animales.com")
        farm.run_for(1)
        GATE.faults.append(
            Fault("error", "AccessDeniedException", "servicediscovery", "ListNamespaces", nth=1)
        )
        farm.create_service("conejo", 1, tags={"expose:dns": NAME})
        become(farm, "Failed")
        assert_answers(farm, limit=SOON)
        assert [space["Name"] for space in farm.cloudmap.list_namespaces()["Namespaces"]] == ["animales.com"]
