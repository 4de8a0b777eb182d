"""The same traffic on virtual time: who would answer, decided by the same routing, at no cost (F§4)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from farm.aws import elb
from farm.balancers.routing import Request
from farm.farm import Farm

Place = tuple[str, int]


@pytest.fixture
def farm() -> Iterator[Farm]:
    """One service of four tasks behind one balancer, all healthy."""
    with Farm.virtual(deploy=False) as farm:
        farm.create_service("conejo", 4)
        farm.settle()
        farm.create_target_group("conejo", HealthCheckIntervalSeconds=10, HealthyThresholdCount=2)
        farm.create_balancer("main", group="conejo")
        farm.register("conejo", *tasks(farm))
        farm.settle()
        yield farm


def tasks(farm: Farm, service: str = "conejo") -> dict[Place, str]:
    """The ids of the tasks by where they are."""
    running = [task for task in farm.tasks(service) if task["lastStatus"] == "RUNNING"]
    return {
        (container["networkInterfaces"][0]["privateIpv4Address"], 8080): task["taskArn"].rpartition("/")[2]
        for task in running
        for container in task["containers"]
    }


def test_every_target_gets_its_turn_and_a_minute_costs_next_to_nothing(farm: Farm) -> None:
    begun = time.process_time()
    with farm.traffic("main", per_second=50) as traffic:
        farm.run_for(120)
    assert time.process_time() - begun < 2
    assert traffic.answered == {"conejo": 6000}
    assert traffic.tasks == dict.fromkeys(tasks(farm).values(), 1500)
    assert not traffic.lost


def test_a_farm_under_traffic_and_health_checks_comes_to_rest(farm: Farm) -> None:
    with farm.traffic("main"):
        assert farm.settle(limit=60)


def test_nothing_is_sent_before_or_after(farm: Farm) -> None:
    with farm.traffic("main", per_second=10) as traffic:
        farm.run_for(1)
    farm.run_for(10)
    assert traffic.sent == 10


def test_a_balancer_of_either_scheme_has_a_name_that_resolves_to_its_addresses(farm: Farm) -> None:
    farm.create_balancer("front", scheme="internet-facing")
    farm.settle()
    names = {each["LoadBalancerName"]: each["DNSName"] for each in described(farm)}
    assert [address[:7] for address in farm.resolve(names["main"])] == ["127.20."] * 2
    assert [address[:7] for address in farm.resolve(names["front"])] == ["127.30."] * 2
    farm.elb.delete_load_balancer(LoadBalancerArn=farm.balancer_arn("front"))
    farm.settle()
    assert farm.resolve(names["front"]) == []


def described(farm: Farm) -> list[dict[str, str]]:
    return farm.elb.describe_load_balancers()["LoadBalancers"]  # type: ignore[return-value]  # those we look at


def test_where_nothing_listens_all_is_lost(farm: Farm) -> None:
    with farm.traffic("main", 8080, per_second=10) as no_port, farm.traffic("other", per_second=10) as nobody:
        farm.run_for(1)
    assert no_port.reasons == nobody.reasons == {"no listener": 10}


def test_nobody_is_served_before_the_balancer_is_active(farm: Farm) -> None:
    elb.settings().provisioning = 120
    farm.create_balancer("slow", group="")
    with farm.traffic("slow", per_second=1) as traffic:
        farm.run_for(122)
    assert traffic.reasons == {"no listener": 119, "404": 3}


@pytest.mark.parametrize(("status", "reason"), [(500, "500"), ("hang", "504")])
def test_a_sick_task_loses_requests_until_its_check_has_failed_twice(
    farm: Farm, status: int, reason: str
) -> None:
    place, sick = next(iter(tasks(farm).items()))
    farm.sicken(sick, status)
    with farm.traffic("main", per_second=8) as traffic:
        farm.run_for(21)
    assert farm.targets("conejo")[place] == "unhealthy"
    assert set(traffic.reasons) == {reason}
    assert 20 < len(traffic.lost) <= 42
    assert traffic.lost[-1].at - traffic.lost[0].at <= 20
    farm.heal(sick)
    farm.run_for(21)
    assert farm.targets("conejo")[place] == "healthy"


def test_when_all_are_sick_all_get_requests(farm: Farm) -> None:
    for task in tasks(farm).values():
        farm.sicken(task, 503)
    farm.run_for(30)
    assert set(farm.targets("conejo").values()) == {"unhealthy"}
    for task in tasks(farm).values():
        farm.heal(task)
    with farm.traffic("main", per_second=8) as traffic:
        farm.run_for(1)
    assert traffic.answered == {"conejo": 8}


def test_a_stopped_task_that_is_still_registered_loses_its_share(farm: Farm) -> None:
    """F§4.1: nothing but a health check tells a load balancer that a task is gone."""
    with farm.traffic("main", per_second=8) as traffic:
        farm.kill(next(iter(tasks(farm).values())))
        farm.run_for(5)
    assert traffic.reasons == {"502": 10}


def test_a_deregistered_target_drains_and_gets_nothing_new(farm: Farm) -> None:
    place, task = next(iter(tasks(farm).items()))
    farm.deregister("conejo", place)
    with farm.traffic("main", per_second=8) as traffic:
        farm.run_for(5)
    assert farm.targets("conejo")[place] == "draining"
    assert traffic.answered == {"conejo": 40}
    assert task not in traffic.tasks


def test_a_network_balancer_breaks_connections_that_nobody_takes(farm: Farm) -> None:
    farm.create_target_group("flows", protocol="TCP", HealthCheckIntervalSeconds=10, HealthyThresholdCount=2)
    farm.create_balancer("net", type="network", listeners=[(9000, "TCP")], group="flows")
    farm.settle()
    with farm.traffic("net", 9000, per_second=4) as before:
        farm.run_for(1)
    assert before.reasons == {"reset": 4}
    farm.register("flows", *tasks(farm))
    farm.run_for(30)
    with farm.traffic("net", 9000, per_second=4) as after:
        farm.run_for(1)
    assert after.answered == {"conejo": 4}


def test_a_task_at_a_port_of_its_host_is_reached_as_an_instance(farm: Farm) -> None:
    farm.add_host()
    farm.create_service("gallina", 1, mode="bridge")
    farm.settle()
    (task,) = farm.tasks("gallina")
    (binding,) = task["containers"][0]["networkBindings"]
    host = farm.ecs.describe_container_instances(
        cluster=farm.cluster, containerInstances=[task["containerInstanceArn"]]
    )["containerInstances"][0]["ec2InstanceId"]
    farm.create_target_group("gallina", type="instance")
    farm.create_listener("main", 8080, "HTTP", group="gallina")
    farm.register("gallina", (host, binding["hostPort"]))
    farm.settle()
    with farm.traffic("main", 8080, Request(path="/x"), per_second=4) as traffic:
        farm.run_for(1)
    assert farm.targets("gallina") == {(host, binding["hostPort"]): "healthy"}
    assert traffic.answered == {"gallina": 4}


def test_the_farms_pace_is_the_balancers(farm: Farm) -> None:
    pace = farm.setup.pace
    settings = elb.settings()
    assert (settings.provisioning, settings.registering) == (pace.balancing, pace.registering)
