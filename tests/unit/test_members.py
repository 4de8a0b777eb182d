"""Which tasks can be members of anything, and what is said of those that cannot: the same for every mechanism."""

from __future__ import annotations

from typing import Any

import pytest

from expose.definitions import Port
from expose.mechanisms import MECHANISMS
from expose.model import Service
from expose.policy import Limits
from expose.refusals import NotYet, Refused
from tests.unit.values import NAME, NOW, around, balancer, definition, exposure, namespace, service, task

TAGS = {
    "expose:dns": (NAME, [namespace("granja.animales.com")]),
    "expose:ip": ("8080", None),
    "expose:lb": ("granja-alb host=a.animales.com", balancer()),
}
BRIDGED = definition(Port("web", 8080), mode="bridge")
BOUND = (("web", 8080, 32768),)
ANYWHERE = {"instance": "mi-0123456789abcdef0", "private_ipv4": "", "public_ipv4": "", "ipv6": ""}


def wanted(tag: str, of: Service) -> list[str]:
    """The tasks that would be members."""
    value, answer = TAGS[tag]
    asked = exposure(value, tag)
    mechanism = MECHANISMS[asked.mechanism]
    return [
        each.task for each in mechanism.desired(asked, of, around(asked, of, answer, Limits())) if each.task
    ]


@pytest.mark.parametrize("tag", TAGS)
def test_tasks_of_ecs_anywhere_are_refused_for_what_they_are_and_others_beside_them_are_published(
    tag: str,
) -> None:
    """F§11.8: their machines have no address that AWS knows."""
    outside, inside = task(1, bindings=BOUND, **ANYWHERE), task(2, bindings=BOUND)
    with pytest.raises(
        Refused, match="run on ECS Anywhere, on your own machine mi-0123456789abcdef0"
    ) as told:
        wanted(tag, service(outside, of=BRIDGED))

    assert told.value.code == "OutsideOfAws"
    assert told.value.message.startswith(f"{tag} = ")
    assert wanted(tag, service(outside, inside, of=BRIDGED)) == [inside.id]


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(
    ("lacks", "code"), [({"instance": ""}, "NoInstance"), ({"bindings": ()}, "PortNotBound")]
)
def test_a_young_task_may_get_what_it_lacks(tag: str, lacks: dict[str, Any], code: str) -> None:
    known: dict[str, Any] = {"bindings": BOUND} | lacks
    with pytest.raises(NotYet) as waits:
        wanted(tag, service(task(1, started_at=NOW - 29, **known), of=BRIDGED))
    assert waits.value.seconds == 5

    with pytest.raises(Refused) as told:
        wanted(tag, service(task(1, started_at=NOW - 31, **known), of=BRIDGED))
    assert told.value.code == code
