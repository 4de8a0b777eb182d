"""Rule 5 measured: how long a stopped task's public address outstays it in the list, whatever the bus does."""

from __future__ import annotations

import pytest

from farm.figures.addresses import stale, unruly


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("how", sorted(unruly(0)))
def test_no_stopped_task_s_address_outlives_the_next_sweep(how: str, seed: int) -> None:
    """60 seconds between two sweeps, and what a sweep itself takes; `make figures` goes on for 100 rotations."""
    found = stale(unruly(seed)[how], rotations=2)
    assert len(found) == 8
    assert max(found) <= 61
