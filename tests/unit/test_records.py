"""What the ledger remembers comes back as it was, and fits into one item of DynamoDB."""

from __future__ import annotations

from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest

from expose.definitions import Port
from expose.mechanisms import MECHANISMS, Lookup
from expose.model import Identity, Opening, Owned
from expose.records import Memory, Record, dump_memory, dump_record, load_memory, load_record
from expose.refusals import Status
from tests.unit.values import ARN, NAME, NOW, definition, exposure, namespace, service, surroundings, task

ITEM = 400_000  # bytes that one item may have, some room left for its keys and the attributes for people

OPEN = (
    Opening(4, "tcp", 22, 22, True, ("0.0.0.0/0",), ("sg-1", "sg-2")),
    Opening(6, "-1", 0, 65535, False, ("2001:db8::/32",)),
)
TASK = task(
    1,
    healthy=True,
    bindings=(("web", 8080, 32768, "tcp"), ("proxy", 8443, 32769, "tcp"), ("dns", 53, 53, "udp")),
    openings=OPEN,
)
SERVICE = service(
    TASK,
    task(2, running=False),
    task(5, openings=()),
    of=definition(Port("web", 8080), Port("dns", 53, "udp"), checked=True),
    tags={"expose:dns": "  Conejo.granja.animales.com\u3000", "équipe": "ñandú"},
    subnets=("subnet-1", "subnet-2"),
    minimum_healthy=50,
    health_grace=30,
    rolling=True,
    native=("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/blue/1",),
    registries=(("arn:aws:servicediscovery:eu-west-1:123456789012:service/srv-1", True),),
)
MEMORY = Memory(
    SERVICE,
    stopping={task(3).id: NOW},
    stopped={task(4).id: NOW + 0.25},
    none_ready_since=NOW,
    replaced_at=NOW - 9,
    version=7,
)
CLAIM = Owned(Identity("claim", f"dns/public/{NAME}"), "f", "c", since=NOW)
OWNED = Owned(
    Identity("cloudmap.instance", f"public/{NAME}/A/x-{task(1).id}"),
    fingerprint="0123456789abcdef0123",
    aws_id=f"x-{task(1).id}",
    refs={"claim": CLAIM.identity, "namespace": "ns-abcdefgh12345678"},
    task=task(1).id,
    address="203.0.113.1",
    shared=True,
    operation="op-1",
    leaving=True,
    since=NOW,
    trouble="unhealthy, Target.Timeout: Request timed out",
    sick_since=NOW - 5,
    open=True,
)
RECORD = Record(
    service=str(ARN),
    tag="expose:dns:admin",
    value=f"{NAME} ttl=ñ",
    good=f"{NAME} ttl=15",
    status=Status.INVALID,
    status_since=NOW - 3600,
    code="UnreadableTag",
    message="a word, a 'quote', a\nline",
    owned=(CLAIM, OWNED),
    found={
        Lookup("cloudmap.namespace", NAME): [namespace("granja.animales.com")],
        Lookup("ec2.vpc", "subnet-1"): "vpc-1",
        Lookup("ec2.vpc", "subnet-2"): None,
    },
    good_found={Lookup("cloudmap.namespace", "gallina.animales.com"): []},
    attempts=3,
    look_at=NOW + 1,
    retry_at=NOW + 2,
    watch_at=NOW + 3,
    since=NOW - 1,
    verified_at=NOW,
    announced="digest",
    astray=("3.80.1.2",),
    closed=True,
    limits="digest",
    version=9,
)


def test_every_word_of_the_samples_below_says_something() -> None:
    """So that a field which is forgotten on the way cannot hide behind its default."""
    for sample, plain in (
        (MEMORY, Memory(service())),
        (RECORD, Record("", "")),
        (OWNED, Owned(CLAIM.identity)),
    ):
        same = [
            each.name for each in fields(sample) if getattr(sample, each.name) == getattr(plain, each.name)
        ]
        assert not same


@pytest.mark.parametrize("memory", [MEMORY, Memory(SERVICE), Memory(service(active=False))])
def test_a_memory_comes_back_as_it_was(memory: Memory) -> None:
    assert load_memory(dump_memory(memory)) == memory


@pytest.mark.parametrize("record", [RECORD, Record(str(ARN), "expose:dns"), replace(RECORD, owned=(OWNED,))])
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    back = load_record(dump_record(record))

    assert back == record
    assert isinstance(back.status, Status)
    assert back.by_identity == record.by_identity


@pytest.mark.parametrize("status", list(Status))
def test_every_status_comes_back(status: Status) -> None:
    assert load_record(dump_record(replace(RECORD, status=status))).status is status


def test_the_order_of_what_is_owned_comes_back_because_deletion_goes_against_it() -> None:
    random = Random(1)
    entries = [replace(OWNED, identity=Identity("thing", str(number))) for number in range(50)]
    random.shuffle(entries)

    assert (
        list(load_record(dump_record(Record("", "").owning({e.identity: e for e in entries}))).owned)
        == entries
    )


def test_the_published_tasks_and_addresses_are_those_of_what_is_owned() -> None:
    leaving, other = OWNED, replace(OWNED, task=task(2).id, address="203.0.113.2", leaving=False)
    record = Record("", "", owned=(CLAIM, leaving, other))

    assert record.tasks == {task(1).id, task(2).id}  # may be published still
    assert record.addresses == ["203.0.113.2"]  # but is not promised to anybody


def test_a_resource_that_carries_several_addresses_is_reachable_at_each() -> None:
    both = replace(OWNED, address="203.0.113.2 2001:db8::2", leaving=False)

    assert Record("", "", owned=(both,)).addresses == ["2001:db8::2", "203.0.113.2"]


LONG = f"{'conejo' * 10}.{'granja' * 10}.{'animales' * 7}.{'example' * 8}.com"


def crowded(name: str, **differences: Any) -> tuple[Memory, Record]:
    """As many tasks as one Cloud Map service takes, all of them in the middle of being registered."""
    tasks = [
        task(
            number,
            id=Random(number).randbytes(16).hex(),
            public_ipv4=f"203.100.{number // 256}.{number % 256}",
        )
        for number in range(1000)
    ]
    of = service(*tasks, tags={"expose:dns": name})
    around = surroundings(namespace(name.partition(".")[2]), name=name)
    desired = MECHANISMS["dns"].desired(exposure(name), of, around)
    owned = tuple(
        Owned(
            each.identity, each.fingerprint, f"x-{each.task}", each.refs, each.task, each.address, since=NOW
        )
        for each in desired
    )
    record = Record(str(ARN), "expose:dns", name, name, found=around.found, look_at=NOW, since=NOW)
    heard = {each.id: NOW for each in tasks}
    return Memory(of, heard, heard), replace(
        record, owned=tuple(replace(each, **differences) for each in owned)
    )


@pytest.mark.parametrize("operation", ["", "kv4hqfdvzrvhqt2sbjvt5b3o2zlixtib-kq3x1a8g"])
@pytest.mark.parametrize("name", [NAME, LONG])
def test_a_record_with_a_thousand_tasks_fits_into_one_item(name: str, operation: str) -> None:
    _, record = crowded(name, operation=operation)

    assert len(record.tasks) == 1000
    assert len(dump_record(record)) < ITEM


def test_a_memory_with_a_thousand_tasks_and_all_those_that_they_replaced_fits_into_one_item() -> None:
    memory, _ = crowded(NAME)

    assert len(memory.service.tasks) == len(memory.stopped) == 1000
    assert len(dump_memory(memory)) < ITEM
