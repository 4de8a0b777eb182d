"""Public addresses in a list that everybody can read: those of the tasks that run, and nobody else's, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest

from farm.aws import addresses
from farm.farm import Farm
from tests.integration.listed import NAME, TAG, entries, expose, parameters, published
from tests.integration.world import become, status

VERIFIED = 130  # seconds in which every exposure is verified, with VerifyMinutes at 1


def test_tasks_are_followed_through_a_rotation_in_both_families() -> None:
    with Farm.virtual(ipv6=True) as farm:
        expose(farm)
        before = published(farm)
        assert before == farm.addresses("conejo")
        assert all(entry["ports"] == {"8080": 8080} and ":" in entry["ipv6"] for entry in entries(farm))
        farm.deploy_new_revision("conejo")
        farm.run_for(200)
        assert published(farm) == farm.addresses("conejo")
        assert not set(before) & set(published(farm))
        told = farm.published("Exposure Changed")[-1]["detail"]
        assert told["addresses"] == sorted(published(farm) + published(farm, family="ipv6"))


def test_the_entry_of_a_task_that_is_to_stop_goes_at_once() -> None:
    with Farm.virtual() as farm:
        expose(farm, count=3)
        task = farm.tasks("conejo")[0]["taskArn"]
        farm.stop_task(task)
        farm.run_for(2)
        assert task.rpartition("/")[2] not in {entry["task"] for entry in entries(farm)}
        assert len(entries(farm)) >= 2


def test_rotating_costs_one_read_one_look_and_one_write_for_all_that_come_or_go() -> None:
    with Farm.virtual() as farm:
        expose(farm, count=8)
        seen = len(farm.calls())
        farm.scale("conejo", 4)
        farm.run_for(100)
        calls = [call.operation for call in farm.calls()[seen:] if call.service == "ssm"]
        assert sorted(calls) == ["GetParameters", "ListTagsForResource", "PutParameter"]
        assert published(farm) == farm.addresses("conejo")


def test_in_bridge_mode_it_is_the_instance_s_address_and_the_bound_port() -> None:
    with Farm.virtual() as farm:
        farm.add_host()
        expose(farm, mode="bridge")
        bound = [one["containers"][0]["networkBindings"][0]["hostPort"] for one in farm.tasks("conejo")]
        assert sorted(entry["ports"]["8080"] for entry in entries(farm)) == sorted(bound)
        (instance,) = [
            each
            for reservation in farm.ec2.describe_instances()["Reservations"]
            for each in reservation["Instances"]
        ]
        assert {entry["ipv4"] for entry in entries(farm)} == {instance["PublicIpAddress"]}


def test_a_list_that_grows_is_continued_in_other_parameters_and_comes_back_into_one() -> None:
    with Farm.virtual(ipv6=True) as farm:
        expose(farm, count=60)
        found = parameters(farm)
        assert sorted(found) == [NAME, f"{NAME}.2"]
        assert all(found.values())
        assert published(farm) == farm.addresses("conejo")
        kept = farm.client("ssm").describe_parameters()["Parameters"]
        assert {one["Tier"] for one in kept} == {"Standard"}
        farm.deploy_new_revision("conejo")
        farm.run_for(400)
        assert published(farm) == farm.addresses("conejo")
        farm.scale("conejo", 2)
        farm.run_for(200)
        assert list(parameters(farm)) == [NAME]
        assert published(farm) == farm.addresses("conejo")


def test_several_tags_are_several_lists_and_each_goes_with_its_tag() -> None:
    with Farm.virtual() as farm:
        farm.create_service("conejo", 40, ports=(8080, 9090), tags={TAG: "8080", f"{TAG}:admin": "9090"})
        become(farm, "Active", tag=TAG)
        become(farm, "Active", tag=f"{TAG}:admin")
        assert {tuple(each["ports"]) for each in entries(farm, f"{NAME}/admin")} == {("9090",)}
        assert published(farm) == published(farm, f"{NAME}/admin") == farm.addresses("conejo")
        farm.untag("conejo", TAG)
        become(farm, "", tag=TAG)
        assert {name.partition(".")[0] for name in parameters(farm)} == {f"{NAME}/admin"}
        farm.untag("conejo", f"{TAG}:admin")
        become(farm, "", tag=f"{TAG}:admin")
        assert not parameters(farm)
        farm.run_for(60)
        assert not [item for item in farm.ledger() if item["pk"].startswith("SERVICE#")]


def test_deleting_the_stack_leaves_nothing() -> None:
    with Farm.virtual(ipv6=True) as farm:
        expose(farm, count=60)
        farm.delete_stack()
        assert not parameters(farm)


@pytest.mark.parametrize("launch_type", ["FARGATE", "EC2"])
def test_tasks_without_a_public_address_are_an_error_that_says_what_to_change(
    launch_type: Literal["FARGATE", "EC2"],
) -> None:
    """F§1.2: tasks on EC2 in awsvpc mode never have one."""
    with Farm.virtual() as farm:
        farm.add_host()
        farm.create_service("conejo", 2, public=False, launch_type=launch_type, tags={TAG: "8080"})
        found = become(farm, "Blocked", tag=TAG)
        assert found["code"] == "NoPublicAddress"
        assert "assignPublicIp=ENABLED" in found["message"]
        assert "awsvpc tasks on EC2 never have one" in found["message"]
        assert not entries(farm)


def test_an_address_that_comes_late_is_published_when_it_comes() -> None:
    """F§1.6: EC2 shows a new interface, and its public address, only after a while."""
    with Farm.virtual() as farm:
        settings = addresses.settings()
        settings.visible_after, settings.public_after = 3.0, 9.0
        expose(farm)
        farm.run_for(30)
        assert published(farm) == farm.addresses("conejo") != []


def test_bad_tags_change_nothing_that_works() -> None:
    with Farm.virtual() as farm:
        expose(farm)
        for value, code in [("80 80", "UnreadableTag"), ("http", "UnreadableTag"), ("9090", "NoPort")]:
            farm.tag("conejo", {TAG: value})
            farm.run_for(5)
            assert status(farm, tag=TAG)["code"] == code
            assert "8080" in status(farm, tag=TAG)["message"]
        farm.deploy_new_revision("conejo")
        farm.run_for(200)
        assert published(farm) == farm.addresses("conejo")


def theirs(farm: Farm, name: str) -> str:
    farm.client("ssm").put_parameter(Name=name, Value="theirs", Type="String")
    return name


def test_somebody_else_s_parameter_is_left_alone_and_told_of() -> None:
    with Farm.virtual() as farm:
        theirs(farm, NAME)
        farm.create_service("conejo", 2, tags={TAG: "8080"})
        found = become(farm, "Blocked", tag=TAG)
        assert found["code"] == "ParameterTaken"
        assert NAME in found["message"]
        farm.run_for(300)
        ssm = farm.client("ssm")
        assert ssm.get_parameter(Name=NAME)["Parameter"]["Value"] == "theirs"
        ssm.delete_parameter(Name=NAME)
        become(farm, "Active", tag=TAG, limit=900)
        assert published(farm) == farm.addresses("conejo")


def test_so_is_one_that_has_the_name_of_a_further_part() -> None:
    with Farm.virtual() as farm:
        expose(farm)
        second = theirs(farm, f"{NAME}.2")
        farm.scale("conejo", 60)
        assert become(farm, "Blocked", tag=TAG)["code"] == "ParameterTaken"
        farm.untag("conejo", TAG)
        become(farm, "", tag=TAG, limit=900)
        ssm = farm.client("ssm")
        kept = ssm.get_parameters_by_path(Path="/expose", Recursive=True)["Parameters"]
        assert [(one["Name"], one["Value"]) for one in kept] == [(second, "theirs")]


def test_and_one_that_took_the_place_of_ours() -> None:
    with Farm.virtual() as farm:
        expose(farm)
        farm.client("ssm").delete_parameter(Name=NAME)
        theirs(farm, NAME)
        farm.deploy_new_revision("conejo")
        become(farm, "Blocked", tag=TAG)
        farm.untag("conejo", TAG)
        become(farm, "", tag=TAG, limit=900)
        assert farm.client("ssm").get_parameter(Name=NAME)["Parameter"]["Value"] == "theirs"


def overwritten(text: str) -> Callable[[Farm], None]:
    def damage(farm: Farm) -> None:
        farm.client("ssm").put_parameter(Name=NAME, Value=text, Overwrite=True)

    return damage


def deleted(farm: Farm) -> None:
    farm.client("ssm").delete_parameter(Name=NAME)


@pytest.mark.parametrize(
    "damage",
    [
        overwritten("[]"),
        overwritten("no JSON"),
        overwritten('[{"task":"0","ipv4":"198.51.100.7","ports":{"8080":8080}}]'),
        overwritten('[ {"evil": "198.51.100.7"} ]'),
        deleted,
    ],
    ids=["emptied", "garbled", "a stranger's address", "an entry of no task", "deleted"],
)
def test_drift_is_repaired_at_the_next_verification(damage: Callable[[Farm], None]) -> None:
    with Farm.virtual(ipv6=True, parameters={"VerifyMinutes": "1"}) as farm:
        expose(farm)
        before = entries(farm)
        damage(farm)
        farm.run_for(VERIFIED)
        assert entries(farm) == before
        assert status(farm, tag=TAG)["status"] == "Active"
        farm.untag("conejo", TAG)
        become(farm, "", tag=TAG)
        assert not parameters(farm)


def test_without_tasks_a_damaged_list_is_repaired_as_well() -> None:
    with Farm.virtual(parameters={"VerifyMinutes": "1"}) as farm:
        expose(farm, count=0)
        overwritten("no JSON")(farm)
        farm.run_for(VERIFIED)
        assert parameters(farm) == {NAME: []}


def test_a_part_that_is_missing_between_others_is_made_again() -> None:
    with Farm.virtual(ipv6=True, parameters={"VerifyMinutes": "1"}) as farm:
        expose(farm, count=80)
        assert f"{NAME}.3" in parameters(farm)
        farm.client("ssm").delete_parameter(Name=f"{NAME}.2")
        farm.run_for(VERIFIED)
        assert published(farm) == farm.addresses("conejo")


def test_a_policy_that_only_observes_makes_no_parameter() -> None:
    with Farm.virtual() as farm:
        farm.create_service("conejo", 2, tags={TAG: "8080", "expose:policy": "observe"})
        farm.run_for(120)
        assert status(farm, tag=TAG)["code"] == "Withheld"
        assert not parameters(farm)
