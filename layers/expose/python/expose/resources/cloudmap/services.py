"""Cloud Map services: one for each name. Those of others are never touched, and never joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from expose.aws import Clients
from expose.model import Owned, Resource, fingerprint
from expose.refusals import InTheWay, NotYet, Refused
from expose.resources.kind import Ids, Made
from expose.resources.mark import OWNER_TAG

if TYPE_CHECKING:
    from mypy_boto3_servicediscovery.type_defs import DnsRecordTypeDef, ServiceSummaryTypeDef, ServiceTypeDef

_ORDER = ("A", "AAAA", "SRV", "CNAME")


class Services:
    ACTIONS = frozenset(
        {
            "servicediscovery:CreateService",
            "servicediscovery:DeleteService",
            "servicediscovery:GetService",
            "servicediscovery:ListServices",
            "servicediscovery:ListTagsForResource",
            "servicediscovery:TagResource",
            "servicediscovery:UpdateService",
        }
    )

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        cloudmap = self._clients.servicediscovery
        for entry in owned:
            if entry.identity.kind != "cloudmap.service" or not entry.aws_id:
                continue
            try:
                service = cloudmap.get_service(Id=entry.aws_id)["Service"]
            except cloudmap.exceptions.ServiceNotFound:
                continue
            records = service.get("DnsConfig", {}).get("DnsRecords", [])
            spec = {
                "name": service.get("Name", ""),
                "types": _types(service),
                "ttl": records[0]["TTL"] if records else None,
            }
            yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        cloudmap = self._clients.servicediscovery
        dns: dict[str, Any] = (
            {"DnsConfig": {"RoutingPolicy": "MULTIVALUE", "DnsRecords": _records(resource)}}
            if resource.spec["types"]
            else {}
        )
        try:
            answer = cloudmap.create_service(
                Name=resource.spec["name"],
                NamespaceId=ids["namespace"],
                Description=f"Made by ecs-expose for {mark}",
                Tags=[{"Key": OWNER_TAG, "Value": mark}],
                **dns,
            )
        except cloudmap.exceptions.ServiceAlreadyExists as error:
            return self._adopted(resource, str(error.response.get("ServiceId", "")), mark)
        except cloudmap.exceptions.NamespaceNotFound as error:
            raise NotYet(f"namespace {ids['namespace']} is gone", seconds=5) from error
        return Made(answer["Service"].get("Id", ""))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        """Cloud Map deletes the records that an update does not name, so all are named."""
        answer = self._clients.servicediscovery.update_service(
            Id=aws_id, Service={"DnsConfig": {"DnsRecords": _records(resource)}}
        )
        return Made(aws_id, answer["OperationId"])

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        cloudmap = self._clients.servicediscovery
        try:
            cloudmap.delete_service(Id=aws_id)
        except cloudmap.exceptions.ServiceNotFound:
            return ""
        except cloudmap.exceptions.ResourceInUse as error:
            raise NotYet(f"Cloud Map service {aws_id} still has instances", seconds=5) from error
        return ""

    def _adopted(self, resource: Resource, aws_id: str, mark: str) -> Made:
        service = self._clients.servicediscovery.get_service(Id=aws_id)["Service"]
        if self._mark(service.get("Arn", "")) != mark:
            raise Refused(
                "NameTaken",
                f"Cloud Map service {service.get('Name')} ({aws_id}) exists already and was not made for this tag, but by "
                "hand or for ECS's own service discovery: choose another name, or delete it first",
            )
        if _types(service) != resource.spec["types"]:
            raise InTheWay(f"Cloud Map service {aws_id} with other record types is still there", seconds=5)
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        """By name, record types and mark, among all of the namespace: Cloud Map has no filter for these (F§3.2)."""
        if not ids.get("namespace"):
            return ""  # it cannot have been made without one
        _, fqdn, types, namespace = owned.identity.key.split("/")
        name = fqdn.removesuffix(f".{namespace}")
        pages = self._clients.servicediscovery.get_paginator("list_services").paginate(
            Filters=[{"Name": "NAMESPACE_ID", "Values": [ids["namespace"]], "Condition": "EQ"}]
        )
        for page in pages:
            for service in page["Services"]:
                same = service.get("Name") == name and ("+".join(_types(service)) or "HTTP") == types
                if same and self._mark(service.get("Arn", "")) == mark:
                    return service.get("Id", "")
        return ""

    def _mark(self, arn: str) -> str:
        tags = self._clients.servicediscovery.list_tags_for_resource(ResourceARN=arn)["Tags"]
        return next((tag["Value"] for tag in tags if tag["Key"] == OWNER_TAG), "")


def _types(service: ServiceTypeDef | ServiceSummaryTypeDef) -> list[str]:
    records = service.get("DnsConfig", {}).get("DnsRecords", [])
    return sorted((record["Type"] for record in records), key=_ORDER.index)


def _records(resource: Resource) -> list[DnsRecordTypeDef]:
    return [{"Type": kind, "TTL": resource.spec["ttl"]} for kind in resource.spec["types"]]
