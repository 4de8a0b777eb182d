"""Targets while a service rolls over: whatever events do, they are its tasks in the end, and no request is lost for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from farm.aws.ecs.model import Task
from farm.balancers.routing import Request
from farm.bus import Manners
from farm.farm import Farm
from farm.figures import manners
from farm.gate import GATE, Fault
from farm.pace import FAST, REAL
from tests.integration.balanced import (
    MEMBERSHIP,
    TAG,
    asked_of_elb,
    follows,
    group_of,
    places,
    put_behind,
    staying,
)
from tests.integration.world import LISTED, WORKERS, status

VALUE = "main host=conejo.animales.com"
ASKED = Request(host="conejo.animales.com")
STOPPED = {"DEPROVISIONING", "STOPPED"}
SEEDS = 2


@dataclass
class Watch:
    """When tasks take their steps, by private address."""

    farm: Farm
    deciding: dict[str, float] = field(default_factory=dict)
    stopped: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.farm.living.followers.append(self._step)

    def _step(self, task: Task) -> None:
        now = self.farm.timeline.now()
        for address in [each["value"] for each in details(task) if each["name"] == "privateIPv4Address"]:
            if task.desired_status == "STOPPED":
                self.deciding.setdefault(address, now)
            if task.last_status in STOPPED:
                self.stopped.setdefault(address, now)

    def deregistered(self) -> dict[str, float]:
        """When each address was first taken out."""
        calls = [call for call in self.farm.calls("elbv2", "DeregisterTargets") if call.caller in WORKERS]
        return {each["Id"]: call.at for call in reversed(calls) for each in call.params["Targets"]}


def details(task: Task) -> list[dict[str, str]]:
    return [each for attachment in task.attachments for each in attachment["details"]]


def behind(farm: Farm, count: int = 4) -> Watch:
    farm.create_balancer("main")
    farm.run_for(150)
    put_behind(farm, VALUE, count=count)
    farm.settle()
    return Watch(farm)


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("how", sorted(manners(0)))
def test_events_in_any_order_any_number_of_times_end_in_the_same_targets(how: str, seed: int) -> None:
    with Farm.virtual(pace=replace(REAL, balancing=0.0), seed=seed, parameters=LISTED) as farm:
        watch, before = behind(farm), len(farm.calls())
        farm.bus.behave(manners(seed)[how])
        farm.deploy_new_revision("conejo")
        assert farm.run_until(lambda: len(watch.stopped) == 4, limit=600)
        farm.run_for(150)
        assert follows(farm)
        calls = asked_of_elb(farm, before)
        assert {call.operation for call in calls} <= MEMBERSHIP, "no structure is read in a rotation"
        deregistered = watch.deregistered()
        assert max(deregistered[each] - at for each, at in watch.stopped.items()) <= 61, (
            "the sweep finds at the latest what no event told"
        )


def test_in_order_nothing_is_lost_targets_leave_when_the_stop_is_decided_and_calls_are_few() -> None:
    with Farm.virtual(pace=replace(REAL, balancing=0.0), parameters=LISTED) as farm:
        watch, before = behind(farm), len(farm.calls())
        farm.bus.behave(manners(0)["in order"])
        with farm.traffic("main", request=ASKED) as traffic:
            farm.deploy_new_revision("conejo")
            assert farm.run_until(lambda: len(watch.stopped) == 4, limit=600)
            farm.run_for(40)
        assert traffic.lost == []
        assert traffic.sent > 1000
        deregistered = watch.deregistered()
        for address, stopped in watch.stopped.items():
            assert deregistered[address] < stopped - 10, "it drains before the containers are gone"
            assert deregistered[address] - watch.deciding[address] < 5
        calls = asked_of_elb(farm, before)
        writes = [call for call in calls if not call.operation.startswith("Describe")]
        assert len(writes) <= 8
        assert len(calls) <= 16


def test_one_that_is_stopped_leaves_while_it_still_serves() -> None:
    with Farm.virtual(pace=replace(FAST, decided=3.0, stopping=5.0), parameters=LISTED) as farm:
        behind(farm)
        task = farm.living.task(farm.tasks("conejo")[0]["taskArn"].rpartition("/")[2])
        with farm.traffic("main", request=ASKED) as traffic:
            farm.stop_task(task.id)
            assert farm.run_until(lambda: len(staying(farm, group_of(farm))) == 3, limit=1)
            assert task.last_status == "RUNNING"
            farm.run_for(20)
        assert traffic.lost == []


def test_one_that_dies_without_warning_leaves_at_once() -> None:
    with Farm.virtual(parameters=LISTED) as farm:
        behind(farm)
        (address, *_) = places(farm)
        (dead,) = [
            each["taskArn"] for each in farm.tasks("conejo") if f"'{address[0]}'" in str(each["attachments"])
        ]
        farm.kill(dead.rpartition("/")[2])
        assert farm.run_until(lambda: address not in staying(farm, group_of(farm)), limit=2)


@pytest.mark.parametrize("ending", ["die", "scaled in"])
def test_those_that_stopped_leave_with_the_next_sweep_when_every_event_is_lost(ending: str) -> None:
    with Farm.virtual(parameters=LISTED) as farm:
        behind(farm)
        dead = set(places(farm))
        group = group_of(farm)
        farm.bus.lose(lambda event: True)
        if ending == "die":
            for task in farm.tasks("conejo"):
                farm.kill(task["taskArn"].rpartition("/")[2])
            assert farm.run_until(lambda: not dead & set(staying(farm, group)), limit=65)
        else:
            farm.scale("conejo", 1)
        assert farm.run_until(lambda: follows(farm, group=group), limit=200)


def test_those_of_a_service_scaled_to_nothing_all_leave() -> None:
    with Farm.virtual(parameters=LISTED) as farm:
        behind(farm)
        farm.scale("conejo", 0)
        assert farm.run_until(lambda: staying(farm, group_of(farm)) == {}, limit=5)
        farm.scale("conejo", 2)
        assert farm.run_until(lambda: follows(farm), limit=30)


def test_the_last_one_stays_until_its_successor_is_healthy() -> None:
    """ECS stops the old task as soon as the new one runs, which the load balancer does not trust yet."""
    with Farm.virtual(
        pace=replace(FAST, registering=4.0, decided=12.0, stopping=5.0), parameters=LISTED
    ) as farm:
        behind(farm, count=1)
        group, (old,) = group_of(farm), places(farm)
        changes: list[dict[tuple[str, int], str]] = []
        with farm.traffic("main", request=ASKED) as traffic:
            farm.deploy_new_revision("conejo")
            for _ in range(300):
                changes.append(staying(farm, group))
                farm.run_for(0.1)
        new = [target for target in changes[-1] if target != old]
        first_without = next(each for each in changes if old not in each)
        assert first_without == {new[0]: "healthy"}
        assert traffic.lost == []


def test_the_last_one_does_not_stay_longer_than_its_task_serves() -> None:
    """The successor never gets healthy, and the old task is told to end at some point."""
    with Farm.virtual(pace=replace(FAST, decided=10.0, stopping=5.0), parameters=LISTED) as farm:
        behind(farm, count=1)
        group, (old,) = group_of(farm), places(farm)
        before = {each["taskArn"] for each in farm.tasks("conejo")}
        farm.living.followers.append(
            lambda task: farm.sicken(task.id) if task.task_arn not in before else None
        )
        farm.deploy_new_revision("conejo")
        farm.run_for(60)
        assert old not in staying(farm, group)


class TestAnAddressThatIsUsedAgain:
    """The subnet has eleven addresses, and each task gets the next."""

    @pytest.fixture
    def farm(self) -> Iterator[Farm]:
        with Farm.virtual(parameters=LISTED) as farm:
            subnet = farm.ec2.create_subnet(
                VpcId=farm.network.vpc, CidrBlock="127.20.200.0/28", AvailabilityZone="eu-west-1a"
            )
            inside = {"subnets": [subnet["Subnet"]["SubnetId"]], "securityGroups": []}
            farm.create_balancer("main")
            put_behind(
                farm,
                f"{VALUE} drain=60",
                count=1,
                networkConfiguration={"awsvpcConfiguration": inside},
                public=False,
            )
            yield farm

    def die_until_it_is(self, farm: Farm, place: tuple[str, int]) -> None:
        def replaced() -> bool:
            return places(farm) != [] and farm.tasks("conejo")[0]["taskArn"] != old

        for _ in range(12):
            old = farm.tasks("conejo")[0]["taskArn"]
            farm.kill(old.rpartition("/")[2])
            assert farm.run_until(replaced, limit=10)
            if places(farm) == [place]:
                return
        raise AssertionError(f"nobody got {place}")

    def test_is_not_forced_while_it_drains_for_an_earlier_task_but_tried_again(self, farm: Farm) -> None:
        (place,), group, start = places(farm), group_of(farm), farm.timeline.now()
        self.die_until_it_is(farm, place)
        assert farm.targets(group)[place] == "draining"
        before = len(farm.calls())
        farm.run_for(2)
        waiting = status(farm, tag=TAG)
        assert f"{place[0]}:{place[1]} still drains" in waiting["message"]
        assert farm.run_until(lambda: follows(farm), limit=90)
        registered = [call.at for call in asked_of_elb(farm, before) if call.operation == "RegisterTargets"]
        assert len(registered) == 1, "once, after it has drained"
        assert registered[0] > start + 60

    def test_belongs_to_the_task_that_has_it_now_though_no_event_told(self, farm: Farm) -> None:
        (place,), group = places(farm), group_of(farm)
        stop_losing = farm.bus.lose(lambda event: True)
        self.die_until_it_is(farm, place)
        farm.run_for(130)
        assert follows(farm)
        stop_losing()
        before = len(farm.calls())
        farm.run_for(300)
        assert farm.calls("ecs", caller="reconcile")[-1] in farm.calls()[:before], "all is known by now"
        farm.kill(farm.tasks("conejo")[0]["taskArn"].rpartition("/")[2])
        assert farm.run_until(lambda: place not in staying(farm, group), limit=2)

    def test_that_somebody_deregistered_comes_back_when_it_has_drained(self, farm: Farm) -> None:
        (place,), group = places(farm), group_of(farm)
        farm.run_for(65)  # what was just made counts as there for a minute, whatever a list says
        farm.deregister(group, place)
        farm.tag("conejo", {TAG: f"{VALUE} path=/ drain=60"})  # looks at everything
        assert farm.run_until(lambda: follows(farm), limit=90)


def test_a_look_that_fails_shrinks_nothing() -> None:
    with Farm.virtual(parameters={**LISTED, "VerifyMinutes": "1"}) as farm:
        behind(farm)
        group = group_of(farm)
        for operation in ("DescribeTargetHealth", "ListTasks", "DescribeTasks", "DescribeTargetGroups"):
            GATE.faults.append(
                Fault(
                    "error", "ServerException", operation=operation, where=lambda call: call.caller != "user"
                )
            )
        farm.run_for(130)
        assert sorted(staying(farm, group)) == places(farm)


def test_a_rotation_under_rough_manners_with_sick_newcomers_ends_well() -> None:
    with Farm.virtual(manners=Manners.rough(3), parameters=LISTED) as farm:
        behind(farm)
        farm.deploy_new_revision("conejo")
        sick = farm.tasks("conejo")[-1]["taskArn"]
        farm.sicken(sick)
        farm.run_for(60)
        farm.heal(sick)
        assert farm.run_until(lambda: follows(farm), limit=300)
