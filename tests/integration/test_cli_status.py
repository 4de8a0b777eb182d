"""`expose status`: every exposure, how it stands, where it is reachable, since when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

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
        yield farm


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def test_without_any_exposure_it_says_so(farm: Farm) -> None:
    answer = expose(farm, "status")
    assert answer.status == 0
    assert "Nothing is exposed" in answer.said
    assert expose(farm, "status", "--json").document == []


def test_each_exposure_with_its_state_and_addresses(farm: Farm) -> None:
    farm.create_service("conejo", 2, tags={"expose:dns": NAME})
    become(farm, "Active")
    answer = expose(farm, "status")
    assert answer.status == 0
    for said in ("granja/conejo", "expose:dns", NAME, "Active", "2 of 2", *farm.addresses("conejo")):
        assert said in answer.said
    (row,) = expose(farm, "status", "--json").document
    assert (row["service"], row["tag"], row["value"]) == (farm.arn("conejo"), "expose:dns", NAME)
    assert (row["status"], row["code"], row["addresses"]) == ("Active", "", farm.addresses("conejo"))


@pytest.mark.parametrize(
    ("value", "status", "code"),
    [
        (f"{NAME} tll=5", "Invalid", "UnreadableTag"),
        ("conejo.corral.com", "Blocked", "NoNamespace"),
    ],
)
def test_what_is_wrong_is_told_and_is_the_exit_status(farm: Farm, value: str, status: str, code: str) -> None:
    farm.create_service("conejo", 1, tags={"expose:dns": value})
    farm.create_service("gallina", 1, tags={"expose:dns": "gallina.granja.animales.com"})
    become(farm, status)
    become(farm, "Active", "gallina")
    answer = expose(farm, "status")
    assert answer.status == 1
    assert f"{code}: " in answer.said
    of_one, of_the_other = (expose(farm, "status", f"granja/{name}") for name in ("conejo", "gallina"))
    assert (of_one.status, of_the_other.status) == (1, 0)
    assert "gallina" not in of_one.said
    assert "conejo" not in of_the_other.said


def test_waiting_is_not_wrong(farm: Farm) -> None:
    farm.create_service("conejo", 0, tags={"expose:dns": NAME})
    farm.create_service("gallina", 1, tags={"expose:dns": "gallina.granja.animales.com"})
    become(farm, "Pending", "gallina")
    answer = expose(farm, "status", "granja/gallina", "--json")
    assert answer.status == 0
    assert answer.document[0]["status"] == "Pending"


def test_since_is_when_the_state_began_and_rotations_do_not_touch_it(farm: Farm) -> None:
    farm.create_service("conejo", 2, tags={"expose:dns": NAME})
    become(farm, "Active")
    became = clock.now()
    (row,) = expose(farm, "status", "--json").document
    assert abs(seconds(row["since"]) - became) <= 2
    farm.run_for(4000)  # it has been verified meanwhile, and found as it should be
    (later,) = expose(farm, "status", "--json").document
    assert later["since"] == row["since"]
    assert seconds(later["verified_at"]) > seconds(row["verified_at"])
    farm.tag("conejo", {"expose:dns": "nonsense"})
    become(farm, "Invalid")
    (now,) = expose(farm, "status", "--json").document
    assert abs(seconds(now["since"]) - clock.now()) <= 2


def test_a_service_that_nothing_exposes_is_no_error(farm: Farm) -> None:
    farm.create_service("conejo", 1)
    answer = expose(farm, "status", "granja/conejo")
    assert answer.status == 0
    assert "expose explain granja/conejo" in answer.said
