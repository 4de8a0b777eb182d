"""The demo notices when something is not as it should be. Apart from the demo that succeeds, to run beside it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from farm.demo import run
from tests.e2e.test_demo import CHAPTERS, table_of


@pytest.mark.slow
def test_a_product_that_does_not_do_its_job_fails_the_demo() -> None:
    """With the policy `observe` no name ever appears."""
    screen = io.StringIO()
    status = run(Console(file=screen, width=80), fast=True, parameters={"Policy": "observe"}, patience=3)
    table = table_of(screen.getvalue())
    assert status == 1
    assert any(line.startswith("✗") for line in table)
    assert sum("not played" in line for line in table) == len(CHAPTERS) - 1
    assert "NXDOMAIN" in screen.getvalue()
    assert "17 of 17" in table[-1]


@pytest.mark.slow
def test_a_load_balancer_that_may_not_be_made_fails_the_demo_where_it_is_needed() -> None:
    screen = io.StringIO()
    forbidden = {"CreateLoadBalancers": "no"}
    assert run(Console(file=screen, width=80), fast=True, parameters=forbidden, patience=12) == 1
    output = screen.getvalue()
    assert "✗ goes to its end: each service answers through its balancer" in output
    assert "only pato does" in " ".join(output.split())
    assert sum("not played" in line for line in table_of(output)) == 10
