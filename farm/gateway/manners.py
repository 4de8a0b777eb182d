"""In what the two kinds of API differ on a request's way: `Manner`, and how HTTP APIs have it. REST APIs' is in `resting`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from farm.aws.apigateway import seen
from farm.aws.apigateway.deployed import Deployed, Integration, Route
from farm.gateway import rewriting, routing
from farm.gateway.forwarding import Forward, forward, passed_on
from farm.gateway.functions import Asked
from farm.gateway.integrating import Destination
from farm.gateway.refusing import RefusedError, forbidden, not_found
from farm.gateway.routing import Match, Place, Request


class Manner(Protocol):
    """One kind of API."""

    def locate(self, request: Request) -> tuple[Place, Deployed]:
        """Which stage a request means, and what that serves. RefusedError if there is none."""
        ...

    def choose(self, routes: Sequence[Route], method: str, path: str) -> Match | None:
        """The route that takes a request, if any does."""
        ...

    def unrouted(self) -> RefusedError:
        """What is said where no route takes a request."""
        ...

    def forward(self, to: Destination, asked: Asked, place: Place, integration: Integration) -> Forward:
        """What the backend gets to see. RefusedError if that cannot be said."""
        ...

    def said(self, refusal: RefusedError) -> RefusedError:
        """A refusal in this kind's words."""
        ...

    def signed(self, identity: str) -> dict[str, str]:
        """The headers that tell a client the id of its request."""
        ...


class HttpApis:
    """As HTTP APIs have it, at their own hosts and behind custom domains."""

    def locate(self, request: Request) -> tuple[Place, Deployed]:
        """To a host that it does not know AWS says that it is forbidden."""
        place, path = None, request.plain_path
        api = next((one for one in seen.apis() if one.host == request.name), None)
        if api:
            if not api.open:
                raise not_found("the API's own endpoint is disabled")
            place = routing.at_endpoint(api.id, api.stages, path)
            if place is None:
                raise not_found("the API has no such stage")
        else:
            place = routing.at_domain(seen.mappings(request.name), path)
        if place is None:
            raise forbidden("no API answers to this host and path")
        deployed = seen.deployed(place.api, place.stage)
        if deployed is None:
            raise not_found("the mapping's stage is gone")
        return place, deployed

    def choose(self, routes: Sequence[Route], method: str, path: str) -> Match | None:
        return routing.choose(routes, method, path)

    def unrouted(self) -> RefusedError:
        return not_found("no route takes this")

    def forward(self, to: Destination, asked: Asked, place: Place, integration: Integration) -> Forward:
        request, parameters = asked.request, integration.parameters
        target = rewriting.target(request, place, parameters, asked.look)
        headers = rewriting.headers(passed_on(request, request.name), parameters, asked.look)
        return forward(to, request, integration, target, headers)

    def said(self, refusal: RefusedError) -> RefusedError:
        return refusal

    def signed(self, identity: str) -> dict[str, str]:
        return {"Apigw-Requestid": identity}


HTTP = HttpApis()
