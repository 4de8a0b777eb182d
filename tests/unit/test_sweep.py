"""The sweep's order and manners: the guard first, each part alone, no two sweeps at once, nothing begun too late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from expose.model import Identity, Owned
from expose.policy import Limits
from expose.records import Memory, Record
from expose.sweep import Finders, Sweep
from expose.work import Depth, Work
from tests.unit.values import ARN, service, task

Known = dict[str, tuple[Memory | None, list[Record]]]
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Anything")
PARTS = ("guard", "granja", "corral", "tags", "zones", "orphans")


def exposed(*clusters: str) -> Known:
    found: Known = {}
    for cluster in clusters:
        arn = replace(ARN, cluster=cluster)
        owned = (Owned(Identity("elb.target", "x"), aws_id="x", task=task(1).id),)
        found[str(arn)] = (
            Memory(service(task(1), arn=arn)),
            [Record(str(arn), "expose:lb", owned=owned)],
        )
    return found


@dataclass
class World:
    """What the sweep meets, and what it did: `broken` parts raise, after they have found something."""

    known: Known | Exception = field(default_factory=lambda: exposed("granja", "corral"))
    broken: dict[str, Exception] = field(default_factory=dict)
    mine: bool = True
    now: float = 600.0
    takes: float = 0.0
    done: list[str] = field(default_factory=list)
    sent: list[Work] = field(default_factory=list)
    failed: int = 0
    lines: list[str] = field(default_factory=list)

    def part(self, name: str) -> Iterator[Work]:
        self.done.append(name)
        self.now += self.takes
        yield Work(f"{ARN}-{name}", name, Depth.TASKS)
        if name in self.broken:
            raise self.broken[name]

    # the ledger, the guard, the finders, the turn
    def everything(self) -> Known:
        if isinstance(self.known, Exception):
            raise self.known
        return self.known

    def astray(self, known: Known) -> list[Work]:
        return list(self.part("guard"))

    def watch_zones(self, known: Known, apart: object) -> Iterator[Work]:
        return self.part("zones")

    def differences(self, where: str | Known, known: Known) -> Iterator[Work]:
        return self.part(where if isinstance(where, str) else "tags")

    def find(self, known: Known) -> Iterator[Work]:
        return self.part("orphans")

    def is_mine(self) -> bool:
        return self.mine

    def give_back(self) -> None:
        self.done.append("gave back")

    # the outbox and the telemetry
    def all_now(self, works: Iterable[Work], once: str) -> None:
        self.sent += works

    def warn(self, message: str) -> None:
        self.lines.append(message)

    def failed_apart(self, count: int) -> None:
        self.failed = count

    def swept(self, *, services: int, queued: int) -> None: ...


def sweep_of(world: World) -> Sweep:
    one = cast("Any", world)
    return Sweep(
        ledger=one,
        guard=one,
        finders=Finders(one, one, one),
        outbox=one,
        telemetry=one,
        limits=Limits(),
        verify_minutes=60,
        turn=lambda: one,
        clock=lambda: world.now,
    )


def reasons(world: World) -> set[str]:
    return {work.reason for work in world.sent} & {*PARTS}


def test_the_guard_comes_first_and_all_parts_have_their_turn() -> None:
    world = World()
    sweep_of(world).run(seconds=200)

    assert world.done[0] == "guard"
    assert reasons(world) == {*PARTS}
    assert world.failed == 0


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_aws_refuses_stops_no_other_and_is_counted(name: str) -> None:
    world = World(broken={name: DENIED})
    sweep_of(world).run(seconds=200)

    assert {*PARTS} - {name} <= reasons(world)
    assert world.failed == 1
    assert "AccessDenied" in world.lines[0]


@pytest.mark.parametrize("name", PARTS)
def test_a_bug_stops_no_other_part_either_and_fails_the_sweep_at_the_end(name: str) -> None:
    world = World(broken={name: KeyError("bug")})
    with pytest.raises(ExceptionGroup) as raised:
        sweep_of(world).run(seconds=200)

    assert {*PARTS} - {name} <= reasons(world)
    assert world.done[-1] == "gave back"
    assert [type(each) for each in raised.value.exceptions] == [KeyError]


def test_what_a_part_found_before_it_failed_is_queued() -> None:
    world = World(broken={"granja": DENIED})
    sweep_of(world).run(seconds=200)

    assert "granja" in reasons(world)


def test_while_another_sweep_is_under_way_only_the_guard_is_on_watch() -> None:
    world = World(mine=False)
    sweep_of(world).run(seconds=200)

    assert world.done == ["guard", "gave back"]
    assert world.failed == 0


def test_what_there_is_no_time_for_is_told_and_comes_first_the_next_time() -> None:
    world = World(takes=10)
    sweep = sweep_of(world)
    sweep.run(seconds=15)  # the guard and one cluster
    first = world.done[1]
    assert world.done == ["guard", first, "gave back"]
    assert world.failed >= 1

    world.done.clear()
    sweep.run(seconds=15)
    assert {first, world.done[1]} == {"granja", "corral"}


def test_a_ledger_that_cannot_be_read_is_taken_to_be_as_it_was() -> None:
    world = World()
    sweep = sweep_of(world)
    sweep.run(seconds=200)
    world.known, world.sent = DENIED, []
    sweep.run(seconds=200)

    assert reasons(world) == {*PARTS} - {"orphans"}, "what is not in it would seem to be nobody's"
    assert world.failed == 1


def test_a_ledger_that_was_never_read_is_not_taken_to_be_empty() -> None:
    world = World(known=DENIED)
    sweep_of(world).run(seconds=200)

    assert world.sent == []
    assert world.failed == 1


def test_a_service_is_queued_twice_only_for_a_deeper_look() -> None:
    arn = next(iter(exposed("granja")))
    world = World()
    world.part = lambda name: iter(  # type: ignore[method-assign]
        [Work(arn, name, Depth.SERVICE if name == "tags" else Depth.TASKS)]
    )
    world.now = 60.0 * 7 + 600.0 * 3600  # not its turn to be verified
    sweep_of(world).run(seconds=200)

    depths = [
        work.depth for work in world.sent if work.service == arn and work.reason in {*PARTS} - {"guard"}
    ]
    assert depths == [Depth.TASKS, Depth.SERVICE]
