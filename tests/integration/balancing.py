"""Load balancing in a few words, for the contract tests of the farm's ELBv2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from farm import seed
from farm.account import client
from farm.aws import elb
from farm.aws.elb import Check, Finding
from farm.timeline import Timeline

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

api: ElasticLoadBalancingv2Client = client("elbv2")


class Balancing:
    """The farm's network, and what a test puts into it; what is made has an ARN, and that is what is returned."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.network = seed.network(client("ec2"))

    def balancer(self, name: str = "front", kind: str = "application", **asked: Any) -> str:
        wanted = {"Scheme": "internal", "Subnets": list(self.network.private), "Type": kind, **asked}
        return api.create_load_balancer(Name=name, **wanted)["LoadBalancers"][0]["LoadBalancerArn"]

    def group(self, name: str = "web", protocol: str = "HTTP", **asked: Any) -> str:
        wanted = {"Port": 8080, "VpcId": self.network.vpc, "TargetType": "ip", **asked}
        made = api.create_target_group(Name=name, Protocol=protocol, **wanted)
        return made["TargetGroups"][0]["TargetGroupArn"]

    def listener(
        self, balancer: str, *groups: str, port: int = 80, protocol: str = "HTTP", **asked: Any
    ) -> str:
        """Forwards to the groups, or answers 404 without any."""
        actions = [forward(*groups)] if groups else [NOT_FOUND]
        made = api.create_listener(
            LoadBalancerArn=balancer, Port=port, Protocol=protocol, DefaultActions=actions, **asked
        )
        return made["Listeners"][0]["ListenerArn"]

    def rule(self, listener: str, group: str, priority: int = 10, **asked: Any) -> str:
        wanted = {"Conditions": [path("/a")], "Actions": [forward(group)], **asked}
        return api.create_rule(ListenerArn=listener, Priority=priority, **wanted)["Rules"][0]["RuleArn"]

    def used_group(self, protocol: str = "HTTP", **asked: Any) -> str:
        """A group that a listener forwards to."""
        kind = "application" if protocol == "HTTP" else "network"
        group = self.group(protocol=protocol, **asked)
        self.listener(self.balancer(kind=kind), group, protocol=protocol)
        return group


class Tasks:
    """What health checks find: 200, unless said otherwise."""

    def __init__(self) -> None:
        self.found: dict[str, Finding] = {}
        self.asked: list[Check] = []
        elb.settings().probe = self

    def __call__(self, check: Check) -> Finding:
        self.asked.append(check)
        return self.found.get(check.address, "connected" if check.protocol == "TCP" else 200)


NOT_FOUND: Any = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


def forward(*groups: str) -> Any:
    """To these groups alike."""
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": one} for one in groups]}}


def path(*patterns: str) -> Any:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}}


def host(*patterns: str) -> Any:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(patterns)}}


def methods(*names: str) -> Any:
    return {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": list(names)}}


def targets(*keys: str) -> list[Any]:
    """Targets written as ADDRESS or ADDRESS:PORT."""
    parts = [key.partition(":") for key in keys]
    return [{"Id": name, **({"Port": int(port)} if port else {})} for name, _, port in parts]


def register(group: str, *keys: str, **more: Any) -> None:
    api.register_targets(TargetGroupArn=group, Targets=[{**target, **more} for target in targets(*keys)])


def deregister(group: str, *keys: str) -> None:
    api.deregister_targets(TargetGroupArn=group, Targets=targets(*keys))


def health(group: str, *keys: str) -> dict[str, str]:
    """State and reason by target, as DescribeTargetHealth has them."""
    answer = api.describe_target_health(TargetGroupArn=group, **({"Targets": targets(*keys)} if keys else {}))
    return {
        f"{shown['Target']['Id']}:{shown['Target']['Port']}": " ".join(
            filter(None, (shown["TargetHealth"]["State"], shown["TargetHealth"].get("Reason")))
        )
        for shown in answer["TargetHealthDescriptions"]
    }
