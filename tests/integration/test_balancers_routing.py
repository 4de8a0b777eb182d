"""Where a balancer sends a request: rules, conditions, weights, and the health of targets (F§4.1, F§4.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from farm.balancers.routing import (
    Fixed,
    Forward,
    Listener,
    Redirect,
    Request,
    Rule,
    Turns,
    Unavailable,
    choose,
    holds,
)


@dataclass(frozen=True)
class Target:
    address: str
    state: str = "healthy"
    port: int = 8080


def forward(**weights: int) -> dict[str, Any]:
    groups = [{"TargetGroupArn": group, "Weight": weight} for group, weight in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def path(*patterns: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}}


def host(*patterns: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(patterns)}}


def methods(*names: str) -> dict[str, Any]:
    return {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": list(names)}}


def header(name: str, *patterns: str) -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": list(patterns)}}


def query(**pairs: str) -> dict[str, Any]:
    values = [{"Key": key, "Value": value} for key, value in pairs.items()]
    return {"Field": "query-string", "QueryStringConfig": {"Values": values}}


def source(*blocks: str) -> dict[str, Any]:
    return {"Field": "source-ip", "SourceIpConfig": {"Values": list(blocks)}}


NOT_FOUND = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "404", "MessageBody": "nothing here"},
}
FARM = {"conejo": [Target("a"), Target("b")], "gallina": [Target("c")], "nobody": []}


def listener(*rules: Rule, default: Mapping[str, Any] = NOT_FOUND) -> Listener:
    return Listener("HTTP", 80, [*rules, Rule((), default)])


def send(
    to: Listener, *requests: Request, farm: Mapping[str, Sequence[Target]] = FARM, count: int = 1
) -> Counter[Any]:
    """Who got how many, by address, or what was said instead."""
    turns = Turns()
    decisions = [
        choose(to, request, targets=lambda group: farm[group], pick=turns)
        for request in requests or [Request()]
        for _ in range(count)
    ]
    return Counter(each.address if isinstance(each, Forward) else each for each in decisions)


@pytest.mark.parametrize(
    ("condition", "request_", "met"),
    [
        (path("/api", "/api/*"), Request(path="/api"), True),
        (path("/api", "/api/*"), Request(path="/api/"), True),
        (path("/api", "/api/*"), Request(path="/api/hens?id=1"), True),
        (path("/api", "/api/*"), Request(path="/apiary"), False),
        (path("/api/*"), Request(path="/api"), False),
        (path("/API"), Request(path="/api"), False),
        (path("/h?n"), Request(path="/hen"), True),
        (path("/h?n"), Request(path="/hn"), False),
        (path("/a.c"), Request(path="/abc"), False),
        (path("*x*"), Request(path="/a?x=1"), False),
        (host("Granja.example"), Request(host="gRANJA.example:8080"), True),
        (host("*.granja.example"), Request(host="a.b.granja.example"), True),
        (host("*.granja.example"), Request(host="granja.example"), False),
        (host("a?.example"), Request(host="a1.example"), True),
        (host("one.example", "two.example"), Request(host="two.example"), True),
        ({"Field": "host-header", "Values": ["granja.example"]}, Request(host="granja.example"), True),
        (methods("GET", "HEAD"), Request(method="HEAD"), True),
        (methods("GET", "HEAD"), Request(method="POST"), False),
        (header("X-Farm", "con*"), Request(headers={"x-farm": "Conejo"}), True),
        (header("X-Farm", "con*"), Request(), False),
        (query(animal="hen"), Request(path="/?x=1&animal=HEN"), True),
        (query(animal="hen"), Request(path="/?other=hen"), False),
        (source("127.20.0.0/16"), Request(source="127.20.3.4"), True),
        (source("127.20.0.0/16"), Request(source="127.30.3.4"), False),
        ({"Field": "phase-of-the-moon"}, Request(), False),
    ],
)
def test_a_condition_is_met_as_on_aws(condition: dict[str, Any], request_: Request, met: bool) -> None:
    """F§4.2: hosts in any case, paths in theirs and without the query, `*` and `?` in both."""
    assert holds(condition, request_) is met


def test_the_first_rule_whose_conditions_all_hold_decides() -> None:
    to = listener(
        Rule([path("/api/*"), methods("POST")], forward(gallina=1)),
        Rule([path("/api/*")], forward(conejo=1)),
        Rule([path("/api/special")], forward(nobody=1)),
    )
    assert send(to, Request(path="/api/special", method="POST")) == {"c": 1}
    assert send(to, Request(path="/api/special")) == {"a": 1}
    assert send(to, Request(path="/")) == {Fixed(404, "text/plain", "nothing here"): 1}


def test_a_redirect_keeps_the_parts_that_it_names() -> None:
    to_https = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    to = listener(default={"Type": "redirect", "RedirectConfig": to_https})
    asked = Request(host="granja.example:80", path="/hens?id=1")
    assert send(to, asked) == {Redirect(301, "https://granja.example:443/hens?id=1"): 1}
    moved = {"Host": "new.#{host}", "Path": "/old/#{path}", "StatusCode": "HTTP_302"}
    to = listener(default={"Type": "redirect", "RedirectConfig": moved})
    assert send(to, Request(host="granja.example", path="/")) == {
        Redirect(302, "http://new.granja.example:80/old/"): 1
    }


@pytest.mark.parametrize("weights", [{"conejo": 90, "gallina": 10}, {"conejo": 1, "gallina": 2}])
def test_groups_get_requests_by_weight(weights: dict[str, int]) -> None:
    got = send(listener(default=forward(**weights)), count=1000)
    share = weights["gallina"] / sum(weights.values())
    assert got["c"] == pytest.approx(1000 * share, abs=30)
    assert got["a"] == pytest.approx(got["b"], abs=1)


def test_weight_zero_gets_nothing_and_an_empty_group_keeps_its_share() -> None:
    assert send(listener(default=forward(conejo=0, gallina=5)), count=100) == {"c": 100}
    assert send(listener(default=forward(gallina=3, nobody=1)), count=100) == {
        "c": 75,
        Unavailable("nobody"): 25,
    }
    assert send(listener(default=forward(gallina=0))) == {Unavailable(""): 1}


@pytest.mark.parametrize(
    ("states", "who"),
    [
        (("healthy", "healthy", "healthy"), {"0", "1", "2"}),
        (("healthy", "unhealthy", "draining"), {"0"}),
        (("healthy", "initial", "unused"), {"0"}),
        (("unhealthy", "unhealthy", "initial"), {"0", "1"}),
        (("unhealthy", "draining", "unhealthy.draining"), {"0"}),
    ],
)
def test_healthy_targets_get_requests_and_without_any_the_unhealthy_do(
    states: tuple[str, ...], who: set[str]
) -> None:
    """F§4.1: fail open; what drains or is not ready never gets anything new."""
    farm = {"group": [Target(str(number), state) for number, state in enumerate(states)]}
    assert set(send(listener(default=forward(group=1)), farm=farm, count=10)) == who


@pytest.mark.parametrize("states", [(), ("initial",), ("draining", "unused"), ("initial", "draining")])
def test_where_nobody_may_answer_the_balancer_says_so(states: tuple[str, ...]) -> None:
    farm = {"group": [Target(str(number), state) for number, state in enumerate(states)]}
    assert send(listener(default=forward(group=1)), farm=farm) == {Unavailable("group"): 1}


def test_a_group_may_be_named_without_a_weight() -> None:
    assert send(listener(default={"Type": "forward", "TargetGroupArn": "gallina"})) == {"c": 1}
