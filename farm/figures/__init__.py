"""What the product costs, how quick it is and what is lost on the way: `python -m farm figures`.

All of it is measured on the world, never taken from the product's own words; but for what is said to be on the wall, on
virtual time. `tables` has everything; each module has one subject.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from farm.figures import audit, gateway, withdrawing
from farm.figures.addresses import staying
from farm.figures.auditing import audits
from farm.figures.balancing import rotations as balanced_rotations
from farm.figures.beginning import beginnings
from farm.figures.losing import losses, losses_on_the_wall
from farm.figures.measuring import manners
from farm.figures.naming import NAME, Rotation, Watch, rotate, rotations, sweep_at_rest

__all__ = ["NAME", "Rotation", "Watch", "manners", "rotate", "rotations", "sweep_at_rest", "tables"]


def tables(*, seeds: int, runs: int, wall: int) -> Iterator[Table]:
    """Each as soon as it is measured: rotations with so many seeds, losses in so many runs, `wall` of them on the wall."""
    yield rotations(seeds)
    yield from balanced_rotations(seeds)
    yield beginnings(min(seeds, runs))
    yield losses(runs)
    yield losses_on_the_wall(wall)
    yield gateway.losses(runs)
    yield gateway.losses_on_the_wall(wall)
    yield gateway.calls()
    yield staying(rotations=10 * min(seeds, 10))
    yield withdrawing.table(deaths=min(seeds, 10))
    yield audits()
    yield audit.table(audit.CASES)
    yield sweep_at_rest()
