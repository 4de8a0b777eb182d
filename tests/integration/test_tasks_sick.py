"""Tasks that are sick, stop or die behind a load balancer, with real requests (F§4.1)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from farm.farm import Farm
from farm.pace import FAST
from tests.integration.entrances import PATIENCE, eventually, get, group_of, healthy, listening, places


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    """One service of three tasks behind one balancer, which gives them three seconds to answer."""
    with Farm.wall(deploy=False, pace=FAST) as farm:
        farm.create_service("conejo", 3)
        eventually(lambda: len(places(farm, "conejo")) == 3)
        group = group_of(farm, "conejo", "conejo")
        balancer = farm.create_balancer("main", group=group)
        farm.create_balancer("net", type="network")
        patience = [{"Key": "idle_timeout.timeout_seconds", "Value": "3"}]
        farm.elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=patience)
        listening(farm, "main")
        healthy(farm, group)
        yield farm


def answering(farm: Farm) -> set[str]:
    """Who answers thirty requests."""
    with farm.traffic("main", per_second=100) as traffic:
        eventually(lambda: traffic.sent >= 30)
    return {*traffic.tasks, *traffic.reasons}


def tasks(farm: Farm) -> dict[tuple[str, int], str]:
    """The ids of the tasks by where they are."""
    return {
        (container["networkInterfaces"][0]["privateIpv4Address"], 8080): task["taskArn"].rpartition("/")[2]
        for task in farm.tasks("conejo")
        for container in task["containers"]
    }


def is_kept(farm: Farm, task: str) -> bool:
    """Whether somebody stays connected to the task, as health checks do not."""
    assert farm.plane
    for _ in range(10):
        if not farm.plane.clients(task):
            return False
        time.sleep(0.02)
    return True


def test_a_sick_task_is_found_out_and_gets_nothing_until_it_is_well(farm: Farm) -> None:
    (place, sick), *_ = tasks(farm).items()
    farm.sicken(sick)
    assert "500" in answering(farm)
    eventually(lambda: farm.targets("conejo")[place] == "unhealthy")
    assert answering(farm) == {*tasks(farm).values()} - {sick}
    farm.heal(sick)
    healthy(farm, "conejo")
    assert sick in answering(farm)


def test_when_all_are_sick_all_get_requests(farm: Farm) -> None:
    for task in tasks(farm).values():
        farm.sicken(task, 418)
    eventually(lambda: {*farm.targets("conejo").values()} == {"unhealthy"})
    assert answering(farm) == {"418"}
    for task in tasks(farm).values():
        farm.heal(task)
    assert answering(farm) == {*tasks(farm).values()}
    healthy(farm, "conejo")


def test_a_task_that_never_answers_is_a_timeout_of_the_balancer(farm: Farm) -> None:
    for task in tasks(farm).values():
        farm.sicken(task, "hang")
    assert get(farm, "main") == 504
    eventually(lambda: {*farm.targets("conejo").values()} == {"unhealthy"})
    for task in tasks(farm).values():
        farm.heal(task)
    assert get(farm, "main")["service"] == "conejo"


def test_a_draining_target_gets_nothing_new_and_keeps_the_connections_it_has(farm: Farm) -> None:
    (place, task), *others = tasks(farm).items()
    group_of(farm, "conejo", "flows", protocol="TCP")
    farm.deregister("flows", *(where for where, _ in others))
    farm.create_listener("net", 9000, "TCP", group="flows")
    listening(farm, "net", 9000)
    healthy(farm, "flows")
    with socket.create_connection(farm.reach("net", 9000), timeout=PATIENCE) as flow:
        flow.sendall(b"GET /slow HTTP/1.1\r\n")
        eventually(lambda: is_kept(farm, task))
        farm.deregister("flows", place)
        assert farm.targets("flows") == {place: "draining"}
        flow.sendall(b"Host: granja\r\n\r\n")
        assert task.encode() in flow.recv(65536)
    with pytest.raises(OSError, match="reset"):
        get(farm, "net", port=9000)
    other, its_task = others[0]
    farm.register("flows", other)
    eventually(lambda: farm.targets("flows")[other] == "healthy")
    assert get(farm, "net", port=9000)["task"] == its_task


def test_a_task_serves_until_its_containers_are_gone_and_is_a_bad_gateway_after_that(farm: Farm) -> None:
    (_, task), *others = tasks(farm).items()
    farm.deregister("conejo", *(where for where, _ in others))
    farm.stop_task(task)
    eventually(lambda: farm.living.task(task).last_status == "STOPPING")
    assert get(farm, "main")["task"] == task
    eventually(lambda: farm.living.task(task).last_status == "STOPPED")
    assert get(farm, "main") == 502
