"""Who may pass: from a tag's `auth` to the authorisation that its routes are created with, in one and the same call.

There is no default. What does not say who may pass, or says it in words that do not fit together, makes no route.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from expose.mechanisms.api.grammar import grammar
from expose.mechanisms.surroundings import Surroundings
from expose.model import Exposure, Identity, Resource, digest
from expose.policy import Limits
from expose.refusals import Invalid, Refused
from expose.tags import meaningless, read_options

WAYS: Mapping[str, Sequence[str]] = {
    "iam": (),
    "none": (),
    "jwt": ("issuer", "audience"),
    "cognito": ("pool", "client"),
    "lambda": ("function",),
}
"""Those of an HTTP API, each with what has to be said beside it."""

OPEN = "NONE"
"""AWS's type of authorisation that lets everybody pass."""

_SCOPED = frozenset({"jwt", "cognito"})
_TERMS = frozenset({"issuer", "audience", "scopes", "pool", "client", "function"})


@dataclass(frozen=True, slots=True)
class Door:
    """`authorization` is AWS's type. `structure` is the authoriser and what it needs, where it has one."""

    authorization: str
    scopes: tuple[str, ...] = ()
    authorizer: Identity | None = None
    structure: tuple[Resource, ...] = field(default=())

    @property
    def open(self) -> bool:
        """Whether everybody passes."""
        return self.authorization == OPEN


def opens(value: str, limits: Limits) -> bool:
    """Whether a tag's value says that everybody may pass, and the stack lets it be so. Everything else in it may be
    unreadable: that closes nothing, and opens nothing.
    """
    way = _way(value)
    if way.startswith("@"):
        way = _way(limits.apis.presets.get(way[1:], ""))
    return way.lower() == "none" and limits.apis.open_routes


def _way(value: str) -> str:
    """What stands behind `auth=`; nothing where it stands there twice."""
    options = [word.partition("=") for word in value.split()]
    found = [text for name, _, text in options if name.lower() == "auth"]
    return found[0] if len(found) == 1 else ""


def door(exposure: Exposure, api: Identity | str, key: str, surroundings: Surroundings) -> Door:
    """Raise `Invalid` for terms that do not fit together, `Refused` for those that the stack does not allow."""
    way, said = terms(exposure, surroundings, WAYS)
    if way == "none":
        return Door(OPEN)
    if way == "iam":
        return Door("AWS_IAM")
    content = _content(exposure, way, said)
    authorizer = Resource(
        Identity("apigw.authorizer", f"{key}/{digest(repr(sorted(content.items())))}"),
        spec=content,
        refs={"api": api},
        shared=True,
    )
    structure = [authorizer]
    if way == "lambda":
        permission = Resource(
            Identity("lambda.permission", f"{authorizer.identity.key}#{content['function']}"),
            spec={"function": content["function"]},
            refs={"api": api, "authorizer": authorizer.identity},
            shared=True,
        )
        structure.append(permission)
    authorization = "CUSTOM" if way == "lambda" else "JWT"
    return Door(authorization, tuple(said.get("scopes", ())), authorizer.identity, tuple(structure))


def terms(
    exposure: Exposure, surroundings: Surroundings, ways: Mapping[str, Sequence[str]]
) -> tuple[str, Mapping[str, Any]]:
    """One of the `ways` and its terms, of the tag or of the preset that it names.

    Raise `Invalid` for terms that do not fit together, `Refused` for those that the stack does not allow.
    """
    options = exposure.options
    if "auth" not in options:
        raise Invalid(
            "NoAuth",
            exposure.said(
                "auth= is missing, and a route without it would be open: say who may pass, auth=iam for example"
            ),
        )
    given = {name: value for name, value in options.items() if name in _TERMS}
    way = str(options["auth"])
    preset = way.startswith("@")
    if preset:
        if given:
            raise meaningless(exposure, min(given), "a preset, which says it all")
        way, given = _preset(exposure, way[1:], surroundings)
    _check(exposure, way, given, ways)
    _check_allowed(exposure, way, given, surroundings.limits, preset=preset)
    return way, given


def _check_allowed(
    exposure: Exposure, way: str, given: Mapping[str, Any], limits: Limits, *, preset: bool
) -> None:
    """Raise `Refused` for what the stack does not allow. The issuers and pools of a preset are the stack's own words; a
    function has to be listed all the same, for IAM knows the list only.
    """
    if way == "none":
        limits.check_open(exposure)
    elif way == "lambda":
        limits.check_function(given["function"], exposure)
    elif way in _SCOPED and not preset:
        limits.check_issuer(given["pool" if way == "cognito" else "issuer"], exposure)


def _check(exposure: Exposure, way: str, given: Mapping[str, Any], ways: Mapping[str, Sequence[str]]) -> None:
    """Raise `Invalid` for a way that is not one of these, or without what it needs, or with what it does not know."""
    if way not in ways:
        problem = f"auth={way} is not there for this kind of API: expected one of {', '.join(sorted(ways))}"
        raise Invalid("NoAuth", exposure.said(problem))
    for need in ways[way]:
        if not given.get(need):
            raise Invalid("NoAuth", exposure.said(f"auth={way} needs {need}=: say it as well"))
    for name in given:
        if name not in ways[way] and not (name == "scopes" and way in _SCOPED):
            raise meaningless(exposure, name, f"auth={way}")


def _preset(exposure: Exposure, name: str, surroundings: Surroundings) -> tuple[str, dict[str, Any]]:
    presets = surroundings.limits.apis.presets
    if name not in presets:
        known = ", ".join(f"@{each}" for each in sorted(presets)) or "none"
        problem = f"there is no preset @{name}; the stack's parameter ApiPresets has: {known}"
        raise Refused("NoPreset", exposure.said(problem))
    try:
        options = read_options(presets[name].split(), grammar)
    except ValueError as problem:
        raise Refused("BadPreset", exposure.said(f"preset @{name} cannot be read: {problem}")) from problem
    way = str(options.pop("auth", ""))
    if way not in WAYS or not options.keys() <= _TERMS:
        raise Refused("BadPreset", exposure.said(f"preset @{name} must say auth= and its terms, and no more"))
    return way, options


def _content(exposure: Exposure, way: str, terms: Mapping[str, Any]) -> dict[str, Any]:
    """What an authoriser is, apart from its name: those with equal content are one."""
    arn = exposure.service
    if way == "lambda":
        function = f"arn:{arn.partition}:lambda:{arn.region}:{arn.account}:function:{terms['function']}"
        return {"type": "REQUEST", "function": function, "region": arn.region, "partition": arn.partition}
    if way == "cognito":
        issuer = f"https://cognito-idp.{terms['pool'].partition('_')[0]}.amazonaws.com/{terms['pool']}"
        return {"type": "JWT", "issuer": issuer, "audience": sorted(terms["client"])}
    return {"type": "JWT", "issuer": terms["issuer"], "audience": sorted(terms["audience"])}
