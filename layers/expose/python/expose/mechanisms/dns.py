"""The `dns` mechanism: a name in Cloud Map that answers with the addresses of a service's ready tasks.

    expose:dns = conejo.granja.animales.com [ip= port= container= ttl= type=]

One claim of the name, one Cloud Map service in the namespace with the longest matching suffix, one instance for each
task. Record types cannot be changed on a Cloud Map service, so they are part of its identity: another type is another
service, made once the old one is gone (F§3.1).
"""

from __future__ import annotations

from collections.abc import Sequence

from expose.definitions import Definition
from expose.mechanisms.members import members
from expose.mechanisms.namespaces import NAMESPACE, VPC, Namespace, candidates, choose
from expose.mechanisms.ports import endpoint
from expose.mechanisms.surroundings import Lookup, Surroundings
from expose.model import Exposure, Identity, Resource, Service, Task
from expose.policy import Detail, Limits, Replacing, ready
from expose.refusals import Invalid, Refused
from expose.tags import Grammar, container, dns_name, one_of, port, whole

__all__ = ["desired", "detail", "grammar", "lookups", "opens", "ready", "replacing"]

SERVICE, INSTANCE = "cloudmap.service", "cloudmap.instance"

grammar = Grammar(
    example="conejo.granja.animales.com port=8080 ttl=15",
    target=dns_name,
    options={
        "ip": one_of("public", "private"),
        "port": port,
        "container": container,
        "ttl": whole(0, 86400),
        "type": one_of("A", "AAAA", "A+AAAA", "SRV"),
    },
)

_DEFAULT_TTL = 15
_FAMILIES = ("AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6")


def lookups(exposure: Exposure, service: Service, limits: Limits) -> Sequence[Lookup]:
    namespaces = Lookup(NAMESPACE, exposure.target)
    if limits.create_namespaces != "private" or not service.subnets:
        return (namespaces,)
    return (namespaces, Lookup(VPC, service.subnets[0]))


def detail(exposure: Exposure, surroundings: Surroundings) -> Detail:
    """Which VPC a task is in, its interface tells, as it tells the public address."""
    named = candidates(exposure, surroundings)
    kind = named[0]["kind"] if named else surroundings.limits.create_namespaces
    return Detail.PUBLIC if len(named) > 1 or _ip(exposure, kind) == "public" else Detail.PRIVATE


def replacing(exposure: Exposure, service: Service) -> Replacing | None:
    """Cloud Map does not watch the tasks."""
    return None


def opens(value: str, limits: Limits) -> bool:
    """A name lets nobody pass whom the security groups do not."""
    return False


def desired(exposure: Exposure, service: Service, surroundings: Surroundings) -> Sequence[Resource]:
    """Raise `Refused` for a name that may not be had, and where no ready task has what the tag asks for."""
    surroundings.limits.check_name(exposure.target, exposure)
    namespace = choose(exposure, service, surroundings)
    types = _types(exposure, namespace)
    below = exposure.target.removesuffix(f".{namespace.name}")
    if len(below) > 127:
        raise Invalid(
            "NameTooLong",
            exposure.said(f"{below} is too long: at most 127 characters below namespace {namespace.name}"),
        )
    claim = Resource(Identity("claim", f"dns/{namespace.zone}/{exposure.target}"))
    name = Resource(
        Identity(SERVICE, f"{namespace.kind}/{exposure.target}/{'+'.join(types) or 'HTTP'}/{namespace.name}"),
        spec={
            "name": below,
            "types": list(types),
            "ttl": exposure.options.get("ttl", _DEFAULT_TTL) if types else None,
        },
        refs={"claim": claim.identity, "namespace": namespace.ref},
    )
    structure = [claim, *([namespace.made] if namespace.made else []), name]
    return structure + _instances(
        exposure, service, name, _ip(exposure, namespace.kind), types, surroundings.mark
    )


def _ip(exposure: Exposure, kind: str) -> str:
    default = "public" if kind == "public" else "private"
    return str(exposure.options.get("ip", default))


def _types(exposure: Exposure, namespace: Namespace) -> tuple[str, ...]:
    if namespace.kind != "http":
        return tuple(exposure.options.get("type", "A").split("+"))
    for option in ("type", "ttl"):
        if option in exposure.options:
            raise Invalid(
                "NoRecordsThere",
                exposure.said(
                    f"{option}= means nothing in {namespace.name}, an HTTP namespace without DNS: remove it"
                ),
            )
    return ()


def _instances(
    exposure: Exposure, service: Service, name: Resource, ip: str, types: tuple[str, ...], mark: str
) -> list[Resource]:
    def instance(task: Task, definition: Definition) -> Resource:
        addresses = _addresses(exposure, task, ip, types)
        family = 4 if "AWS_INSTANCE_IPV4" in addresses else 6
        spec = {
            **addresses,
            **_port(exposure, task, definition, family, required="SRV" in types),
            **_origin(service, task, definition, mark),
        }
        return Resource(
            Identity(INSTANCE, f"{name.identity.key}/x-{task.id}"),
            spec=spec,
            refs={"service": name.identity},
            task=task.id,
            address=" ".join(spec[key] for key in _FAMILIES if key in spec),
        )

    return members(exposure, service, instance)


def _addresses(exposure: Exposure, task: Task, ip: str, types: tuple[str, ...]) -> dict[str, str]:
    have = {
        "AWS_INSTANCE_IPV4": task.public_ipv4 if ip == "public" else task.private_ipv4,
        "AWS_INSTANCE_IPV6": task.ipv6,
    }
    needed = [f"AWS_INSTANCE_IPV{'6' if kind == 'AAAA' else '4'}" for kind in types if kind != "SRV"]
    if not needed:
        needed = ["AWS_INSTANCE_IPV4" if have["AWS_INSTANCE_IPV4"] or not task.ipv6 else "AWS_INSTANCE_IPV6"]
    if all(have[key] for key in needed):
        return {key: have[key] for key in needed}
    if "AWS_INSTANCE_IPV6" in needed and not task.ipv6:
        raise Refused(
            "NoIpv6Address",
            exposure.said(
                "the tasks have no IPv6 address: turn on the account setting dualStackIPv6 and run them in "
                "dual-stack subnets, or say type=A"
            ),
        )
    if ip == "private":
        raise Refused(
            "NoPrivateAddress", exposure.said("the tasks have no private IPv4 address: say type=AAAA")
        )
    raise Refused(
        "NoPublicAddress",
        exposure.said(
            "the tasks have no public IPv4 address: on Fargate set assignPublicIp=ENABLED in a public subnet "
            "and deploy (awsvpc tasks on EC2 never have one), or say ip=private"
        ),
    )


def _port(
    exposure: Exposure, task: Task, definition: Definition, family: int, *, required: bool
) -> dict[str, str]:
    number = endpoint(exposure, task, definition, required=required, family=family)
    return {"AWS_INSTANCE_PORT": str(number)} if number else {}


def _origin(service: Service, task: Task, definition: Definition, mark: str) -> dict[str, str]:
    """What ECS itself writes on the instances that it registers (F§3.4), and whose this one is."""
    origin = {
        "AVAILABILITY_ZONE": task.zone,
        "REGION": service.arn.region,
        "ECS_CLUSTER_NAME": service.arn.cluster,
        "ECS_SERVICE_NAME": service.arn.name,
        "ECS_TASK_DEFINITION_FAMILY": definition.family,
        "EXPOSE_OWNER": mark,
    }
    return {key: value for key, value in origin.items() if value}
