"""Seconds from a tag to the first request that is answered, on virtual time, at about the pace of life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from farm.bus import Manners
from farm.farm import Farm
from farm.figures.measuring import requests, spread
from farm.pace import REAL

_STACK = {"CreateLoadBalancers": "any", "AllowedLoadBalancers": "internal,granja-*"}
_HOST = "host=conejo.animales.com path=/api"


@dataclass(frozen=True, slots=True)
class Beginning:
    """A way in that a service is about to get. `prepare` makes what is there before."""

    words: str
    value: str
    port: int
    prepare: Callable[[Farm], object] = lambda farm: None  # noqa: ARG005 - nothing is there


BEGINNINGS = (
    Beginning("shared ALB, to be made", f"internal {_HOST}", 80),
    Beginning(
        "ALB that is there", f"granja-alb:80 {_HOST}", 80, lambda farm: farm.create_balancer("granja-alb")
    ),
    Beginning(
        "NLB that is there",
        "granja-nlb:5432",
        5432,
        lambda farm: farm.create_balancer("granja-nlb", type="network"),
    ),
)


def begin(how: Beginning, seed: int, *, heard: bool = True) -> float:
    """Seconds until the first answer. Where no event is `heard` of the tag, it is left to the sweep."""
    setup: dict[str, Any] = {"manners": Manners(seed=seed, delay=(0.2, 0.2)), "seed": seed}
    with Farm.virtual(pace=REAL, parameters=_STACK, **setup) as farm:
        how.prepare(farm)
        farm.create_service("conejo", 4, public=False)
        farm.run_for(180 + seed * 7)  # so that the sweep's clock is not always at the same place
        if not heard:
            farm.bus.lose(lambda event: "task" not in event["detail-type"].lower())
        farm.tag("conejo", {"expose:lb": how.value})
        tagged = farm.timeline.now()
        farm.run_until(lambda: bool(_balancers(farm)), limit=600)
        with requests(farm, _balancers(farm)[0], how.port) as traffic:
            if not farm.run_until(lambda: bool(traffic.answered), limit=600):
                raise RuntimeError(f"nobody ever answered: {how.words} with seed {seed}")
        return farm.timeline.now() - tagged


def _balancers(farm: Farm) -> list[str]:
    return [each["LoadBalancerName"] for each in farm.elb.describe_load_balancers()["LoadBalancers"]]


def beginnings(seeds: int) -> Table:
    title = f"Seconds from tag to first answer, {seeds} seeds each: median (worst), virtual time"
    event = f"tag heard of after {REAL.trail:.0f} s (CloudTrail)"
    table = Table("load balancer", event, "tag found by the sweep", title=title)
    for how in BEGINNINGS:
        waits = [[begin(how, seed, heard=heard) for seed in range(seeds)] for heard in (True, False)]
        table.add_row(how.words, *map(spread, waits))
    return table
