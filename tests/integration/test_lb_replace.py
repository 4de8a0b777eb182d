"""`replace=yes`: a task that its load balancer finds unhealthy is stopped, as with ECS's own attachment; one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from farm.farm import Farm
from farm.pace import FAST
from tests.integration.balanced import TAG, follows, put_behind
from tests.integration.world import LISTED, become, status

VALUE = "main path=/ replace=yes grace=30"
COOL_DOWN = 120


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(parameters={**LISTED, "VerifyMinutes": "5"}) as farm:
        farm.create_balancer("main")
        yield farm


def ids(farm: Farm) -> list[str]:
    return sorted(each["taskArn"].rpartition("/")[2] for each in farm.tasks("conejo"))


def stopped(farm: Farm) -> list[str]:
    """The tasks that the product has stopped."""
    return [call.params["task"].rpartition("/")[2] for call in farm.calls("ecs", "StopTask", "reconcile")]


def behind(farm: Farm, value: str = VALUE, count: int = 4, minimum: int = 50, **more: Any) -> list[str]:
    """A service of such tasks, a minute and a half old; their ids."""
    percents = {"minimumHealthyPercent": minimum, "maximumPercent": 200}
    put_behind(farm, value, count=count, deploymentConfiguration=percents, **more)
    farm.run_for(90)
    return ids(farm)


def test_a_sick_task_is_stopped_and_another_takes_its_place(farm: Farm) -> None:
    sick, *well = behind(farm)
    farm.sicken(sick)
    start = farm.timeline.now()
    assert farm.run_until(lambda: stopped(farm) == [sick], limit=30 + 60 + 25)
    assert farm.timeline.now() - start > 30, "not before its grace period is over"
    assert farm.run_until(lambda: len(ids(farm)) == 4 and follows(farm), limit=30)
    assert set(well) < set(ids(farm))
    (event,) = farm.published("Task Replaced")
    assert (event["detail"]["service"], event["detail"]["tag"]) == (farm.arn("conejo"), TAG)
    assert event["detail"]["task"] == sick
    for said in ("unhealthy", "Target.ResponseCodeMismatch", "replace=yes"):
        assert said in event["detail"]["message"]
    farm.run_for(300)
    assert stopped(farm) == [sick], "once"
    assert status(farm, tag=TAG)["message"] == "4 of 4"


def test_why_it_was_stopped_stands_on_the_task(farm: Farm) -> None:
    sick, *_ = behind(farm)
    farm.sicken(sick)
    assert farm.run_until(lambda: stopped(farm) == [sick], limit=120)
    (task,) = farm.ecs.describe_tasks(cluster="granja", tasks=[sick])["tasks"]
    assert "ecs-expose" in task["stoppedReason"]
    assert TAG in task["stoppedReason"]


def test_without_it_nothing_is_stopped_but_the_status_says_so() -> None:
    with Farm.virtual(parameters={**LISTED, "VerifyMinutes": "1"}) as farm:
        farm.create_balancer("main")
        sick, *_ = behind(farm, "main path=/")
        farm.sicken(sick)
        farm.run_for(400)
        assert stopped(farm) == []
        # Nobody watches healthy targets where nothing is to follow from it: only newcomers are looked at.
        farm.deploy_new_revision("conejo")
        farm.run_for(0.25)
        for task in ids(farm):
            farm.sicken(task)
        farm.run_for(120)
        assert status(farm, tag=TAG)["code"] == "AllUnhealthy"
        for task in ids(farm)[1:]:
            farm.heal(task)
        farm.run_for(120)
        assert status(farm, tag=TAG)["code"] == "Unhealthy"
        assert "1 are not healthy" in status(farm, tag=TAG)["message"]
        assert stopped(farm) == []


def test_one_that_gets_well_within_the_grace_period_is_left_alone(farm: Farm) -> None:
    sick, *_ = behind(farm, "main path=/ replace=yes grace=100")
    farm.sicken(sick)
    farm.run_for(100)
    assert "1 are not healthy" in status(farm, tag=TAG)["message"]
    farm.heal(sick)
    farm.run_for(300)
    assert stopped(farm) == []
    assert status(farm, tag=TAG)["message"] == "4 of 4"


def test_a_new_task_has_its_grace_period_from_its_start_on(farm: Farm) -> None:
    """It is unhealthy from the beginning, for it takes 200 seconds to get ready."""
    behind(farm, "main path=/ replace=yes grace=240")
    before = ids(farm)
    farm.stop_task(before[0])
    farm.run_for(0.4)
    (new,) = set(ids(farm)) - set(before)
    farm.sicken(new)
    farm.run_for(200)
    farm.heal(new)
    farm.run_for(300)
    assert stopped(farm) == []


def test_without_a_grace_period_the_services_own_counts(farm: Farm) -> None:
    sick, *_ = behind(farm, "main path=/ replace=yes", healthCheckGracePeriodSeconds=200)
    farm.sicken(sick)
    farm.run_for(190)
    assert stopped(farm) == []
    assert farm.run_until(lambda: stopped(farm) == [sick], limit=120)


@pytest.fixture
def slow() -> Iterator[Farm]:
    """Where a new task takes a minute to start."""
    with Farm.virtual(pace=replace(FAST, pending=60.0), parameters={**LISTED, "VerifyMinutes": "5"}) as farm:
        farm.create_balancer("main")
        yield farm


def test_not_while_a_deployment_is_rolling(slow: Farm) -> None:
    sick, *_ = behind(slow, "main path=/ replace=yes grace=0", minimum=100)
    slow.sicken(sick)
    assert slow.run_until(lambda: "not healthy" in status(slow, tag=TAG)["message"], limit=90)
    slow.deploy_new_revision("conejo")
    slow.run_for(55)
    assert sick in ids(slow)
    assert stopped(slow) == []


def test_not_when_all_are_sick_for_then_the_health_check_is(farm: Farm) -> None:
    all_sick = behind(farm)
    for task in all_sick:
        farm.sicken(task)
    farm.run_for(400)
    assert stopped(farm) == []
    assert ids(farm) == all_sick
    found = status(farm, tag=TAG)
    assert (found["status"], found["code"]) == ("Active", "AllUnhealthy")
    assert "health check" in found["message"]
    farm.heal(all_sick[0])
    assert farm.run_until(lambda: len(stopped(farm)) == 1, limit=120), "one of them is well, so they can be"


def test_not_below_the_minimum_healthy_percent(slow: Farm) -> None:
    """Three have to go on, and one of the others is not there at the moment."""
    sick, other, *_ = behind(slow, minimum=75)
    slow.sicken(sick)
    slow.run_for(20)
    slow.kill(other)
    slow.run_for(60)
    assert stopped(slow) == []
    assert slow.run_until(lambda: stopped(slow) == [sick], limit=90)


def test_with_100_percent_it_is_enough_that_all_the_others_run(farm: Farm) -> None:
    sick, *_ = behind(farm, minimum=100)
    farm.sicken(sick)
    assert farm.run_until(lambda: stopped(farm) == [sick], limit=120)


def test_a_second_sick_task_has_to_wait_for_the_cool_down(farm: Farm) -> None:
    first, second, *_ = behind(farm)
    farm.sicken(first)
    farm.sicken(second)
    assert farm.run_until(lambda: len(stopped(farm)) == 1, limit=120)
    start = farm.timeline.now()
    assert farm.run_until(lambda: len(stopped(farm)) == 2, limit=COOL_DOWN + 60)
    assert farm.timeline.now() - start >= COOL_DOWN
    assert set(stopped(farm)) == {first, second}


def test_with_one_sick_task_alone_nothing_is_stopped(farm: Farm) -> None:
    """It is all there is, so all are sick."""
    (sick,) = behind(farm, count=1, minimum=0)
    farm.sicken(sick)
    farm.run_for(300)
    assert stopped(farm) == []


@pytest.mark.parametrize("policy", ["observe", "upsert-only"])
def test_not_under_a_policy_that_takes_nothing_away(farm: Farm, policy: str) -> None:
    sick, *_ = behind(farm)
    farm.tag("conejo", {"expose:policy": policy})
    farm.run_for(5)
    farm.sicken(sick)
    farm.run_for(300)
    assert stopped(farm) == []


def test_two_tags_that_want_the_same_task_replaced_stop_it_once(farm: Farm) -> None:
    sick, *_ = behind(farm)
    farm.tag("conejo", {"expose:lb:b": "main path=/b replace=yes grace=30"})
    become(farm, "Active", tag="expose:lb:b")
    farm.sicken(sick)
    farm.run_for(500)
    assert stopped(farm) == [sick]
    assert len(farm.published("Task Replaced")) == 1
