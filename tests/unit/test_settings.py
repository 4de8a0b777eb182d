"""The environment of the functions is read once, as template.yaml sets it."""

from __future__ import annotations

import pytest

from expose.settings import Settings
from tests.unit.stack import stack


def environment(**parameters: str) -> dict[str, str]:
    """What a function finds in a stack with these parameters."""
    found: dict[str, str] = stack(**parameters).properties("Reconcile")["Environment"]["Variables"]
    return found


def test_a_stack_that_says_nothing_of_load_balancers_allows_all_and_creates_none() -> None:
    read = Settings.read(environment())

    assert (read.limits.load_balancers, read.limits.create_load_balancers) == (("*",), "no")
    assert (read.subnets, read.security_groups) == ((), ())


def test_what_the_parameters_say_of_load_balancers_is_read() -> None:
    read = Settings.read(
        environment(
            AllowedLoadBalancers="internal,tg/conejo-*",
            CreateLoadBalancers="internal",
            LoadBalancerSubnets="subnet-0a1b2c3d,subnet-4e5f6a7b",
            LoadBalancerSecurityGroups="sg-0a1b2c3d",
        )
    )

    assert read.limits.load_balancers == ("internal", "tg/conejo-*")
    assert read.limits.create_load_balancers == "internal"
    assert read.subnets == ("subnet-0a1b2c3d", "subnet-4e5f6a7b")
    assert read.security_groups == ("sg-0a1b2c3d",)


@pytest.mark.parametrize("name", [name for name in environment() if name.startswith("EXPOSE_")])
def test_a_missing_variable_is_named(name: str) -> None:
    left = {each: value for each, value in environment().items() if each != name}

    with pytest.raises(KeyError, match=name):
        Settings.read(left)
