"""The addresses of tasks: beside the source, because two services of AWS hold them.

A task in awsvpc mode has its own interface, whose private address ECS tells and whose public one only EC2 knows. A
task in bridge or host mode answers at the addresses of its container instance (F§1.2, F§1.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from expose.arn import ServiceArn
from expose.audit.network import Interface
from expose.aws import Clients, chunks
from expose.model import Task
from expose.networks import Networks
from expose.policy import Detail

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef
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
        interfaces = self._interfaces(own, arn.account) if detail >= Detail.PUBLIC else None
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
        """With what the internet reaches."""
        found = self._networks.openings({task.id: task.public.values() for task in tasks}, account=account)
        return [replace(task, openings=found[task.id]) for task in tasks]

    def _interfaces(self, tasks: Iterable[tuple[Task, TaskTypeDef]], account: str) -> Mapping[str, Interface]:
        """By id."""
        running = (_attachment(described) for task, described in tasks if task.running)
        ids = [found for details in running if (found := details.get("networkInterfaceId"))]
        return self._networks.interfaces(ids, account=account)

    def _hosts(self, cluster: str, instances: Iterable[str]) -> dict[str, InstanceTypeDef]:
        """The EC2 instance of each container instance, by the latter's ARN; of ECS Anywhere's machines, which EC2 does not
        know, the id alone.
        """
        by_ec2_id: dict[str, str] = {}
        for chunk in chunks(sorted(filter(None, instances)), 100):
            answer = self._clients.ecs.describe_container_instances(cluster=cluster, containerInstances=chunk)
            for each in answer["containerInstances"]:
                by_ec2_id[each.get("ec2InstanceId", "")] = each.get("containerInstanceArn", "")
        anywhere: dict[str, InstanceTypeDef] = {
            arn: {"InstanceId": found} for found, arn in by_ec2_id.items() if not found.startswith("i-")
        }
        return anywhere | {
            by_ec2_id[instance.get("InstanceId", "")]: instance
            for chunk in chunks(sorted(each for each in by_ec2_id if each.startswith("i-")), 200)
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


def _with_interface(task: Task, described: TaskTypeDef, interfaces: Mapping[str, Interface] | None) -> Task:
    """What EC2 was asked for, it knows better than ECS, which may be late: the IPv6 address as well."""
    details = _attachment(described)
    interface = (interfaces or {}).get(details.get("networkInterfaceId", ""))
    own = [
        each
        for container in described.get("containers", [])
        for each in container.get("networkInterfaces", [])
    ]
    ipv6 = [each["ipv6Address"] for each in own if each.get("ipv6Address")]
    told = next(iter(ipv6), details.get("ipv6Address", ""))
    held = interface.ipv6 if interface else ()
    asked = interfaces is not None and task.running
    return replace(
        task,
        private_ipv4=details.get("privateIPv4Address", ""),
        public_ipv4=interface.public_ipv4 if interface else "",
        vpc=interface.vpc if interface else "",
        ipv6=told if told in held or not asked else next(iter(held), ""),
    )


def _with_host(task: Task, host: InstanceTypeDef | None) -> Task:
    if host is None:
        return task
    return replace(
        task,
        instance=host.get("InstanceId", ""),
        vpc=host.get("VpcId", ""),
        zone=task.zone or host.get("Placement", {}).get("AvailabilityZone", ""),
        private_ipv4=host.get("PrivateIpAddress", ""),
        public_ipv4=host.get("PublicIpAddress", ""),
        ipv6=host.get("Ipv6Address", ""),
    )
