"""How a task gets its addresses: an interface of its own in awsvpc mode, else ports of the instance that hosts it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from moto.ecs.models import ContainerInstance
from moto.moto_api._internal import mock_random

from farm.aws import ec2
from farm.aws.ecs.model import Task, ec2_of, state

_DYNAMIC_PORTS = range(32768, 61000)  # Linux's ephemeral ports, from which Docker chooses


def prepare(task: Task) -> None:
    """The task's interface is asked for: all that is known of it is the subnet."""
    if task.network_mode != "awsvpc":
        return
    subnets = task.network_configuration["awsvpcConfiguration"]["subnets"]
    subnet = ec2_of(task.backend).get_subnet(subnets[state(task.backend).placed % len(subnets)])
    state(task.backend).placed += 1
    task.availability_zone = subnet.availability_zone
    task.attachments.append(
        {
            "id": str(mock_random.uuid4()),
            "type": "ElasticNetworkInterface",
            "status": "PRECREATED",
            "details": [{"name": "subnetId", "value": subnet.id}],
        }
    )


def attach(task: Task) -> None:
    """The interface exists, and with it the task's private address and, if asked for, its public one."""
    attachment = interface_attachment(task)
    if attachment is None or attachment["status"] == "ATTACHED":
        return
    asked = task.network_configuration["awsvpcConfiguration"]
    backend, region = task.backend, task.backend.region_name
    setting = backend.account_settings.get("dualStackIPv6")
    interface = ec2.create_interface(
        ec2_of(backend),
        subnet_id=attachment["details"][0]["value"],
        groups=asked.get("securityGroups", []),
        public=asked.get("assignPublicIp") == "ENABLED" and task.launch_type == "FARGATE",
        ipv6=setting is None or setting.value != "disabled",
        attachment=f"arn:aws:ecs:{region}:{backend.account_id}:attachment/{attachment['id']}",
        tags={tag["key"]: tag["value"] for tag in task.tags},
    )
    attachment["status"] = "ATTACHED"
    attachment["details"] += _details(interface)
    for container in task.containers:
        container.network_interfaces = [_container_interface(attachment["id"], interface)]


def bind(task: Task) -> None:
    """In bridge and host mode, containers get ports of their host once they run."""
    if task.network_mode == "awsvpc" or task.container_instance_arn is None:
        return
    if task.network_mode == "host" and not state(task.backend).settings.host_bindings:
        return
    used = _ports_in_use(task)
    for container, defined in zip(task.containers, task.definition.container_definitions, strict=True):
        container.network_bindings = [
            _binding(task, mapping, used) for mapping in defined.get("portMappings", [])
        ]


def detach(task: Task) -> None:
    """The task is gone: its interface with it, and its host ports are free. Safe to repeat."""
    state(task.backend).host_ports[task.container_instance_arn or ""].pop(task.id, None)
    attachment = interface_attachment(task)
    if attachment is None:
        return
    attachment["status"] = "DELETED"
    for detail in attachment["details"]:
        if detail["name"] == "networkInterfaceId":
            ec2.release_interface(ec2_of(task.backend), detail["value"])


def interface_attachment(task: Task) -> dict[str, Any] | None:
    return next((one for one in task.attachments if one["type"] == "ElasticNetworkInterface"), None)


def fits(host: ContainerInstance, task: Task) -> bool:
    """Whether the ports of the host that the task insists on are free there."""
    taken = set().union(*state(task.backend).host_ports[host.container_instance_arn].values())
    return taken.isdisjoint(fixed_ports(task))


def reserve(task: Task) -> None:
    """A task that is placed holds its fixed ports from then on."""
    if task.container_instance_arn:
        hosts = state(task.backend).host_ports
        hosts[task.container_instance_arn][task.id] = set(fixed_ports(task))


def fixed_ports(task: Task) -> Iterator[int]:
    if task.network_mode == "awsvpc":
        return
    for defined in task.definition.container_definitions:
        for mapping in defined.get("portMappings", []):
            if port := _fixed_port(task, mapping):
                yield port


def _fixed_port(task: Task, mapping: dict[str, Any]) -> int:
    asked = mapping.get("containerPort", 0) if task.network_mode == "host" else mapping.get("hostPort", 0)
    return int(asked)


def _binding(task: Task, mapping: dict[str, Any], used: set[int]) -> dict[str, Any]:
    port = _fixed_port(task, mapping) or next(one for one in _DYNAMIC_PORTS if one not in used)
    used.add(port)
    state(task.backend).host_ports[task.container_instance_arn or ""].setdefault(task.id, set()).add(port)
    return {
        "bindIP": "0.0.0.0",  # noqa: S104 - what ECS reports, not where we listen
        "containerPort": mapping["containerPort"],
        "hostPort": port,
        "protocol": mapping.get("protocol", "tcp"),
    }


def _ports_in_use(task: Task) -> set[int]:
    return set(itertools.chain(*state(task.backend).host_ports[task.container_instance_arn or ""].values()))


def _details(interface: Any) -> list[dict[str, str]]:
    """In AWS's names; mind `privateIPv4Address` here and `privateIpv4Address` in containers (F§1.2)."""
    details = [
        {"name": "networkInterfaceId", "value": interface.id},
        {"name": "macAddress", "value": interface.mac_address},
        {"name": "privateDnsName", "value": interface.private_dns_name},
        {"name": "privateIPv4Address", "value": interface.private_ip_address},
    ]
    return details + [{"name": "ipv6Address", "value": one} for one in interface.ipv6_addresses]


def _container_interface(attachment_id: str, interface: Any) -> dict[str, str]:
    found = {"attachmentId": attachment_id, "privateIpv4Address": interface.private_ip_address}
    if interface.ipv6_addresses:
        found["ipv6Address"] = interface.ipv6_addresses[0]
    return found
