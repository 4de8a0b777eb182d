"""Custom domains, what is mapped into them, and their names in Route 53 (F§5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from expose.aws import Clients, code
from expose.model import Owned, Resource, fingerprint, resolve
from expose.refusals import NotYet, Refused
from expose.resources.apigateway.edge import by_id, changing, pages, said, unless_gone
from expose.resources.kind import Ids, Made
from expose.resources.mark import OWNER_TAG

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2.type_defs import GetDomainNameResponseTypeDef


class Domains:
    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"})

    def __init__(self, clients: Clients, stack: str) -> None:
        self._clients = clients
        self._stack = stack

    def find(self, key: str) -> dict[str, Any] | None:
        """What there is to know of the domain `key`; None where there is none."""
        found = self._described(key)
        if found is None:
            return None
        return {
            "ours": found.get("Tags", {}).get(OWNER_TAG) == self._stack,
            "address": target(found)[0],
        }

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry in owned:
            if entry.identity.kind == "apigw.domain" and entry.aws_id:
                found = self._described(entry.aws_id)
                if found is not None:
                    configuration = (found.get("DomainNameConfigurations") or [{}])[0]
                    spec = {"name": entry.aws_id, "certificate": configuration.get("CertificateArn", "")}
                    yield Owned(entry.identity, fingerprint(spec), entry.aws_id, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        gateway, name = self._clients.apigatewayv2, resource.spec["name"]
        try:
            with changing():
                made: Any = gateway.create_domain_name(
                    DomainName=name,
                    DomainNameConfigurations=[_configuration(resource)],
                    Tags={OWNER_TAG: self._stack},
                )
        except gateway.exceptions.ConflictException as error:
            made = self._described(name)
            if made is None or made.get("Tags", {}).get(OWNER_TAG) != self._stack:
                raise Refused("NameTaken", f"custom domain {name} was not made by this stack") from error
        except gateway.exceptions.BadRequestException as error:
            problem = f"API Gateway does not take the stack's certificate for {name}: {said(error)}"
            raise Refused("NoCertificate", problem) from error
        return Made(name, address=target(made)[0])

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        with changing():
            self._clients.apigatewayv2.update_domain_name(
                DomainName=aws_id, DomainNameConfigurations=[_configuration(resource)]
            )
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        found = self._described(owned.identity.key)
        ours = found is not None and found.get("Tags", {}).get(OWNER_TAG) == self._stack
        return owned.identity.key if ours else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        gateway = self._clients.apigatewayv2
        with unless_gone(), changing():
            if any(True for _ in pages(gateway.get_api_mappings, DomainName=aws_id)):
                raise NotYet(f"custom domain {aws_id} still has mappings", seconds=30)
            gateway.delete_domain_name(DomainName=aws_id)
        return ""

    def _described(self, name: str) -> GetDomainNameResponseTypeDef | None:
        gateway = self._clients.apigatewayv2
        try:
            return gateway.get_domain_name(DomainName=name)
        except gateway.exceptions.NotFoundException:
            return None


class Mappings:
    ACTIONS = frozenset({"apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        entries = list(owned)
        known = {entry.identity: entry for entry in entries}
        for entry in entries:
            if entry.identity.kind == "apigw.mapping" and entry.aws_id:
                api = resolve(entry.refs, known).get("api", "")
                domain = entry.identity.key.partition("/")[0]
                if found := self._all(domain).get(entry.aws_id):
                    below = found.get("ApiMappingKey", "")
                    spec = {"domain": domain, "below": below, "stage": found["Stage"]}
                    spec |= {} if found["ApiId"] == api else {"api": found["ApiId"]}
                    yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """Raise `Refused` where the domain leads to an API of somebody else there."""
        spec, gateway = resource.spec, self._clients.apigatewayv2
        for found in self._all(spec["domain"]).values():
            if found.get("ApiMappingKey", "") == spec["below"]:
                if found["ApiId"] == ids["api"]:
                    return Made(found["ApiMappingId"])
                raise Refused(
                    "MappingTaken",
                    f"custom domain {spec['domain']} leads to API {found['ApiId']} already: name that with api=, or "
                    "remove its mapping",
                )
        with changing():
            made = gateway.create_api_mapping(
                DomainName=spec["domain"],
                ApiId=ids["api"],
                Stage=spec["stage"],
                **({"ApiMappingKey": spec["below"]} if spec["below"] else {}),
            )
        return Made(made.get("ApiMappingId", ""))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        with changing():
            self._clients.apigatewayv2.update_api_mapping(
                DomainName=resource.spec["domain"],
                ApiMappingId=aws_id,
                ApiId=ids["api"],
                Stage=resource.spec["stage"],
            )
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        domain, _, below = owned.identity.key.partition("/")
        for found in self._all(domain).values():
            if found.get("ApiMappingKey", "") == below and found["ApiId"] == ids.get("api"):
                return str(found["ApiMappingId"])
        return ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        domain = owned.identity.key.partition("/")[0]
        with unless_gone(), changing():
            if aws_id in self._all(domain):
                self._clients.apigatewayv2.delete_api_mapping(DomainName=domain, ApiMappingId=aws_id)
        return ""

    def _all(self, domain: str) -> dict[str, Any]:
        return by_id(self._clients.apigatewayv2.get_api_mappings, "ApiMappingId", DomainName=domain)


class Aliases:
    """The record that leads a host to its domain. One that is there and leads elsewhere is somebody else's."""

    ACTIONS = frozenset({"route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry in owned:
            if entry.identity.kind == "route53.alias" and entry.aws_id:
                zone, _, name = entry.identity.key.partition("/")
                if self._record(zone, name) is not None:
                    spec = {"zone": zone, "name": name}
                    yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        zone, name = resource.spec["zone"], resource.spec["name"]
        wanted = self._wanted(name)
        there = self._record(zone, name)
        if there is None:
            self._change(zone, "CREATE", wanted)
        elif _leads_to(there) != _leads_to(wanted):
            raise Refused("NameTaken", f"zone {zone} has a record for {name} already, which leads elsewhere")
        return Made(f"{zone}/{name}", address=name)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return self.create(resource, ids, mark)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return owned.identity.key

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        zone, _, name = owned.identity.key.partition("/")
        there = self._record(zone, name)
        gateway = self._clients.apigatewayv2
        try:
            ours = self._wanted(name)
        except gateway.exceptions.NotFoundException:
            ours = None
        if there is not None and (ours is None or _leads_to(there) == _leads_to(ours)):
            self._change(zone, "DELETE", there)
        return ""

    def _wanted(self, name: str) -> Any:
        address, zone = target(self._clients.apigatewayv2.get_domain_name(DomainName=name))
        alias = {"DNSName": address, "HostedZoneId": zone, "EvaluateTargetHealth": False}
        return {"Name": name, "Type": "A", "AliasTarget": alias}

    def _record(self, zone: str, name: str) -> Any:
        answer = self._clients.route53.list_resource_record_sets(
            HostedZoneId=zone, StartRecordName=name, StartRecordType="A", MaxItems="1"
        )
        for record in answer["ResourceRecordSets"]:
            if record["Name"].rstrip(".") == name and record["Type"] == "A":
                return record
        return None

    def _change(self, zone: str, action: Any, record: Any) -> None:
        try:
            self._clients.route53.change_resource_record_sets(
                HostedZoneId=zone,
                ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},
            )
        except ClientError as error:
            if code(error) != "InvalidChangeBatch":
                raise
            raise NotYet(f"another change of {record['Name']} came first", seconds=5) from error


def target(domain: Any) -> tuple[str, str]:
    """The name and the hosted zone that an alias of the domain leads to."""
    configuration = (domain.get("DomainNameConfigurations") or [{}])[0]
    return configuration.get("ApiGatewayDomainName", ""), configuration.get("HostedZoneId", "")


def _configuration(resource: Resource) -> Any:
    return {
        "CertificateArn": resource.spec["certificate"],
        "EndpointType": "REGIONAL",
        "SecurityPolicy": "TLS_1_2",
    }


def _leads_to(record: Any) -> str:
    return str(record.get("AliasTarget", {}).get("DNSName", "")).rstrip(".").lower()
