"""What ECS does not know is withdrawn and forgotten, whoever else still lists it; and only after a second question."""

from __future__ import annotations

from farm.farm import Farm
from farm.gate import GATE, USER, Call, Fault
from tests.integration.world import become, cloudmap_services, kept

NAME = "conejo.granja.animales.com"
TAG = "expose:dns"
SWEEP = 65


def lose_all(farm: Farm) -> None:
    farm.bus.lose(lambda event: True)


def exposed(farm: Farm, count: int = 2) -> None:
    farm.create_namespace("granja.animales.com")
    farm.run_for(5)
    farm.create_service("conejo", count, public=False, tags={TAG: f"{NAME} ip=private"})
    become(farm, "Active")


def ours(call: Call) -> bool:
    return call.caller != USER


def no_cluster(*operations: str) -> None:
    """As AWS answers some days after a cluster was deleted."""
    for operation in operations:
        GATE.faults.append(Fault("error", code="ClusterNotFoundException", operation=operation, where=ours))


OF_SERVICES = ("DescribeServices", "ListTasks", "DescribeTasks")


def test_what_was_in_a_cluster_that_is_gone_is_withdrawn_and_forgotten() -> None:
    with Farm.virtual() as farm:
        exposed(farm)
        lose_all(farm)
        farm.delete_service("conejo")
        farm.run_for(1)
        farm.ecs.delete_cluster(cluster="granja")
        no_cluster(*OF_SERVICES)
        farm.run_for(2 * SWEEP)
        assert cloudmap_services(farm) == {}
        assert kept(farm) == []


def test_a_cluster_that_ecs_says_is_there_is_not_gone() -> None:
    with Farm.virtual() as farm:
        exposed(farm)
        before = farm.resolve(NAME)
        lose_all(farm)
        no_cluster(*OF_SERVICES)
        farm.run_for(5 * SWEEP)
        assert farm.resolve(NAME) == before != []
        GATE.faults.clear()
        farm.delete_service("conejo")
        farm.run_for(5 * SWEEP)
        assert kept(farm) == []
