"""The addresses of tasks: beside the source, because two services of AWS hold them.

A task in awsvpc mode has its own interface, whose private address ECS tells and whose public one only EC2 knows. A
task in bridge or host mode answers at the addresses of its container instance (F§1.2, F§1.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from expose.arn import ServiceArn
from expose.audit.network import Interface, Network
from expose.audit.reach import openings
from expose.aws import Clients, chunks
from expose.model import Opening, Task
from expose.networks import Networks
from expose.policy import Detail

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef, NetworkInterfaceTypeDef
    from mypy_boto3_ecs.type_defs import TaskTypeDef

ACTIONS = frozenset(
    {
        "ecs:DescribeContainerInstances",
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfaces",
    }
)

_INTERFACE = frozenset({"ElasticNetworkInterface", "eni"})  # as DescribeTasks and as events name it


class Addresses:
    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._networks = Networks(clients)

    def fill(
        self, tasks: Sequence[tuple[Task, TaskTypeDef]], *, arn: ServiceArn, detail: Detail
    ) -> list[Task]:
        """Each task with its addresses; the public ones, and what is open there, only where they are asked for."""
        own = [(task, described) for task, described in tasks if _attachment(described)]
        hosted = [(task, described) for task, described in tasks if not _attachment(described)]
        interfaces = self._interfaces(own) if detail >= Detail.PUBLIC else None
        hosts = self._hosts(
            arn.cluster, {described.get("containerInstanceArn", "") for _, described in hosted}
        )
        filled = [
            *(_with_interface(task, described, interfaces) for task, described in own),
            *(
                _with_host(task, hosts.get(described.get("containerInstanceArn", "")))
                for task, described in hosted
            ),
        ]
        return self._opened(filled, arn.account) if detail is Detail.OPEN else filled

    def _opened(self, tasks: Sequence[Task], account: str) -> list[Task]:
        """With what the internet reaches; unknown where no interface of ours holds an address of the task."""
        held = self._networks.holding(
            sorted({address for task in tasks for address in _global(task)}), account=account
        )
        network = self._networks.around({each.id: each for each in held.values()}.values())
        return [replace(task, openings=_openings(task, held, network)) for task in tasks]

    def _interfaces(self, tasks: Iterable[tuple[Task, TaskTypeDef]]) -> dict[str, NetworkInterfaceTypeDef]:
        """By id. Asked by filter: naming one that is gone would fail the whole call (F§1.6)."""
        running = (_attachment(described) for task, described in tasks if task.running)
        ids = sorted(found for details in running if (found := details.get("networkInterfaceId")))
        return {
            interface.get("NetworkInterfaceId", ""): interface
            for chunk in chunks(ids, 200)
            for page in self._clients.ec2.get_paginator("describe_network_interfaces").paginate(
                Filters=[{"Name": "network-interface-id", "Values": chunk}]
            )
            for interface in page["NetworkInterfaces"]
        }

    def _hosts(self, cluster: str, instances: Iterable[str]) -> dict[str, InstanceTypeDef]:
        """The EC2 instance of each container instance, by the latter's ARN."""
        by_ec2_id: dict[str, str] = {}
        for chunk in chunks(sorted(filter(None, instances)), 100):
            answer = self._clients.ecs.describe_container_instances(cluster=cluster, containerInstances=chunk)
            for each in answer["containerInstances"]:
                by_ec2_id[each.get("ec2InstanceId", "")] = each.get("containerInstanceArn", "")
        return {
            by_ec2_id[instance.get("InstanceId", "")]: instance
            for chunk in chunks(sorted(by_ec2_id), 200)
            for instance in self._instances(chunk)
        }

    def _instances(self, ids: list[str]) -> Iterator[InstanceTypeDef]:
        pages = self._clients.ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "instance-id", "Values": ids}]
        )
        for page in pages:
            for reservation in page["Reservations"]:
                yield from reservation.get("Instances", [])


def _attachment(task: TaskTypeDef) -> Mapping[str, str]:
    """The details of the task's own interface, wherever it stands among the attachments."""
    for attachment in task.get("attachments", []):
        if attachment.get("type") in _INTERFACE:
            return {
                detail.get("name", ""): detail.get("value", "") for detail in attachment.get("details", [])
            }
    return {}


def _with_interface(
    task: Task, described: TaskTypeDef, interfaces: Mapping[str, NetworkInterfaceTypeDef] | None
) -> Task:
    """What EC2 was asked for, it knows better than ECS, which may be late: the IPv6 address as well."""
    details = _attachment(described)
    interface = (interfaces or {}).get(details.get("networkInterfaceId", ""), {})
    own = [
        each
        for container in described.get("containers", [])
        for each in container.get("networkInterfaces", [])
    ]
    ipv6 = [each["ipv6Address"] for each in own if each.get("ipv6Address")]
    told = next(iter(ipv6), details.get("ipv6Address", ""))
    held = [each.get("Ipv6Address", "") for each in interface.get("Ipv6Addresses", [])]
    asked = interfaces is not None and task.running
    return replace(
        task,
        private_ipv4=details.get("privateIPv4Address", ""),
        public_ipv4=interface.get("Association", {}).get("PublicIp", ""),
        ipv6=told if told in held or not asked else next(iter(held), ""),
    )


def _global(task: Task) -> list[str]:
    return [address for address in (task.public_ipv4, task.ipv6) if address]


def _openings(task: Task, held: Mapping[str, Interface], network: Network) -> tuple[Opening, ...] | None:
    """Of all its addresses: who does not know one of them does not know what is open."""
    interfaces = {address: held.get(address) for address in _global(task)}
    if not all(interfaces.values()):
        return None
    found = {opening for each in interfaces.values() if each for opening in openings(each, network)}
    return tuple(sorted(found))


def _with_host(task: Task, host: InstanceTypeDef | None) -> Task:
    if host is None:
        return task
    return replace(
        task,
        instance=host.get("InstanceId", ""),
        private_ipv4=host.get("PrivateIpAddress", ""),
        public_ipv4=host.get("PublicIpAddress", ""),
        ipv6=host.get("Ipv6Address", ""),
    )
