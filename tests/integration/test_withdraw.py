"""Rule 5 with everything else broken: a stopped task's address goes by itself, and waits for nobody."""

from __future__ import annotations

import json

import pytest

from farm.farm import Farm
from farm.figures.withdrawing import NAME, TROUBLES, Trouble, blocked_tag, bug_elsewhere, die, withdrawn
from farm.gate import GATE, Fault
from tests.integration.world import become, instances, status

SOON = 10  # seconds, where events arrive
SWEPT = 60 + 30  # seconds, where every event is lost: one sweep and what it queues


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
def test_a_stopped_task_s_address_goes_at_once_whatever_else_is_wrong(trouble: Trouble) -> None:
    assert max(withdrawn(trouble, deaths=3)) <= SOON


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
def test_it_goes_with_one_sweep_where_every_event_is_lost(trouble: Trouble) -> None:
    assert max(withdrawn(trouble, deaths=2, heard=False)) <= SWEPT


def exposed(farm: Farm, count: int = 3) -> None:
    farm.create_namespace("granja.animales.com")
    farm.run_for(5)
    farm.create_service("conejo", count, tags={"expose:dns": NAME})
    become(farm, "Active")
    farm.run_for(30)


def test_it_asks_nobody_but_the_ledger() -> None:
    with Farm.virtual() as farm:
        exposed(farm)
        before = len(farm.calls())
        gone = die(farm)
        farm.run_for(5)
        asked = {call.service for call in farm.calls()[before:] if call.caller == "withdraw"}
        assert gone not in farm.resolve(NAME)
        assert asked == {"dynamodb", "servicediscovery", "sqs"}


def test_cloud_map_that_refuses_is_asked_again_until_it_does_not() -> None:
    with Farm.virtual() as farm:
        exposed(farm)
        refusal = Fault("error", code="ThrottlingException", operation="DeregisterInstance")
        GATE.faults.append(refusal)
        gone = die(farm)
        farm.run_for(1800)
        assert gone in farm.resolve(NAME)
        GATE.faults.remove(refusal)
        assert farm.run_until(lambda: gone not in farm.resolve(NAME), limit=70)
        assert dead(farm) == []


def test_the_last_way_in_waits_for_its_successor_and_no_longer() -> None:
    with Farm.virtual() as farm:
        exposed(farm, count=1)
        GATE.faults.append(Fault("crash", service="ecs", where=ours))  # whoever would bring it dies
        gone = die(farm)
        farm.run_for(3)
        assert farm.resolve(NAME) == [gone]
        farm.run_for(7)
        assert farm.resolve(NAME) == []


def ours(call: object) -> bool:
    return getattr(call, "caller", "") == "reconcile"


def test_a_bug_in_one_exposure_is_told_as_its_status_and_the_others_are_followed() -> None:
    with Farm.virtual() as farm:
        exposed(farm)
        find = bug_elsewhere.__globals__["Named"].find
        try:
            bug_elsewhere(farm)
            defect = become(farm, "Failed", tag="expose:lb")
            assert defect["code"] == "Defect"
            assert "KeyError" in defect["message"]
            assert "report" in defect["message"]
            farm.scale("conejo", 4)
            assert farm.run_until(lambda: len(farm.resolve(NAME)) == 4, limit=120)
            (told,) = farm.published("Exposure Failed")
            assert told["detail"]["code"] == "Defect"
        finally:
            bug_elsewhere.__globals__["Named"].find = find
        farm.run_for(400)
        assert status(farm, tag="expose:lb")["status"] == "Blocked", "it is mended, and tried again"


def test_work_over_which_a_worker_died_is_put_off_and_never_becomes_a_dead_letter() -> None:
    with Farm.virtual() as farm:
        exposed(farm)
        deadly = Fault("crash", service="ecs", where=ours)
        GATE.faults.append(deadly)
        farm.tag("conejo", {"expose:dns": f"{NAME} ttl=7"})
        farm.run_for(2 * 3600)
        assert len([each for each in farm.lambdas.failures if each[0] == "reconcile"]) > 5
        assert dead(farm) == []
        GATE.faults.remove(deadly)
        farm.run_for(600)
        assert status(farm)["status"] == "Active"
        assert status(farm)["value"] == f"{NAME} ttl=7"


def test_a_service_in_trouble_is_counted_for_as_long_as_it_is() -> None:
    with Farm.virtual() as farm:
        exposed(farm)
        GATE.faults.append(Fault("error", code="AccessDeniedException", service="ecs", where=ours))
        farm.tag("conejo", {"expose:dns": f"{NAME} ttl=7"})
        farm.run_for(2000)
        metrics = [json.loads(line) for line in farm.logs["reconcile"] if '"TroubledFor"' in line]
        for_ = [value for each in metrics for value in each["TroubledFor"]]
        assert max(for_) >= 900, "the alarm's threshold"
        assert dead(farm) == []


def test_one_blocked_tag_holds_up_nobody_else() -> None:
    with Farm.virtual() as farm:
        exposed(farm)
        blocked_tag(farm)
        become(farm, "Blocked", tag="expose:lb")
        farm.scale("conejo", 5)
        assert farm.run_until(lambda: len(instances(farm, NAME)) == 5, limit=60)


def dead(farm: Farm) -> list[str]:
    """What stands in the queues of dead letters."""
    sqs = farm.client("sqs")
    urls = [url for url in sqs.list_queues()["QueueUrls"] if "dead" in url]
    return [
        message["Body"]
        for url in urls
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    ]


@pytest.mark.parametrize("refused", ["InternalFailure", "ThrottlingException"])
def test_what_the_event_bus_does_not_take_is_told_again(refused: str) -> None:
    with Farm.virtual() as farm:
        farm.create_namespace("granja.animales.com")
        farm.run_for(5)
        fault = Fault("error", code=refused, service="events", operation="PutEvents")
        GATE.faults.append(fault)
        farm.create_service("conejo", 2, tags={"expose:dns": NAME})
        become(farm, "Active")
        assert farm.published("Exposure Changed") == []
        GATE.faults.remove(fault)
        farm.run_for(120)
        (told,) = farm.published("Exposure Changed")
        assert told["detail"]["status"] == "Active"


def test_a_crash_between_saving_and_telling_loses_no_announcement() -> None:
    with Farm.virtual() as farm:
        farm.create_namespace("granja.animales.com")
        farm.run_for(5)
        GATE.faults.append(Fault("crash", service="events", operation="PutEvents", nth=1))
        farm.create_service("conejo", 2, tags={"expose:dns": NAME})
        farm.run_for(600)
        assert [each["detail"]["status"] for each in farm.published("Exposure Changed")] == ["Active"]
