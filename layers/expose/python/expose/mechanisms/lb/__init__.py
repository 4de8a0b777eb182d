"""The `lb` mechanism: a load balancer's rule or listener that forwards to a service's running tasks.

    expose:lb = internal[:PORT] | internet-facing[:PORT] | NAME[:PORT] | tg/NAME [option=value ...]

One claim of what is asked for, one target group, one rule (ALB) or listener (NLB) that forwards to it, one target for
each task. The two words stand for the VPC's shared load balancer of that scheme, which is made when first needed and
goes after its last user. `tg/NAME` makes nothing but targets. A load balancer checks the health of its targets itself,
so a task becomes one as soon as it runs, as with ECS's own attachment.
"""

from __future__ import annotations

from collections.abc import Sequence

from expose.mechanisms.lb import entrances, groups
from expose.mechanisms.lb.aim import aim, certified, kind
from expose.mechanisms.lb.grammar import grammar
from expose.mechanisms.surroundings import Lookup, Surroundings
from expose.model import Exposure, Identity, Resource, Service
from expose.policy import Detail, Limits, Replacing, runs

__all__ = ["desired", "detail", "grammar", "lookups", "opens", "ready", "replacing"]

ready = runs

_GRACE = 60  # seconds for which a task may be unhealthy before it is replaced


def lookups(exposure: Exposure, service: Service, limits: Limits) -> Sequence[Lookup]:
    target = aim(exposure)
    if target.is_group:
        return (Lookup("elb.group", target.name.removeprefix("tg/")),)
    balancer = Lookup("elb.balancer", target.name)
    if target.scheme:
        if not service.subnets:
            return ()  # it cannot be told where it should stand, which is refused below
        balancer = Lookup("ec2.site", f"{kind(exposure)}/{target.scheme}/{service.subnets[0]}")
    return (balancer, *(Lookup("acm.certificate", name) for name in certified(exposure)))


def detail(exposure: Exposure, surroundings: Surroundings) -> Detail:
    """A public address cannot be a target (F§4.1)."""
    return Detail.PRIVATE


def replacing(exposure: Exposure, service: Service) -> Replacing | None:
    if exposure.options.get("replace") != "yes":
        return None
    return Replacing(grace=exposure.options.get("grace", service.health_grace or _GRACE))


def opens(value: str, limits: Limits) -> bool:
    """A load balancer is as open as its scheme and its security groups, which are not the tag's to say."""
    return False


def desired(exposure: Exposure, service: Service, surroundings: Surroundings) -> Sequence[Resource]:
    """Raise `Refused` for what may not be had, and where no running task has what the tag asks for."""
    target = aim(exposure)
    surroundings.limits.check_load_balancer(target.name, exposure)
    if target.is_group:
        return groups.membership(exposure, target.name, service, surroundings)
    entrance = (entrances.shared if target.scheme else entrances.named)(exposure, surroundings)
    group = groups.own(exposure, service, entrance)
    together = "weight" in exposure.options
    claim = Resource(
        Identity("claim", f"lb/{entrance.scope}{entrance.matched}"),
        spec={"together": together, "said": entrance.said, **entrance.claimed},
        refs={} if entrance.is_network else {"listener": f"lb/{entrance.scope}"},
    )
    front = Resource(
        entrance.front,
        spec={**entrance.spec, "weight": exposure.options.get("weight", 1), "group": group.identity.key},
        refs={"claim": claim.identity, **entrance.refs, "group": group.identity},
        address=entrance.address,
    )
    targets = groups.targets(exposure, service, group, entrance.blocks)
    return [claim, *entrance.structure, group, front, *targets]
