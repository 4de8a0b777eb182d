"""Which API, stage and route a request means, as HTTP APIs choose them (F§5.2, F§5.4). Pure.

A path is matched as it was sent: with its case, its slashes and its escapes. Where several routes match, a full match
beats a greedy one and `$default` comes last; among equals a fixed segment beats a variable, and a method beats ANY.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from farm.aws.apigateway import seen
from farm.aws.apigateway.deployed import Cors, Route
from farm.balancers import routing as balancing

DEFAULT = "$default"
"""The name of the stage without a name, and the key of the route for all that no other takes."""
_VARIABLE = re.compile(r"\{([^{}+]+)(\+?)\}")


@dataclass(frozen=True)
class Request(balancing.Request):
    """What a client asks for, body included: it is part of what is signed."""

    body: bytes = b""

    def header(self, name: str) -> str:
        return next((value for known, value in self.headers.items() if known.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Place:
    """Which stage of which API a request means, and the path within it."""

    api: str
    stage: str
    path: str
    key: str = ""
    """The mapping's, where a custom domain led here."""


@dataclass(frozen=True, slots=True)
class Match:
    """A route and what its variables stand for in this request."""

    route: Route
    variables: Mapping[str, str] = field(default_factory=dict)


def at_endpoint(api: str, stages: Collection[str], path: str) -> Place | None:
    """By an API's own host name: the first segment may name a stage; what else there is belongs to `$default`."""
    _, first, rest = re.split(r"/([^/]*)", path, maxsplit=1) if path.startswith("/") else ("", "", path)
    if first in stages and first != DEFAULT:
        return Place(api, first, rest or "/")
    return Place(api, DEFAULT, path) if DEFAULT in stages else None


def at_domain(mappings: Iterable[seen.Mapping], path: str) -> Place | None:
    """By a custom domain: the longest key that the path begins with, whole segments only."""
    fitting = [
        one for one in mappings if not one.key or path == f"/{one.key}" or path.startswith(f"/{one.key}/")
    ]
    best = max(fitting, key=lambda one: len(one.key), default=None)
    if best is None:
        return None
    inner = path.removeprefix(f"/{best.key}") if best.key else path
    return Place(best.api, best.stage, inner or "/", best.key)


def choose(routes: Sequence[Route], method: str, path: str) -> Match | None:
    """The route that takes this request, if any does."""
    found = [
        (rank, Match(route, bound))
        for route in routes
        if (rank := _rank(route, method)) is not None
        and (bound := variables(route.key.partition(" ")[2], path)) is not None
    ]
    if found:
        return min(found, key=lambda one: one[0])[1]
    return next((Match(route) for route in routes if route.key == DEFAULT), None)


def is_preflight(request: Request) -> bool:
    return bool(
        request.method == "OPTIONS"
        and request.header("Origin")
        and request.header("Access-Control-Request-Method")
    )


def cors_headers(cors: Cors, origin: str, *, preflight: bool) -> dict[str, str]:
    """What the API adds to an answer; nothing for an origin that it does not know."""
    if not any(_is_origin(known, origin) for known in cors.origins):
        return {}
    said = {"Access-Control-Allow-Origin": "*" if "*" in cors.origins else origin}
    if cors.credentials:
        said["Access-Control-Allow-Credentials"] = "true"
    if not preflight:
        return said | _listed("Access-Control-Expose-Headers", cors.exposed)
    if cors.max_age is not None:
        said["Access-Control-Max-Age"] = str(cors.max_age)
    return (
        said
        | _listed("Access-Control-Allow-Methods", cors.methods)
        | _listed("Access-Control-Allow-Headers", cors.headers)
    )


def _rank(route: Route, method: str) -> tuple[bool, tuple[int, ...], bool] | None:
    """The smaller the better; None if the route is for other methods."""
    taken, _, path = route.key.partition(" ")
    if taken not in {method, "ANY"}:
        return None
    order = kinds(path)
    return _GREEDY in order, order, taken == "ANY"


_FIXED, _ANYTHING, _GREEDY = range(3)


def kinds(pattern: str) -> tuple[int, ...]:
    """Of a pattern's segments; the less there is that one may stand for, the smaller."""
    return tuple(_kind(segment) for segment in pattern.split("/")[1:])


def _kind(segment: str) -> int:
    found = _VARIABLE.fullmatch(segment)
    return _FIXED if found is None else _GREEDY if found[2] else _ANYTHING


def variables(pattern: str, path: str) -> dict[str, str] | None:
    """What a pattern's variables stand for in a path that it fits; None if it does not."""
    names, expression = _compiled(pattern)
    found = expression.fullmatch(path)
    return dict(zip(names, found.groups(), strict=True)) if found else None


@cache
def _compiled(pattern: str) -> tuple[Sequence[str], re.Pattern[str]]:
    names, parts, last = [], [], 0
    for found in _VARIABLE.finditer(pattern):
        names.append(found[1])
        parts += [re.escape(pattern[last : found.start()]), "(.+)" if found[2] else "([^/]+)"]
        last = found.end()
    return names, re.compile("".join(parts) + re.escape(pattern[last:]), re.DOTALL)


def _is_origin(known: str, origin: str) -> bool:
    """A known one may be `*`, or a scheme and `*`."""
    return bool(origin) and (
        known in {"*", origin} or (known.endswith("://*") and origin.startswith(known[:-1]))
    )


def _listed(name: str, values: Iterable[str]) -> dict[str, str]:
    return {name: ",".join(values)} if values else {}
