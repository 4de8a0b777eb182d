"""EC2's part in a task's life: interfaces with addresses that a client could reach, and that are gone with the task.

Used by `farm.aws.ecs` for tasks, and by moto itself for the instances that host EC2 tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import (
    InvalidNetworkInterfaceIdError,
    InvalidParameterCombination,
    InvalidParameterValueError,
)
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces
from moto.ec2.utils import generic_filter
from moto.moto_api._internal import mock_random

from farm.aws import clock, networks
from farm.aws.addresses import (
    Settings,
    addresses,
    give_back_public,
    ipv6_address,
    is_dual_stack,
    private_address,
    settings,
    take_public,
)
from farm.aws.paging import BadTokenError, page

__all__ = ["Settings", "create_interface", "mend", "release_interface", "settings"]


def create_interface(
    backend: EC2Backend,
    *,
    subnet_id: str,
    groups: Sequence[str],
    public: bool,
    ipv6: bool,
    attachment: str,
    tags: Mapping[str, str],
) -> NetworkInterface:
    """The interface that AWS makes for one task: managed by AWS, in the task's subnet, in use."""
    subnet = backend.get_subnet(subnet_id)
    address = private_address(backend, subnet)
    interface = backend.create_network_interface(
        subnet,
        address,
        group_ids=list(groups),
        description=attachment,
        tags=dict(tags),
        ipv6_addresses=[ipv6_address(backend, subnet)] if ipv6 and is_dual_stack(subnet) else [],
    )
    subnet._subnet_ips[address] = interface
    subnet._unused_ips.discard(address)
    interface.status, interface.requester_managed, interface.requester_id = "in-use", True, "amazon-ecs"
    interface.private_dns_name = f"ip-{address.replace('.', '-')}.{backend.region_name}.compute.internal"
    interface.farm_attachment_id = f"eni-attach-{mock_random.get_random_hex(17)}"
    ours = addresses(backend).settings
    interface.farm_visible_at = clock.now() + ours.visible_after
    interface.farm_public_at = interface.farm_visible_at + ours.public_after
    interface.public_ip = take_public(backend) if public else None
    return interface


def release_interface(backend: EC2Backend, interface_id: str) -> None:
    """The task is gone, and with it the interface and its addresses. Safe to repeat."""
    if interface := backend.enis.get(interface_id):
        give_back_public(backend, interface.public_ip)
        interface.public_ip = None
        backend.delete_network_interface(interface_id)
        interface.subnet._subnet_ips.pop(interface.private_ip_address, None)


def mend() -> None:
    """Put moto's EC2 right, as far as interfaces and what surrounds them go."""
    networks.mend()
    NetworkInterfaceBackend.get_all_network_interfaces = _get_all_network_interfaces
    NetworkInterface.association = property(_association)
    NetworkInterface.attachment = property(_attachment)
    NetworkInterface.check_auto_public_ip = _check_auto_public_ip
    NetworkInterface.stop = _stop
    NetworkInterface.get_filter_value = _get_filter_value
    ElasticNetworkInterfaces.describe_network_interfaces = _describe_network_interfaces


def _visible(interface: NetworkInterface) -> bool:
    return getattr(interface, "farm_visible_at", 0.0) <= clock.now()


def _get_all_network_interfaces(
    self: EC2Backend, eni_ids: list[str] | None = None, filters: Mapping[str, list[str]] | None = None
) -> list[NetworkInterface]:
    wanted = eni_ids or _exact_ids(filters) or list(self.enis)
    found = [self.enis[one] for one in wanted if one in self.enis and _visible(self.enis[one])]
    if eni_ids and len(found) < len(eni_ids):
        seen = {interface.id for interface in found}
        raise InvalidNetworkInterfaceIdError(", ".join(one for one in eni_ids if one not in seen))
    return list(generic_filter(filters, found))


def _exact_ids(filters: Mapping[str, list[str]] | None) -> list[str]:
    """The ids that a filter names one by one: no need to go through all others."""
    ids = (filters or {}).get("network-interface-id", [])
    return [] if any(sign in one for one in ids for sign in "*?") else list(dict.fromkeys(ids))


def _describe_network_interfaces(self: ElasticNetworkInterfaces) -> ActionResult:
    ids, size, token = (
        self._get_param("NetworkInterfaceIds", []),
        self._get_param("MaxResults"),
        self._get_param("NextToken"),
    )
    if ids and size:
        raise InvalidParameterCombination(
            "The parameter NetworkInterfaceIds cannot be used with the parameter MaxResults"
        )
    self.error_on_dryrun()
    found = self.ec2_backend.get_all_network_interfaces(ids, self._filters_from_querystring())
    try:
        some, following = page(found, lambda interface: str(interface.id), int(size or 1000), token)
    except BadTokenError as error:
        raise InvalidParameterValueError(token) from error
    return ActionResult({"NetworkInterfaces": some, "NextToken": following})


_moto_association = NetworkInterface.association.fget
_moto_attachment = NetworkInterface.attachment.fget
_moto_stop = NetworkInterface.stop
_moto_filter_value = NetworkInterface.get_filter_value


def _association(self: NetworkInterface) -> dict[str, Any]:
    """An address that AWS gave by itself is AWS's own; one that is too new is not shown yet."""
    if self.public_ip not in addresses(self.ec2_backend).taken:
        return dict(_moto_association(self))
    if getattr(self, "farm_public_at", 0.0) > clock.now():
        return {}
    name = f"ec2-{self.public_ip.replace('.', '-')}.{self.ec2_backend.region_name}.compute.amazonaws.com"
    return {"publicIp": self.public_ip, "publicDnsName": name, "ipOwnerId": "amazon"}


def _attachment(self: NetworkInterface) -> Any:
    if not (attachment_id := getattr(self, "farm_attachment_id", None)):
        return _moto_attachment(self)
    return {
        "AttachmentId": attachment_id,
        "DeleteOnTermination": False,
        "DeviceIndex": 1,
        "InstanceOwnerId": "amazon-ecs",
        "Status": "attached",
    }


def _check_auto_public_ip(self: NetworkInterface) -> None:
    if str(self.public_ip_auto_assign).lower() == "true" and not self.public_ip:
        self.public_ip = take_public(self.ec2_backend)


def _stop(self: NetworkInterface) -> None:
    give_back_public(self.ec2_backend, self.public_ip)
    _moto_stop(self)


def _get_filter_value(self: NetworkInterface, filter_name: str, method_name: str | None = None) -> Any:
    match filter_name:
        case "association.public-ip" | "addresses.association.public-ip":
            return self.association.get("publicIp")
        case "owner-id":
            return self.owner_id
        case "ipv6-addresses.ipv6-address":
            return list(self.ipv6_addresses)
        case "requester-managed":
            return str(self.requester_managed).lower()
        case "status":
            return self.status
        case _:
            return _moto_filter_value(self, filter_name, method_name)
