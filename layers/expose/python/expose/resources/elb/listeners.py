"""Listeners of our own ALBs: each answers 404 by default, and carries the rules of all who share it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from expose.aws import Clients
from expose.model import Owned, Resource, fingerprint
from expose.refusals import NotYet, Refused
from expose.resources.elb.mark import owner, quotas, tags
from expose.resources.kind import Ids, Made

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import ActionUnionTypeDef, CreateListenerInputTypeDef, ListenerTypeDef

_NOTHING_HERE: ActionUnionTypeDef = {
    "Type": "fixed-response",
    "FixedResponseConfig": {
        "StatusCode": "404",
        "ContentType": "text/plain",
        "MessageBody": "No service has this host and path.\n",
    },
}
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


class Listeners:
    ACTIONS = frozenset(
        {
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateListener",
            "elasticloadbalancing:DeleteListener",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeRules",
            "elasticloadbalancing:DescribeTags",
        }
    )

    def __init__(self, clients: Clients, stack: str) -> None:
        self._clients = clients
        self._stack = stack

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry in owned:
            if entry.identity.kind == "elb.listener" and entry.aws_id:
                for listener in described(self._clients, entry.aws_id):
                    spec = {"port": listener.get("Port"), "protocol": listener.get("Protocol")}
                    yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        elb = self._clients.elbv2
        wanted: dict[str, Any] = {
            "LoadBalancerArn": ids["balancer"],
            "Port": resource.spec["port"],
            "Protocol": resource.spec["protocol"],
            "DefaultActions": [_NOTHING_HERE],
            "Tags": tags(self._stack),
            **with_certificate(ids),
        }
        with quotas():
            try:
                answer = elb.create_listener(**cast("CreateListenerInputTypeDef", wanted))
            except elb.exceptions.DuplicateListenerException as error:
                listener = at_port(self._clients, ids["balancer"], resource.spec["port"])
                if listener is None or owner(self._clients, listener.get("ListenerArn", "")) != self._stack:
                    raise port_taken(resource.spec["port"]) from error
                return Made(listener.get("ListenerArn", ""))
        return Made(answer["Listeners"][0].get("ListenerArn", ""))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return Made(aws_id)  # its port and protocol are its identity

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        port = int(owned.identity.key.split("/")[-2])
        listener = at_port(self._clients, ids["balancer"], port) if ids.get("balancer") else None
        arn = listener.get("ListenerArn", "") if listener else ""
        return arn if arn and owner(self._clients, arn) == self._stack else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """Raise `NotYet` while it has rules: those of others would go with it."""
        elb = self._clients.elbv2
        try:
            rules = elb.describe_rules(ListenerArn=aws_id)["Rules"]
            if any(not rule.get("IsDefault") for rule in rules):
                raise NotYet(f"listener {aws_id} still has rules", seconds=30)
            elb.delete_listener(ListenerArn=aws_id)
        except elb.exceptions.ListenerNotFoundException:
            return ""
        return ""


def with_certificate(ids: Ids) -> dict[str, Any]:
    """What a listener needs to terminate TLS."""
    if not ids.get("certificate"):
        return {}
    return {"Certificates": [{"CertificateArn": ids["certificate"]}], "SslPolicy": TLS_POLICY}


def described(clients: Clients, arn: str) -> list[ListenerTypeDef]:
    """One, or none where it is gone."""
    try:
        return clients.elbv2.describe_listeners(ListenerArns=[arn])["Listeners"]
    except clients.elbv2.exceptions.ListenerNotFoundException:
        return []


def at_port(clients: Clients, balancer: str, port: int) -> ListenerTypeDef | None:
    pages = clients.elbv2.get_paginator("describe_listeners").paginate(LoadBalancerArn=balancer)
    return next((each for page in pages for each in page["Listeners"] if each.get("Port") == port), None)


def port_taken(port: int) -> Refused:
    return Refused(
        "PortTaken",
        f"the load balancer has a listener at port {port} already that was not made for this tag: "
        "choose another port, or remove that listener",
    )
