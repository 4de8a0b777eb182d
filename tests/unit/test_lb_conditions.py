"""The conditions of an `lb` tag: what of the requests is its own, said in one way only, and claimed by one tag only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from expose.mechanisms import MECHANISMS
from expose.model import Resource
from expose.refusals import Invalid
from tests.unit.values import LISTED, around, balancer, exposure, listener, service, site, task

LB = MECHANISMS["lb"]
TAG = "expose:lb"
IN_VPC = service(task(1), subnets=("subnet-1",))
ALB, NLB = balancer(), balancer("granja-nlb", "network")


def desired(value: str, answer: Any = ALB) -> Sequence[Resource]:
    asked = exposure(value, TAG)
    return LB.desired(
        asked, IN_VPC, around(asked, IN_VPC, answer, replace(LISTED, create_load_balancers="any"))
    )


def front(value: str) -> Resource:
    (found,) = [each for each in desired(value) if each.identity.kind == "elb.rule"]
    return found


def claim(value: str, answer: Any = ALB) -> Resource:
    return desired(value, answer)[0]


@pytest.mark.parametrize(
    ("options", "hosts", "paths", "methods"),
    [
        ("", [], ["/*"], []),
        ("path=/", [], ["/*"], []),
        ("path=/api", [], ["/api", "/api/*"], []),
        ("path=/api/", [], ["/api", "/api/*"], []),
        ("path=/b+/a", [], ["/a", "/a/*", "/b", "/b/*"], []),
        ("host=b.x.com+A.x.com", ["a.x.com", "b.x.com"], [], []),
        ("host=a.x.com path=/api", ["a.x.com"], ["/api", "/api/*"], []),
        ("methods=post+GET", [], ["/*"], ["GET", "POST"]),
        ("host=a.x.com methods=GET", ["a.x.com"], [], ["GET"]),
    ],
)
def test_conditions_are_those_of_the_tag_sorted(
    options: str, hosts: list[str], paths: list[str], methods: list[str]
) -> None:
    spec = front(f"granja-alb {options}").spec

    assert (spec["hosts"], spec["paths"], spec["methods"]) == (hosts, paths, methods)


def test_a_path_stands_for_itself_and_what_is_below_never_for_what_only_begins_alike() -> None:
    for options in ("path=/api", "path=/api host=a.x.com", "path=/api/"):
        patterns = front(f"granja-alb {options}").spec["paths"]
        assert patterns == ["/api", "/api/*"]
        assert "/api*" not in patterns


@pytest.mark.parametrize(
    ("value", "same"),
    [
        ("granja-alb host=a.com+b.com", "granja-alb host=B.com+A.com"),
        ("granja-alb path=/a+/b methods=GET", "granja-alb methods=get path=/b/+/a"),
        ("granja-alb methods=GET+PUT", "granja-alb methods=put+get"),
        ("granja-alb", "granja-alb:80 path=/"),
        ("granja-alb", "granja-alb weight=5"),
    ],
)
def test_equal_conditions_are_one_claim_and_one_rule_however_they_are_said(value: str, same: str) -> None:
    assert claim(value).identity == claim(same).identity
    assert front(value).identity == front(same).identity


def test_every_path_of_a_host_is_the_host() -> None:
    assert claim("granja-alb host=a.com").identity == claim("granja-alb host=a.com path=/").identity


def test_other_conditions_ports_and_load_balancers_are_other_claims() -> None:
    both = balancer(listeners=[listener(80), listener(81)])
    claims = {
        claim(value, answer).identity
        for value, answer in [
            ("granja-alb:80", both), ("granja-alb:81", both), ("granja-alb:80 path=/API", both),
            ("granja-alb:80 path=/api", both), ("granja-alb:80 methods=GET", both), ("otra-alb:80", ALB),
            ("granja-nlb:80", NLB), ("granja-nlb:81", NLB), ("internal", site()),
            ("internal", site(vpc="vpc-2")), ("internet-facing", site()), ("internal:80 protocol=TCP", site()),
        ]
    }  # fmt: skip

    assert len(claims) == 12


def test_a_rule_takes_five_values_and_no_more() -> None:
    """F§4.2. A path counts twice."""
    desired("granja-alb host=a.com path=/a+/b")
    desired("granja-alb host=a.com+b.com+c.com+d.com+e.com")
    for options, count in [("host=a.com path=/a+/b methods=GET", 6), ("path=/a+/b+/c", 6)]:
        value = f"granja-alb {options}"
        with pytest.raises(Invalid) as refused:
            desired(value)
        assert refused.value.code == "TooManyConditions"
        assert refused.value.message.startswith(f"{TAG} = {value!r}: a rule takes at most 5 values")
        assert f"and these are {count}" in refused.value.message
        assert "say it in several tags" in refused.value.message
