"""Rules 5, 6 and 8 while a service rolls over: whatever events do, the end is right, and so is the way there."""

from __future__ import annotations

import pytest

from farm.figures import manners, rotate

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
    assert seen.calls <= 30
