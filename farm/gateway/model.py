"""What the gateway's user turns and gets back. The settings live on moto's backend, so that moto's reset forgets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.apigatewayv2.models import apigatewayv2_backends

from farm.account import KEY
from farm.aws import ACCOUNT, REGION

Function = Callable[[Mapping[str, Any]], Any]
"""What stands for a Lambda function: from an event to its response. Raising is failing."""


@dataclass(slots=True)
class Settings:
    """What tests and the farm may turn."""

    secrets: dict[str, str] = field(default_factory=lambda: {KEY: KEY})
    """The secret of each access key that may sign; those of the account's IAM users count as well."""
    allow: Callable[[str, str], bool] = lambda *_: True
    """Whether IAM lets an access key invoke this ARN: execute-api:Invoke."""
    issuers: dict[str, str] = field(default_factory=dict)
    """Where the OIDC provider with this URL really answers, as in http://127.0.0.1:8081. All others are unreachable."""
    functions: dict[str, Function] = field(default_factory=dict)
    """The Lambda authorisers, by ARN."""
    discovery: float = 1.0
    """Seconds for which the instances that Cloud Map has told are used without asking again; AWS does not say (F§5.1)."""
    staged: bool = False
    """Whether a REST API's private integration has the stage in front of its URI's path: sources disagree (F§5.5)."""
    jwks: float = 7200.0
    """The same for an issuer's keys (F§5.3)."""
    rate: float = 10000.0
    burst: float = 5000.0
    """The account's throttle: of routes for which the stage says nothing."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client gets, and what the farm knows about it."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    service: str = ""
    """Who answered, by service and task; nothing if no task did."""
    task: str = ""
    route: str = ""
    """The key of the route that was chosen, if any."""
    reason: str = ""
    """Why the gateway itself answered, in words for people: clients do not get to see it."""

    def header(self, name: str) -> str:
        return next((value for known, value in self.headers.items() if known.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Entry:
    """One request that is done with."""

    id: str
    at: float
    api: str
    stage: str
    route: str
    status: int
    reason: str = ""


def settings(region: str = REGION) -> Settings:
    found: Settings = apigatewayv2_backends[ACCOUNT][region].__dict__.setdefault("farm_traffic", Settings())
    return found
