"""What stands behind the routes: the tasks in a Cloud Map service of their own, the service's load balancer, or a
registry that ECS keeps; and the link into the VPC, through which all of them are reached.

API Gateway needs private addresses and ports (F§5.1), which the records for public DNS do not have: so the Cloud Map
services of this mechanism are never those of `dns`, and carry no DNS at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from expose.definitions import Definition
from expose.mechanisms.members import members
from expose.mechanisms.ports import endpoint
from expose.mechanisms.surroundings import Lookup, Surroundings
from expose.model import Exposure, Identity, Resource, Service, Task, digest
from expose.refusals import Refused


@dataclass(frozen=True, slots=True)
class Backend:
    """`uri` is what stands before the id of `ref` in the integration's URI. `host` is the name that it must be called
    by, where it looks at that.
    """

    ref: Identity | str
    uri: str = ""
    host: str = ""
    structure: Sequence[Resource] = field(default_factory=list)
    targets: Sequence[Resource] = field(default_factory=list)


def lookups(exposure: Exposure, service: Service, *, via: str) -> list[Lookup]:
    asked = [Lookup("ec2.link", "+".join(sorted(service.subnets)))] if service.subnets else []
    if via == "lb":
        asked.append(Lookup("lb.listener", str(exposure.service)))
        asked += [Lookup("elb.native", group) for group in service.native if group]
    return asked


@dataclass(frozen=True, slots=True)
class Through:
    """The link: one that a parameter of the stack names, or ours."""

    ref: Identity | str
    structure: Sequence[Resource] = ()

    @property
    def key(self) -> str:
        return self.ref if isinstance(self.ref, str) else self.ref.key


def link(exposure: Exposure, surroundings: Surroundings) -> Through:
    """What AWS cannot change of a link is its identity: so one that has to change is replaced, the new one first."""
    site = next((value for lookup, value in surroundings.found.items() if lookup.kind == "ec2.link"), None)
    if site is None:
        problem = "a VPC Link needs a service in awsvpc mode, and this one has no subnets of its own"
        raise Refused("NoVpc", exposure.said(problem))
    if site["given"]:
        return Through(site["given"])
    made = Resource(
        Identity("apigw.link", site["link"]),
        refs={"subnets": " ".join(site["subnets"]), "groups": " ".join(site["groups"])},
        shared=True,
    )
    return Through(made.identity, [made])


def backend(exposure: Exposure, service: Service, surroundings: Surroundings) -> Backend:
    usable = any(has_port for _, has_port in service.registries)
    via = exposure.options.get("via") or ("registry" if usable else "cloudmap")
    if via == "lb":
        return listener(exposure, surroundings)
    if via == "registry":
        return _registry(exposure, service)
    return _cloudmap(exposure, service, surroundings)


def _cloudmap(exposure: Exposure, service: Service, surroundings: Surroundings) -> Backend:
    arn, stack = service.arn, surroundings.stack
    namespace = Resource(
        Identity("cloudmap.namespace", f"http/{stack}-api"),
        spec={"name": f"{stack}-api", "kind": "http"},
        shared=True,
    )
    name = digest(surroundings.mark)
    own = Resource(
        Identity("cloudmap.service", f"http/{name}.{stack}-api/HTTP/{stack}-api"),
        spec={"name": name, "types": [], "ttl": None},
        refs={"namespace": namespace.identity},
    )
    uri = f"arn:{arn.partition}:servicediscovery:{arn.region}:{arn.account}:service/"
    targets = _instances(exposure, service, own, surroundings.mark)
    return Backend(own.identity, uri, structure=[namespace, own], targets=targets)


def _instances(exposure: Exposure, service: Service, own: Resource, mark: str) -> list[Resource]:
    def instance(task: Task, definition: Definition) -> Resource:
        if not task.private_ipv4:
            problem = "the tasks have no private IPv4 address: run them in subnets with IPv4"
            raise Refused("NoPrivateAddress", exposure.said(problem))
        spec = {
            "AWS_INSTANCE_IPV4": task.private_ipv4,
            "AWS_INSTANCE_PORT": str(endpoint(exposure, task, definition, required=True)),
            "EXPOSE_OWNER": mark,
        }
        return Resource(
            Identity("cloudmap.instance", f"{own.identity.key}/x-{task.id}"),
            spec=spec,
            refs={"service": own.identity},
            task=task.id,
        )

    return members(exposure, service, instance)


def listener(exposure: Exposure, surroundings: Surroundings) -> Backend:
    """Of the service's own `lb` exposure; else of a load balancer that ECS itself keeps for the service."""
    answers = surroundings.found.items()
    found = surroundings.found.get(Lookup("lb.listener", str(exposure.service)), ()) or [
        each for lookup, answer in answers if lookup.kind == "elb.native" for each in answer
    ]
    distinct = {(each["arn"], each["host"]) for each in found}
    if not distinct:
        problem = "via=lb needs a listener, and the service has none: give it an expose:lb tag, which has to be Active first"
        raise Refused("NoListener", exposure.said(problem))
    if len(distinct) > 1:
        problem = (
            "the service is behind several listeners, so via=lb is not clear: leave one, or say via=cloudmap"
        )
        raise Refused("SeveralListeners", exposure.said(problem))
    ((arn, host),) = distinct
    return Backend(arn, host=host)


def _registry(exposure: Exposure, service: Service) -> Backend:
    """That ECS keeps: it must hold ports, as SRV records do."""
    usable = [arn for arn, has_port in service.registries if has_port]
    if not usable:
        raise Refused(
            "NoRegistry",
            exposure.said(
                "ECS keeps no registry with ports for this service (only SRV records have them): say via=cloudmap"
            ),
        )
    return Backend(usable[0])
