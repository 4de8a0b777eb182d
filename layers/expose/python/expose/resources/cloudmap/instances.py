"""Cloud Map instances: one for each ready task, registered under an id that ECS itself would never use (F§3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from expose.aws import Clients
from expose.model import Identity, Owned, Resource, fingerprint
from expose.refusals import NoRoom, NotYet
from expose.resources.cloudmap.mark import OWNER_ATTRIBUTE
from expose.resources.kind import Ids, Made

_ADDRESSES = ("AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6")
_ADDED_BY_AWS = frozenset({"AWS_INIT_HEALTH_STATUS"})


class Instances:
    ACTIONS = frozenset(
        {
            "servicediscovery:DeregisterInstance",
            "servicediscovery:ListInstances",
            "servicediscovery:RegisterInstance",
        }
    )

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        """All that carry the mark in the owned services, whether or not the ledger knows them."""
        for service in owned:
            if service.identity.kind == "cloudmap.service" and service.aws_id:
                yield from self._listed(service, mark)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Registering an id again replaces its attributes, so this serves changes as well."""
        cloudmap = self._clients.servicediscovery
        instance = resource.identity.key.rsplit("/", 1)[-1]
        try:
            answer = cloudmap.register_instance(
                ServiceId=ids["service"], InstanceId=instance, Attributes=dict(resource.spec)
            )
        except cloudmap.exceptions.DuplicateRequest as error:
            raise NotYet(f"another operation on {instance} is still running", seconds=2) from error
        except cloudmap.exceptions.ResourceLimitExceeded as error:
            problem = (
                "the Cloud Map service or namespace has no room for more instances: publish fewer tasks in it, or ask "
                "for more in Service Quotas"
            )
            raise NoRoom(problem, seconds=30) from error
        return Made(instance, answer["OperationId"])

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return self.create(resource, ids, "")

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return owned.identity.key.rsplit("/", 1)[-1] if ids.get("service") else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        if not ids.get("service"):
            return ""
        cloudmap = self._clients.servicediscovery
        try:
            return cloudmap.deregister_instance(ServiceId=ids["service"], InstanceId=aws_id)["OperationId"]
        except (cloudmap.exceptions.InstanceNotFound, cloudmap.exceptions.ServiceNotFound):
            return ""
        except cloudmap.exceptions.DuplicateRequest as error:
            raise NotYet(f"another operation on {aws_id} is still running", seconds=2) from error

    def _listed(self, service: Owned, mark: str) -> Iterator[Owned]:
        cloudmap = self._clients.servicediscovery
        try:
            for page in cloudmap.get_paginator("list_instances").paginate(ServiceId=service.aws_id):
                for instance in page["Instances"]:
                    attributes = instance.get("Attributes", {})
                    if attributes.get(OWNER_ATTRIBUTE) == mark:
                        yield _seen(service, instance.get("Id", ""), attributes)
        except cloudmap.exceptions.ServiceNotFound:
            return


def _seen(service: Owned, aws_id: str, attributes: dict[str, str]) -> Owned:
    spec = {key: value for key, value in attributes.items() if key not in _ADDED_BY_AWS}
    return Owned(
        identity=Identity("cloudmap.instance", f"{service.identity.key}/{aws_id}"),
        fingerprint=fingerprint(spec),
        aws_id=aws_id,
        refs={"service": service.identity},
        task=aws_id.removeprefix("x-"),
        address=" ".join(attributes[name] for name in _ADDRESSES if name in attributes),
    )
