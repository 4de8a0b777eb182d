"""Names of custom domains in Route 53: ours as long as they say what we wrote (F§11.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from expose.aws import Clients, code
from expose.model import Owned, Resource, fingerprint
from expose.refusals import NotYet, Refused
from expose.resources.apigateway.domains import target
from expose.resources.apigateway.edge import said
from expose.resources.kind import Ids, Made


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
                    if not wrote or _leads_to(there) != _leads_to(wrote):
                        spec["leads to"] = _leads_to(there)
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
        zone, _, name = owned.identity.key.partition("/")
        return owned.identity.key if self._record(zone, name) is not None else ""

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
        batch: Any = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
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


def _leads_to(record: Any) -> str:
    return str(record.get("AliasTarget", {}).get("DNSName", "")).rstrip(".").lower()
