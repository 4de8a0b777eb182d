"""Two colours of a service run side by side: only the one that takes production traffic is published (F§11.8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from farm.farm import Farm
from tests.integration.world import become, status

NAME = "conejo.granja.animales.com"
KEY = "granja:conejo"
NATIVE = {"deploymentConfiguration": {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 60}}
CANARY = {"deploymentConfiguration": {"strategy": "CANARY"}}
BY_TASK_SETS = {"deploymentController": {"type": "CODE_DEPLOY"}}


def two_colours(farm: Farm, how: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The addresses of the old colour, which is published, and those of the new one, which runs too."""
    farm.create_namespace("granja.animales.com")
    farm.run_for(1)
    farm.create_service("conejo", 2, tags={"expose:dns": NAME}, **how)
    become(farm, "Active")
    farm.run_for(30)
    old = farm.addresses("conejo")
    assert farm.resolve(NAME) == old
    farm.deploy_new_revision("conejo")
    for _ in range(90):
        farm.run_for(1)
        assert farm.resolve(NAME) == old
    new = sorted({*farm.addresses("conejo")} - {*old})
    assert len(new) == 2
    return old, new


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual() as farm:
        yield farm


@pytest.mark.parametrize("how", [NATIVE, CANARY, BY_TASK_SETS], ids=["native", "canary", "task sets"])
def test_the_new_colour_is_published_once_all_traffic_goes_there_and_the_old_one_again_after_a_rollback(
    farm: Farm, how: dict[str, Any]
) -> None:
    """Within a minute, though no event tells; and the name is never empty."""
    old, new = two_colours(farm, how)
    farm.living.shift(KEY, 10)
    farm.run_for(60)
    assert farm.resolve(NAME) == old

    for weight, published in ((100, new), (0, old), (100, new)):
        farm.living.shift(KEY, weight)
        seen = []
        for _ in range(60):
            farm.run_for(1)
            seen.append(farm.resolve(NAME))
        assert all(seen)
        assert seen[-1] == published
        assert status(farm)["message"] == "2 of 2"

    farm.living.clean_up(KEY)
    farm.run_for(120)
    assert farm.resolve(NAME) == farm.addresses("conejo") == new


@pytest.mark.parametrize("how", [NATIVE, BY_TASK_SETS], ids=["native", "task sets"])
def test_the_old_colour_may_go_before_we_have_seen_the_traffic_shift(farm: Farm, how: dict[str, Any]) -> None:
    _, new = two_colours(farm, how)
    farm.living.shift(KEY, 100)
    farm.living.clean_up(KEY)
    for _ in range(60):
        farm.run_for(1)
        assert farm.resolve(NAME)

    assert farm.resolve(NAME) == new


def test_a_rolling_deployment_mixes_old_and_new(farm: Farm) -> None:
    farm.create_namespace("granja.animales.com")
    farm.create_service("conejo", 2, tags={"expose:dns": NAME})
    become(farm, "Active")
    farm.deploy_new_revision("conejo")
    seen = []
    for _ in range(120):
        farm.run_for(0.5)
        seen.append(len(farm.resolve(NAME)))

    assert max(seen) > 2
