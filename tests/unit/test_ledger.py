"""The ledger's table: what is too long for one item is spread and never seen torn, what cannot be read is left as it is and
holds up nobody, and what other versions put beside it stays.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from expose import unreadable
from expose.asks import Reader
from expose.aws import Clients
from expose.codec import Unreadable
from expose.ledger import Ledger
from expose.mechanisms import MECHANISMS
from expose.memories import Memories
from expose.model import Identity, Owned, Service, Task
from expose.records import PIECE, Memory, Record, Stored, merged
from expose.refusals import NotYet, Refused, Status
from expose.resources.elb.own import OwnListeners
from expose.telemetry import Telemetry
from expose.trail import Trail
from expose.verdict import Announcement
from expose.work import Depth, Work
from farm.timeline import Timeline
from tests.ledgers import first
from tests.unit.tables import TABLE, table
from tests.unit.test_records import MEMORY, RECORD
from tests.unit.values import ARN, NAME, NOW, service, task

LIMIT = 409_600  # bytes that an item may have, the names of its attributes included
KEY = {"pk": {"S": f"SERVICE#{ARN}"}, "sk": {"S": "EXPOSURE#expose:dns"}}
MEMORY_KEY = {"pk": {"S": f"SERVICE#{ARN}"}, "sk": {"S": "SERVICE"}}
NEIGHBOUR = replace(ARN, name="gallina")
DAMAGED = {
    "no body at all": None,
    "no compressed data": {"B": b"nothing"},
    "another sort of attribute": {"S": "nothing"},
    "a field of another type": {"B": zlib.compress(b'{"service":"a","tag":"b","attempts":"three"}')},
    "a newer schema that may not be read": {
        "B": zlib.compress(b'{"service":"a","tag":"b"}') + zlib.compress(b'{"schema":9,"needs":9}')
    },
}


@pytest.fixture
def clients(timeline: Timeline) -> Clients:
    return table()


@pytest.fixture
def ledger(clients: Clients) -> Ledger:
    return Ledger(clients, TABLE)


@pytest.fixture(params=list(DAMAGED.values()), ids=list(DAMAGED))
def body(request: pytest.FixtureRequest) -> Any:
    return request.param


def read(clients: Clients, key: Any = KEY) -> Any:
    return clients.dynamodb.get_item(TableName=TABLE, Key=key).get("Item")


def damage(clients: Clients, body: Any, key: Any = KEY) -> Any:
    """The item as it stands afterwards."""
    item = {name: each for name, each in read(clients, key).items() if name != "body"}
    clients.dynamodb.put_item(TableName=TABLE, Item=item | ({"body": body} if body else {}))
    return read(clients, key)


def saved(ledger: Ledger, **differences: Any) -> Record:
    return ledger.save_record(Record(str(ARN), "expose:dns", **differences))


# What cannot be read


def test_what_cannot_be_read_says_so_and_all_else_is_read(
    ledger: Ledger, clients: Clients, body: Any
) -> None:
    saved(ledger, value=NAME)
    other = ledger.save_record(Record(str(ARN), "expose:ip"))
    neighbour = ledger.save_record(Record(str(NEIGHBOUR), "expose:ip"))
    memory = ledger.save_memory(Memory(service(task(1))))
    damage(clients, body)

    assert ledger.load(str(ARN)) == ledger.everything()[str(ARN)]
    assert ledger.everything()[str(NEIGHBOUR)] == (None, [neighbour])
    found, records = ledger.load(str(ARN))
    unreadable, same = sorted(records, key=lambda record: record.tag)
    assert (found, same) == (memory, other)
    assert (unreadable.service, unreadable.tag, unreadable.value) == (str(ARN), "expose:dns", NAME)
    assert (unreadable.status, unreadable.code) == (Status.FAILED, "UnreadableRecord")
    assert "deploy that version again" in unreadable.message
    assert "EXPOSURE#expose:dns" in unreadable.message
    assert unreadable.unreadable
    assert not other.unreadable


def test_it_is_never_written_over_and_never_forgotten(ledger: Ledger, clients: Clients, body: Any) -> None:
    saved(ledger)
    before = damage(clients, body)
    _, (record,) = ledger.load(str(ARN))

    with pytest.raises(Unreadable, match="expose:dns of arn"):
        ledger.save_record(replace(record, closed=True))
    with pytest.raises(Unreadable, match="expose:dns of arn"):
        ledger.forget_record(record)
    with pytest.raises(Unreadable):
        saved(ledger, value="by somebody who had read it before")
    with pytest.raises(NotYet):
        saved(Ledger(clients, TABLE), value="by somebody who has not read it")
    assert read(clients) == before


def test_it_is_told_beside_the_body_and_due_until_then(ledger: Ledger, clients: Clients, body: Any) -> None:
    saved(ledger, value=NAME)
    before = damage(clients, body)
    _, (record,) = ledger.load(str(ARN))
    assert record.due(NOW)
    ledger.tell(replace(record, announced="said"))

    _, (record,) = ledger.load(str(ARN))
    assert not record.due(NOW)
    assert record.announced == "said"
    now = read(clients)
    told = {name: now.pop(name)["S"] for name in ("status", "code", "message", "announced")}
    assert told == {
        "status": "Failed",
        "code": "UnreadableRecord",
        "message": record.message[:1000],
        "announced": "said",
    }
    assert now == {name: each for name, each in before.items() if name not in told}


def test_a_memory_that_cannot_be_read_is_begun_anew_with_what_had_stopped(
    ledger: Ledger, clients: Clients
) -> None:
    memory = ledger.save_memory(Memory(service(task(1)), {"a": NOW}, {"b": NOW}))
    good = zlib.decompress(read(clients, MEMORY_KEY)["body"]["B"])
    damage(clients, {"B": zlib.compress(good.replace(b'"wanted":1', b'"wanted":"one"'))}, MEMORY_KEY)

    found, _ = ledger.load(str(ARN))
    assert found == Memory(Service(ARN), {"a": NOW}, {"b": NOW})
    assert found.unreadable
    assert found.version == 0  # nothing of it is to be relied on
    again = ledger.save_memory(replace(found, service=memory.service))
    assert again.version > memory.version
    assert ledger.load(str(ARN)) == (again, [])
    assert not again.unreadable


def test_a_memory_that_cannot_be_read_at_all_is_written_over_and_forgotten(
    ledger: Ledger, clients: Clients, body: Any
) -> None:
    ledger.save_memory(Memory(service(task(1))))
    damage(clients, body, MEMORY_KEY)
    found, _ = ledger.load(str(ARN))
    assert found == Memory(Service(ARN))
    ledger.save_memory(found)
    assert ledger.load(str(ARN))[0] == replace(found, version=2)
    damage(clients, body, MEMORY_KEY)
    found, _ = ledger.load(str(ARN))
    assert found is not None
    ledger.forget_memory(found)
    assert ledger.load(str(ARN)) == (None, [])


def test_two_workers_that_begin_a_memory_anew_do_not_write_over_each_other(
    ledger: Ledger, clients: Clients
) -> None:
    ledger.save_memory(Memory(service(task(1))))
    damage(clients, None, MEMORY_KEY)
    one, _ = ledger.load(str(ARN))
    two, _ = ledger.load(str(ARN))
    assert one
    assert two
    ledger.save_memory(one)
    with pytest.raises(NotYet):
        ledger.save_memory(two)


def test_what_listeners_an_unreadable_exposure_has_is_not_none(ledger: Ledger, clients: Clients) -> None:
    saved(ledger)
    damage(clients, None)
    with pytest.raises(Refused, match="cannot be read") as refused:
        OwnListeners(ledger).find(str(ARN))
    assert refused.value.code == "UnreadableRecord"


@pytest.mark.parametrize("tags", [{}, {"expose:dns": NAME}, {"expose:dns": "changed.animales.com"}], ids=str)
def test_nothing_is_asked_for_by_a_tag_whose_record_cannot_be_read(
    ledger: Ledger, clients: Clients, tags: dict[str, str]
) -> None:
    """Not even to go where the tag is gone, nor to be made anew where it is there."""
    saved(ledger, value=NAME)
    damage(clients, None)
    records = [*ledger.load(str(ARN))[1], Record(str(ARN), "expose:ip", version=1)]
    reader = Reader(MECHANISMS, prefix="expose", policy="sync", clock=lambda: NOW)
    of = service(tags={**tags, "expose:ip": "8080"})
    assert [ask.record.tag for ask in reader.read(of, records, Depth.FULL)] == ["expose:ip"]


# What other versions wrote beside it


def test_attributes_and_items_of_a_newer_version_stay(ledger: Ledger, clients: Clients) -> None:
    record = ledger.save_record(Record(str(ARN), "expose:dns"), expires=NOW)
    clients.dynamodb.update_item(
        TableName=TABLE,
        Key=KEY,
        UpdateExpression="SET colour = :colour",
        ExpressionAttributeValues={":colour": {"L": [{"S": "red"}]}},
    )
    history = {"pk": KEY["pk"], "sk": {"S": "HISTORY"}, "body": {"S": "of another sort"}}
    clients.dynamodb.put_item(TableName=TABLE, Item=history)
    _, (again,) = ledger.load(str(ARN))
    assert again == record
    ledger.save_record(replace(again, attempts=5))

    item = read(clients)
    assert item["colour"] == {"L": [{"S": "red"}]}
    assert "expires" not in item  # which is ours
    assert read(clients, {"pk": KEY["pk"], "sk": {"S": "HISTORY"}}) == history
    assert ledger.everything()[str(ARN)][1][0].attempts == 5


def test_what_people_read_beside_a_body_is_not_longer_than_they_read(
    ledger: Ledger, clients: Clients
) -> None:
    owned = tuple(
        Owned(Identity("thing", f"{number}"), aws_id="x", address=f"3.0.{number // 256}.{number % 256}")
        for number in range(5000)
    )
    saved(ledger, owned=owned, message="long " * 10_000)
    item = read(clients)
    assert item["addresses"]["S"].endswith(" and 4950 more")
    assert len(item["addresses"]["S"]) < 1000
    assert len(item["message"]["S"]) == 1000


# Sizes


def id_of(number: int) -> str:
    return Random(number).randbytes(16).hex()


def operation(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    return (
        "".join(Random(number).choices(letters, k=32)) + "-" + "".join(Random(-number).choices(letters, k=8))
    )


def crowd(count: int, *, at: int = 0) -> tuple[Task, ...]:
    """Tasks with all that may be known of one, as hard to compress as it is."""
    return tuple(
        task(
            number,
            id=id_of(number),
            started_at=NOW - Random(number).random() * 1e6,
            public_ipv4=".".join(str(each) for each in Random(number).randbytes(4)),
            ipv6="2600:1f18:" + ":".join(f"{Random(number + each).randrange(65536):x}" for each in range(6)),
            instance=f"i-{Random(number).randrange(16**17):017x}",
            bindings=(("web", 8080, Random(number).randrange(32768, 60999), "tcp"),),
        )
        for number in range(at, at + count)
    )


def crowded(count: int, *, at: int = 0) -> tuple[Owned, ...]:
    """Cloud Map instances, each with an operation that is not over yet."""
    claim = Identity("claim", f"dns/public/{NAME}")
    return tuple(
        Owned(
            Identity("cloudmap.instance", f"public/{NAME}/A/x-{id_of(number)}"),
            Random(number).randbytes(10).hex(),
            f"x-{id_of(number)}",
            {"claim": claim, "service": Identity("cloudmap.service", f"public/{NAME}/A")},
            task=id_of(number),
            address=".".join(str(each) for each in Random(number).randbytes(4)),
            operation=operation(number),
            leaving=bool(number % 2),
            since=NOW - Random(number).random() * 1e5,
        )
        for number in range(at, at + count)
    )


def sizes(clients: Clients) -> list[int]:
    """Of all items, as DynamoDB counts."""
    return [
        sum(
            len(name) + len(value.get("B", value.get("S", value.get("N", ""))))
            for name, value in item.items()
        )
        for page in clients.dynamodb.get_paginator("scan").paginate(TableName=TABLE)
        for item in page["Items"]
    ]


@pytest.mark.parametrize("count", [1, 1000, 1001, 5000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_tasks_come_back_as_they_were_from_items_that_dynamodb_takes(
    ledger: Ledger, clients: Clients, count: int
) -> None:
    """10,000: of a service of 5,000 all are being replaced."""
    tasks = crowd(count)
    heard = {id_of(-number): NOW - Random(number).random() * 3600 for number in range(count)}
    memory = ledger.save_memory(Memory(service(*tasks), heard, dict(reversed(heard.items()))))
    record = saved(ledger, value=NAME, owned=crowded(count))

    for found, (again,) in (ledger.load(str(ARN)), ledger.everything()[str(ARN)]):
        assert (found, again) == (memory, record)
        assert again.owned == record.owned  # in their order
    assert max(sizes(clients)) < LIMIT / 2
    assert len(sizes(clients)) == 2 * -(-count // PIECE)


def test_what_shrinks_leaves_no_piece_behind_and_what_goes_none_either(
    ledger: Ledger, clients: Clients
) -> None:
    record = saved(ledger, owned=crowded(2500))
    memory = ledger.save_memory(Memory(service(*crowd(2500))))
    assert len(sizes(clients)) == 6
    record = ledger.save_record(replace(record, owned=record.owned[:1500]))
    assert len(sizes(clients)) == 5
    record = ledger.save_record(replace(record, owned=record.owned[:900]))
    assert len(sizes(clients)) == 4
    memory = ledger.save_memory(replace(memory, service=service(*crowd(10))))
    assert len(sizes(clients)) == 2
    assert ledger.load(str(ARN)) == (memory, [record])
    ledger.forget_record(ledger.save_record(replace(record, owned=crowded(3000))))
    ledger.forget_memory(ledger.save_memory(replace(memory, service=service(*crowd(3000)))))
    assert sizes(clients) == []


def test_a_change_of_one_entry_writes_no_piece_but_its_own(ledger: Ledger, clients: Clients) -> None:
    """Every write of a piece replaces the item, and so would take the marks away."""
    record = saved(ledger, owned=crowded(4000))
    pieces = [
        {"pk": {"S": f"PIECE#{ARN}"}, "sk": {"S": f"EXPOSURE#expose:dns#{number}"}} for number in range(3)
    ]
    for key in pieces:
        clients.dynamodb.put_item(TableName=TABLE, Item={**read(clients, key), "mark": {"S": "untouched"}})
    owned = list(record.owned)
    owned[2345] = replace(owned[2345], operation="")
    newer = ledger.save_record(replace(record, owned=tuple(owned)))
    assert ["mark" in read(clients, key) for key in pieces] == [True, False, True]
    assert ledger.load(str(ARN)) == (None, [newer])


def test_a_second_worker_writes_no_piece_of_a_version_that_it_has_not_read(
    ledger: Ledger, clients: Clients
) -> None:
    before = saved(ledger, owned=crowded(2500))
    newer = ledger.save_record(replace(before, owned=crowded(2000, at=1000)))
    with pytest.raises(NotYet, match="another worker"):
        Ledger(clients, TABLE).save_record(replace(before, owned=crowded(4000)))
    assert ledger.load(str(ARN)) == (None, [newer])


def test_what_two_workers_write_in_pieces_is_merged(ledger: Ledger, clients: Clients) -> None:
    """The pieces of one, for the other has changed nothing in them, and what the other has changed."""
    saved(ledger, owned=crowded(2500))
    other = Ledger(clients, TABLE)
    _, (mine,) = ledger.load_to_write(str(ARN))
    _, (theirs,) = other.load_to_write(str(ARN))
    other.save_record(replace(theirs, owned=theirs.owned[:1500]))
    both = ledger.save_record(replace(mine, message="changed"))
    assert (both.message, both.owned) == ("changed", theirs.owned[:1500])
    assert ledger.load(str(ARN)) == (None, [both])
    assert len(sizes(clients)) == 2


def test_how_a_merged_record_stands_in_the_table_is_how_theirs_does() -> None:
    """It is theirs that is written over."""
    base = Record(str(ARN), "expose:dns", stored=Stored(pieces=("base",)))
    mine, theirs = (replace(base, stored=Stored(pieces=(who,))) for who in ("mine", "theirs"))
    assert merged(base, mine, theirs).stored.pieces == ("theirs",)


def test_a_memory_that_two_workers_write_in_pieces_has_what_both_have_heard(
    ledger: Ledger, clients: Clients
) -> None:
    memory = ledger.save_memory(Memory(service(*crowd(2500))))
    trail = Trail(clients, "trail", days=1)
    memories = Memories(ledger=ledger, trail=trail, clock=lambda: NOW)
    ledger.save_memory(replace(memory, service=service(*crowd(10)), stopped={"theirs": NOW}))
    heard = memories._save(replace(memory, stopped={"mine": NOW}))
    assert (len(heard.service.tasks), heard.stopped) == (2500, {"mine": NOW, "theirs": NOW})
    assert ledger.load(str(ARN)) == (heard, [])


def test_what_ecs_has_not_said_is_not_remembered_in_place_of_what_cannot_be_read(
    ledger: Ledger, clients: Clients
) -> None:
    """An empty service would look as if its tags were gone."""
    ledger.save_memory(Memory(service(task(1))))
    before = damage(clients, None, MEMORY_KEY)
    found, _ = ledger.load(str(ARN))
    assert found
    memories = Memories(ledger=ledger, trail=Trail(clients, "trail", days=1), clock=lambda: NOW)
    memories.remember(found, memories.hear(found, Work(str(ARN), "stops", Depth.RECORD, stopped=("a",))))
    assert read(clients, MEMORY_KEY) == before


class Meddled:
    """A table in which something happens between two reads of it."""

    def __init__(self, clients: Clients, events: Iterator[Any]) -> None:
        self._dynamodb = clients.dynamodb
        self._events = events

    @property
    def dynamodb(self) -> Any:
        return self

    def get_paginator(self, name: str) -> Any:
        event = next(self._events, None)
        if event:
            event()
        return self._dynamodb.get_paginator(name)


def test_what_is_written_while_it_is_read_is_read_again(ledger: Ledger, clients: Clients) -> None:
    """The first item of one version, the pieces of the next: as a reader sees it who comes in between."""
    before = saved(ledger, owned=crowded(2500))
    newer: list[Record] = []
    write = lambda: newer.append(ledger.save_record(replace(before, owned=crowded(2500, at=7))))  # noqa: E731
    meddled: Any = Meddled(clients, iter([None, write]))
    assert Ledger(meddled, TABLE).load(str(ARN)) == (None, newer)


def test_a_scan_that_missed_a_piece_is_made_again(ledger: Ledger, clients: Clients) -> None:
    record = saved(ledger, owned=crowded(2500))
    key = {"pk": {"S": f"PIECE#{ARN}"}, "sk": {"S": "EXPOSURE#expose:dns#1"}}
    piece = read(clients, key)
    clients.dynamodb.delete_item(TableName=TABLE, Key=key)
    put = lambda: clients.dynamodb.put_item(TableName=TABLE, Item=piece)  # noqa: E731
    meddled: Any = Meddled(clients, iter([None, put]))
    assert Ledger(meddled, TABLE).everything()[str(ARN)] == (None, [record])


@pytest.mark.parametrize("gone", [True, False])
def test_a_record_whose_piece_is_lost_or_not_its_own_is_unreadable(
    ledger: Ledger, clients: Clients, gone: bool
) -> None:
    saved(ledger, owned=crowded(2500))
    key = {"pk": {"S": f"PIECE#{ARN}"}, "sk": {"S": "EXPOSURE#expose:dns#1"}}
    other = read(clients, {**key, "sk": {"S": "EXPOSURE#expose:dns#0"}})
    clients.dynamodb.delete_item(TableName=TABLE, Key=key)
    if not gone:
        clients.dynamodb.put_item(TableName=TABLE, Item=other | key)
    _, (record,) = ledger.load(str(ARN))
    assert record.unreadable
    assert "not all of its pieces are there" in record.message
    assert ledger.everything()[str(ARN)] == (None, [record])


def test_a_memory_whose_piece_is_lost_is_written_anew_with_all_of_them(
    ledger: Ledger, clients: Clients
) -> None:
    memory = ledger.save_memory(Memory(service(*crowd(2500))))
    clients.dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": f"PIECE#{ARN}"}, "sk": {"S": "SERVICE#0"}})
    found, _ = ledger.load(str(ARN))
    assert found
    again = ledger.save_memory(replace(found, service=memory.service))
    assert ledger.load(str(ARN)) == (again, [])


def test_a_rolled_back_version_sees_no_piece_and_the_first_thousand(ledger: Ledger, clients: Clients) -> None:
    """It could never have written so long a one; nobody else's reading suffers from it."""
    record = saved(ledger, value=NAME, owned=crowded(2500))
    (item,) = [each for each in scanned(clients) if each["pk"]["S"].startswith("SERVICE#")]
    back = first.load_record(item["body"]["B"])
    assert (back.value, len(back.owned)) == (NAME, PIECE)
    assert [each.aws_id for each in back.owned] == [each.aws_id for each in record.owned[:PIECE]]


def scanned(clients: Clients) -> list[Any]:
    return [
        item
        for page in clients.dynamodb.get_paginator("scan").paginate(TableName=TABLE)
        for item in page["Items"]
    ]


def test_samples_full_of_everything_come_back(ledger: Ledger) -> None:
    memory = ledger.save_memory(replace(MEMORY, version=0))
    record = ledger.save_record(replace(RECORD, version=0))
    assert ledger.load(str(ARN)) == (memory, [record])


class Bus:
    """An outbox that keeps what is published."""

    def __init__(self) -> None:
        self.events: list[Announcement] = []

    def tell(self, announcements: list[Announcement]) -> bool:
        self.events += announcements
        return True


def test_of_all_records_those_that_cannot_be_read_are_told_once(
    ledger: Ledger, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    saved(ledger, value=NAME)
    ledger.save_record(Record(str(ARN), "expose:ip", status=Status.ACTIVE))
    damage(clients, None)
    bus: Any = Bus()
    for _ in range(3):
        records = ledger.load(str(ARN))[1]
        unreadable.tell(records, ledger=ledger, outbox=bus, telemetry=Telemetry(), reason="a test")
    (event,) = bus.events
    assert event.kind == "Exposure Failed"
    told = {name: event.detail[name] for name in ("service", "tag", "value", "status", "code")}
    assert told == {
        "service": str(ARN),
        "tag": "expose:dns",
        "value": NAME,
        "status": "Failed",
        "code": "UnreadableRecord",
    }
    assert read(clients)["code"] == {"S": "UnreadableRecord"}
    assert caplog.text.count("cannot be read") == 1
