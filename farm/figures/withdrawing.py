"""How long a stopped task's public address stays published whatever else is wrong with its service: on virtual time.

A name in public DNS leads to the tasks of a service that is in trouble. One task after another dies without warning; it
is measured from then until the name does not answer with its address any more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.table import Table

from expose.resources.elb import Named
from farm.bus import Manners
from farm.farm import Farm
from farm.figures.measuring import spread
from farm.gate import GATE, Call, Fault

NAME = "conejo.granja.animales.com"
_BETWEEN = 137  # seconds from one death to the next, so that they meet each part of a sweep's minute
_OTHER = {"expose:lb": "no-such-alb:80 path=/x"}

Trouble = Callable[[Farm], None]


def nothing(_: Farm) -> None:
    """All is well."""


def blocked_tag(farm: Farm) -> None:
    farm.tag("conejo", _OTHER)


def bug_elsewhere(farm: Farm) -> None:
    """Any bug in another exposure of the service: here its look-up meets an answer that it does not expect."""
    farm.tag("conejo", _OTHER)

    def find(self: Named, key: str) -> Any:  # noqa: ARG001 - stands in for it
        raise KeyError("DNSName")

    Named.find = find  # type: ignore[method-assign]


def ecs_denied(farm: Farm) -> None:
    _ecs(Fault("error", code="AccessDeniedException", where=_ours))
    farm.tag("conejo", {"expose:note": "x"})


def ecs_throttled(farm: Farm) -> None:
    _ecs(Fault("error", code="ThrottlingException", where=_ours))
    farm.tag("conejo", {"expose:note": "x"})


def workers_killed(farm: Farm) -> None:
    """Whoever reconciles the service dies when it asks ECS, and what it held stays hidden."""
    _ecs(Fault("crash", where=lambda call: call.caller == "reconcile"))
    farm.tag("conejo", {"expose:note": "x"})


def poison(farm: Farm) -> None:
    """Messages that are no work stand before every other one in the service's group."""
    for queue in ("WorkQueue", "WithdrawQueue"):
        farm.client("sqs").send_message(
            QueueUrl=farm._deployed().deployment.ref(queue),
            MessageBody=json.dumps({"service": None}),
            MessageGroupId="poison",
            MessageDeduplicationId="poison",
        )


def unreadable_item(farm: Farm) -> None:
    """What the ledger has of another exposure of the service cannot be read any more."""
    farm.tag("conejo", _OTHER)
    farm.run_for(60)
    key = {"pk": {"S": f"SERVICE#{farm.arn('conejo')}"}, "sk": {"S": "EXPOSURE#expose:lb"}}
    farm.client("dynamodb").update_item(
        TableName=farm._deployed().deployment.ref("Ledger"),
        Key=key,
        UpdateExpression="SET body = :junk",
        ExpressionAttributeValues={":junk": {"B": b"junk"}},
    )


TROUBLES: Mapping[str, Trouble] = {
    "nothing": nothing,
    "another tag is Blocked": blocked_tag,
    "a bug in another exposure": bug_elsewhere,
    "ECS denies": ecs_denied,
    "ECS throttles": ecs_throttled,
    "its workers are killed": workers_killed,
    "poisoned messages": poison,
    "an unreadable ledger item": unreadable_item,
}


def withdrawn(trouble: Trouble, *, deaths: int, heard: bool = True) -> list[float]:
    """Seconds for which each of so many stopped tasks stayed published; with every event lost unless they are `heard`."""
    with _in_trouble(trouble) as farm:
        if not heard:
            farm.bus.behave(Manners(drop=1.0))
        return [_death(farm) for _ in range(deaths)]


def table(deaths: int) -> Table:
    title = f"Seconds for which a stopped task's public address stays published, {deaths} deaths each, virtual time"
    shown = Table("what is wrong", "events heard", "events lost", title=title)
    for words, trouble in TROUBLES.items():
        shown.add_row(
            words,
            spread(withdrawn(trouble, deaths=deaths)),
            spread(withdrawn(trouble, deaths=deaths, heard=False)),
        )
    return shown


@contextmanager
def _in_trouble(trouble: Trouble) -> Iterator[Farm]:
    find = Named.find
    try:
        with Farm.virtual(parameters={"VerifyMinutes": "60"}) as farm:
            farm.create_namespace("granja.animales.com")
            farm.run_for(5)
            farm.create_service("conejo", 3, tags={"expose:dns": NAME})
            farm.run_until(lambda: len(farm.resolve(NAME)) == 3, limit=300)
            farm.run_for(30)
            trouble(farm)
            farm.run_for(60)
            yield farm
    finally:
        Named.find = find  # type: ignore[method-assign]


def die(farm: Farm) -> str:
    """One task dies without warning. The address that it had."""
    task = farm.tasks("conejo")[0]
    address = farm.public_address(task)
    farm.kill(task["taskArn"].rpartition("/")[2])
    return address


def _death(farm: Farm) -> float:
    address, at = die(farm), farm.timeline.now()
    farm.run_until(lambda: address not in farm.resolve(NAME), limit=3600)
    took = farm.timeline.now() - at
    farm.run_for(_BETWEEN)
    return took


def _ecs(fault: Fault) -> None:
    fault.service = "ecs"
    GATE.faults.append(fault)


def _ours(call: Call) -> bool:
    return call.caller == "reconcile"
