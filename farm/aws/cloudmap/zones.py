"""What Route 53 would hold for Cloud Map's state: a view of the instances as record sets, for the farm's DNS server."""

from __future__ import annotations

from collections.abc import Iterator

from moto.moto_api._internal import mock_random

from farm.aws import REGION
from farm.aws.cloudmap.model import Instance, Namespace, Registry, Service, registry
from farm.dns import RecordSet, Zone, look_up

_ADDRESS = {"A": "AWS_INSTANCE_IPV4", "AAAA": "AWS_INSTANCE_IPV6"}
_TARGET = {**_ADDRESS, "CNAME": "AWS_INSTANCE_CNAME"}


def zones(region: str = REGION) -> list[Zone]:
    """One per DNS namespace, private ones first, as a resolver in the VPC prefers them."""
    of = registry(region)
    named = sorted(of.namespaces.values(), key=lambda one: one.type)
    return [_zone(of, namespace) for namespace in named if namespace.is_dns]


def records(name: str, kind: str, region: str = REGION) -> RecordSet | None:
    """What a name has for a type of record; None for none."""
    return look_up(name, kind, zones(region))


def _zone(of: Registry, namespace: Namespace) -> Zone:
    found = {key: one for service in of.services_in(namespace) for key, one in _of_service(service)}
    return Zone(namespace.name.lower(), found, namespace.soa_ttl)


def _of_service(service: Service) -> Iterator[tuple[tuple[str, str], RecordSet]]:
    name = f"{service.name}.{service.namespace.name}".lower()
    for kind, ttl in service.records.items():
        serving = _serving(service)
        if kind == "SRV":
            yield from _targets(serving, name, ttl)
        values = [_value(one, kind, name) for one in serving]
        if known := tuple(sorted(value for value in values if value)):
            yield (name, kind), RecordSet(ttl, _chosen(service, known))


def _serving(service: Service) -> list[Instance]:
    """The healthy ones; with none healthy, all: DNS fails open (F§3.3)."""
    instances = list(service.instances.values())
    return [one for one in instances if one.healthy] or instances


def _value(instance: Instance, kind: str, name: str) -> str:
    """Presentation form; priority and weight of SRV are fixed to 1."""
    if kind == "SRV":
        return f"1 1 {instance.attributes['AWS_INSTANCE_PORT']} {instance.id.lower()}.{name}."
    value = instance.attributes.get(_TARGET[kind], "")
    return f"{value.rstrip('.')}." if kind == "CNAME" and value else value


def _targets(instances: list[Instance], name: str, ttl: int) -> Iterator[tuple[tuple[str, str], RecordSet]]:
    for instance in instances:
        for kind, attribute in _ADDRESS.items():
            if address := instance.attributes.get(attribute):
                yield (f"{instance.id.lower()}.{name}", kind), RecordSet(ttl, (address,))


def _chosen(service: Service, values: tuple[str, ...]) -> tuple[str, ...]:
    """WEIGHTED answers with one of them, each as likely; of MULTIVALUE the name server takes up to eight."""
    return (mock_random.choice(values),) if service.routing == "WEIGHTED" else values
