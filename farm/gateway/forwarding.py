"""What is sent to a backend, and what a backend is told of a request that it would not know otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from farm import wire
from farm.aws.apigateway.deployed import Integration
from farm.gateway.integrating import Destination
from farm.gateway.routing import Request


@dataclass(frozen=True, slots=True)
class Forward:
    """What to send where, and how long to wait. `server_name` is for TLS, where the hop has it."""

    to: Destination
    message: wire.Message
    timeout: float
    server_name: str = ""


def forward(
    to: Destination, request: Request, integration: Integration, target: str, headers: Mapping[str, str]
) -> Forward:
    """The request as an integration has it: its method unless that is ANY, and its time."""
    method = request.method if integration.method in {"", "ANY"} else integration.method
    message = wire.Message(f"{method} {target} HTTP/1.1", tuple(headers.items()), request.body)
    return Forward(to, message, integration.timeout, integration.server_name or "")


def passed_on(request: Request, host: str) -> dict[str, str]:
    """The client's headers, and what the backend would not know otherwise. API Gateway is reached over TLS only."""
    before = request.header("X-Forwarded-For")
    told = {
        "Host": host,
        "X-Forwarded-For": f"{before}, {request.source}" if before else request.source,
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        "Forwarded": f"for={request.source};host={request.name};proto=https",
        "Via": "HTTP/1.1 AmazonAPIGateway",
    }
    known = {name.lower() for name in told}
    return {name: value for name, value in request.headers.items() if name.lower() not in known} | told
