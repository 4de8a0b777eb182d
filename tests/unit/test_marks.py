"""Marks: whose something is. They fit wherever AWS takes one, and those of one service are told from all others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expose.deciding import Deciding
from expose.mechanisms import MECHANISMS, Surroundings
from expose.policy import Limits
from expose.records import Record
from tests.unit.values import exposure, service, task

LONGEST = 256  # characters of a tag's value
STACK = "s" * 128


def mark(name: str, tag: str, stack: str = "corral") -> str:
    deciding = Deciding(
        mechanisms={}, finders={}, limits=Limits(), stack=stack, empty_after=0, clock=lambda: 0.0
    )
    return deciding.mark(Record(str(replace(service().arn, name=name)), tag))


def test_people_can_read_it() -> None:
    assert mark("conejo", "expose:dns:admin") == "corral/granja/conejo/expose:dns:admin"


@pytest.mark.parametrize("name", ["conejo", "c" * 200])
@pytest.mark.parametrize("tag", ["expose:dns", "expose:dns:" + "l" * 100, "expose:dns:a b", "expose:dns:ñ/a"])
def test_it_fits_and_begins_with_the_stack(name: str, tag: str) -> None:
    found = mark(name, tag, STACK)

    assert len(found) <= LONGEST
    assert found.isascii()
    assert " " not in found
    assert found.startswith(f"{STACK}/")
    assert found.count("/") <= 3


def test_two_tags_of_long_names_are_told_apart() -> None:
    assert mark("c" * 200, "expose:dns") != mark("c" * 200, "expose:lb")
    assert mark("c" * 200, "expose:dns") != mark("c" * 199, "expose:dns")


@pytest.mark.parametrize("heir", ["gallina", "g" * 200])
def test_who_may_take_a_path_over_is_known_by_the_marks_of_its_tags(heir: str) -> None:
    asked = exposure(f"/orders auth=iam to={heir}", "expose:api")
    link = {"given": "a1b2c3"}
    of = service(task(1), subnets=("subnet-1",))
    api = MECHANISMS["api"]
    found = dict.fromkeys(api.lookups(asked, of, Limits()), link)

    claims = [
        each
        for each in api.desired(asked, of, Surroundings(Limits(), mark("conejo", "expose:api"), found))
        if each.identity.kind == "claim"
    ]

    assert mark(heir, "expose:api").rpartition("/")[0] == claims[0].spec["heir"]
