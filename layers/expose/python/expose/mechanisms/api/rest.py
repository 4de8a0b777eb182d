"""Routes of a REST API: `expose:api = rest/NAME/PATH auth=iam`.

One REST API for each name and stage (shared), one path resource for each part of the path (shared), and one route for
each method, which stands for the path itself and for all below it. Behind it is a listener: API Gateway's REST APIs
do not know Cloud Map (F§5.5). Nothing is live before it is deployed, so what is half made lets nobody in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from expose.mechanisms.api.backends import Backend, Through, link, listener
from expose.mechanisms.api.claims import claims
from expose.mechanisms.api.doors import OPEN, Door, terms
from expose.mechanisms.api.fronts import Front
from expose.mechanisms.api.grammar import REST
from expose.mechanisms.surroundings import Surroundings
from expose.model import Exposure, Identity, Resource, digest
from expose.refusals import Invalid, Refused
from expose.tags import meaningless

_WAYS: Mapping[str, Sequence[str]] = {"iam": (), "none": (), "cognito": ("pool",)}
_MEANINGLESS = ("api", "burst", "container", "port", "rate")
OWNED = "expose-"
"""What the operation name of each method of ours begins with."""

_STAGE = "live"
_LONGEST = 29  # seconds that a REST API waits for an answer


def means(exposure: Exposure) -> bool:
    """Whether the tag asks for a REST API."""
    return exposure.target.partition("/")[0] == REST


def desired(exposure: Exposure, surroundings: Surroundings) -> Sequence[Resource]:
    """Raise `Invalid` for what a REST API does not have, `Refused` where there is no listener to lead to."""
    _check(exposure)
    entrance = _front(exposure, surroundings)
    way = _door(exposure, entrance, surroundings)
    through, behind = link(exposure, surroundings), listener(exposure, surroundings)
    claimed = claims(exposure, entrance, surroundings)
    return [
        *{each.identity: each for each in claimed.values()}.values(),
        *entrance.structure,
        *through.structure,
        *way.structure,
        *(
            _route(exposure, key, entrance, way, claimed[key].identity, through, behind, surroundings)
            for key in entrance.keys
        ),
    ]


def _check(exposure: Exposure) -> None:
    options = exposure.options
    for option in _MEANINGLESS:
        if option in options:
            raise meaningless(exposure, option, "a REST API")
    if options.get("via", "lb") != "lb":
        problem = "a REST API reaches a service through a load balancer only: say via=lb, or leave it out"
        raise Invalid("WrongOption", exposure.said(problem))
    if options.get("timeout", _LONGEST) > _LONGEST:
        raise Invalid("WrongOption", exposure.said(f"a REST API waits for {_LONGEST} seconds at most"))


def _front(exposure: Exposure, surroundings: Surroundings) -> Front:
    """The API, and a path resource for each part of the path and for all below."""
    if "*" not in surroundings.limits.names:
        problem = "a REST API has no host, so it is outside of AllowedNames: say HOST/PATH"
        raise Refused("NotAllowed", exposure.said(problem))
    _, name, *parts = exposure.target.split("/")
    stage = exposure.options.get("stage", _STAGE)
    key = f"{REST}/{name}/{stage}"
    api = Resource(Identity("rest.api", key), spec={"name": name}, shared=True)
    tree = [_part(api, "", None)]
    for part in (*parts, "{proxy+}"):
        tree.append(_part(api, part, tree[-1]))
    path = f"/{'/'.join(parts)}"
    keys = [f"{method} {path}" for method in exposure.options.get("methods", ("ANY",))]
    return Front(api.identity, key, keys, path, stage, f"REST API {name} {stage}", structure=[api, *tree])


def _part(api: Resource, part: str, parent: Resource | None) -> Resource:
    """A path resource. The first is the root, which comes and goes with the API."""
    before = parent.identity.key if parent else api.identity.key
    refs: dict[str, Identity | str] = {"api": api.identity}
    if parent:
        refs["parent"] = parent.identity
    return Resource(
        Identity("rest.resource", f"{before.rstrip('/')}/{part}"), spec={"part": part}, refs=refs, shared=True
    )


def _door(exposure: Exposure, entrance: Front, surroundings: Surroundings) -> Door:
    way, said = terms(exposure, surroundings, _WAYS)
    if way != "cognito":
        return Door(OPEN if way == "none" else "AWS_IAM")
    arn = exposure.service
    pool = f"arn:{arn.partition}:cognito-idp:{said['pool'].partition('_')[0]}:{arn.account}:userpool/{said['pool']}"
    authorizer = Resource(
        Identity("rest.authorizer", f"{entrance.key}/{digest(pool)}"),
        spec={"pool": pool},
        refs={"api": entrance.api},
        shared=True,
    )
    return Door("COGNITO_USER_POOLS", tuple(said.get("scopes", ())), authorizer.identity, (authorizer,))


def _route(
    exposure: Exposure,
    key: str,
    entrance: Front,
    way: Door,
    claim: Identity,
    through: Through,
    behind: Backend,
    surroundings: Surroundings,
) -> Resource:
    options = exposure.options
    method, _, path = key.partition(" ")
    *_, own, below = entrance.structure
    tls = options.get("tls", "")
    host = tls or behind.host or exposure.service.name.lower().replace("_", "-")
    return Resource(
        Identity("rest.route", f"{entrance.key}/{key}"),
        spec={
            "method": method,
            "authorization": way.authorization,
            "scopes": sorted(way.scopes),
            "authorizer": way.authorizer.key if way.authorizer else "",
            "uri": f"http{'s' if tls else ''}://{host}{'' if options.get('strip') == 'yes' else path.rstrip('/')}",
            "timeout": options.get("timeout", _LONGEST),
            "target": _target(str(behind.ref), surroundings.limits.apis.rest_target),
            "link": through.key,
        },
        refs={
            "claim": claim,
            "api": entrance.api,
            "own": own.identity,
            "below": below.identity,
            "link": through.ref,
            "stage": entrance.stage,
            "owner": f"{OWNED}{digest(surroundings.mark)}",
            **({"authorizer": way.authorizer} if way.authorizer else {}),
        },
        open=way.open,
    )


def _target(listener: str, kind: str) -> str:
    """The listener, or the load balancer that it is one of."""
    if kind == "listener":
        return listener
    return listener.replace(":listener/", ":loadbalancer/").rpartition("/")[0]
