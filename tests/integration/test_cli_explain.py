"""`expose explain`: whatever keeps a service from being reachable is named, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.farm import Farm
from farm.gate import GATE, Fault
from tests.integration.commands import codes, expose, told
from tests.integration.world import become, instances

SPACE = "granja.animales.com"
NAME = f"conejo.{SPACE}"


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual() as farm:
        farm.create_namespace(SPACE)
        farm.run_for(1)
        yield farm


def test_what_is_as_asked_is_told_from_the_tag_to_the_tasks(farm: Farm) -> None:
    farm.create_service("conejo", 2, tags={"expose:dns": f"{NAME} ttl=5"})
    become(farm, "Active")
    _, tag = told(farm, "conejo")
    assert tag["reading"] == {
        "mechanism": "dns",
        "target": NAME,
        "options": {"ttl": 5},
        "defaults": ["container", "ip", "port", "type"],
    }
    assert (tag["status"], tag["steps"], tag["obstacles"]) == ("Active", [], [])
    assert {piece["state"] for piece in tag["pieces"]} == {"there"}
    made = [piece for piece in tag["pieces"] if piece["kind"] == "cloudmap.instance"]
    assert {piece["aws_id"] for piece in made} == set(instances(farm, NAME))
    assert sorted(piece["address"] for piece in made) == farm.addresses("conejo")
    said = expose(farm, "explain", "granja/conejo").words
    for word in (
        f"dns {NAME} ttl=5",
        "as asked, 2 of 2",
        "expose:dns published",
        "tasks: 2 wanted, 2 there, 2 ready",
    ):
        assert word in said


def test_a_tag_that_was_just_set_will_be_seen(farm: Farm) -> None:
    farm.create_service("conejo", 1)
    farm.run_for(60)
    farm.tag("conejo", {"expose:dns": NAME})
    status, tag = told(farm, "conejo")
    assert status == 1
    assert (tag["status"], codes(tag["obstacles"])) == (None, ["NotSeen"])
    assert {piece["state"] for piece in tag["pieces"]} == {"missing"}


def test_a_service_without_tags_is_told_which_there_are(farm: Farm) -> None:
    farm.create_service("conejo", 1, tags={"exposed:dns": NAME, "equipo": "verde"})
    farm.run_for(60)
    answer = expose(farm, "explain", "granja/conejo")
    assert answer.status == 1
    assert "no tag of this service begins with expose:" in answer.words
    assert "'exposed:dns' comes near" in answer.words
    assert "equipo" not in answer.words
    assert "expose:dns = conejo.granja.animales.com port=8080 ttl=15" in answer.words


@pytest.mark.parametrize(
    ("tag", "value", "code", "says"),
    [
        (
            "expose:dns",
            f"{NAME} tll=5",
            "UnreadableTag",
            "unknown option 'tll', expected one of container, ip",
        ),
        ("expose:dsn", NAME, "UnknownMechanism", "unknown mechanism 'dsn', expected one of api, dns"),
        ("expose:dns", "conejo.corral.com", "NoNamespace", "create namespace corral.com"),
        ("expose:dns", f"{NAME} port=9", "NoPort", "port=9"),
    ],
)
def test_a_tag_that_cannot_be_followed_tells_what_to_write(
    farm: Farm, tag: str, value: str, code: str, says: str
) -> None:
    farm.create_service("conejo", 1, tags={tag: value})
    farm.run_for(60)
    status, seen = told(farm, "conejo", tag)
    assert status == 1
    assert seen["obstacles"][0]["code"] == code
    assert says in seen["obstacles"][0]["message"]
    assert says in expose(farm, "explain", "granja/conejo").words


def test_a_value_that_cannot_be_had_leaves_the_one_before_in_force_and_says_so(farm: Farm) -> None:
    farm.create_service("conejo", 1, tags={"expose:dns": NAME})
    become(farm, "Active")
    farm.tag("conejo", {"expose:dns": f"{NAME} tll=5"})
    become(farm, "Invalid")
    _, tag = told(farm, "conejo")
    assert (tag["follows"], codes(tag["obstacles"])) == (NAME, ["UnreadableTag"])
    assert {piece["state"] for piece in tag["pieces"]} == {"there"}
    assert f"follows {NAME}" in expose(farm, "explain", "granja/conejo").words


def test_a_name_that_another_service_holds_is_told_with_the_holder(farm: Farm) -> None:
    """Before the stack has tried, and after."""
    farm.create_service("conejo", 1, tags={"expose:dns": NAME})
    become(farm, "Active")
    farm.create_service("gallina", 1)
    farm.run_for(30)
    farm.tag("gallina", {"expose:dns": NAME})
    for _ in range(2):
        _, tag = told(farm, "gallina")
        assert tag["obstacles"][0]["code"] == "NameTaken"
        assert "ecs-expose/granja/conejo/expose:dns" in tag["obstacles"][0]["message"]
        become(farm, "Blocked", "gallina")


def test_tasks_that_are_not_ready_are_told_with_the_reason(farm: Farm) -> None:
    farm.create_service("conejo", 2, tags={"expose:dns": NAME}, checked=True)
    farm.run_until(lambda: len(farm.tasks("conejo")) == 2)
    farm.run_until(lambda: all(task["lastStatus"] == "RUNNING" for task in farm.tasks("conejo")))
    _, tag = told(farm, "conejo")
    assert tag["obstacles"][0]["code"] == "NoTaskReady"
    assert "health check does not say HEALTHY" in tag["obstacles"][0]["message"]


def test_a_service_that_wants_no_tasks_is_told_so(farm: Farm) -> None:
    farm.create_service("conejo", 0, tags={"expose:dns": NAME})
    farm.run_for(60)
    _, tag = told(farm, "conejo")
    assert codes(tag["obstacles"]) == ["NoTaskWanted"]


def test_what_a_policy_keeps_back_is_told_with_the_policy(farm: Farm) -> None:
    farm.create_service("conejo", 1, tags={"expose:dns": NAME, "expose:policy": "observe"})
    farm.run_for(60)
    _, tag = told(farm, "conejo")
    assert tag["policy"] == "observe"
    assert codes(tag["obstacles"]) == ["Withheld"]
    assert all(step["withheld"] for step in tag["steps"])


def test_a_cluster_that_is_not_allowed_is_told_with_the_parameter() -> None:
    with Farm.virtual(parameters={"AllowedClusters": "corral"}) as farm:
        farm.create_service("conejo", 1, tags={"expose:dns": NAME})
        farm.run_for(60)
        answer = expose(farm, "explain", "granja/conejo")
        assert answer.status == 1
        assert "AllowedClusters" in answer.words
        assert "'granja' is not allowed here: expected one of corral" in answer.words


def test_what_one_may_not_read_is_told_and_the_rest_is_shown(farm: Farm) -> None:
    farm.create_service("conejo", 1, tags={"expose:dns": NAME})
    become(farm, "Active")
    GATE.faults.append(Fault("error", "AccessDeniedException", service="servicediscovery"))
    status, tag = told(farm, "conejo")
    assert status == 1
    assert codes(tag["obstacles"]) == ["AccessDeniedException"]
    assert {piece["state"] for piece in tag["pieces"]} == {"not seen"}
    assert tag["addresses"] == farm.addresses("conejo")
