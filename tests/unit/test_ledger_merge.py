"""Two workers that write one exposure at the same time: what each has changed stands, and nothing comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expose.aws import Clients
from expose.ledger import Ledger, Overtaken
from expose.memories import Memories
from expose.model import Identity, Owned
from expose.records import Memory, Record, merged
from expose.refusals import Status
from expose.trail import Trail
from expose.work import Depth, Work
from farm.timeline import Timeline
from tests.unit.tables import TABLE, table
from tests.unit.values import ARN, NOW, service, task

ONE, TWO, NEW = (
    Owned(Identity("cloudmap.instance", each), aws_id=each, task=each, address=address)
    for each, address in (("one", "203.0.0.1"), ("two", "203.0.0.2"), ("new", "203.0.0.3"))
)


@pytest.fixture
def clients(timeline: Timeline) -> Clients:
    return table()


def record(*owned: Owned, **differences: object) -> Record:
    return replace(Record(str(ARN), "expose:dns", "a", owned=owned), **differences)


def owned(of: Record) -> set[str]:
    return {entry.identity.key for entry in of.owned}


def test_what_another_has_withdrawn_stays_withdrawn_and_what_i_have_made_stays_made() -> None:
    both = merged(record(ONE, TWO), record(ONE, TWO, NEW), record(TWO))

    assert owned(both) == {"two", "new"}


def test_what_i_have_made_anew_meanwhile_is_still_remembered() -> None:
    """It is there again, whatever the other did before: the next pass takes it away."""
    again = replace(ONE, since=NOW)

    assert owned(merged(record(ONE), record(again), record())) == {"one"}


def test_a_field_that_only_one_has_changed_is_as_that_one_says() -> None:
    base = record(ONE, status=Status.ACTIVE, message="1 of 1")
    mine, theirs = replace(base, status=Status.PENDING), replace(base, closed=True, version=7)

    both = merged(base, mine, theirs)
    assert (both.status, both.message, both.closed, both.version) == (Status.PENDING, "1 of 1", True, 7)


def test_a_worker_that_was_overtaken_writes_what_both_have_done(clients: Clients) -> None:
    first, second = Ledger(clients, TABLE), Ledger(clients, TABLE)
    first.save_memory(Memory(service()))
    first.save_record(record(ONE, TWO))
    _, (mine,) = first.load_to_write(str(ARN))
    _, (theirs,) = second.load_to_write(str(ARN))
    second.save_record(theirs.owning({TWO.identity: TWO}))
    assert not second.met_another

    saved = first.save_record(replace(mine, owned=(ONE, TWO, NEW), status=Status.ACTIVE))
    assert first.met_another
    assert owned(saved) == {"two", "new"}
    assert first.load(str(ARN))[1] == [saved]
    first.save_record(replace(saved, message="and again"))


def test_who_has_not_loaded_a_record_may_not_overwrite_another_s(clients: Clients) -> None:
    ledger = Ledger(clients, TABLE)
    saved = ledger.save_record(record(ONE))
    ledger.save_record(replace(saved, message="newer"))
    stranger = Ledger(clients, TABLE)

    with pytest.raises(Overtaken):
        stranger.save_record(saved)


def test_a_task_that_one_worker_hears_to_stop_is_in_no_other_worker_s_memory(clients: Clients) -> None:
    ledger = Ledger(clients, TABLE)
    trail = Trail(clients, TABLE, days=30)
    memories = Memories(ledger=ledger, trail=trail, clock=lambda: NOW)
    before = ledger.save_memory(Memory(service(task(1), task(2))))
    heard = memories.hear(before, Work(str(ARN), "stopped", Depth.RECORD, stopped=(task(1).id,)))
    memories.remember(before, heard)

    read = replace(before, service=service(task(1), task(2), task(3)))
    remembered = memories.remember(before, read)
    assert [each.id for each in remembered.service.tasks] == [task(2).id, task(3).id]
    assert remembered.stopped == {task(1).id: NOW}


def test_who_hears_twice_that_a_task_has_stopped_remembers_the_first_time(clients: Clients) -> None:
    memories = Memories(
        ledger=Ledger(clients, TABLE), trail=Trail(clients, TABLE, days=30), clock=lambda: NOW
    )
    before = Memory(service(task(1)), stopped={task(1).id: NOW - 10})

    assert memories.hear(before, Work(str(ARN), "again", Depth.RECORD, stopped=(task(1).id,))).stopped == {
        task(1).id: NOW - 10
    }
