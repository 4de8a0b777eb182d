"""The `api` mechanism: routes of an HTTP API, through a VPC Link, to a service that nobody else can reach.

    expose:api = HOST/PATH | /PATH  auth=...  [option=value ...]

One claim for each route, the API of the host (shared), its stage and domain (shared), the VPC's link (shared), the
backend, one or two integrations, and the routes `PATH` and `PATH/{proxy+}`, each created together with its authoriser.
A rotation changes the backend only, and makes no call to API Gateway at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from expose.mechanisms.api.backends import Backend, backend
from expose.mechanisms.api.doors import Door, door
from expose.mechanisms.api.fronts import Front, front
from expose.mechanisms.api.grammar import grammar
from expose.mechanisms.surroundings import Lookup, Surroundings
from expose.model import Exposure, Identity, Resource, Service
from expose.policy import Limits, Replacing, ready
from expose.refusals import Refused

__all__ = ["desired", "grammar", "lookups", "ready", "replacing", "wants_public"]

_TIMEOUT = 30  # seconds
_BURST = 5_000  # requests at most


def lookups(exposure: Exposure, service: Service, limits: Limits) -> Sequence[Lookup]:
    host = exposure.target.partition("/")[0]
    asked = [Lookup("ec2.link", subnet) for subnet in service.subnets[:1]]
    if host and "api" not in exposure.options:
        asked.append(Lookup("apigw.domain", host))
    if "api" in exposure.options:
        asked.append(Lookup("apigw.api", exposure.options["api"]))
    if exposure.options.get("via") == "lb":
        asked.append(Lookup("lb.listener", str(exposure.service)))
    return asked


def wants_public(exposure: Exposure, surroundings: Surroundings) -> bool:
    """Never: a public address cannot be reached through a VPC Link."""
    return False


def replacing(exposure: Exposure, service: Service) -> Replacing | None:
    """API Gateway does not watch the tasks."""
    return None


def desired(exposure: Exposure, service: Service, surroundings: Surroundings) -> Sequence[Resource]:
    """Raise `Refused` for what may not be had, and where no ready task has what the tag asks for."""
    entrance = front(exposure, surroundings)
    way = door(exposure, entrance.api, entrance.key, surroundings)
    link = _link(exposure, service, surroundings)
    behind = backend(exposure, service, surroundings)
    claims = _claims(exposure, entrance, surroundings)
    integrations = _integrations(exposure, entrance, link, behind)
    routes = [
        _route(key, proxied, entrance, way, claims[key].identity, integrations)
        for key in entrance.keys
        for proxied in (False, True)
    ]
    return [
        *{each.identity: each for each in claims.values()}.values(),
        *entrance.structure,
        link,
        *behind.structure,
        *behind.targets,
        *way.structure,
        *{each.identity: each for each in integrations.values()}.values(),
        *routes,
        *_throttles(exposure, entrance, routes),
    ]


def _claims(exposure: Exposure, entrance: Front, surroundings: Surroundings) -> dict[str, Resource]:
    """One for the path, shared by those who say which methods are theirs, and then one for each of these. By route key."""
    apart = "methods" in exposure.options
    heir = _heir(exposure, surroundings)
    path = Resource(
        Identity("claim", f"api/{entrance.key}{entrance.path}"),
        spec={
            "said": f"{entrance.path} of {entrance.said}",
            "together": apart,
            "share": "methods=",
            **heir,
        },
    )
    if not apart:
        return dict.fromkeys(entrance.keys, path)
    return {"": path} | {
        key: Resource(
            Identity("claim", f"api/{entrance.key}/{key}"),
            spec={"said": f"{key} of {entrance.said}", **heir},
            refs={"path": path.identity},
        )
        for key in entrance.keys
    }


def _heir(exposure: Exposure, surroundings: Surroundings) -> dict[str, str]:
    """Who may take the claim over: the exposures of one other service of the cluster."""
    if "to" not in exposure.options:
        return {}
    return {"heir": f"{surroundings.stack}/{exposure.service.cluster}/{exposure.options['to']}"}


def _link(exposure: Exposure, service: Service, surroundings: Surroundings) -> Resource:
    site = next((value for lookup, value in surroundings.found.items() if lookup.kind == "ec2.link"), None)
    if site is None:
        raise Refused(
            "NoVpc",
            exposure.said(
                "a VPC Link needs a service in awsvpc mode, and this one has no subnets of its own"
            ),
        )
    return Resource(
        Identity("apigw.link", site["vpc"]),
        refs={"subnets": " ".join(sorted(service.subnets)), "groups": " ".join(site["groups"])},
        shared=True,
    )


def _integrations(
    exposure: Exposure, entrance: Front, link: Resource, behind: Backend
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
            },
            refs={"api": entrance.api, "link": link.identity, "backend": behind.ref},
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
        )
        for route in routes
    ]
