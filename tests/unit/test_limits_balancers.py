"""Which load balancers a tag may name, and which may be created for it."""

from __future__ import annotations

import pytest

from expose.policy import Limits
from expose.refusals import Refused, Status
from tests.unit.values import exposure


@pytest.mark.parametrize(
    ("allowed", "name"),
    [
        ("*", "internal"),
        ("*", "granja-alb"),
        ("*", "tg/conejo"),
        ("internal", "internal"),
        ("granja-*", "granja-alb"),
        ("granja-a?b", "granja-alb"),
        ("tg/con*", "tg/conejo"),
    ],
)
def test_an_allowed_load_balancer_may_be_named(allowed: str, name: str) -> None:
    Limits(load_balancers=("corral", allowed)).check_load_balancer(name, exposure())


@pytest.mark.parametrize(
    ("allowed", "name"),
    [
        ("internal", "internet-facing"),
        ("granja", "granja-alb"),
        ("conejo", "tg/conejo"),
        ("*-alb", "tg/granja-alb"),  # was said of load balancers
        ("t*", "tg/conejo"),
        ("tg/*", "conejo"),
    ],
)
def test_another_may_not_and_the_parameter_is_named(allowed: str, name: str) -> None:
    with pytest.raises(Refused) as refused:
        Limits(load_balancers=("corral", allowed)).check_load_balancer(name, exposure())

    assert (refused.value.code, refused.value.status) == ("NotAllowed", Status.BLOCKED)
    assert f"{name!r} is not allowed here: expected one of corral, {allowed}" in refused.value.message
    assert "parameter AllowedLoadBalancers" in refused.value.message


def test_where_nothing_is_said_the_stacks_own_may_be_named_and_no_others() -> None:
    for name in ("internal", "internet-facing"):
        Limits().check_load_balancer(name, exposure())
    for name in ("granja-alb", "tg/conejo"):
        with pytest.raises(Refused, match="AllowedLoadBalancers"):
            Limits().check_load_balancer(name, exposure())


@pytest.mark.parametrize(
    ("created", "schemes"),
    [
        ("no", set()),
        ("internal", {"internal"}),
        ("internet-facing", {"internet-facing"}),
        ("any", {"internal", "internet-facing"}),
    ],
)
def test_load_balancers_are_created_of_the_chosen_scheme(created: str, schemes: set[str]) -> None:
    limits = Limits(create_load_balancers=created)

    assert {each for each in ("internal", "internet-facing") if limits.creates_load_balancer(each)} == schemes
