"""Where requests come in: which load balancer, which listener, and what of the requests there is this exposure's.

An entrance of our own brings the structure that has to be made for it; one that is somebody else's is used as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from expose.mechanisms.lb.aim import Aim, aim, kind
from expose.mechanisms.lb.checks import (
    CONDITIONS,
    certificates,
    check_hosts,
    conditions,
    may_be_made,
    scheme_fits,
    site_of,
)
from expose.mechanisms.lb.grammar import NETWORK
from expose.mechanisms.surroundings import Lookup, Surroundings
from expose.model import Exposure, Identity, Resource
from expose.refusals import Invalid, Refused
from expose.tags import meaningless


@dataclass(frozen=True, slots=True)
class Entrance:
    """`scope` is what names are claimed in, `matched` what is claimed there. `front` forwards to the target group, says
    `spec` and needs `refs`. `blocks` are the address blocks of its VPC, empty where every task is inside.
    """

    balancer: str
    scope: str
    matched: str
    said: str
    vpc: str
    is_network: bool
    front: Identity
    spec: Mapping[str, Any]
    refs: Mapping[str, Identity | str]
    address: str = ""
    blocks: Sequence[str] = ()
    structure: Sequence[Resource] = field(default_factory=list)

    @property
    def claimed(self) -> Mapping[str, Any]:
        """What of the requests is claimed: a Network Load Balancer knows nothing but ports."""
        return {} if self.is_network else {"match": self.spec}


def shared(exposure: Exposure, surroundings: Surroundings) -> Entrance:
    """In the VPC's load balancer of the scheme that the tag names."""
    target, of = aim(exposure), kind(exposure)
    scheme_fits(exposure, target.scheme)
    site = site_of(exposure, surroundings)
    if not site["balancer"]:
        may_be_made(exposure, of, site, surroundings)
    balancer = Resource(
        Identity("elb.balancer", f"{of}/{target.scheme}/{site['vpc']}"),
        spec={"type": of, "scheme": target.scheme},
        refs={"subnets": " ".join(site["subnets"]), "groups": " ".join(site["groups"])},
        shared=True,
    )
    key, ref = balancer.identity.key, balancer.identity
    if of == "network":
        return _network(exposure, key, ref, site["vpc"], surroundings, structure=[balancer])
    listener, *held = _listener_of_ours(exposure, balancer, certificates(exposure, surroundings))
    return _application(
        exposure,
        f"{key}:{listener.spec['port']}",
        listener.identity,
        site["vpc"],
        surroundings,
        https=bool(held),
        structure=[balancer, listener, *held],
    )


def _listener_of_ours(exposure: Exposure, balancer: Resource, held: Sequence[str]) -> list[Resource]:
    """The listener, and each of the certificates that are held in it."""
    protocol = "HTTPS" if held else "HTTP"
    port = aim(exposure).port or (443 if held else 80)
    listener = Resource(
        Identity("elb.listener", f"{balancer.identity.key}/{port}/{protocol}"),
        spec={"port": port, "protocol": protocol},
        refs={"balancer": balancer.identity, **({"certificate": held[0]} if held else {})},
        shared=True,
    )
    chosen = [
        Resource(
            Identity("elb.certificate", f"{listener.identity.key}#{arn}"),
            spec={"certificate": arn},
            refs={"listener": listener.identity},
            shared=True,
        )
        for arn in held
    ]
    return [listener, *chosen]


def named(exposure: Exposure, surroundings: Surroundings) -> Entrance:
    """In a load balancer that was there before."""
    target = aim(exposure)
    found = surroundings.found.get(Lookup("elb.balancer", target.name))
    if found is None:
        raise Refused(
            "NoLoadBalancer",
            exposure.said(
                f"no load balancer is named {target.name}: create it, or say internal or internet-facing"
            ),
        )
    if found.get("owner"):
        problem = f"{target.name} is a shared load balancer of ecs-expose: say {found['scheme']}, with a port"
        raise Refused("NameTaken", exposure.said(problem))
    scheme_fits(exposure, found["scheme"])
    more = {"address": found["address"], "blocks": found["blocks"]}
    if found["type"] not in {"application", "network"}:
        problem = f"{target.name} is a {found['type']} load balancer: name an application or a network one"
        raise Refused("WrongType", exposure.said(problem))
    if found["type"] == "network":
        return _network(exposure, target.name, found["arn"], found["vpc"], surroundings, **more)
    if "certificate" in exposure.options:
        raise meaningless(exposure, "certificate", "a listener that has its own")
    listener = _listener(exposure, target, found["listeners"])
    return _application(
        exposure,
        f"{target.name}:{listener['port']}",
        listener["arn"],
        found["vpc"],
        surroundings,
        https=listener["protocol"] == "HTTPS",
        **more,
    )


def _application(
    exposure: Exposure,
    scope: str,
    listener: Identity | str,
    vpc: str,
    surroundings: Surroundings,
    *,
    https: bool,
    **more: Any,
) -> Entrance:
    options = exposure.options
    if options.get("protocol") in NETWORK:
        raise meaningless(
            exposure, "protocol", "an Application Load Balancer, which speaks HTTP, HTTPS or GRPC"
        )
    if options.get("protocol") == "GRPC" and not https:
        raise Refused("NoHttps", exposure.said("GRPC needs an HTTPS listener: name one, such as port 443"))
    check_hosts(exposure, surroundings)
    spec = conditions(exposure)
    words = "|".join("+".join(values) for values in spec.values())
    said = " ".join(f"{name}={'+'.join(options[name])}" for name in CONDITIONS if name in options)
    return Entrance(
        balancer=scope.rpartition(":")[0],
        scope=scope,
        matched=f"/{words}",
        said=f"{said or 'path=/'} on {scope}",
        vpc=vpc,
        is_network=False,
        front=Identity("elb.rule", f"{scope}/{words}"),
        spec=spec,
        refs={"listener": listener},
        **more,
    )


def _network(
    exposure: Exposure,
    key: str,
    balancer: Identity | str,
    vpc: str,
    surroundings: Surroundings,
    **more: Any,
) -> Entrance:
    target, options = aim(exposure), exposure.options
    for option in CONDITIONS:
        if option in options:
            raise meaningless(exposure, option, "a Network Load Balancer, which has no rules")
    protocol = options.get("protocol", "TCP")
    if protocol not in NETWORK:
        raise meaningless(
            exposure, "protocol", "a Network Load Balancer, which speaks TCP, UDP, TLS or TCP_UDP"
        )
    if not target.port:
        problem = f"a Network Load Balancer needs a port of its own: say {target.name}:5432, for example"
        raise Invalid("NoListenerPort", exposure.said(problem))
    if protocol != "TLS" and "certificate" in options:
        raise meaningless(exposure, "certificate", "a listener without TLS")
    held = certificates(exposure, surroundings) if protocol == "TLS" else ()
    if protocol == "TLS" and not held:
        raise Invalid("NoCertificate", exposure.said("TLS needs a certificate: say certificate=NAME"))
    return Entrance(
        balancer=key,
        scope=f"{key}:{target.port}",
        matched="",
        said=f"port {target.port} of {key}",
        vpc=vpc,
        is_network=True,
        front=Identity("elb.network-listener", f"{key}/{target.port}/{protocol}"),
        spec={"port": target.port, "protocol": protocol, "certificate": held[0] if held else ""},
        refs={"balancer": balancer},
        **more,
    )


def _listener(exposure: Exposure, target: Aim, listeners: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    fitting = [each for each in listeners if target.port in {0, each["port"]}]
    if len(fitting) == 1:
        return fitting[0]
    ports = ", ".join(str(port) for port in sorted(each["port"] for each in listeners)) or "none"
    if fitting:
        problem = f"{target.name} has several listeners, at {ports}: say which, such as {target.name}:{fitting[0]['port']}"
        raise Refused("SeveralListeners", exposure.said(problem))
    asked = f"no listener at port {target.port}" if target.port else "no listener"
    problem = f"{target.name} has {asked}; it has: {ports}. Create it, or say another port"
    raise Refused("NoListener", exposure.said(problem))
