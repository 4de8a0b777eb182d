"""Rules 5, 6 and 8 while a service rolls over: whatever events do, the end is right, and so is the way there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from farm.aws import cloudmap
from farm.farm import Farm
from farm.figures import NAME, Watch, manners, rotate
from farm.pace import FAST

SEEDS = 5  # `make figures` measures with 20


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("how", sorted(manners(0)))
def test_events_in_any_order_any_number_of_times_end_in_the_same_state(how: str, seed: int) -> None:
    seen = rotate(manners(seed)[how])
    assert seen.right
    assert seen.empty == 0, "the name was empty"
    assert seen.writes <= 12, "8 writes that nothing can avoid, and a few for what events hid"
    assert max(seen.stale) <= 61, "the sweep finds at the latest what no event told"


def test_in_order_no_stopped_task_is_ever_answered_and_calls_are_few() -> None:
    seen = rotate(manners(0)["in order"])
    assert seen.stale == [0.0] * 4
    assert max(seen.to_withdraw) < 8, "Cloud Map itself takes 5 s for each operation here"
    assert seen.writes == 8
    assert seen.calls <= 32


def test_a_name_is_not_emptied_by_old_tasks_that_stop_before_the_new_ones_are_in_cloud_map() -> None:
    """They are to stop, but they serve until SIGTERM; and the new ones are registered only at the second attempt."""
    pace = replace(FAST, operation=3.0, decided=14.0)
    with Farm.virtual(pace=pace, parameters={"WindowSeconds": "0"}) as farm:
        farm.create_namespace("granja.animales.com")
        farm.run_for(5)
        farm.create_service("conejo", 4, tags={"expose:dns": NAME})
        farm.run_until(lambda: len(farm.resolve(NAME)) == 4, limit=60)
        farm.settle()
        watch = Watch(farm)
        cloudmap.fail_next("THROTTLED_REQUEST", "Rate exceeded", kind="REGISTER_INSTANCE", times=4)
        farm.deploy_new_revision("conejo")
        assert farm.run_until(lambda: len(watch.stopped) == 4 and farm.settle(), limit=120)
        assert watch.empty == 0
        assert farm.resolve(NAME) == farm.addresses("conejo")
        assert (
            max(watch.withdrawn[each] - at for each, at in watch.stopped.items() if each in watch.withdrawn)
            <= 0
        )
