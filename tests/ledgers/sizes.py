"""How large the ledger's items become, and what reading all of them costs.

PYTHONPATH=layers/expose/python:. python -m tests.ledgers.sizes
"""

from __future__ import annotations

import time
from dataclasses import replace
from random import Random
from typing import Any

from expose.bodies import dump_memory, dump_record
from expose.items import Heap
from expose.mechanisms import MECHANISMS
from expose.model import Owned
from expose.records import Memory, Record
from tests.unit.test_ledger import crowd, crowded, id_of
from tests.unit.values import ARN, NAME, NOW, exposure, namespace, service, surroundings, task


def sizes(count: int) -> None:
    """Of a service of so many tasks, as bad as it gets."""
    heard = {id_of(-number): NOW - Random(number).random() * 3600 for number in range(count)}
    quiet = tuple(replace(each, operation="", leaving=False) for each in crowded(count))
    leaving = tuple(replace(each, leaving=True) for each in crowded(count, at=count))
    record = Record(str(ARN), "expose:dns", NAME, NAME)
    for what, parts in (
        ("memory, all replaced within the hour", Memory(service(*crowd(count)), stopped=heard).parts()),
        ("record, Cloud Map", replace(record, owned=quiet).parts()),
        ("the same, all being registered", replace(record, owned=crowded(count)).parts()),
        ("the same, and as many going", replace(record, owned=crowded(count) + leaving).parts()),
    ):
        found = [len(dump_memory(part) if isinstance(part, Memory) else dump_record(part)) for part in parts]
        print(  # noqa: T201 - it is a command
            f"{count} tasks: {what}: {len(found)} items, {max(found):,} bytes at most, {sum(found):,} in all"
        )


def everything(services: int, tasks: int) -> None:
    items: list[Any] = []
    for number in range(services):
        arn = replace(ARN, name=f"conejo{number}")
        of = service(*(task(each, id=id_of(number * tasks + each)) for each in range(tasks)), arn=arn)
        desired = MECHANISMS["dns"].desired(exposure(), of, surroundings(namespace("granja.animales.com")))
        owned = tuple(replace(Owned.of(each, since=NOW), aws_id=f"x-{each.task}") for each in desired)
        pk = {"S": f"SERVICE#{arn}"}
        record = Record(str(arn), "expose:dns", NAME, NAME, owned=owned)
        items += [
            {"pk": pk, "sk": {"S": "SERVICE"}, "body": {"B": dump_memory(Memory(of))}},
            {"pk": pk, "sk": {"S": "EXPOSURE#expose:dns"}, "body": {"B": dump_record(record)}},
        ]
    took: list[float] = []
    for _ in range(5):
        begun = time.process_time()
        Heap(items).services()
        took.append(time.process_time() - begun)
    print(  # noqa: T201 - it is a command
        f"{services} x {tasks}: all read in {min(took):.3f} s of CPU, {max(took):.3f} s at most"
    )


if __name__ == "__main__":
    for each in (1000, 5000):
        sizes(each)
    for each in (250, 1000, 4000):
        everything(each, 10)
