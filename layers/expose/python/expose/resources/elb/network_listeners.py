"""Listeners of NLBs: an NLB has no rules, so each port is one exposure's, or is shared by weight."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from expose.model import Identity, Owned, Resource, fingerprint
from expose.refusals import InTheWay
from expose.resources.elb.joint import Joint, weights
from expose.resources.elb.listeners import at_port, described, port_taken, with_certificate
from expose.resources.elb.mark import owner, quotas, tags
from expose.resources.kind import Ids

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import ActionTypeDef, CreateListenerInputTypeDef, ListenerTypeDef


class NetworkListeners(Joint):
    ACTIONS = frozenset(
        {
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateListener",
            "elasticloadbalancing:DeleteListener",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:ModifyListener",
        }
    )
    missing = frozenset({"ListenerNotFound", "LoadBalancerNotFound"})

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        entries = list(owned)
        arns = {entry.identity: entry.aws_id for entry in entries}
        for entry in entries:
            if entry.identity.kind != "elb.network-listener" or not entry.aws_id:
                continue
            for listener in described(self._clients, entry.aws_id):
                group = next((each for each in entry.parents if each.kind == "elb.group"), None)
                weight = weights(listener.get("DefaultActions", [])).get(arns.get(group, "") if group else "")
                spec = {
                    "port": listener.get("Port"),
                    "protocol": listener.get("Protocol"),
                    "certificate": _certificate(listener),
                    "weight": weight,
                    "group": group.key if group and weight is not None else "",
                }
                yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs)

    def is_there(self, aws_id: str) -> bool:
        return bool(described(self._clients, aws_id))

    def find(self, identity: Identity, spec: Mapping[str, Any] | None, ids: Ids) -> str:
        port = int(identity.key.split("/")[-2])
        listener = at_port(self._clients, ids["balancer"], port) if ids.get("balancer") else None
        arn = listener.get("ListenerArn", "") if listener else ""
        return arn if arn and owner(self._clients, arn) == self.owner(identity) else ""

    def make(self, resource: Resource, ids: Ids, forward: ActionTypeDef) -> str:
        """Raise `InTheWay` where one of our own with another protocol has to go first."""
        elb, port = self._clients.elbv2, resource.spec["port"]
        wanted: dict[str, Any] = {
            "LoadBalancerArn": ids["balancer"],
            "Port": port,
            "Protocol": resource.spec["protocol"],
            "DefaultActions": [forward],
            "Tags": tags(self.owner(resource.identity)),
            **with_certificate(resource.spec["certificate"]),
        }
        with quotas():
            try:
                answer = elb.create_listener(**cast("CreateListenerInputTypeDef", wanted))
            except elb.exceptions.DuplicateListenerException as error:
                there = at_port(self._clients, ids["balancer"], port)
                arn = there.get("ListenerArn", "") if there else ""
                if not arn or owner(self._clients, arn).startswith(f"{self._stack}/"):
                    raise InTheWay(f"the listener at port {port} has to go first", seconds=5) from error
                raise port_taken(port) from error
        return answer["Listeners"][0].get("ListenerArn", "")

    def change(self, aws_id: str, resource: Resource | None, forward: ActionTypeDef) -> None:
        secure = with_certificate(resource.spec["certificate"]) if resource else {}
        self._clients.elbv2.modify_listener(ListenerArn=aws_id, DefaultActions=[forward], **secure)

    def remove(self, aws_id: str) -> None:
        self._clients.elbv2.delete_listener(ListenerArn=aws_id)


def _certificate(listener: ListenerTypeDef) -> str:
    """The default one; empty for a listener without TLS."""
    return next((each.get("CertificateArn", "") for each in listener.get("Certificates", [])), "")
