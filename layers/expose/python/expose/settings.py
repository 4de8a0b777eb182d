"""The environment of the functions, read once and typed. The names and defaults are those of template.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from expose.policy import Apis, Limits

_PRESET = re.compile(r"([A-Za-z0-9_-]+)\s*:(.+)", re.DOTALL)

PARAMETERS: Mapping[str, str] = {
    "TagPrefix": "EXPOSE_PREFIX",
    "Policy": "EXPOSE_POLICY",
    "AllowedClusters": "EXPOSE_CLUSTERS",
    "AllowedMechanisms": "EXPOSE_MECHANISMS",
    "AllowedNames": "EXPOSE_NAMES",
    "CreateNamespaces": "EXPOSE_CREATE_NAMESPACES",
    "AllowedLoadBalancers": "EXPOSE_LOAD_BALANCERS",
    "CreateLoadBalancers": "EXPOSE_CREATE_LOAD_BALANCERS",
    "LoadBalancerSubnets": "EXPOSE_LOAD_BALANCER_SUBNETS",
    "LoadBalancerSecurityGroups": "EXPOSE_LOAD_BALANCER_SECURITY_GROUPS",
    "AllowedApis": "EXPOSE_APIS",
    "AllowedFunctions": "EXPOSE_FUNCTIONS",
    "AllowedIssuers": "EXPOSE_ISSUERS",
    "AllowOpenRoutes": "EXPOSE_OPEN_ROUTES",
    "ApiPresets": "EXPOSE_API_PRESETS",
    "ApiCertificate": "EXPOSE_API_CERTIFICATE",
    "ApiHostedZone": "EXPOSE_API_ZONE",
    "CloseDefaultEndpoint": "EXPOSE_API_CLOSED",
    "ApiCors": "EXPOSE_API_CORS",
    "ApiVpcLinks": "EXPOSE_API_VPC_LINKS",
    "ApiSecurityGroups": "EXPOSE_API_SECURITY_GROUPS",
    "ApiRestTarget": "EXPOSE_API_REST_TARGET",
    "EmptyAfterSeconds": "EXPOSE_EMPTY_AFTER",
}
"""The parameters of template.yaml that say what is exposed and how, each with the variable that hands it on as it is."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "Policy": ("sync", "upsert-only", "observe"),
    "CreateNamespaces": ("no", "http", "private", "public"),
    "CreateLoadBalancers": ("no", "internal", "internet-facing", "any"),
    "AllowOpenRoutes": ("no", "yes"),
    "CloseDefaultEndpoint": ("no", "yes"),
    "ApiRestTarget": ("listener", "load-balancer"),
}
"""What those may be that are a choice."""


def setting(environment: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """The environment as it would be with these parameters. Raise `ValueError` for one that is not there, or may not be so."""
    for name, value in parameters.items():
        if name not in PARAMETERS:
            near = get_close_matches(name, PARAMETERS, n=1)
            advice = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(PARAMETERS)}"
            raise ValueError(f"no parameter that says what is exposed is called {name!r}: {advice}")
        if value not in CHOICES.get(name, (value,)):
            raise ValueError(f"parameter {name}: expected one of {', '.join(CHOICES[name])}, got {value!r}")
    return {**environment, **{PARAMETERS[name]: value for name, value in parameters.items()}}


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are in seconds but for `verify_minutes` and `trail_days`."""

    stack: str
    account: str
    prefix: str
    policy: str
    limits: Limits = field(hash=False)
    """Compared, but no part of the hash: presets are a mapping, which has none."""
    subnets: tuple[str, ...]
    """To choose from for created load balancers; none for all of the VPC."""
    security_groups: tuple[str, ...]
    """Of created load balancers; none for the VPC's default group."""
    link_groups: tuple[str, ...]
    """Security groups of VPC links; none for the VPC's default group."""
    links: tuple[str, ...]
    """VPC links that are there and to be used; none for our own."""
    verify_minutes: int
    empty_after: float
    grace: float
    window: float
    on_delete: str
    trail_days: float
    guard_zones: tuple[str, ...]
    """Hosted zones whose other records are watched as well."""
    audit_all: bool
    """Whether tasks are audited that no tag exposes."""
    table: str
    trail_table: str
    work_queue: str
    withdraw_queue: str
    later_queue: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Raise `KeyError` naming the variable that is missing, `ValueError` naming the parameter that cannot be read."""
        return cls(
            stack=environment["EXPOSE_STACK"],
            account=environment["EXPOSE_ACCOUNT"],
            prefix=environment["EXPOSE_PREFIX"],
            policy=environment["EXPOSE_POLICY"],
            limits=Limits(
                clusters=_words(environment["EXPOSE_CLUSTERS"]),
                mechanisms=_words(environment["EXPOSE_MECHANISMS"]),
                names=_words(environment["EXPOSE_NAMES"]),
                create_namespaces=environment["EXPOSE_CREATE_NAMESPACES"],
                load_balancers=_words(environment["EXPOSE_LOAD_BALANCERS"]),
                create_load_balancers=environment["EXPOSE_CREATE_LOAD_BALANCERS"],
                apis=_apis(environment),
            ),
            subnets=_words(environment["EXPOSE_LOAD_BALANCER_SUBNETS"]),
            security_groups=_words(environment["EXPOSE_LOAD_BALANCER_SECURITY_GROUPS"]),
            link_groups=_words(environment["EXPOSE_API_SECURITY_GROUPS"]),
            links=_words(environment["EXPOSE_API_VPC_LINKS"]),
            verify_minutes=int(environment["EXPOSE_VERIFY_MINUTES"]),
            empty_after=float(environment["EXPOSE_EMPTY_AFTER"]),
            grace=float(environment["EXPOSE_GRACE"]),
            window=float(environment["EXPOSE_WINDOW"]),
            on_delete=environment["EXPOSE_ON_DELETE"],
            trail_days=float(environment["EXPOSE_TRAIL_DAYS"]),
            guard_zones=_words(environment["EXPOSE_GUARD_ZONES"]),
            audit_all=environment["EXPOSE_AUDIT_ALL"] == "yes",
            table=environment["EXPOSE_TABLE"],
            trail_table=environment["EXPOSE_TRAIL_TABLE"],
            work_queue=environment["EXPOSE_WORK_QUEUE"],
            withdraw_queue=environment["EXPOSE_WITHDRAW_QUEUE"],
            later_queue=environment["EXPOSE_LATER_QUEUE"],
        )


def _apis(environment: Mapping[str, str]) -> Apis:
    return Apis(
        allowed=_words(environment["EXPOSE_APIS"]),
        functions=_words(environment["EXPOSE_FUNCTIONS"]),
        issuers=_words(environment["EXPOSE_ISSUERS"]),
        open_routes=environment["EXPOSE_OPEN_ROUTES"] == "yes",
        presets=_presets(environment["EXPOSE_API_PRESETS"]),
        certificate=environment["EXPOSE_API_CERTIFICATE"],
        zone=environment["EXPOSE_API_ZONE"],
        cors=_words(environment["EXPOSE_API_CORS"]),
        logs=environment["EXPOSE_API_LOGS"],
        closes_default=environment["EXPOSE_API_CLOSED"] == "yes",
        rest_target=environment["EXPOSE_API_REST_TARGET"],
    )


def _presets(text: str) -> dict[str, str]:
    presets: dict[str, str] = {}
    for entry in filter(None, (each.strip() for each in text.split(";"))):
        found = _PRESET.fullmatch(entry)
        if found is None or not found[2].strip():
            raise ValueError(f"parameter ApiPresets: expected `NAME: auth=...`, got {entry!r}")
        if found[1] in presets:
            raise ValueError(
                f"parameter ApiPresets: {found[1]} is there twice; give each preset its own name"
            )
        presets[found[1]] = found[2].strip()
    return presets


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
