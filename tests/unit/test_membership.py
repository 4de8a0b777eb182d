"""Which tasks differ, found in one pass over those that run: whose they are is asked once, and the CPU grows with their number."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from expose.membership import Membership
from expose.model import Identity, Owned, Task
from expose.records import Memory, Record
from expose.work import Depth, Work
from tests.unit.values import ARN, DEFINITION, NOW, definition, service, task

Services = dict[str, tuple[Memory | None, list[Record]]]


@dataclass
class Cluster:
    """Tasks that run, by id, with their group."""

    tasks: dict[str, str] = field(default_factory=dict)
    started: bool = True
    asked: int = 0
    ill: frozenset[str] = frozenset()
    described: list[str] = field(default_factory=list)

    def running(self, cluster: str) -> Iterator[str]:
        return (f"arn:aws:ecs:eu-west-1:1:task/{cluster}/{each}" for each in self.tasks)

    def groups(self, cluster: str, tasks: Iterable[str]) -> Iterator[tuple[str, str, bool]]:
        for each in tasks:
            self.asked += 1
            yield each, self.tasks[each], self.started

    def changed(self, cluster: str, known: Mapping[str, Task]) -> Iterator[str]:
        self.described += known
        return (each for each in known if each in self.ill)


def known(count: int, tasks: int) -> tuple[Services, dict[str, str]]:
    """Services with so many tasks each, all of them published; and the groups of those that run."""
    found: Services = {}
    groups: dict[str, str] = {}
    for number in range(count):
        arn = replace(ARN, name=f"service-{number}")
        mine = [replace(task(1), id=UUID(int=number * tasks + one).hex) for one in range(tasks)]
        owned = tuple(Owned(Identity("elb.target", each.id), aws_id="x", task=each.id) for each in mine)
        found[str(arn)] = Memory(service(*mine, arn=arn)), [Record(str(arn), "expose:lb", owned=owned)]
        groups |= {each.id: f"service:{arn.name}" for each in mine}
    return found, groups


def found(membership: Membership, services: Services) -> list[tuple[str, Depth]]:
    works: Iterable[Work] = membership.differences("granja", services)
    return sorted((work.service, work.depth) for work in works)


def test_nothing_differs_where_all_that_is_published_runs_and_all_that_runs_is_known() -> None:
    services, tasks = known(3, 2)

    assert found(Membership(Cluster(tasks), clock=lambda: NOW), services) == []


def test_a_published_task_that_does_not_run_has_its_tasks_read() -> None:
    services, tasks = known(3, 2)
    del tasks[next(iter(tasks))]

    assert found(Membership(Cluster(tasks), clock=lambda: NOW), services) == [
        (next(iter(services)), Depth.TASKS)
    ]


def test_where_none_of_them_runs_the_service_itself_may_be_gone() -> None:
    services, tasks = known(2, 2)
    left = {one: group for one, group in tasks.items() if group == "service:service-1"}

    assert found(Membership(Cluster(left), clock=lambda: NOW), services) == [
        (next(iter(services)), Depth.SERVICE)
    ]


def test_a_running_task_that_is_not_known_is_its_service_s_once_it_has_started() -> None:
    services, tasks = known(1, 1)
    cluster = Cluster(tasks | {"new": "service:service-0"}, started=False)
    membership = Membership(cluster, clock=lambda: NOW)

    assert found(membership, services) == []
    cluster.started = True
    assert found(membership, services) == [(next(iter(services)), Depth.TASKS)]


def test_strangers_are_asked_for_once_and_again_when_their_service_is_exposed() -> None:
    services, tasks = known(2, 1)
    one, other = services
    membership = Membership(cluster := Cluster(tasks), clock=lambda: NOW)

    assert found(membership, {one: services[one]}) == found(membership, {one: services[one]}) == []
    assert cluster.asked == 1
    exposed = {other: (None, services[other][1])}  # not read yet
    assert found(membership, exposed) == [(other, Depth.TASKS)]


def test_ten_thousand_tasks_among_sixty_five_thousand_of_others_take_seconds_at_most() -> None:
    """Linear: 0.4 s where it was measured, be it the first sweep or a later one; quadratic, it would be 34 s and more."""
    services, tasks = known(1000, 10)
    strangers = {UUID(int=10**9 + one).hex: f"service:other-{one % 500}" for one in range(65_000)}
    membership = Membership(cluster := Cluster(tasks | strangers), clock=lambda: NOW)

    begun = time.process_time()
    assert found(membership, services) == []
    assert found(membership, services) == []
    assert time.process_time() - begun < 5
    assert cluster.asked == len(strangers)


def test_a_task_that_is_not_as_it_was_read_has_its_service_s_tasks_read() -> None:
    """Only tasks of which no event would tell are asked for: not those that cannot fall ill, nor those that are gone."""
    services, tasks = known(3, 2)
    checked, *_ = services
    memory, records = services[checked]
    assert memory
    may_fall_ill = {DEFINITION: definition(checked=True)}
    services[checked] = replace(memory, service=replace(memory.service, definitions=may_fall_ill)), records
    mine = sorted(task.id for task in memory.service.tasks)
    cluster = Cluster(tasks, ill=frozenset(tasks))

    assert found(Membership(cluster, clock=lambda: NOW), services) == [(checked, Depth.TASKS)]
    assert sorted(cluster.described) == mine
    del tasks[mine[0]]
    cluster.described.clear()
    found(Membership(cluster, clock=lambda: NOW), services)
    assert cluster.described == mine[1:]
