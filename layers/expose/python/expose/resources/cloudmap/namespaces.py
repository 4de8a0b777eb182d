"""Namespaces: found by suffix, or made where the stack allows it, and then shared by all that use them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from expose.aws import Clients, code
from expose.model import Owned, Resource, fingerprint
from expose.refusals import NotYet, Refused
from expose.resources.kind import Ids, Made
from expose.resources.mark import OWNER_TAG

if TYPE_CHECKING:
    from mypy_boto3_servicediscovery.type_defs import NamespaceSummaryTypeDef, TagTypeDef

_OF_THIS_ACCOUNT = [{"Name": "RESOURCE_OWNER", "Values": ["SELF"]}]
_KINDS = {"DNS_PUBLIC": "public", "DNS_PRIVATE": "private", "HTTP": "http"}


class Namespaces:
    ACTIONS = frozenset(
        {
            "route53:GetHostedZone",
            "servicediscovery:CreateHttpNamespace",
            "servicediscovery:CreatePrivateDnsNamespace",
            "servicediscovery:CreatePublicDnsNamespace",
            "servicediscovery:DeleteNamespace",
            "servicediscovery:ListNamespaces",
            "servicediscovery:TagResource",
        }
    )

    def __init__(self, clients: Clients, stack: str) -> None:
        self._clients = clients
        self._made_by = f"Made by ecs-expose, stack {stack}, for the services that are tagged with its names"

    def find(self, key: str) -> list[dict[str, Any]]:
        """The namespaces that the name `key` is below, who owns each, and which of them this stack has made. `vpcs` are where
        private ones answer whose names do not tell them apart; all but the first of these came `later`.
        """
        spaces = sorted(self._below(key), key=_age)
        private = [space for space in spaces if space["Type"] == "DNS_PRIVATE"]
        alike = Counter(space["Name"].lower() for space in private)
        first = {space["Name"].lower(): space["Id"] for space in reversed(private)}
        return [
            {
                "id": space["Id"],
                "name": space["Name"].lower(),
                "kind": _KINDS[space["Type"]],
                "owner": space["Arn"].split(":")[4],
                "ours": space.get("Description") == self._made_by,
                "vpcs": self._vpcs(space) if alike[space["Name"].lower()] > 1 else [],
                "later": first.get(space["Name"].lower(), space["Id"]) != space["Id"],
            }
            for space in spaces
        ]

    def _below(self, key: str, **filters: Any) -> Iterator[NamespaceSummaryTypeDef]:
        pages = self._clients.servicediscovery.get_paginator("list_namespaces").paginate(**filters)
        for page in pages:
            for space in page["Namespaces"]:
                if f".{key}".endswith(f".{space['Name'].lower()}"):
                    yield space

    def _vpcs(self, space: NamespaceSummaryTypeDef) -> list[str]:
        """Those that its zone is associated with; none where it has no zone, or one of another account."""
        zone = space.get("Properties", {}).get("DnsProperties", {}).get("HostedZoneId")
        if not zone:
            return []
        try:
            answer = self._clients.route53.get_hosted_zone(Id=zone)
        except ClientError as error:
            if code(error) in {"NoSuchHostedZone", "AccessDenied"}:
                return []
            raise
        return sorted(each.get("VPCId", "") for each in answer.get("VPCs", []))

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry in owned:
            if entry.identity.kind == "cloudmap.namespace":
                kind, name = entry.identity.key.split("/", 1)
                if aws_id := self._ours(name, kind):
                    spec = {"name": name, "kind": kind}
                    yield Owned(entry.identity, fingerprint(spec), aws_id, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        name, kind = resource.spec["name"], resource.spec["kind"]
        tags: list[TagTypeDef] = [{"Key": OWNER_TAG, "Value": self._made_by}]
        cloudmap = self._clients.servicediscovery
        try:
            if kind == "http":
                answer = cloudmap.create_http_namespace(Name=name, Description=self._made_by, Tags=tags)
            elif kind == "public":
                answer = cloudmap.create_public_dns_namespace(Name=name, Description=self._made_by, Tags=tags)
            else:
                answer = cloudmap.create_private_dns_namespace(
                    Name=name, Vpc=ids["vpc"], Description=self._made_by, Tags=tags
                )
        except cloudmap.exceptions.NamespaceAlreadyExists:
            return self._adopted(name, kind)
        except cloudmap.exceptions.DuplicateRequest as error:
            raise NotYet(f"namespace {name} is being made", seconds=5) from error
        return Made("", answer["OperationId"])

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return Made(aws_id)  # its name and kind are its identity: nothing else is ours to change

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        kind, name = owned.identity.key.split("/", 1)
        return self._ours(name, kind)

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """Looked for first: IAM knows no mark on what is gone, and refuses without saying why."""
        if not self.locate(owned, ids, mark):
            return ""
        cloudmap = self._clients.servicediscovery
        try:
            return cloudmap.delete_namespace(Id=aws_id)["OperationId"]
        except cloudmap.exceptions.NamespaceNotFound:
            return ""
        except (cloudmap.exceptions.ResourceInUse, cloudmap.exceptions.DuplicateRequest) as error:
            raise NotYet(f"{owned.identity} still has services", seconds=30) from error

    def _ours(self, name: str, kind: str) -> str:
        """The id of the namespace of this name and kind, if this stack made it."""
        for space in self._below(name, Filters=_OF_THIS_ACCOUNT):
            found = (space["Name"].lower(), _KINDS[space["Type"]], space.get("Description"))
            if found == (name, kind, self._made_by):
                return space["Id"]
        return ""

    def _adopted(self, name: str, kind: str) -> Made:
        if aws_id := self._ours(name, kind):
            return Made(aws_id)
        raise Refused("NamespaceTaken", f"namespace {name} exists, but not as one that this stack made")


def _age(space: NamespaceSummaryTypeDef) -> tuple[float, str]:
    return space["CreateDate"].timestamp() if "CreateDate" in space else 0.0, space["Id"]
