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
            **with_certificate(ids.get("certificate", "")),
        }
        with quotas():
            try:
                answer = elb.create_listener(**cast("CreateListenerInputTypeDef", wanted))
            except elb.exceptions.DuplicateListenerException as error:
                port, protocol = resource.spec["port"], resource.spec["protocol"]
                if not (arn := self._ours(ids["balancer"], port, protocol)):
                    raise port_taken(port) from error
                return Made(arn)
        return Made(answer["Listeners"][0].get("ListenerArn", ""))

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return Made(aws_id)  # its port and protocol are its identity

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        *_, port, protocol = owned.identity.key.split("/")
        return self._ours(ids["balancer"], int(port), protocol) if ids.get("balancer") else ""

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

    def _ours(self, balancer: str, port: int, protocol: str) -> str:
        """The ARN of the one at this port that this stack has made; empty for none."""
        listener = at_port(self._clients, balancer, port)
        if listener is None or listener.get("Protocol") != protocol:
            return ""
        arn = listener.get("ListenerArn", "")
        return arn if owner(self._clients, arn) == self._stack else ""


def with_certificate(arn: str) -> dict[str, Any]:
    """What a listener needs to terminate TLS; nothing without a certificate."""
    return {"Certificates": [{"CertificateArn": arn}], "SslPolicy": TLS_POLICY} if arn else {}


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
        f"the load balancer has another listener at port {port} already, of another protocol or not made for this tag: "
        "choose another port, or remove that listener",
    )
