"""AWS Cloud Map made right: operations that take their time and may fail, upserts, eventual lists, attribute rules (F§3).

moto's front calls functions of ours, one per operation of the API. `settings()` is what tests and the farm turn,
`fail_next` makes an operation fail, `zones` and `records` are what DNS would say.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from moto.core.responses import ActionResult
from moto.servicediscovery.responses import ServiceDiscoveryResponse

from farm.aws.cloudmap import instances, namespaces, operations, services, tagging
from farm.aws.cloudmap.model import (
    Failure,
    Namespace,
    Params,
    Registry,
    Result,
    Settings,
    registry,
    registry_of,
    settings,
)
from farm.aws.cloudmap.operations import fail_next
from farm.aws.cloudmap.zones import records, zones

__all__ = [
    "Failure",
    "Namespace",
    "Registry",
    "Settings",
    "fail_next",
    "mend",
    "records",
    "registry",
    "settings",
    "zones",
]

_CALLS: dict[str, Callable[[Registry, Params], Result]] = {
    "create_http_namespace": partial(namespaces.create_namespace, kind="HTTP"),
    "create_private_dns_namespace": partial(namespaces.create_namespace, kind="DNS_PRIVATE"),
    "create_public_dns_namespace": partial(namespaces.create_namespace, kind="DNS_PUBLIC"),
    "update_http_namespace": namespaces.update_namespace,
    "update_private_dns_namespace": namespaces.update_namespace,
    "update_public_dns_namespace": namespaces.update_namespace,
    "delete_namespace": namespaces.delete_namespace,
    "get_namespace": namespaces.get_namespace,
    "list_namespaces": namespaces.list_namespaces,
    "create_service": services.create_service,
    "update_service": services.update_service,
    "delete_service": services.delete_service,
    "get_service": services.get_service,
    "list_services": services.list_services,
    "get_service_attributes": services.get_service_attributes,
    "update_service_attributes": services.update_service_attributes,
    "delete_service_attributes": services.delete_service_attributes,
    "register_instance": instances.register_instance,
    "deregister_instance": instances.deregister_instance,
    "get_instance": instances.get_instance,
    "list_instances": instances.list_instances,
    "get_instances_health_status": instances.get_instances_health_status,
    "update_instance_custom_health_status": instances.update_instance_custom_health_status,
    "discover_instances": instances.discover_instances,
    "discover_instances_revision": instances.discover_instances_revision,
    "get_operation": operations.get_operation,
    "list_operations": operations.list_operations,
    "tag_resource": tagging.tag_resource,
    "untag_resource": tagging.untag_resource,
    "list_tags_for_resource": tagging.list_tags_for_resource,
}


def mend() -> None:
    """Put moto's Cloud Map right."""
    for name, call in _CALLS.items():
        setattr(ServiceDiscoveryResponse, name, _answered_by(call))


def _answered_by(
    call: Callable[[Registry, Params], Result],
) -> Callable[[ServiceDiscoveryResponse], ActionResult]:
    def answer(self: ServiceDiscoveryResponse) -> ActionResult:
        asked = json.loads(self.body or "{}")
        return ActionResult(call(registry_of(self.servicediscovery_backend), asked))

    return answer
