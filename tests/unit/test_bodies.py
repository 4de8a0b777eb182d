"""Versions read one another's ledger: the first schema and ours, ours and the next. Nothing is lost on the way, and what
cannot be read says so.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

import pytest

from expose import bodies
from expose.bodies import dump_memory, dump_record, heard, load_memory, load_record
from expose.codec import Unreadable
from expose.model import Identity, Owned, Port, Service
from expose.records import Memory, Record
from expose.refusals import Status
from tests.ledgers import first
from tests.ledgers.written import items
from tests.unit import test_records as full

WRITTEN = items("schema1.json")
MEMORIES = [item["body"]["B"] for item in WRITTEN if item["sk"]["S"] == "SERVICE"]
RECORDS = [item["body"]["B"] for item in WRITTEN if item["sk"]["S"].startswith("EXPOSURE#")]

MEMORY = load_memory(first.dump_memory(first.load_memory(dump_memory(full.MEMORY))))
RECORD = load_record(first.dump_record(first.load_record(dump_record(full.RECORD))))
CLAIM, OWNED = RECORD.owned
"""All that the first schema can say."""


def streams(packed: bytes) -> tuple[Any, Any]:
    reader = zlib.decompressobj()
    tree = json.loads(reader.decompress(packed))
    return tree, json.loads(zlib.decompress(reader.unused_data)) if reader.unused_data else {}


def packed(*trees: Any) -> bytes:
    return b"".join(zlib.compress(json.dumps(tree).encode()) for tree in trees)


def next_record(**later: dict[str, Any]) -> bytes:
    """Our record as the next version has written it: with fields of its own in the second stream."""
    tree, beside = streams(dump_record(RECORD))
    return packed(tree, {**beside, "schema": 3, "fields": later})


def path_of(entry: Owned) -> str:
    return f"/owned/{[entry.identity.kind, entry.identity.key]}"


def test_the_kept_ledger_has_every_mechanism_and_something_under_way() -> None:
    kinds = {entry.identity.kind for body in RECORDS for entry in load_record(body).owned}
    assert {kind.partition(".")[0] for kind in kinds} == {"apigw", "claim", "cloudmap", "elb", "rest", "ssm"}
    records = [load_record(body) for body in RECORDS]
    assert {record.status for record in records} == {
        Status.ACTIVE,
        Status.PENDING,
        Status.INVALID,
        Status.BLOCKED,
    }
    assert any(entry.leaving and entry.operation for record in records for entry in record.owned)
    memories = [load_memory(body) for body in MEMORIES]
    assert any(memory.stopped for memory in memories)
    assert any(task.bindings for memory in memories for task in memory.service.tasks)
    assert any(task.openings for memory in memories for task in memory.service.tasks)


@pytest.mark.parametrize("body", MEMORIES)
def test_a_memory_of_the_first_schema_is_read_and_the_first_reader_reads_it_back(body: bytes) -> None:
    before = first.load_memory(body)
    memory = load_memory(body)
    assert said(memory, like=before) == said(before)
    assert first.load_memory(dump_memory(memory)) == before


@pytest.mark.parametrize("body", RECORDS)
def test_a_record_of_the_first_schema_is_read_and_the_first_reader_reads_it_back(body: bytes) -> None:
    before = first.load_record(body)
    record = load_record(body)
    assert said(record, like=before) == said(before)
    assert first.load_record(dump_record(record)) == before


def said(value: Any, *, like: Any = None) -> Any:
    """All that it says; but only in those fields that another value has as well."""
    found = _said(value) if isinstance(value, Record | first.Record) else asdict(value)
    return found if like is None else _within(found, said(like))


def _within(found: Any, known: Any) -> Any:
    if isinstance(known, dict):
        return {name: _within(found[name], known[name]) for name in known}
    if isinstance(known, list | tuple):
        return type(known)(_within(*each) for each in zip(found, known, strict=True))
    return found


def _said(record: Any) -> dict[str, Any]:
    """Dataclasses that are keys do not become dictionaries."""
    found = {
        name: {(each.kind, each.key): answer for each, answer in getattr(record, name).items()}
        for name in ("found", "good_found")
    }
    return asdict(replace(record, found={}, good_found={})) | found


def test_samples_full_of_everything_are_read_by_the_first_reader() -> None:
    """But for the fields that came later."""
    memory = first.load_memory(dump_memory(full.MEMORY))
    record = first.load_record(dump_record(full.RECORD))
    assert said(full.MEMORY, like=memory) == said(memory)
    assert said(full.RECORD, like=record) == said(record)


def test_upgraded_rolled_back_and_upgraded_again_nothing_is_lost() -> None:
    """The rolled back version takes a step of its own in between."""
    back = first.load_record(dump_record(load_record(first.dump_record(first.load_record(RECORDS[0])))))
    again = load_record(first.dump_record(replace(back, attempts=7, version=back.version + 1)))
    assert said(again) == said(load_record(RECORDS[0])) | {"attempts": 7, "version": back.version + 1}


@pytest.mark.parametrize(
    ("kind", "name"),
    [(Owned, "sick_since"), (Record, "watch_at"), (Record, "astray"), (Record, "found")],
    ids=str,
)
def test_a_field_that_came_later_is_out_of_the_first_readers_sight_and_there_for_ours(
    monkeypatch: pytest.MonkeyPatch, kind: type, name: str
) -> None:
    """As if the first schema had lacked a field that we have."""
    known = " ".join(each for each in bodies._FIRST[kind].split() if each != name)
    monkeypatch.setitem(bodies._FIRST, kind, known)
    tree, beside = streams(dump_record(RECORD))
    where = path_of(OWNED) if kind is Owned else ""
    assert name not in (tree if kind is Record else tree["owned"][1])
    assert list(beside["fields"]) == [where]
    assert load_record(dump_record(RECORD)) == RECORD


@pytest.mark.parametrize("name", ["replaced_at", "stopping"])
def test_a_later_field_of_a_memory_as_well(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    known = " ".join(each for each in bodies._FIRST[Memory].split() if each != name)
    monkeypatch.setitem(bodies._FIRST, Memory, known)
    assert name not in streams(dump_memory(MEMORY))[0]
    assert load_memory(dump_memory(MEMORY)) == MEMORY


def test_fields_of_the_next_version_are_kept_at_every_level_and_out_of_the_first_readers_sight() -> None:
    body = next_record(**{"": {"zone_hint": ["Z1"]}, path_of(OWNED): {"wrote": {"a": [1]}}})
    record = load_record(body)
    assert record == RECORD
    back = first.load_record(dump_record(record))
    assert said(back) == said(RECORD, like=back)
    assert streams(dump_record(record))[1]["fields"] == {
        "": {"zone_hint": ["Z1"]},
        path_of(OWNED): {"wrote": {"a": [1]}},
    }


@pytest.mark.parametrize(
    "place",
    [
        lambda tree: tree,
        lambda tree: tree["service"],
        lambda tree: tree["service"]["arn"],
        lambda tree: tree["service"]["tasks"][0],
        lambda tree: tree["service"]["tasks"][0]["openings"][1],
        lambda tree: next(iter(tree["service"]["definitions"].values())),
        lambda tree: next(iter(tree["service"]["definitions"].values()))["ports"][1],
    ],
    ids=["memory", "service", "arn", "task", "opening", "definition", "port"],
)
def test_a_field_that_stands_among_those_of_all_is_written_back_there(place: Callable[[Any], Any]) -> None:
    tree, beside = streams(dump_memory(MEMORY))
    place(tree)["colour"] = {"of": "tomorrow"}
    memory = load_memory(packed(tree, beside))
    assert memory == MEMORY
    assert streams(dump_memory(memory)) == (tree, beside)
    assert streams(dump_memory(replace(memory, version=8)))[0] == {**tree, "version": 8}


def test_what_is_not_known_of_an_entry_goes_where_it_goes_and_no_further() -> None:
    """It stays with its entry whatever becomes of it, wherever in the list it stands then."""
    record = load_record(next_record(**{path_of(OWNED): {"wrote": "1.2.3.4"}}))
    remade = Owned(OWNED.identity, "another", "another")
    others = tuple(Owned(Identity("thing", str(number))) for number in range(3))
    kept = load_record(dump_record(replace(record, owned=(others[0], remade, *others[1:]))))
    assert streams(dump_record(kept))[1]["fields"] == {path_of(OWNED): {"wrote": "1.2.3.4"}}
    gone = load_record(dump_record(replace(record, owned=(CLAIM,))))
    assert streams(dump_record(replace(gone, owned=(CLAIM, OWNED))))[1]["fields"] == {}


def test_a_status_of_the_next_version_is_kept_and_the_first_reader_sees_one_that_it_knows() -> None:
    record = load_record(next_record(**{"": {"status": "Paused"}}))
    assert record.status == "Paused"
    assert record.status not in list(Status)
    assert load_record(dump_record(record)).status == "Paused"
    assert first.load_record(dump_record(record)).status == "Pending"
    judged = load_record(dump_record(replace(record, status=Status.ACTIVE)))
    assert judged.status is Status.ACTIVE


def test_every_field_that_has_a_default_may_be_missing() -> None:
    tree, _ = streams(dump_record(RECORD))
    bare = {name: tree[name] for name in ("service", "tag")}
    assert load_record(packed(bare)) == Record(RECORD.service, RECORD.tag)
    tree, _ = streams(dump_memory(MEMORY))
    assert load_memory(packed({"service": {"arn": tree["service"]["arn"]}})) == Memory(
        Service(MEMORY.service.arn)
    )
    assert load_record(packed({**bare, "owned": [{"is": ["a", "b"]}]})).owned == (Owned(Identity("a", "b")),)


def test_the_schema_stands_in_every_body_and_one_that_we_may_not_read_is_refused() -> None:
    tree, beside = streams(dump_record(RECORD))
    assert (beside["schema"], beside.get("needs", 1)) == (2, 1)
    assert load_record(packed(tree, {**beside, "schema": 9, "needs": 2})) == RECORD
    with pytest.raises(Unreadable, match="a newer version wrote it, with schema 9"):
        load_record(packed(tree, {**beside, "schema": 9, "needs": 3}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"attempts": "three"}, "attempts: expected int, got 'three'"),
        ({"closed": 1}, "closed: expected bool, got '1'"),
        ({"look_at": None}, "look_at: expected float, got 'None'"),
        ({"status": 5}, "status: expected text"),
        ({"owned": {}}, "owned: expected a list"),
        ({"owned": [{"is": ["a"]}]}, "owned: is: expected a list of 2"),
        ({"owned": [{"is": ["a", "b"], "refs": {"x": 5}}]}, "owned: refs: expected a list of 2, got '5'"),
        ({"owned": [{"aws_id": "x"}]}, "owned: a Owned is not complete: .*identity"),
        ({"found": [["kind", "key"]]}, "found: expected a list of 2"),
        ({"found": [[["kind"], "key", 1]]}, "found: expected text"),
        ({"astray": "3.80.1.2"}, "astray: expected a list"),
    ],
    ids=str,
)
def test_a_field_of_another_type_is_unreadable_and_it_says_which(change: dict[str, Any], said: str) -> None:
    tree, beside = streams(dump_record(RECORD))
    with pytest.raises(Unreadable, match=said):
        load_record(packed({**tree, **change}, beside))


@pytest.mark.parametrize("body", [b"", b"nothing", packed([]), packed({}), packed({}, []), packed(None)])
def test_what_is_no_body_at_all_is_unreadable(body: bytes) -> None:
    for load in (load_record, load_memory):
        with pytest.raises(Unreadable):
            load(body)


def test_wherever_a_body_is_cut_or_bent_it_is_unreadable_and_nothing_else() -> None:
    """But where the first stream ends: so the first schema looks."""
    body = dump_record(RECORD)
    whole = len(body) - len(packed_end(body))
    for at in range(len(body)):
        if at == whole:
            assert load_record(body[:at]) == RECORD
            continue
        with pytest.raises(Unreadable):
            load_record(body[:at])
        bent = bytes([*body[:at], body[at] ^ 0x55, *body[at + 1 :]])
        with suppress(Unreadable):
            load_record(bent)


def packed_end(body: bytes) -> bytes:
    reader = zlib.decompressobj()
    reader.decompress(body)
    return reader.unused_data


def test_of_a_memory_that_cannot_be_read_it_is_still_heard_which_tasks_have_stopped() -> None:
    tree, beside = streams(dump_memory(MEMORY))
    tree["service"]["wanted"] = "many"
    with pytest.raises(Unreadable):
        load_memory(packed(tree, beside))
    assert heard(packed(tree, beside)) == (MEMORY.stopping, MEMORY.stopped)
    assert heard(packed({**tree, "stopping": 5}, beside)) == ({}, MEMORY.stopped)
    assert heard(b"nothing") == ({}, {})


def test_two_ports_of_a_definition_are_told_apart_by_what_they_are() -> None:
    tree, beside = streams(dump_memory(MEMORY))
    (definition,) = tree["service"]["definitions"].values()
    definition["ports"][1]["last"] = 8090
    memory = load_memory(packed(tree, beside))
    ((arn, of),) = memory.service.definitions.items()
    turned = replace(of, ports=(Port("new", 1), *reversed(of.ports)))
    service = replace(memory.service, definitions={arn: turned})
    (again,) = streams(dump_memory(replace(memory, service=service)))[0]["service"]["definitions"].values()
    assert [port.get("last") for port in again["ports"]] == [None, 8090, None]
