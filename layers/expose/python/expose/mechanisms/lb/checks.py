"""What an `expose:lb` tag may not ask for, each with the reason in words; and its conditions, as ELB counts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expose.mechanisms.lb.aim import aim, certified, kind
from expose.mechanisms.surroundings import Lookup, Surroundings
from expose.model import Exposure
from expose.refusals import Invalid, Refused

CONDITIONS = ("host", "path", "methods")
_VALUES = 5  # that the conditions of one rule may have in all (F§4.2)


def conditions(exposure: Exposure) -> dict[str, list[str]]:
    """In ELB's words. A path stands for itself and all below it, and for nothing that only begins alike."""
    paths = exposure.options.get("path", ("/",))
    if "/" in paths:  # every request, which needs saying only where nothing else is said
        paths = () if "host" in exposure.options else ("/",)
    found = {
        "hosts": sorted(exposure.options.get("host", ())),
        "paths": sorted({each for path in paths for each in _patterns(path)}),
        "methods": sorted(exposure.options.get("methods", ())),
    }
    if (count := sum(map(len, found.values()))) > _VALUES:
        raise Invalid(
            "TooManyConditions",
            exposure.said(
                f"a rule takes at most {_VALUES} values, and these are {count}, for each path counts twice "
                "(itself, and what is below it): say it in several tags, expose:lb:a and expose:lb:b"
            ),
        )
    return found


def _patterns(path: str) -> tuple[str, ...]:
    return ("/*",) if path == "/" else (path, f"{path}/*")


def scheme_fits(exposure: Exposure, scheme: str) -> None:
    asked = exposure.options.get("scheme", scheme)
    if asked != scheme:
        raise Refused(
            "WrongScheme",
            exposure.said(
                f"the load balancer is {scheme}, and scheme={asked} asks for another: choose one of these"
            ),
        )


def check_hosts(exposure: Exposure, surroundings: Surroundings) -> None:
    """Raise `Refused` for a name that the stack does not allow; and for none, which would answer for all names."""
    limits, hosts = surroundings.limits, exposure.options.get("host", ())
    for host in hosts:
        limits.check_name(host, exposure)
    if not hosts and "*" not in limits.names:
        allowed = ", ".join(limits.names)
        problem = (
            f"without host= it would answer for every name, and AllowedNames allows {allowed}: say host=NAME"
        )
        raise Refused("NotAllowed", exposure.said(problem))


def site_of(exposure: Exposure, surroundings: Surroundings) -> Mapping[str, Any]:
    """Where in which VPC a load balancer of ours can stand."""
    for lookup, site in surroundings.found.items():
        if lookup.kind == "ec2.site":
            return dict(site)
    raise Refused(
        "NoVpc",
        exposure.said(
            "cannot tell the VPC, because the service has no network configuration of its own: "
            "name a load balancer"
        ),
    )


def may_be_made(exposure: Exposure, of: str, site: Mapping[str, Any], surroundings: Surroundings) -> None:
    """Raise `Refused` where the stack, or the network, does not let us make one of the type `of`."""
    scheme = aim(exposure).scheme
    if not surroundings.limits.creates_load_balancer(scheme):
        raise Refused(
            "NoLoadBalancer",
            exposure.said(
                f"there is no shared {scheme} load balancer in {site['vpc']} yet, and the stack does not make one: "
                "name a load balancer, or ask whoever runs the stack to set its parameter CreateLoadBalancers"
            ),
        )
    zones = 2 if of == "application" else 1
    if len(site["subnets"]) < zones:
        public = "public subnets (with a route to an internet gateway)" if scheme != "internal" else "subnets"
        raise Refused(
            "NoSubnets",
            exposure.said(
                f"a load balancer needs {public} in {zones} zones or more, and {site['vpc']} has them in "
                f"{len(site['subnets'])}: add some, or to the stack's parameter LoadBalancerSubnets if it is set"
            ),
        )


def certificates(exposure: Exposure, surroundings: Surroundings) -> tuple[str, ...]:
    """Those for the names that need one, which are none unless TLS ends at the load balancer."""
    found: dict[str, None] = {}
    for name in certified(exposure):
        arn = surroundings.found.get(Lookup("acm.certificate", name), "")
        if not arn:
            raise Refused(
                "NoCertificate",
                exposure.said(
                    f"ACM has no issued certificate for {name} in this Region: request one there, "
                    "or say certificate=NAME for one that is there"
                ),
            )
        found[arn] = None
    target = aim(exposure)
    if kind(exposure) == "application" and target.scheme and target.port == 443 and not found:
        problem = "port 443 needs a certificate: say host=NAME or certificate=NAME"
        raise Invalid("NoCertificate", exposure.said(problem))
    return tuple(found)
