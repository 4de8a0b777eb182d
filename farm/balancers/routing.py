"""Where a request goes: what a listener decides from its rules and its groups' targets, as ELBv2 does. Pure.

Rules stand in their order of priority, the default last; the first whose conditions all hold decides. A forward picks
a group by weight, and within it the next healthy target; without healthy ones all unhealthy ones get traffic (fail
open); without those there is nobody. A group without targets keeps its share, as on AWS: give it weight 0.

Cross-zone balancing is taken to be on, stickiness off; authentication actions are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from ipaddress import ip_address, ip_network
from typing import Any, Protocol
from urllib.parse import parse_qsl


class Target(Protocol):
    """What routing needs to know of a registered target."""

    @property
    def address(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def state(self) -> str: ...


Targets = Callable[[str], Sequence[Target]]
"""The targets of a group, by its ARN."""
Pick = Callable[[Hashable, Sequence[int]], int]
"""Whose turn it is: an index into the weights, given what they are the weights of."""


@dataclass(frozen=True)
class Request:
    """What a client asks for. `host` may have a port, `path` a query."""

    host: str = ""
    path: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    source: str = "127.0.0.1"

    @cached_property
    def name(self) -> str:
        return re.sub(r":\d+$", "", self.host).lower()

    @cached_property
    def plain_path(self) -> str:
        return self.path.partition("?")[0]

    @cached_property
    def query(self) -> str:
        return self.path.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions and the action that follows from them, in the API's own form."""

    conditions: Sequence[Mapping[str, Any]]
    action: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener's rules by priority, the default last; a network balancer has only that one."""

    protocol: str
    port: int
    rules: Sequence[Rule]


@dataclass(frozen=True, slots=True)
class Forward:
    address: str
    port: int
    group: str


@dataclass(frozen=True, slots=True)
class Fixed:
    status: int
    content_type: str = "text/plain"
    body: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nobody is there to answer."""

    group: str
    status: int = 503


Decision = Forward | Fixed | Redirect | Unavailable


def choose(listener: Listener, request: Request, *, targets: Targets, pick: Pick) -> Decision:
    """What becomes of a request, or of a new connection."""
    action = next(
        rule.action for rule in listener.rules if all(holds(each, request) for each in rule.conditions)
    )
    match action["Type"]:
        case "forward":
            return _forward(action, targets, pick)
        case "redirect":
            return _redirect(action["RedirectConfig"], listener, request)
        case "fixed-response":
            config = action["FixedResponseConfig"]
            content_type = config.get("ContentType") or "text/plain"
            return Fixed(int(config["StatusCode"]), content_type, config.get("MessageBody") or "")
    return Fixed(501, body=f"the farm does not know the action {action['Type']}")


def holds(condition: Mapping[str, Any], request: Request) -> bool:
    """Whether a condition is met: one of its values is enough. Unknown ones are not."""
    match condition["Field"]:
        case "host-header":
            return _any_like(_values(condition, "HostHeaderConfig"), request.name, fold=True)
        case "path-pattern":
            return _any_like(_values(condition, "PathPatternConfig"), request.plain_path)
        case "http-request-method":
            return request.method in _values(condition, "HttpRequestMethodConfig")
        case "source-ip":
            blocks = _values(condition, "SourceIpConfig")
            return any(ip_address(request.source) in ip_network(block) for block in blocks)
        case "http-header":
            wanted = condition["HttpHeaderConfig"]["HttpHeaderName"].lower()
            sent = [value for name, value in request.headers.items() if name.lower() == wanted]
            return any(_any_like(_values(condition, "HttpHeaderConfig"), value, fold=True) for value in sent)
        case "query-string":
            pairs = parse_qsl(request.query, keep_blank_values=True)
            return any(_has_pair(pairs, value) for value in condition["QueryStringConfig"]["Values"])
    return False


def groups_of(action: Mapping[str, Any]) -> dict[str, int]:
    """The target groups that an action forwards to, with their weights."""
    if groups := (action.get("ForwardConfig") or {}).get("TargetGroups"):
        return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}
    return {action["TargetGroupArn"]: 1} if action.get("TargetGroupArn") else {}


class Turns:
    """Gives each its turns in proportion to its weight, evenly spread, whatever the number of requests.

    Every turn adds to each its weight; who has most goes, and pays the sum of all.
    """

    def __init__(self) -> None:
        self._credit: dict[Hashable, list[int]] = {}

    def __call__(self, whose: Hashable, weights: Sequence[int]) -> int:
        credit = self._credit.get(whose)
        if credit is None or len(credit) != len(weights):
            credit = self._credit[whose] = [0] * len(weights)
        for index, weight in enumerate(weights):
            credit[index] += weight
        chosen = max(range(len(weights)), key=credit.__getitem__)
        credit[chosen] -= sum(weights)
        return chosen


def _forward(action: Mapping[str, Any], targets: Targets, pick: Pick) -> Decision:
    groups = {arn: weight for arn, weight in groups_of(action).items() if weight > 0}
    if not groups:
        return Unavailable("")
    group = (
        list(groups)[pick(tuple(groups.items()), list(groups.values()))]
        if len(groups) > 1
        else next(iter(groups))
    )
    able = _able(targets(group))
    if not able:
        return Unavailable(group)
    target = able[pick(group, [1] * len(able))]
    return Forward(target.address, target.port, group)


def _able(targets: Sequence[Target]) -> list[Target]:
    """Those that get traffic: the healthy ones, else, failing open, the unhealthy ones."""
    healthy = [target for target in targets if target.state == "healthy"]
    return healthy or [target for target in targets if target.state == "unhealthy"]


def _redirect(config: Mapping[str, Any], listener: Listener, request: Request) -> Redirect:
    """Each part of the address may be kept by naming it, as in `#{host}`."""
    kept = {
        "protocol": listener.protocol,
        "host": request.name,
        "port": str(listener.port),
        "path": request.plain_path.removeprefix("/"),
        "query": request.query,
    }

    def part(name: str, default: str) -> str:
        return re.sub(r"#\{(\w+)\}", lambda found: kept.get(found[1], ""), config.get(name) or default)

    protocol, path = part("Protocol", "#{protocol}").lower(), part("Path", "/#{path}")
    location = f"{protocol}://{part('Host', '#{host}')}:{part('Port', '#{port}')}{path}"
    query = part("Query", "#{query}")
    return Redirect(
        301 if config["StatusCode"] == "HTTP_301" else 302, f"{location}?{query}" if query else location
    )


def _values(condition: Mapping[str, Any], config: str) -> Sequence[str]:
    return (condition.get(config) or {}).get("Values") or condition.get("Values") or ()


def _any_like(patterns: Sequence[str], text: str, *, fold: bool = False) -> bool:
    return any(_pattern(pattern, fold).fullmatch(text) for pattern in patterns)


def _has_pair(pairs: Sequence[tuple[str, str]], wanted: Mapping[str, str]) -> bool:
    """A key may be left out; then any will do."""
    return any(
        _any_like([wanted["Value"]], value, fold=True)
        and (not wanted.get("Key") or _any_like([wanted["Key"]], key, fold=True))
        for key, value in pairs
    )


@cache
def _pattern(pattern: str, fold: bool) -> re.Pattern[str]:
    """`*` stands for any characters, `?` for exactly one."""
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(text, re.DOTALL | (re.IGNORECASE if fold else re.NOFLAG))
