"""`expose whois`: whose a public address is, and whose it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from farm.aws import clock
from farm.farm import Farm
from tests.integration.commands import expose
from tests.integration.world import become

NAME = "conejo.granja.animales.com"


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual() as farm:
        farm.create_namespace("granja.animales.com")
        farm.run_for(1)
        farm.create_service("conejo", 1, tags={"expose:dns": NAME})
        become(farm, "Active")
        yield farm


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def killed(farm: Farm) -> tuple[str, str, float]:
    """The address and the id of a task that is gone for good, and when that was."""
    (address,), (task,) = farm.addresses("conejo"), farm.tasks("conejo")
    name = task["taskArn"].rpartition("/")[2]
    farm.kill(name)
    at = clock.now()
    farm.run_for(60)
    return address, name, at


def test_whose_it_is(farm: Farm) -> None:
    (address,), (task,) = farm.addresses("conejo"), farm.tasks("conejo")
    answer = expose(farm, "whois", address, "--json")
    assert answer.status == 0
    (holder,) = answer.document["holders"]
    assert (holder["service"], holder["cluster"]) == (farm.arn("conejo"), "granja")
    assert holder["task"] == task["taskArn"].rpartition("/")[2]
    assert (holder["until"], holder["lingering"]) == (None, False)
    assert f"{address} is granja/conejo's: task {holder['task']}" in expose(farm, "whois", address).words


def test_whose_it_was(farm: Farm) -> None:
    before = clock.now()
    address, task, _ = killed(farm)
    farm.run_for(3600)
    now = expose(farm, "whois", address)
    assert now.status == 1
    assert "nobody's that the trail knows" in now.words
    assert "granja/conejo" in now.words
    then = expose(farm, "whois", address, "--at", moment(before), "--json")
    assert then.status == 0
    assert [each["task"] for each in then.document["holders"]] == [task]
    assert f"{address} was granja/conejo's" in expose(farm, "whois", address, "--at", moment(before)).words


def test_for_two_minutes_after_the_stop_it_may_still_be_its_own(farm: Farm) -> None:
    address, _, at = killed(farm)
    farm.run_for(600)
    soon = expose(farm, "whois", address, "--at", moment(at + 60))
    assert soon.status == 0
    assert "may stay a task's for 2 minutes longer" in soon.words
    late = expose(farm, "whois", address, "--at", moment(at + 300))
    assert late.status == 1


def test_an_address_that_was_never_ours_is_unknown(farm: Farm) -> None:
    answer = expose(farm, "whois", "198.51.100.7")
    assert answer.status == 1
    assert "198.51.100.7 is nobody's that the trail knows" in answer.words


def test_a_time_without_a_zone_is_local(farm: Farm) -> None:
    (address,) = farm.addresses("conejo")
    here = datetime.fromtimestamp(clock.now()).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    assert expose(farm, "whois", address, "--at", here).status == 0
    assert expose(farm, "whois", address, "--at", "2026-11-20").status == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("3.80.1",), "expected an IPv4 or IPv6 address, got '3.80.1'"),
        (("3.80.1.2", "--at", "last Tuesday"), "expected one such as 2026-11-20"),
    ],
)
def test_what_cannot_be_read_is_an_error(farm: Farm, arguments: tuple[str, ...], says: str) -> None:
    answer = expose(farm, "whois", *arguments)
    assert (answer.status, answer.said) == (2, "")
    assert says in answer.complained
