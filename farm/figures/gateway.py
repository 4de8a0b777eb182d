"""Services behind API Gateway: requests lost while one rolls over, and how often API Gateway itself is called.

Every request carries a signature that is checked. Losses depend on how old API Gateway's view of Cloud Map may be,
which AWS does not say: it is measured for ten seconds, and for none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from rich.table import Table

from farm.balancers.traffic import Traffic
from farm.farm import Farm
from farm.figures.measuring import lost, roll_over
from farm.gate import USER
from farm.gateway.issuer import URL, issuing
from farm.pace import DEMO, REAL

_PATH = "/orders"
_TAGS = {
    "cloudmap": ({"expose:api": f"{_PATH} auth=iam"},),
    "lb": ({"expose:lb": f"internal path={_PATH}"}, {"expose:api": f"{_PATH} auth=iam via=lb"}),
}
"""By what stands between the API and the tasks; each is Active before the next comes."""
_MANY = 50  # exposures on one API, of two routes each
_MINUTES = 2  # within which each is verified

Farms = Callable[..., Any]
"""`Farm.virtual` or `Farm.wall`."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a service behind an API is like. Times are in seconds."""

    stopping: float = 2.0
    """For how long its tasks serve after SIGTERM."""
    checked: bool = False
    """Whether its container has a health check."""
    finding: float = REAL.finding
    """How old API Gateway's view of Cloud Map may be."""
    via: str = "cloudmap"

    def words(self) -> tuple[str, str, str]:
        behind = "ALB" if self.via == "lb" else f"Cloud Map, up to {self.finding:.0f} s old"
        return behind, "yes" if self.checked else "no", f"{self.stopping:.0f} s"


CASES = (
    *(Case(stopping, checked) for stopping in (2.0, 15.0, 20.0) for checked in (False, True)),
    *(Case(stopping, finding=0.0) for stopping in (2.0, 10.0)),
    *(Case(checked=checked, via="lb") for checked in (False, True)),
)
_IN_A_HURRY = replace(
    DEMO,
    schedule=REAL.schedule,
    decided=REAL.decided,
    deactivating=REAL.deactivating,
    operation=REAL.operation,
)
"""The demo's pace, but for the steps on which it depends whether a request is lost."""
_COLUMNS = ("behind", "health check", "serves on")
ON_THE_WALL = (Case(20.0), Case(via="lb"))


def roll(
    case: Case, seed: int, farms: Farms = Farm.virtual, *, pace: Any = REAL, after: float = 30
) -> Traffic:
    """One rolling deployment of 4 tasks under traffic, until some seconds `after` the last old task."""
    paced = replace(pace, stopping=case.stopping, finding=case.finding)
    with _behind(case, seed, farms, paced) as (farm, host):
        traffic = farm.api_traffic(host, _PATH, sign=True)
        roll_over(farm, traffic, f"{case} with seed {seed}", after=after)
    return traffic


@contextmanager
def _behind(case: Case, seed: int, farms: Farms, pace: Any) -> Iterator[tuple[Farm, str]]:
    """A farm whose service of 4 private tasks is behind an API, and that one's host."""
    with farms(pace=pace, seed=seed, parameters={"CreateLoadBalancers": "internal"}) as farm:
        farm.create_service("conejo", 4, public=False, checked=case.checked)
        for number, tag in enumerate(_TAGS[case.via], 1):
            farm.tag("conejo", tag)
            _await_active(farm, number)
        host = _host(farm)
        farm.run_for(case.finding + 5)
        yield farm, host


def _await_active(farm: Farm, count: int) -> None:
    """Until so many exposures are as their tags ask."""

    def active() -> int:
        return sum(
            each["sk"].startswith("EXPOSURE#") and each["status"] == "Active" for each in farm.ledger()
        )

    if not farm.run_until(lambda: active() == count, limit=900):
        raise RuntimeError(f"only {active()} of {count} exposures are active")


def _host(farm: Farm) -> str:
    """Of the only API."""
    endpoint: str = farm.client("apigatewayv2").get_apis()["Items"][0]["ApiEndpoint"]
    return endpoint.removeprefix("https://")


def losses(runs: int) -> Table:
    """Every case, with this many seeds each."""
    title = (
        f"Requests lost behind API Gateway, 4 tasks roll over, 50 a second, {runs} runs each, virtual time"
    )
    return lost(_COLUMNS, title, runs, ((case, [roll(case, seed) for seed in range(runs)]) for case in CASES))


def losses_on_the_wall(runs: int) -> Table:
    """The main cases with real requests, which takes half a minute each."""
    title = f"The same with real HTTP requests on the wall clock, {runs} runs each"

    def real(case: Case, seed: int) -> Traffic:
        return roll(case, seed, Farm.wall, pace=_IN_A_HURRY, after=5)

    return lost(
        _COLUMNS, title, runs, ((case, [real(case, seed) for seed in range(runs)]) for case in ON_THE_WALL)
    )


def calls() -> Table:
    """What API Gateway is asked for, step by step, while nothing goes wrong."""
    table = Table("what", "calls", "of them writes", "which", title="Calls to API Gateway")
    for what, counted in {**_one_after_the_other(), **_verification()}.items():
        which = ", ".join(f"{name} {count}" for name, count in sorted(counted.items()))
        writes = sum(count for name, count in counted.items() if not name.startswith("Get"))
        table.add_row(what, str(counted.total()), str(writes), which or "-")
    return table


def _one_after_the_other() -> dict[str, Counter[str]]:
    seen: dict[str, Counter[str]] = {}
    with Farm.virtual(pace=REAL, parameters={"AllowedIssuers": URL}) as farm, issuing() as issuer:
        tag = f"{_PATH} auth=jwt issuer={issuer.url} audience=web scopes=orders."

        def count(what: str, act: Callable[[], object], seconds: float) -> None:
            before = len(farm.calls())
            act()
            farm.run_for(seconds)
            seen[what] = _asked(farm, before)

        count(
            "the first exposure of a VPC and a host",
            lambda: farm.create_service("conejo", 4, public=False, tags={"expose:api": f"{tag}read"}),
            600,
        )
        count(
            "another exposure on the same API",
            lambda: farm.create_service("gallina", 4, public=False, tags={"expose:api": "/hens auth=iam"}),
            300,
        )
        count(
            "a change of scopes",
            lambda: farm.tag("conejo", {"expose:api": f"{tag}write"}),
            120,
        )
        count("a rotation of 4 tasks", lambda: farm.deploy_new_revision("conejo"), 300)
        count("an exposure is removed", lambda: farm.untag("gallina", "expose:api"), 120)
        count("the last is removed", lambda: farm.untag("conejo", "expose:api"), 1200)
    return seen


def _verification() -> dict[str, Counter[str]]:
    """Each exposure is verified once while the minutes pass."""
    what = f"all {2 * _MANY} routes of {_MANY} exposures on one API verified, in {_MINUTES} minutes"
    with Farm.virtual(parameters={"VerifyMinutes": str(_MINUTES)}, throttle=True) as farm:
        for number in range(_MANY):
            tags = {"expose:api": f"/path{number} auth=iam"}
            farm.create_service(f"conejo-{number}", 1, public=False, tags=tags)
        _await_active(farm, _MANY)
        farm.run_for(_MINUTES * 60)  # until nothing of their making goes on
        before = len(farm.calls())
        farm.run_for(_MINUTES * 60)
        return {what: _asked(farm, before)}


def _asked(farm: Farm, since: int) -> Counter[str]:
    """The product's calls to API Gateway, by operation, but for the first `since` of all."""
    calls = [call for call in farm.calls()[since:] if call.caller != USER]
    return Counter(call.operation for call in calls if call.service == "apigatewayv2")
