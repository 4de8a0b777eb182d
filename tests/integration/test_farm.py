"""The farm put together: the product deployed on an account that lives, on virtual time."""

from __future__ import annotations

import pytest

from farm.bus import Manners
from farm.farm import Farm
from farm.gate import GATE, Fault

NAME = "conejo.granja.animales.com"


def exposed(farm: Farm) -> bool:
    return farm.resolve(NAME) == farm.addresses("conejo") != []


def begin(farm: Farm) -> None:
    farm.create_namespace("granja.animales.com")
    farm.create_service("conejo", 3)
    assert farm.settle()


def test_a_tag_becomes_an_answer_and_its_end_the_end_of_it() -> None:
    with Farm.virtual() as farm:
        begin(farm)
        assert farm.resolve(NAME) == []
        farm.tag("conejo", {"expose:dns": NAME})
        assert farm.settle()
        assert exposed(farm)
        assert {event["detail"]["status"] for event in farm.published("Exposure Changed")} == {"Active"}
        assert any(item["pk"].startswith("SERVICE#") for item in farm.ledger())
        farm.untag("conejo", "expose:dns")
        assert farm.settle()
        assert farm.resolve(NAME) == []


def test_settling_does_not_wait_for_the_clock() -> None:
    """Else the sweep would heal what an event should have done, and no test would notice."""
    with Farm.virtual() as farm:
        begin(farm)
        farm.tag("conejo", {"expose:dns": NAME})
        assert farm.settle()
        assert farm.calls(caller="sweep") == []


def test_what_the_farm_did_the_same_seed_does_again() -> None:
    def story() -> list[tuple[float, str, str]]:
        with Farm.virtual(seed=3, manners=Manners.rough(3)) as farm:
            begin(farm)
            farm.tag("conejo", {"expose:dns": NAME})
            farm.settle()
            farm.deploy_new_revision("conejo")
            farm.settle()
            return [(call.at, call.caller, call.operation) for call in farm.calls()]

    assert story() == story()


def test_the_functions_have_only_the_templates_permissions() -> None:
    with Farm.virtual() as farm:
        begin(farm)
        farm.tag("conejo", {"expose:dns": NAME})
        assert farm.settle()
        assert farm.iam is not None
        assert {use.role for use in farm.iam.uses} >= {"notify", "reconcile"}
        assert [use for use in farm.iam.uses if not use.allowed] == []


def test_a_farm_without_the_product_is_only_an_account() -> None:
    with Farm.virtual(deploy=False) as farm:
        begin(farm)
        farm.tag("conejo", {"expose:dns": NAME})
        assert farm.settle()
        assert farm.resolve(NAME) == []
        with pytest.raises(LookupError, match="nothing is deployed"):
            farm.ledger()


def test_farms_leave_nothing_behind() -> None:
    with Farm.virtual(deploy=False) as farm:
        GATE.faults.append(Fault("error", code="AccessDeniedException", service="ecs"))
        assert farm.calls()
    assert (GATE.calls, GATE.faults, GATE.observers) == ([], [], [])
