"""An account's load balancers as its user sees and makes them, a word each. All of it goes through the API."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, cast

from farm import seed

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_elbv2.type_defs import RuleTypeDef

Scheme = Literal["internal", "internet-facing"]
_NOT_FOUND: Any = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "nothing here"},
}


class Entrances:
    """The verbs for load balancers, target groups and certificates. `balancer` and `group` are names or ARNs."""

    network: seed.Network

    @abstractmethod
    def client(self, service: str) -> Any:
        """The user's client."""

    @property
    def elb(self) -> ElasticLoadBalancingv2Client:
        return cast("ElasticLoadBalancingv2Client", self.client("elbv2"))

    @property
    def acm(self) -> ACMClient:
        return cast("ACMClient", self.client("acm"))

    def create_balancer(
        self,
        name: str,
        *,
        type: Literal["application", "network"] = "application",  # noqa: A002 - as the API calls it
        scheme: Scheme = "internal",
        listeners: Iterable[tuple[int, str]] | None = None,
        certificate: str = "",
        group: str = "",
    ) -> str:
        """In all public or all private subnets. Its ARN.

        `listeners` are ports and protocols: HTTP at 80 if not said; a network balancer has none then. They forward to
        `group`; without, they say 404. HTTPS and TLS need `certificate`, an ARN.
        """
        subnets = self.network.public if scheme == "internet-facing" else self.network.private
        made = self.elb.create_load_balancer(Name=name, Type=type, Scheme=scheme, Subnets=list(subnets))
        arn = made["LoadBalancers"][0]["LoadBalancerArn"]
        by_default = [(80, "HTTP")] if type == "application" else []
        for port, protocol in by_default if listeners is None else listeners:
            self.create_listener(arn, port, protocol, certificate=certificate, group=group)
        return arn

    def create_listener(
        self, balancer: str, port: int, protocol: str, *, certificate: str = "", group: str = ""
    ) -> str:
        """One that forwards to a group, or says 404. Its ARN."""
        forward: Any = {"Type": "forward", "TargetGroupArn": self.group_arn(group)} if group else None
        secure: Any = (
            {"Certificates": [{"CertificateArn": certificate}]} if protocol in {"HTTPS", "TLS"} else {}
        )
        made = self.elb.create_listener(
            LoadBalancerArn=self.balancer_arn(balancer),
            Port=port,
            Protocol=cast("Any", protocol),
            DefaultActions=[forward or _NOT_FOUND],
            **secure,
        )
        return made["Listeners"][0]["ListenerArn"]

    def create_target_group(
        self,
        name: str,
        *,
        type: Literal["ip", "instance"] = "ip",  # noqa: A002 - as the API calls it
        protocol: str = "HTTP",
        port: int = 80,
        **more: Any,
    ) -> str:
        """`more` goes to CreateTargetGroup as it is. Its ARN."""
        made = self.elb.create_target_group(
            Name=name,
            TargetType=type,
            Protocol=cast("Any", protocol),
            Port=port,
            VpcId=self.network.vpc,
            **more,
        )
        return made["TargetGroups"][0]["TargetGroupArn"]

    def register(self, group: str, *targets: tuple[str, int]) -> None:
        """Addresses or instances, each with a port."""
        wanted: Any = [{"Id": identity, "Port": port} for identity, port in targets]
        self.elb.register_targets(TargetGroupArn=self.group_arn(group), Targets=wanted)

    def deregister(self, group: str, *targets: tuple[str, int]) -> None:
        gone: Any = [{"Id": identity, "Port": port} for identity, port in targets]
        self.elb.deregister_targets(TargetGroupArn=self.group_arn(group), Targets=gone)

    def targets(self, group: str) -> dict[tuple[str, int], str]:
        """The state of each target, by id and port."""
        found = self.elb.describe_target_health(TargetGroupArn=self.group_arn(group))
        return {
            (each["Target"]["Id"], each["Target"]["Port"]): each["TargetHealth"]["State"]
            for each in found["TargetHealthDescriptions"]
        }

    def rules(self, balancer: str, port: int = 80) -> list[RuleTypeDef]:
        """Of the listener at this port, in the order of their priority, the default last."""
        pages = self.elb.get_paginator("describe_rules").paginate(
            ListenerArn=self.listener_arn(balancer, port)
        )
        return [rule for page in pages for rule in page["Rules"]]

    def request_certificate(self, domain: str, *others: str) -> str:
        """Its ARN."""
        more: Any = {"SubjectAlternativeNames": list(others)} if others else {}
        return self.acm.request_certificate(DomainName=domain, ValidationMethod="DNS", **more)[
            "CertificateArn"
        ]

    def balancer_arn(self, balancer: str) -> str:
        if balancer.startswith("arn:"):
            return balancer
        return self.elb.describe_load_balancers(Names=[balancer])["LoadBalancers"][0]["LoadBalancerArn"]

    def listener_arn(self, balancer: str, port: int) -> str:
        """LookupError if there is none at this port."""
        pages = self.elb.get_paginator("describe_listeners").paginate(
            LoadBalancerArn=self.balancer_arn(balancer)
        )
        for page in pages:
            for listener in page["Listeners"]:
                if listener["Port"] == port:
                    return listener["ListenerArn"]
        raise LookupError(f"{balancer} has no listener at port {port}")

    def group_arn(self, group: str) -> str:
        if group.startswith("arn:"):
            return group
        return self.elb.describe_target_groups(Names=[group])["TargetGroups"][0]["TargetGroupArn"]
