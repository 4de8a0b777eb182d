"""Load balancers: those that tags name, and those of our own, one for each VPC, type and scheme, shared by all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from expose.aws import Clients
from expose.model import Identity, Owned, Resource, digest, fingerprint
from expose.refusals import NotYet, Refused
from expose.resources.elb.mark import owner, quotas, tags
from expose.resources.kind import Ids, Made, Settled

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import CreateLoadBalancerInputTypeDef, LoadBalancerTypeDef

_USABLE = frozenset({"active", "active_impaired"})


class Named:
    """Answers what there is to know of a load balancer that a tag names."""

    ACTIONS = frozenset(
        {
            "ec2:DescribeVpcs",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTags",
        }
    )

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def find(self, key: str) -> dict[str, Any] | None:
        """The load balancer of this name with its listeners; None where there is none."""
        elb = self._clients.elbv2
        try:
            (balancer,) = elb.describe_load_balancers(Names=[key])["LoadBalancers"]
        except elb.exceptions.LoadBalancerNotFoundException:
            return None
        arn, vpc = balancer.get("LoadBalancerArn", ""), balancer.get("VpcId", "")
        pages = elb.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn)
        return {
            "arn": arn,
            "type": balancer.get("Type", ""),
            "scheme": balancer.get("Scheme", ""),
            "address": balancer.get("DNSName", ""),
            "owner": owner(self._clients, arn),
            "vpc": vpc,
            "blocks": blocks(self._clients, vpc),
            "listeners": [
                {"arn": each.get("ListenerArn"), "port": each.get("Port"), "protocol": each.get("Protocol")}
                for page in pages
                for each in page["Listeners"]
            ],
        }


def blocks(clients: Clients, vpc: str) -> list[str]:
    """The address blocks of a VPC."""
    (found,) = clients.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    return [each.get("CidrBlock", "") for each in found.get("CidrBlockAssociationSet", [])]


class Balancers:
    """Those of our own."""

    ACTIONS = frozenset(
        {
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateLoadBalancer",
            "elasticloadbalancing:DeleteLoadBalancer",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeTags",
        }
    )

    def __init__(self, clients: Clients, stack: str) -> None:
        self._clients = clients
        self._stack = stack

    def existing(self, key: str) -> str:
        """The ARN of ours for `TYPE/SCHEME/VPC`; empty for none."""
        elb = self._clients.elbv2
        try:
            (balancer,) = elb.describe_load_balancers(Names=[self._name(key)])["LoadBalancers"]
        except elb.exceptions.LoadBalancerNotFoundException:
            return ""
        arn = balancer.get("LoadBalancerArn", "")
        return arn if owner(self._clients, arn) == self._stack else ""

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry in owned:
            if entry.identity.kind == "elb.balancer" and entry.aws_id:
                for balancer in self._described(entry.aws_id):
                    spec = {"type": balancer.get("Type"), "scheme": balancer.get("Scheme")}
                    yield Owned(entry.identity, fingerprint(spec), entry.aws_id, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """`ids` hold the subnets and security groups, each separated by blanks."""
        elb = self._clients.elbv2
        wanted: dict[str, Any] = {
            "Name": self._name(resource.identity.key),
            "Type": resource.spec["type"],
            "Scheme": resource.spec["scheme"],
            "Subnets": ids["subnets"].split(),
            "Tags": tags(self._stack),
            **({"SecurityGroups": ids["groups"].split()} if ids.get("groups") else {}),
        }
        with quotas():
            try:
                answer = elb.create_load_balancer(**cast("CreateLoadBalancerInputTypeDef", wanted))
            except elb.exceptions.DuplicateLoadBalancerNameException:
                answer = elb.describe_load_balancers(Names=[wanted["Name"]])
        (balancer,) = answer["LoadBalancers"]
        arn, address = balancer.get("LoadBalancerArn", ""), balancer.get("DNSName", "")
        if owner(self._clients, arn) != self._stack:  # AWS may answer with one that is there already
            problem = f"load balancer {wanted['Name']} was not made by this stack: delete it"
            raise Refused("NameTaken", problem)
        return Made(arn, operation="provisioning", address=address)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        """Its type and scheme are its identity; but one that could not be provisioned is made again."""
        return Made(aws_id) if self._described(aws_id) else self.create(resource, ids, mark)

    def settle(self, running: Iterable[Owned], ids: Mapping[Identity, str]) -> Mapping[Identity, Settled]:
        """Those that are provisioned, which takes minutes."""
        settled: dict[Identity, Settled] = {}
        for entry in running:
            states = [balancer.get("State", {}) for balancer in self._described(entry.aws_id)]
            state = states[0].get("Code") if states else "gone"
            if state in _USABLE:
                settled[entry.identity] = Settled(entry.aws_id)
            elif state != "provisioning":
                reason = states[0].get("Reason", "") if states else ""
                error = f"load balancer {entry.aws_id} is {state}: {reason}".rstrip(": ")
                settled[entry.identity] = Settled(error=error)
        return settled

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return self.existing(owned.identity.key)

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """Raise `NotYet` while it has listeners, which somebody else must have made."""
        elb = self._clients.elbv2
        try:
            if elb.describe_listeners(LoadBalancerArn=aws_id)["Listeners"]:
                raise NotYet(f"load balancer {aws_id} still has listeners", seconds=30)
            elb.delete_load_balancer(LoadBalancerArn=aws_id)
        except elb.exceptions.LoadBalancerNotFoundException:
            return ""
        except (
            elb.exceptions.ResourceInUseException,
            elb.exceptions.OperationNotPermittedException,
        ) as error:
            raise NotYet(f"load balancer {aws_id} cannot be deleted: {error}", seconds=60) from error
        return ""

    def _described(self, arn: str) -> list[LoadBalancerTypeDef]:
        elb = self._clients.elbv2
        try:
            return elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        except elb.exceptions.LoadBalancerNotFoundException:
            return []

    def _name(self, key: str) -> str:
        return f"expose-{digest(f'{self._stack}/{key}')}"
