"""The `api` mechanism: routes of an HTTP API, through a VPC Link, to a service that nobody else can reach.

    expose:api = HOST/PATH | /PATH  auth=...  [option=value ...]

One claim for each route, the API of the host (shared), its stage and domain (shared), the VPC's link (shared), the
backend, one or two integrations, and the routes `PATH` and `PATH/{proxy+}`, each created together with its authoriser.
A rotation changes the backend only, and makes no call to API Gateway at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from expose.mechanisms.api import rest
from expose.mechanisms.api.backends import Backend, Through, backend, link
from expose.mechanisms.api.backends import lookups as lookups_behind
from expose.mechanisms.api.claims import claims
from expose.mechanisms.api.doors import Door, door, opens
from expose.mechanisms.api.fronts import Front, front
from expose.mechanisms.api.grammar import grammar
from expose.mechanisms.surroundings import Lookup, Surroundings
from expose.model import Exposure, Identity, Resource, Service
from expose.policy import Detail, Limits, Replacing, ready

__all__ = ["desired", "detail", "grammar", "lookups", "opens", "ready", "replacing"]

_TIMEOUT = 30  # seconds
_BURST = 5_000  # requests at most


def lookups(exposure: Exposure, service: Service, limits: Limits) -> Sequence[Lookup]:
    if rest.means(exposure):
        return lookups_behind(exposure, service, via="lb")
    host = exposure.target.partition("/")[0]
    asked = lookups_behind(exposure, service, via=exposure.options.get("via", ""))
    if "api" in exposure.options:
        asked.append(Lookup("apigw.api", exposure.options["api"]))
    elif host:
        asked.append(Lookup("apigw.domain", host))
    return asked


def detail(exposure: Exposure, surroundings: Surroundings) -> Detail:
    """A public address cannot be reached through a VPC Link."""
    return Detail.PRIVATE


def replacing(exposure: Exposure, service: Service) -> Replacing | None:
    """API Gateway does not watch the tasks."""
    return None


def desired(exposure: Exposure, service: Service, surroundings: Surroundings) -> Sequence[Resource]:
    """Raise `Refused` for what may not be had, and where no ready task has what the tag asks for."""
    if rest.means(exposure):
        return rest.desired(exposure, surroundings)
    entrance = front(exposure, surroundings)
    way = door(exposure, entrance.api, entrance.key, surroundings)
    through = link(exposure, surroundings)
    behind = backend(exposure, service, surroundings)
    claimed = claims(exposure, entrance, surroundings)
    integrations = _integrations(exposure, entrance, through, behind)
    routes = [
        _route(key, proxied, entrance, way, claimed[key].identity, integrations)
        for key in entrance.keys
        for proxied in (False, True)
    ]
    return [
        *{each.identity: each for each in claimed.values()}.values(),
        *entrance.structure,
        *through.structure,
        *behind.structure,
        *behind.targets,
        *way.structure,
        *{each.identity: each for each in integrations.values()}.values(),
        *routes,
        *_throttles(exposure, entrance, routes),
    ]


def _integrations(
    exposure: Exposure, entrance: Front, through: Through, behind: Backend
) -> dict[bool, Resource]:
    """For the path itself, and for what is below it; one and the same unless the path is stripped (F§5.1)."""
    options = exposure.options
    strips = options.get("strip") == "yes"
    paths = {False: "/", True: "/$request.path.proxy"} if strips else {False: "$request.path"}
    made = {
        below: Resource(
            Identity("apigw.integration", f"{entrance.key}{entrance.path}#{path}#{options.get('tls', '')}"),
            spec={
                "uri": behind.uri,
                "path": path,
                "host": behind.host,
                "tls": options.get("tls", ""),
                "timeout": options.get("timeout", _TIMEOUT),
                "backend": str(behind.ref),
                "link": through.key,
            },
            refs={"api": entrance.api, "link": through.ref, "backend": behind.ref},
        )
        for below, path in paths.items()
    }
    return made if strips else {False: made[False], True: made[False]}


def _route(
    key: str,
    proxied: bool,
    entrance: Front,
    way: Door,
    claim: Identity,
    integrations: dict[bool, Resource],
) -> Resource:
    full = f"{key.rstrip('/')}/{{proxy+}}" if proxied else key
    integration = integrations[proxied].identity
    return Resource(
        Identity("apigw.route", f"{entrance.key}/{full}"),
        spec={
            "key": full,
            "authorization": way.authorization,
            "scopes": sorted(way.scopes),
            "authorizer": way.authorizer.key if way.authorizer else "",
            "integration": integration.key,
        },
        refs={
            "claim": claim,
            "api": entrance.api,
            "integration": integration,
            **({"authorizer": way.authorizer} if way.authorizer else {}),
        },
        address=entrance.address,
        open=way.open,
    )


def _throttles(exposure: Exposure, entrance: Front, routes: Sequence[Resource]) -> list[Resource]:
    rate, burst = exposure.options.get("rate"), exposure.options.get("burst")
    if rate is None and burst is None:
        return []
    spec = {"rate": rate or burst, "burst": burst or min(rate or 0, _BURST), "stage": entrance.stage}
    return [
        Resource(
            Identity("apigw.throttle", f"{entrance.key}/{entrance.stage}#{route.spec['key']}"),
            spec={**spec, "key": route.spec["key"]},
            refs={
                "api": entrance.api,
                "route": route.identity,
                "integration": route.refs["integration"],
            },
            open=route.open,
        )
        for route in routes
    ]
