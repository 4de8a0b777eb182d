"""`expose plan`: what it says is what is then done; and it does nothing itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.farm import Farm
from tests.integration.commands import codes, expose
from tests.integration.world import become, instances, status

SPACE = "granja.animales.com"
NAME = f"conejo.{SPACE}"


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual() as farm:
        farm.create_namespace(SPACE)
        farm.run_for(1)
        yield farm


def test_what_it_says_is_what_is_then_made_and_then_there_is_nothing_to_do(farm: Farm) -> None:
    farm.create_service("conejo", 2)
    farm.run_for(60)
    farm.tag("conejo", {"expose:dns": NAME})
    foreseen = expose(farm, "plan", "granja/conejo", "--json")
    assert foreseen.status == 1
    assert [change["change"] for change in foreseen.document["changes"]] == ["create"] * 4
    printed = expose(farm, "plan", "granja/conejo").said
    assert f"  + cloudmap.service public/{NAME}/A/{SPACE}" in printed
    assert "granja/conejo: 4 to create" in printed

    become(farm, "Active")
    made = {change["address"] for change in foreseen.document["changes"] if change["task"]}
    assert sorted(made) == farm.resolve(NAME)
    after = expose(farm, "plan", "granja/conejo")
    assert (after.status, after.said) == (0, "granja/conejo: nothing to do\n")
    assert expose(farm, "plan", "granja/conejo", "--json").document["changes"] == []


def test_it_is_the_planner_of_the_functions(farm: Farm) -> None:
    """Where a policy keeps everything back, the stack tells its plan too: the same to the letter."""
    farm.create_service("conejo", 2, tags={"expose:dns": NAME})
    become(farm, "Active")
    farm.tag("conejo", {"expose:dns": f"liebre.{SPACE}", "expose:policy": "observe"})
    farm.run_until(lambda: status(farm)["code"] == "Withheld")
    signs = {"create": "+", "update": "~", "delete": "-"}
    foreseen = expose(farm, "plan", "granja/conejo", "--json").document["changes"]
    assert all(change["withheld"] for change in foreseen)
    lines = [f"{signs[each['change']]} {each['kind']}/{each['key']}" for each in foreseen]
    assert status(farm)["message"].splitlines()[1:] == lines
    assert "8 kept back" in expose(farm, "plan", "granja/conejo").said


def test_drift_is_seen_before_the_stack_sees_it(farm: Farm) -> None:
    farm.create_service("conejo", 2, tags={"expose:dns": NAME})
    become(farm, "Active")
    farm.run_for(60)  # for so long it may be that Cloud Map only does not list it yet
    lost, _ = sorted(instances(farm, NAME))
    services = farm.cloudmap.list_services()["Services"]
    farm.cloudmap.deregister_instance(ServiceId=services[0]["Id"], InstanceId=lost)
    farm.run_until(lambda: lost not in instances(farm, NAME), limit=30)
    (change,) = expose(farm, "plan", "granja/conejo", "--json").document["changes"]
    assert (change["change"], f"x-{change['task']}") == ("create", lost)


def test_with_upsert_only_what_would_be_removed_is_kept_back(farm: Farm) -> None:
    farm.create_service("conejo", 1, tags={"expose:dns": NAME, "expose:policy": "upsert-only"})
    become(farm, "Active")
    farm.untag("conejo", "expose:dns")
    document = expose(farm, "plan", "granja/conejo", "--json").document
    assert {(each["change"], each["withheld"]) for each in document["changes"]} == {("delete", True)}
    assert codes(document["obstacles"]) == ["Withheld"]


def test_what_a_service_left_behind_can_be_planned_when_it_is_gone(farm: Farm) -> None:
    farm.create_service("conejo", 1, tags={"expose:dns": NAME})
    become(farm, "Active")
    farm.ecs.delete_service(cluster="granja", service="conejo", force=True)
    document = expose(farm, "plan", "granja/conejo", "--json").document
    assert {each["change"] for each in document["changes"]} == {"delete"}
