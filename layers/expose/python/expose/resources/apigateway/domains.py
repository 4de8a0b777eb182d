"""Custom domains, what is mapped into them, and their names in Route 53 (F§5.4)."""

from __future__ import annotations

import re
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
                if found := self._ours(entry.aws_id):
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
            made = self._ours(name)
            if made is None:
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
        return owned.identity.key if self._ours(owned.identity.key) else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """One that somebody has made in the place of ours has its name, and not our mark."""
        gateway = self._clients.apigatewayv2
        if not self._ours(aws_id):
            return ""
        with unless_gone(), changing():
            if any(True for _ in pages(gateway.get_api_mappings, DomainName=aws_id)):
                raise NotYet(f"custom domain {aws_id} still has mappings", seconds=30)
            gateway.delete_domain_name(DomainName=aws_id)
        return ""

    def _ours(self, name: str) -> GetDomainNameResponseTypeDef | None:
        """What there is to know of one that this stack has made; None where there is none."""
        found = self._described(name)
        return found if found and found.get("Tags", {}).get(OWNER_TAG) == self._stack else None

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
        """One that leads to another API by now is somebody else's."""
        domain = owned.identity.key.partition("/")[0]
        with unless_gone(), changing():
            if self._all(domain).get(aws_id, {}).get("ApiId", "") == ids.get("api"):
                self._clients.apigatewayv2.delete_api_mapping(DomainName=domain, ApiMappingId=aws_id)
        return ""

    def _all(self, domain: str) -> dict[str, Any]:
        return by_id(self._clients.apigatewayv2.get_api_mappings, "ApiMappingId", DomainName=domain)


class _Otherwise(NotYet):
    """The record to be deleted is not there as we wrote it."""


_OTHERWISE = re.compile("Tried to delete .*(was not found|do not match)")


class Aliases:
    """The record that leads a host to its domain. Its id says what we wrote, `ZONE/NAME/ALIAS/ITS ZONE`: one that says
    anything else is somebody else's, and only by saying all of it is it deleted.
    """

    ACTIONS = frozenset({"route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        """One that somebody has changed is there, and not as we want it."""
        for entry in owned:
            if entry.identity.kind == "route53.alias" and entry.aws_id:
                zone, _, name = entry.identity.key.partition("/")
                there, wrote = self._record(zone, name), _written(entry.aws_id)
                if there is not None:
                    spec = {"zone": zone, "name": name}
                    spec |= (
                        {}
                        if wrote and _leads_to(there) == _leads_to(wrote)
                        else {"leads to": _leads_to(there)}
                    )
                    yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        return self.update(resource, "", ids, mark)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        """Raise `Refused` where a record is there that we did not write."""
        zone, name = resource.spec["zone"], resource.spec["name"]
        wanted, wrote = self._wanted(name), _written(aws_id)
        there = self._record(zone, name)
        if there is None:
            self._change(zone, ("CREATE", wanted))
        elif wrote and _leads_to(there) == _leads_to(wrote) != _leads_to(wanted):
            self._change(zone, ("DELETE", wrote), ("CREATE", wanted))
        elif _leads_to(there) != _leads_to(wanted):
            raise Refused("NameTaken", f"zone {zone} has a record for {name} already, which leads elsewhere")
        alias = wanted["AliasTarget"]
        return Made("/".join((zone, name, alias["DNSName"], alias["HostedZoneId"])), address=name)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return owned.identity.key

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """Where the answer to its making was lost, it can say only what we would write now."""
        zone, _, name = owned.identity.key.partition("/")
        gateway = self._clients.apigatewayv2
        try:
            ours = _written(aws_id) or self._wanted(name)
        except gateway.exceptions.NotFoundException:
            return ""
        try:
            self._change(zone, ("DELETE", ours))
        except _Otherwise:
            return ""  # it is gone, or says something else by now
        return ""

    def _wanted(self, name: str) -> Any:
        return _alias(name, *target(self._clients.apigatewayv2.get_domain_name(DomainName=name)))

    def _record(self, zone: str, name: str) -> Any:
        answer = self._clients.route53.list_resource_record_sets(
            HostedZoneId=zone, StartRecordName=name, StartRecordType="A", MaxItems="1"
        )
        for record in answer["ResourceRecordSets"]:
            if record["Name"].rstrip(".") == name and record["Type"] == "A":
                return record
        return None

    def _change(self, zone: str, *changes: tuple[Any, Any]) -> None:
        """All of them or none."""
        batch = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
        try:
            self._clients.route53.change_resource_record_sets(
                HostedZoneId=zone, ChangeBatch={"Changes": batch}
            )
        except ClientError as error:
            if code(error) != "InvalidChangeBatch":
                raise
            problem = f"another change of {changes[0][1]['Name']} came first"
            raise (_Otherwise if _OTHERWISE.search(said(error)) else NotYet)(problem, seconds=5) from error


def _alias(name: str, address: str, zone: str) -> Any:
    alias = {"DNSName": address, "HostedZoneId": zone, "EvaluateTargetHealth": False}
    return {"Name": name, "Type": "A", "AliasTarget": alias}


def _written(aws_id: str) -> Any:
    """The record that an id says; None for one of before ids said it, and for one that is not known to be written."""
    _, name, address, zone = (*aws_id.split("/"), "", "", "", "")[:4]
    return _alias(name, address, zone) if address else None


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
