"""Each part of the sweep stands alone: what one of them cannot read or send stops no other, and is told and counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.aws import tagging
from farm.farm import Farm
from farm.gate import GATE, Call, Fault
from tests.integration.world import become

NAME = "conejo.granja.animales.com"
SWEEP = 65  # seconds: one sweep, and what it queues


def sweeps(call: Call) -> bool:
    return call.caller == "sweep"


def elsewhere(call: Call) -> bool:
    return sweeps(call) and str(call.params.get("cluster", "")).endswith("corral")


FAULTS = {
    "tags": Fault("error", code="AccessDeniedException", operation="GetResources"),
    "a cluster": Fault("error", code="AccessDeniedException", operation="ListTasks", where=elsewhere),
    "the ledger": Fault("error", code="InternalServerError", operation="Scan", where=sweeps),
    "interfaces": Fault("error", code="UnauthorizedOperation", service="ec2", where=sweeps),
    "whose turn it is": Fault("error", code="AccessDeniedException", operation="UpdateItem", where=sweeps),
}


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual() as farm:
        farm.ecs.create_cluster(clusterName="corral")
        farm.create_namespace("granja.animales.com")
        farm.run_for(5)
        farm.create_service("conejo", 2, tags={"expose:dns": f"{NAME} ip=private"})
        farm.create_service("liebre", 1, cluster="corral", tags={"expose:ip": "8080"})
        become(farm, "Active")
        farm.run_for(SWEEP)
        farm.bus.lose(lambda event: True)
        yield farm


def answers(farm: Farm) -> bool:
    return farm.resolve(NAME) == farm.addresses("conejo", public=False) != []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_no_event_told_is_found_whatever_else_of_the_sweep_fails(farm: Farm, fault: Fault) -> None:
    GATE.faults.append(fault)
    farm.kill(farm.tasks("conejo")[0]["taskArn"].rpartition("/")[2])
    farm.run_for(2)
    assert not answers(farm)
    assert farm.run_until(lambda: answers(farm), limit=2 * SWEEP + 30)
    assert '"SweepPartsFailed":[1.0]' in "".join(farm.logs["sweep"])
    assert [one for one in farm.lambdas.failures if one[0] == "sweep"] == []


def test_nothing_is_counted_where_nothing_fails(farm: Farm) -> None:
    farm.run_for(SWEEP)
    said = "".join(farm.logs["sweep"])
    assert '"SweepPartsFailed":[0.0]' in said
    assert '"SweepPartsFailed":[1.0]' not in said


def test_a_list_that_lacks_every_service_makes_no_service_be_looked_at_that_ecs_says_is_tagged(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is wrong, not the world: one question is enough to see it, and it is told."""
    for number in range(12):  # private and idle: nothing else asks for them
        farm.create_service(f"gallina-{number}", 0, tags={"expose:ip": "8080"})
    farm.run_for(2 * SWEEP)
    assert len([one for one in farm.ledger() if one["sk"].startswith("EXPOSURE#")]) == 14
    monkeypatch.setattr(tagging, "_once_tagged", lambda *_: iter(()))
    before = len(farm.calls())
    farm.run_for(SWEEP)
    looks = [call for call in farm.calls()[before:] if call.operation == "DescribeServices"]
    assert len([call for call in looks if call.caller == "sweep"]) >= 1
    assert len([call for call in looks if call.caller == "reconcile"]) < 12
    assert "ECS says that it is tagged" in "".join(farm.logs["sweep"])
