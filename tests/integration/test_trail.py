"""Which public address was whose, from when to when: the trail says what the world saw, whatever the events did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from expose.aws import Clients
from expose.trail import LINGERS, Trail
from farm.aws import addresses
from farm.aws.ecs.model import Task
from farm.bus import Manners
from farm.farm import Farm
from farm.gate import GATE, USER, Fault
from farm.tasks import listeners
from tests.integration.listed import published
from tests.integration.world import become

DAY = 86_400


@dataclass(slots=True)
class Seen:
    """When each task began to run, was told to stop and was gone, at its public address."""

    farm: Farm
    began: dict[tuple[str, str], float] = field(default_factory=dict)
    told: dict[tuple[str, str], float] = field(default_factory=dict)
    gone: dict[str, float] = field(default_factory=dict)

    def follow(self, task: Task) -> None:
        now = self.farm.timeline.now()
        if task.last_status == "STOPPED":
            self.gone.setdefault(task.id, now)
        for address in {each.address for each in listeners(task) if each.address.startswith("127.30.")}:
            key = (address, task.id)
            if task.last_status == "RUNNING":
                self.began.setdefault(key, now)
            if task.desired_status == "STOPPED":
                self.told.setdefault(key, now)


def trail(farm: Farm) -> dict[tuple[str, str], dict[str, Any]]:
    """What it says, by address and task."""
    return {(item["pk"], item["sk"]): item for item in farm.trail()}


def reader(farm: Farm) -> Trail:
    """The trail as the command line reads it."""
    assert farm.lambdas is not None
    return Trail(Clients(), farm.lambdas.deployment.ref("Trail"), days=90)


def rotated(farm: Farm, times: int = 3) -> Seen:
    """A service whose tasks have all been replaced some times."""
    seen = Seen(farm)
    farm.living.followers.append(seen.follow)
    farm.create_service("conejo", 2, tags={"expose:ip": "8080"})
    become(farm, "Active", tag="expose:ip")
    for _ in range(times):
        farm.deploy_new_revision("conejo")
        farm.run_for(300)
    return seen


@pytest.mark.parametrize(
    ("manners", "late"),
    [
        (Manners.calm(), 1.0),
        (Manners(seed=1, delay=(0.2, 60.0)), 65.0),
        (Manners(seed=2, delay=(0.2, 1.0), duplicate=1.0), 3.0),
        (Manners(seed=3, delay=(0.2, 1.0), drop=1.0), 65.0),
        (Manners.rough(4), 65.0),
    ],
    ids=["in order", "shuffled", "duplicated", "all lost", "rough"],
)
def test_it_says_who_had_which_address_from_when_to_when(manners: Manners, late: float) -> None:
    """At the latest as late as the sweep; and the end is never told before the task was told to stop."""
    with Farm.virtual(manners=manners) as farm:
        seen = rotated(farm)
        said = trail(farm)
        assert set(said) == {key for key in seen.began if key in said or key not in seen.told}
        assert {address for address, _ in said if "until" not in said[address, _]} == set(published(farm))
        assert len(said) >= 2 + 3 * 2 - (2 if late > 60 else 0)
        for key, item in said.items():
            assert item["service"] == farm.arn("conejo")
            assert abs(float(item["since"]) - seen.began[key]) < 1
            assert ("until" in item) == (key in seen.told)
            if key in seen.told:
                assert seen.told[key] - 1 <= float(item["until"]) <= seen.told[key] + late
                assert int(item["expires"]) == round(float(item["until"]) + 90 * DAY)
                assert seen.gone[key[1]] <= float(item["until"]) + LINGERS


def test_shuffled_and_repeated_events_end_in_the_same_trail() -> None:
    trails = []
    for manners in (Manners.calm(), Manners(seed=5, delay=(0.0, 30.0), duplicate=1.0)):
        with Farm.virtual(manners=manners) as farm:
            rotated(farm)
            trails.append({key for key, item in trail(farm).items() if "until" in item})
            before = trail(farm)
            for envelope in list(farm.bus.log):
                farm.bus._send(envelope)
            farm.run_for(200)
            assert trail(farm) == before
    assert [len(each) for each in trails] == [6, 6]


def test_whose_an_address_was_is_answered_for_any_time() -> None:
    with Farm.virtual() as farm:
        seen = rotated(farm, times=1)
        asked = reader(farm)
        ((address, task), told) = next(iter(seen.told.items()))
        began = seen.began[address, task]
        assert [each.task for each in asked.at(address, began + 1)] == [task]
        assert [each.task for each in asked.at(address, told + LINGERS - 1)] == [task]
        assert asked.at(address, told + LINGERS + 1) == ()
        assert asked.at(address, began - 60) == ()
        (held,) = asked.at(published(farm)[0], farm.timeline.now())
        assert (held.until, held.service) == (0.0, farm.arn("conejo"))
        assert asked.at("198.51.100.7") == ()
        with pytest.raises(ValueError, match="nobody"):
            asked.at("nobody")


def test_one_address_after_another_s_hands_has_two_entries() -> None:
    with Farm.virtual() as farm:
        rotated(farm, times=0)
        address = published(farm)[0]
        addresses.settings().eager_reuse = True
        farm.scale("conejo", 0)
        farm.run_for(60)
        farm.create_service("liebre", 2, tags={"expose:ip": "8080"})
        farm.run_for(60)
        asked = reader(farm)
        newest, oldest = asked.at(address)
        assert (newest.service, oldest.service) == (farm.arn("liebre"), farm.arn("conejo"))
        assert newest.since > oldest.until > oldest.since


def test_a_service_that_is_not_followed_any_more_has_let_go_and_comes_back() -> None:
    with Farm.virtual() as farm:
        rotated(farm, times=0)
        farm.untag("conejo", "expose:ip")
        become(farm, "", tag="expose:ip")
        assert all("until" in item and "expires" in item for item in trail(farm).values())
        farm.tag("conejo", {"expose:ip": "8080"})
        become(farm, "Active", tag="expose:ip")
        assert len(trail(farm)) == 2
        assert not any("until" in item or "expires" in item for item in trail(farm).values())


@pytest.mark.parametrize("nth", range(1, 5))
@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("operation", ["TransactWriteItems", "PutItem"])
def test_a_crash_at_any_write_is_made_good(operation: str, phase: Any, nth: int) -> None:
    with Farm.virtual() as farm:
        rotated(farm, times=0)
        GATE.faults.append(
            Fault(
                "crash",
                service="dynamodb",
                operation=operation,
                nth=nth,
                phase=phase,
                where=lambda call: call.caller != USER,
            )
        )
        farm.deploy_new_revision("conejo")
        farm.run_for(600)
        said = trail(farm)
        assert {address for (address, _), item in said.items() if "until" not in item} <= set(published(farm))
        assert len([item for item in said.values() if "until" in item]) == 2


def test_the_ledger_that_each_sweep_reads_does_not_grow_with_it() -> None:
    with Farm.virtual() as farm:
        rotated(farm, times=1)
        ledger, known = len(farm.ledger()), len(farm.trail())
        farm.deploy_new_revision("conejo")
        farm.run_for(300)
        assert len(farm.trail()) > known
        assert len(farm.ledger()) == ledger


def test_it_is_kept_for_as_many_days_as_the_stack_says() -> None:
    with Farm.virtual(parameters={"TrailDays": "7"}) as farm:
        rotated(farm, times=1)
        ended = [item for item in trail(farm).values() if "until" in item]
        assert [int(item["expires"]) for item in ended] == [round(float(i["until"]) + 7 * DAY) for i in ended]
