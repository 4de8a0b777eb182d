"""Requests lost while a service rolls over: 4 tasks under 50 requests a second, which serve until SIGTERM plus 2 s.

On virtual time by what routing decides and who serves at that instant; on the wall with real HTTP requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from rich.table import Table

from farm.balancers.traffic import Traffic
from farm.farm import Farm
from farm.figures import naive
from farm.figures.measuring import lost, manners, requests, roll_over
from farm.pace import DEMO, REAL

_ALB = "internal host=conejo.animales.com path=/api"
_NLB = "internal:5432 protocol=TCP"
_SERVE_ON = 2.0  # seconds after SIGTERM

Farms = Callable[..., Any]
"""`Farm.virtual` or `Farm.wall`."""


@dataclass(frozen=True, slots=True)
class Case:
    """A way in, and what its service is like. Without a `value` the naive follower sees to it."""

    value: str = _ALB
    checked: bool = False
    """Whether its container has a health check."""
    how: str = "in order"
    stopping: float = _SERVE_ON

    @property
    def port(self) -> int:
        return 5432 if self.value.startswith(_NLB) else 80

    def words(self) -> tuple[str, str, str, str]:
        kind = "NLB" if self.port != 80 else "ALB"
        more = self.value.removeprefix(_NLB) if self.port != 80 else ""
        whose = f"{kind}{more}" if self.value else "ALB, targets leave on STOPPED"
        return whose, "yes" if self.checked else "no", f"{self.stopping:.0f} s", self.how


CASES = (
    *(Case(how=how) for how in manners(0)),
    Case(checked=True),
    *(Case(f"{_NLB}{more}", checked) for more in ("", " interval=5") for checked in (False, True)),
    Case(f"{_NLB} interval=5", stopping=15.0),
    Case(_NLB, stopping=30.0),
    *(Case("", checked) for checked in (False, True)),
)
_IN_A_HURRY = replace(DEMO, schedule=REAL.schedule, decided=REAL.decided, deactivating=REAL.deactivating)
"""The demo's pace, but for the steps on which it depends whether a request is lost."""
_COLUMNS = ("way in", "health check", "serves on", "events")
ON_THE_WALL = (Case(), Case(checked=True), Case(""))


def roll(
    case: Case, seed: int, farms: Farms = Farm.virtual, *, pace: Any = REAL, after: float = 30
) -> Traffic:
    """One rolling deployment under traffic, from a second before it until some seconds `after` the last old task."""
    with _behind(case, seed, farms, replace(pace, stopping=case.stopping)) as (farm, balancer):
        farm.bus.behave(manners(seed)[case.how])
        traffic = requests(farm, balancer, case.port)
        roll_over(farm, traffic, f"{case} with seed {seed}", after=after)
    return traffic


@contextmanager
def _behind(case: Case, seed: int, farms: Farms, pace: Any) -> Iterator[tuple[Farm, str]]:
    """A farm whose service of 4 tasks is behind a load balancer, and that one's name."""
    product = {"parameters": {"CreateLoadBalancers": "any"}} if case.value else {"deploy": False}
    with farms(pace=pace, seed=seed, **product) as farm:
        if not case.value:
            naive.Follower(farm)
        tags = {"expose:lb": case.value} if case.value else {}
        farm.create_service("conejo", 4, public=False, checked=case.checked, tags=tags)
        if not farm.run_until(lambda: _is_up(farm), limit=300):
            raise RuntimeError(f"the service did not come up: {case} with seed {seed}")
        farm.run_for(5)
        yield farm, farm.elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerName"]


def _is_up(farm: Farm) -> bool:
    balancers = farm.elb.describe_load_balancers()["LoadBalancers"]
    groups = farm.elb.describe_target_groups()["TargetGroups"]
    states = [state for group in groups for state in farm.targets(group["TargetGroupArn"]).values()]
    return states == ["healthy"] * 4 and [each["State"]["Code"] for each in balancers] == ["active"]


def losses(runs: int) -> Table:
    """Every case, with this many seeds each."""
    title = f"Requests lost in a rolling deployment of 4 tasks at 50 a second, {runs} runs each, virtual time"
    return lost(_COLUMNS, title, runs, ((case, [roll(case, seed) for seed in range(runs)]) for case in CASES))


def losses_on_the_wall(runs: int) -> Table:
    """The main cases with real requests, which takes half a minute each."""
    title = f"The same with real HTTP requests on the wall clock, {runs} runs each"

    def real(case: Case, seed: int) -> Traffic:
        return roll(case, seed, Farm.wall, pace=_IN_A_HURRY, after=5)

    return lost(
        _COLUMNS, title, runs, ((case, [real(case, seed) for seed in range(runs)]) for case in ON_THE_WALL)
    )
