"""Instances: registered and deregistered by operations, one at a time for each, listed eventually (F§3.2)."""

from __future__ import annotations

from moto.moto_api._internal import mock_random

from farm.aws import ACCOUNT, later
from farm.aws.cloudmap.model import (
    Instance,
    Params,
    Refused,
    Registry,
    Result,
    Service,
    invalid,
    random_id,
)
from farm.aws.cloudmap.operations import check_idle, submit
from farm.aws.cloudmap.paging import one_page
from farm.aws.cloudmap.rules import check_attributes, check_instance_id, check_lengths


def register_instance(of: Registry, asked: Params) -> Result:
    """An upsert: whatever was registered under this id before is replaced as a whole."""
    service, identity = of.service(asked["ServiceId"]), asked["InstanceId"]
    check_lengths(asked)
    check_instance_id(identity)
    check_attributes(service, asked["Attributes"])
    _check_quota(of, service, identity)
    token = asked.get("CreatorRequestId") or random_id("", 32)
    healthy = asked["Attributes"].get("AWS_INIT_HEALTH_STATUS", "HEALTHY") == "HEALTHY"
    instance = Instance(identity, dict(asked["Attributes"]), token, healthy or not service.custom_health)

    def effect() -> None:
        service.instances[identity] = instance
        service.revision += 1
        _list_later(of, service, identity, instance)

    return submit(
        of,
        "REGISTER_INSTANCE",
        targets={"SERVICE": service.id, "INSTANCE": identity},
        namespace=service.namespace,
        effect=effect,
        token=token,
    )


def deregister_instance(of: Registry, asked: Params) -> Result:
    service, identity = of.service(asked["ServiceId"]), asked["InstanceId"]
    check_idle(of, f"{service.id}/{identity}")
    _instance(service, identity)

    def effect() -> None:
        service.instances.pop(identity, None)
        service.revision += 1
        _list_later(of, service, identity, None)

    return submit(
        of,
        "DEREGISTER_INSTANCE",
        targets={"SERVICE": service.id, "INSTANCE": identity},
        namespace=service.namespace,
        effect=effect,
    )


def get_instance(of: Registry, asked: Params) -> Result:
    instance = _instance(of.service(asked["ServiceId"]), asked["InstanceId"])
    described = instance.describe() | {"CreatorRequestId": instance.creator_request_id}
    return {"ResourceOwner": ACCOUNT, "Instance": described}


def list_instances(of: Registry, asked: Params) -> Result:
    listed = of.service(asked["ServiceId"]).listed.values()
    found, token = one_page(of, listed, lambda one: one.id, asked)
    return {"ResourceOwner": ACCOUNT, "Instances": [one.describe() for one in found], "NextToken": token}


def get_instances_health_status(of: Registry, asked: Params) -> Result:
    service = of.service(asked["ServiceId"])
    wanted = asked.get("Instances") or list(service.instances)
    found = [_instance(service, identity) for identity in wanted]
    some, token = one_page(of, found, lambda one: one.id, asked)
    return {"Status": {one.id: _health(service, one) for one in some}, "NextToken": token}


def update_instance_custom_health_status(of: Registry, asked: Params) -> Result:
    """Cloud Map waits about 30 seconds before it acts on it."""
    service = of.service(asked["ServiceId"])
    if not service.custom_health:
        raise Refused("CustomHealthNotFound", f"Service {service.id} has no custom health check.")
    instance = _instance(service, asked["InstanceId"])

    def act() -> None:
        instance.healthy = asked["Status"] == "HEALTHY"
        service.revision += 1
        of.settings.changed()

    later(of.settings.custom_health_seconds, act)
    return {}


def discover_instances(of: Registry, asked: Params) -> Result:
    """At most MaxResults (100 unless asked) in random order; names are matched by the namespace's HttpName."""
    service, most = _discovered(of, asked), asked.get("MaxResults", 100)
    if not 1 <= most <= 1000:
        raise invalid("MaxResults must be between 1 and 1000.")
    found = [one for one in service.instances.values() if _has(one, asked.get("QueryParameters") or {})]
    narrowed = [one for one in found if _has(one, asked.get("OptionalParameters") or {})]
    chosen = _by_health(narrowed or found, asked.get("HealthStatus", "HEALTHY_OR_ELSE_ALL"))
    mock_random.shuffle(chosen)
    summaries = [
        {
            "InstanceId": one.id,
            "NamespaceName": service.namespace.http_name,
            "ServiceName": service.name,
            "HealthStatus": _health(service, one),
            "Attributes": one.attributes,
        }
        for one in chosen[:most]
    ]
    return {"Instances": summaries, "InstancesRevision": service.revision}


def discover_instances_revision(of: Registry, asked: Params) -> Result:
    return {"InstancesRevision": _discovered(of, asked).revision}


def _instance(service: Service, identity: str) -> Instance:
    if found := service.instances.get(identity):
        return found
    raise Refused("InstanceNotFound", f"Instance with ID {identity} not found.")


def _list_later(of: Registry, service: Service, identity: str, instance: Instance | None) -> None:
    def show() -> None:
        if instance is None:
            service.listed.pop(identity, None)
        else:
            service.listed[identity] = instance

    later(of.settings.listing_lag, show)


def _check_quota(of: Registry, service: Service, identity: str) -> None:
    """Registrations on their way count as well."""
    if identity in service.instances or f"{service.id}/{identity}" in of.running:
        return
    counts = {one.id: len(one.instances) for one in of.services_in(service.namespace)}
    for operation in (of.operations[one] for one in of.running.values()):
        if operation.type == "REGISTER_INSTANCE" and operation.targets["SERVICE"] in counts:
            known = of.services[operation.targets["SERVICE"]].instances
            counts[operation.targets["SERVICE"]] += operation.targets["INSTANCE"] not in known
    if counts[service.id] >= of.settings.most_per_service:
        raise Refused("ResourceLimitExceeded", "The limit of instances per service has been reached.")
    if sum(counts.values()) >= of.settings.most_per_namespace:
        raise Refused("ResourceLimitExceeded", "The limit of instances per namespace has been reached.")


def _discovered(of: Registry, asked: Params) -> Service:
    namespace = next((one for one in of.namespaces.values() if one.http_name == asked["NamespaceName"]), None)
    if namespace is None:
        raise Refused("NamespaceNotFound", f"Namespace {asked['NamespaceName']} not found.")
    service = next((one for one in of.services_in(namespace) if one.name == asked["ServiceName"]), None)
    if service is None:
        raise Refused("ServiceNotFound", f"Service {asked['ServiceName']} not found.")
    return service


def _has(instance: Instance, wanted: dict[str, str]) -> bool:
    return wanted.items() <= instance.attributes.items()


def _by_health(instances: list[Instance], wanted: str) -> list[Instance]:
    if wanted == "ALL":
        return list(instances)
    found = [one for one in instances if one.healthy is (wanted != "UNHEALTHY")]
    return found or (list(instances) if wanted == "HEALTHY_OR_ELSE_ALL" else [])


def _health(service: Service, instance: Instance) -> str:
    if not service.custom_health and service.probe is None:
        return "UNKNOWN"
    return "HEALTHY" if instance.healthy else "UNHEALTHY"
