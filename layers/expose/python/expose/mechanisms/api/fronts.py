"""Where requests come in: the HTTP API of a host, its stage, its domain and the name in DNS; each shared by all paths.

Routes belong to an API, not to a stage. So a stage of its own is an API of its own, mapped below its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from expose.mechanisms.api.grammar import METHODS
from expose.mechanisms.surroundings import Lookup, Surroundings
from expose.model import Exposure, Identity, Resource
from expose.refusals import Invalid, Refused


@dataclass(frozen=True, slots=True)
class Front:
    """`key` names the API among ours, `keys` are the route keys of the path itself."""

    api: Identity | str
    key: str
    keys: Sequence[str]
    path: str
    stage: str
    said: str
    address: str = ""
    structure: Sequence[Resource] = field(default_factory=list)


def front(exposure: Exposure, surroundings: Surroundings) -> Front:
    host, _, rest = exposure.target.partition("/")
    path = f"/{rest}"
    stage = exposure.options.get("stage", "$default")
    keys = [f"{method} {path}" for method in exposure.options.get("methods", _any(surroundings))]
    if "api" in exposure.options:
        return _existing(exposure, surroundings, keys, path)
    if host:
        surroundings.limits.check_name(host, exposure)
    elif "*" not in surroundings.limits.names:
        problem = "without a host it is outside of AllowedNames: say HOST/PATH"
        raise Refused("NotAllowed", exposure.said(problem))
    key = f"{host or 'default'}/{stage}"
    apis = surroundings.limits.apis
    api = Resource(
        Identity("apigw.api", key),
        spec={
            "name": f"{host or 'default'} {stage}",
            "cors": apis.cors,
            "closed": bool(host) and apis.closes_default,
        },
        shared=True,
    )
    staged = Resource(
        Identity("apigw.stage", key),
        spec={"name": stage, "logs": apis.logs},
        refs={"api": api.identity},
        shared=True,
    )
    structure = [api, staged]
    address = ""
    if host:
        domain, address = _domain(exposure, host, surroundings)
        structure += [*domain, *_mapping(host, stage, api, staged, domain)]
    return Front(
        api.identity, key, keys, path, stage, f"{host or 'the default API'} {stage}", address, structure
    )


def _any(surroundings: Surroundings) -> Sequence[str]:
    """With CORS it is API Gateway that answers OPTIONS, which it does only where no route takes it (F§5.4)."""
    return [each for each in METHODS if each != "OPTIONS"] if surroundings.limits.apis.cors else ("ANY",)


def _existing(exposure: Exposure, surroundings: Surroundings, keys: Sequence[str], path: str) -> Front:
    """Routes only, in an API that somebody else made, whose stages deploy by themselves."""
    name = exposure.options["api"]
    surroundings.limits.check_api(name, exposure)
    if exposure.target.partition("/")[0] or "stage" in exposure.options:
        problem = "a host or stage= means nothing for an API that is there already: say /PATH"
        raise Invalid("WrongOption", exposure.said(problem))
    found: Mapping[str, Any] | None = surroundings.found.get(Lookup("apigw.api", name))
    if found is None:
        raise Refused(
            "NoApi", exposure.said(f"there is no HTTP API {name}: say the id of one, or leave out api=")
        )
    if found["ours"]:
        problem = f"API {name} is one that this stack makes: say HOST/PATH or /PATH, as its other tags do"
        raise Refused("WrongApi", exposure.said(problem))
    if not found["stage"]:
        problem = f"API {name} has no stage that deploys by itself: set AutoDeploy on one"
        raise Refused("NoStage", exposure.said(problem))
    return Front(name, name, keys, path, found["stage"], f"API {name}", found["address"])


def _domain(exposure: Exposure, host: str, surroundings: Surroundings) -> tuple[list[Resource], str]:
    """What has to be made for the host, and where it can be found meanwhile."""
    found = surroundings.found.get(Lookup("apigw.domain", host))
    apis = surroundings.limits.apis
    if found and not found["ours"]:
        return [], found["address"]
    if not apis.certificate:
        raise Refused(
            "NoDomain",
            exposure.said(
                f"API Gateway has no custom domain {host}: create it, or give the stack a certificate for it with its "
                "parameter ApiCertificate, and it is made for you"
            ),
        )
    domain = Resource(
        Identity("apigw.domain", host), spec={"name": host, "certificate": apis.certificate}, shared=True
    )
    if not apis.zone:
        return [domain], ""
    alias = Resource(
        Identity("route53.alias", f"{apis.zone}/{host}"),
        spec={"zone": apis.zone, "name": host},
        refs={"domain": domain.identity},
        shared=True,
    )
    return [domain, alias], host


def _mapping(
    host: str, stage: str, api: Resource, staged: Resource, domain: Sequence[Resource]
) -> list[Resource]:
    below = "" if stage == "$default" else stage
    refs: dict[str, Identity | str] = {"api": api.identity, "stage": staged.identity}
    if domain:
        refs["domain"] = domain[0].identity
    return [
        Resource(
            Identity("apigw.mapping", f"{host}/{below}"),
            spec={"domain": host, "below": below, "stage": stage},
            refs=refs,
            shared=True,
        )
    ]
