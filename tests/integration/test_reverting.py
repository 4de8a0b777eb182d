"""What is known of a task and changes without any event: seen within a minute, at the cost of a call for a hundred tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto.ecs.models import ecs_backends

from farm.aws import ACCOUNT, REGION
from farm.aws.ecs import set_health, tasks_of
from farm.farm import Farm
from farm.pace import FAST
from tests.integration.balanced import TAG, put_behind
from tests.integration.world import become, instances, status

NAME = "conejo.granja.animales.com"
AT_MOST = 70  # seconds: a sweep each minute, and what Cloud Map takes
RESTS = 300


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(parameters={"VerifyMinutes": "60"}) as farm:
        farm.create_namespace("granja.animales.com")
        farm.run_for(1)
        yield farm


def published(farm: Farm, count: int, **how: Any) -> list[Any]:
    """A service at rest whose tasks are published: these, as ECS holds them."""
    farm.create_service("conejo", count, **how)
    become(farm, "Active")
    farm.run_for(RESTS)
    service = ecs_backends[ACCOUNT][REGION].services["granja:conejo"]
    return [task for task in tasks_of(service) if task.last_status == "RUNNING"]


def calls(farm: Farm, minutes: int = 5) -> Counter[str]:
    """To ECS, each minute."""
    before = len(farm.calls())
    farm.run_for(60 * minutes)
    made = [each for each in farm.calls()[before:] if each.service == "ecs" and each.caller != "user"]
    return Counter({name: n // minutes for name, n in Counter(each.operation for each in made).items()})


def test_a_task_that_falls_ill_leaves_the_name_and_comes_back_when_it_is_well(farm: Farm) -> None:
    sick, _ = published(farm, 2, checked=True, tags={"expose:dns": NAME})
    both = farm.resolve(NAME)
    set_health(sick, "UNHEALTHY")
    assert farm.run_until(lambda: len(farm.resolve(NAME)) == 1, limit=AT_MOST)
    set_health(sick, "HEALTHY")
    assert farm.run_until(lambda: farm.resolve(NAME) == both, limit=AT_MOST)


def test_where_all_fall_ill_the_last_ones_stay_for_a_while(farm: Farm) -> None:
    """Rule 6: until there has been none for EmptyAfter seconds."""
    for task in published(farm, 2, checked=True, tags={"expose:dns": NAME}):
        set_health(task, "UNHEALTHY")
    farm.run_for(AT_MOST)
    assert len(farm.resolve(NAME)) == 2
    assert farm.run_until(lambda: not farm.resolve(NAME), limit=AT_MOST)


def test_a_host_port_that_changes_in_place_is_followed(farm: Farm) -> None:
    farm.add_host()
    (task,) = published(farm, 1, mode="bridge", tags={"expose:dns": f"{NAME} type=SRV"})
    binding = task.containers[0].network_bindings[0]
    task.containers[0].network_bindings = [binding | {"hostPort": 45000}]

    def ports() -> list[str]:
        return [each["AWS_INSTANCE_PORT"] for each in instances(farm, NAME).values()]

    assert farm.run_until(lambda: ports() == ["45000"], limit=AT_MOST)


def test_a_task_of_which_the_running_event_is_lost_is_published() -> None:
    """It was read before it ran, so it is known, and no sweep wonders about it."""
    with Farm.virtual(pace=replace(FAST, activating=60.0), parameters={"VerifyMinutes": "60"}) as farm:
        farm.create_namespace("granja.animales.com")
        farm.run_for(30)
        farm.create_service("conejo", 3, tags={"expose:dns": NAME})
        become(farm, "Active", limit=200)
        farm.run_for(RESTS)
        farm.scale("conejo", 4)
        assert farm.run_until(lambda: len(farm.tasks("conejo")) == 4, limit=60)
        farm.tag("conejo", {"expose:dns": f"{NAME} ttl=20"})
        farm.run_for(12)
        farm.bus.lose(lambda _: True)
        assert len(farm.addresses("conejo")) == 3, "the fourth was read before it ran"
        assert farm.run_until(lambda: len(farm.addresses("conejo")) == 4, limit=120)

        assert farm.run_until(lambda: len(farm.resolve(NAME)) == 4, limit=AT_MOST)
        assert become(farm, "Active")["message"] == "4 of 4"


@pytest.mark.parametrize(
    ("how", "each_minute"),
    [({}, {"ListTasks": 1}), ({"checked": True}, {"ListTasks": 1, "DescribeTasks": 1})],
    ids=["without health checks", "with"],
)
def test_a_hundred_tasks_at_rest_cost_one_call_a_minute_more_where_they_may_fall_ill(
    farm: Farm, how: dict[str, Any], each_minute: dict[str, int]
) -> None:
    published(farm, 4, tags={"expose:dns": NAME}, **how)

    assert calls(farm) == each_minute


def test_targets_that_all_turn_sick_are_told_within_a_minute_and_a_half(farm: Farm) -> None:
    farm.create_balancer("main")
    put_behind(farm, "main path=/", count=2)
    farm.run_for(RESTS)
    for task in farm.tasks("conejo"):
        farm.sicken(task["taskArn"].rpartition("/")[2], 500)

    assert farm.run_until(lambda: status(farm, tag=TAG)["code"] == "AllUnhealthy", limit=30 + AT_MOST)
    (*_, told) = farm.published("Exposure Changed")
    assert "none of them healthy" in told["detail"]["message"]
