"""`expose plan`: what it says is what is then done; and it does nothing itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.farm import Farm
from tests.integration.commands import Answer, codes, expose
from tests.integration.world import become, instances, restack, status

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


@pytest.fixture
def two(farm: Farm) -> Farm:
    farm.create_service("conejo", 5, tags={"expose:dns": NAME})
    farm.create_service("pato", 1, tags={"expose:ip": "8080"})
    become(farm, "Active")
    become(farm, "Active", "pato", "expose:ip")
    return farm


def fates(answer: Answer) -> dict[str, str]:
    return {each["tag"]: each["fate"] for each in answer.document["exposures"]}


def test_of_a_stack_at_rest_nothing_would_change(two: Farm) -> None:
    answer = expose(two, "plan", "--all")
    assert (answer.status, answer.said) == (0, "Of 2 exposures 2 stay as they are\n")
    assert set(fates(expose(two, "plan", "--all", "--json")).values()) == {"stays as it is"}


def test_a_changed_parameter_is_told_by_what_it_then_withdraws(two: Farm) -> None:
    changed = ("--parameter", "AllowedNames=example.com", "--parameter", "AllowedMechanisms=dns,ip")
    foreseen = expose(two, "plan", "--all", *changed, "--json")
    assert foreseen.status == 1
    assert foreseen.document["parameters"] == {"AllowedNames": "example.com", "AllowedMechanisms": "dns,ip"}
    assert fates(foreseen) == {"expose:dns": "would be withdrawn", "expose:ip": "stays as it is"}
    (gone,) = (each for each in foreseen.document["exposures"] if each["changes"])
    assert codes(gone["obstacles"]) == ["NotAllowed"]

    restack(two, AllowedNames="example.com", AllowedMechanisms="dns,ip")
    become(two, "Blocked")
    two.run_for(120)
    done = [call.operation for call in two.calls("servicediscovery", caller="reconcile")]
    assert done.count("DeregisterInstance") == [each["kind"] for each in gone["changes"]].count(
        "cloudmap.instance"
    )
    assert expose(two, "plan", "--all").status == 0


def test_it_reads_the_ledger_only(two: Farm) -> None:
    before = len(two.calls())
    expose(two, "plan", "--all", "--parameter", "AllowedNames=example.com")
    asked = {call.service for call in two.calls()[before:] if call.caller == "user"}
    assert asked == {"cloudformation", "dynamodb", "lambda"}


def test_it_fits_into_eighty_columns(two: Farm) -> None:
    said = expose(two, "plan", "--all", "--parameter", "AllowedNames=example.com", columns=80).said
    assert max(map(len, said.splitlines())) <= 80
    assert said.startswith(
        f"granja/conejo\n  expose:dns = {NAME}\n    would be withdrawn\n    - 5 cloudmap.instance  127."
    )
    assert said.endswith(
        "With AllowedNames=example.com: of 2 exposures 1 would be withdrawn, 1 stays as\nit is\n"
    )


def test_a_tag_that_may_be_had_only_then_is_told_by_what_appears(two: Farm) -> None:
    restack(two, AllowedNames="example.com")
    become(two, "Blocked")
    two.run_for(60)
    allowed = expose(two, "plan", "--all", "--parameter", f"AllowedNames={SPACE}", "--json")
    assert fates(allowed)["expose:dns"] == "would be made"


def test_it_may_be_one_service_too(two: Farm) -> None:
    one = expose(two, "plan", "granja/conejo", "--parameter", "AllowedNames=example.com", "--json")
    assert {each["change"] for each in one.document["changes"]} == {"delete"}
    assert (
        "7 to delete" in expose(two, "plan", "granja/conejo", "--parameter", "AllowedNames=example.com").said
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--all", "--parameter", "AllowedName=a"), "did you mean AllowedNames?"),
        (("--all", "--parameter", "Frobnicate=a"), "expected one of TagPrefix, Policy, AllowedClusters"),
        (
            ("--all", "--parameter", "AllowOpenRoutes=true"),
            "parameter AllowOpenRoutes: expected one of no, yes",
        ),
        (("--all", "--parameter", "ApiPresets=staff"), "parameter ApiPresets: expected `NAME: auth=...`"),
        (("--all", "--parameter", "AllowedNames"), "expected one such as AllowedNames=system.com"),
        (("--all", "--parameter", "Policy=sync", "--parameter", "Policy=observe"), "it is there twice"),
        (("granja/conejo", "--all"), "expected CLUSTER/SERVICE, or --all"),
        ((), "expected CLUSTER/SERVICE, or --all"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_what_to_say(
    two: Farm, arguments: tuple[str, ...], words: str
) -> None:
    answer = expose(two, "plan", *arguments)
    assert answer.status == 2
    assert words in " ".join(answer.complained.split())
