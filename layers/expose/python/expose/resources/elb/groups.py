"""Target groups: one of our own for each exposure, and those of others that a tag names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from expose.aws import Clients
from expose.model import Owned, Resource, digest, fingerprint
from expose.refusals import NotYet, Refused
from expose.resources.elb.balancers import blocks
from expose.resources.elb.mark import owner, quotas, tags
from expose.resources.kind import Ids, Made

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import CreateTargetGroupInputTypeDef, TargetGroupTypeDef

_PORT = 80  # every target is registered with a port of its own
_UNHEALTHY = 2  # failed checks in a row
_DRAIN = "deregistration_delay.timeout_seconds"


class Groups:
    ACTIONS = frozenset(
        {
            "ec2:DescribeVpcs",
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateTargetGroup",
            "elasticloadbalancing:DeleteTargetGroup",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:ModifyTargetGroup",
            "elasticloadbalancing:ModifyTargetGroupAttributes",
        }
    )

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def find(self, key: str) -> dict[str, Any] | None:
        """The target group of this name; None where there is none."""
        group = self._named(key)
        if group is None:
            return None
        vpc, arn = group.get("VpcId", ""), group.get("TargetGroupArn", "")
        return {
            "arn": arn,
            "owner": owner(self._clients, arn),
            "type": group.get("TargetType", ""),
            "vpc": vpc,
            "blocks": blocks(self._clients, vpc) if vpc else [],
        }

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        elb = self._clients.elbv2
        for entry in owned:
            if entry.identity.kind != "elb.group" or not entry.aws_id:
                continue
            try:
                (group,) = elb.describe_target_groups(TargetGroupArns=[entry.aws_id])["TargetGroups"]
                attributes = elb.describe_target_group_attributes(TargetGroupArn=entry.aws_id)["Attributes"]
            except elb.exceptions.TargetGroupNotFoundException:
                continue
            drain = next(int(each.get("Value", 0)) for each in attributes if each.get("Key") == _DRAIN)
            yield Owned(
                entry.identity, fingerprint(_seen(group) | {"drain": drain}), entry.aws_id, refs=entry.refs
            )

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        """With the same settings it may be created again: AWS answers with the one that is there (F§4.2)."""
        elb, spec = self._clients.elbv2, resource.spec
        grpc = spec["protocol"] == "GRPC"
        wanted: dict[str, Any] = {
            "Name": _name(resource.identity.key, mark),
            "Protocol": "HTTP" if grpc else spec["protocol"],
            **({"ProtocolVersion": "GRPC"} if grpc else {}),
            "Port": _PORT,
            "VpcId": ids["vpc"],
            "TargetType": spec["type"],
            "Tags": tags(mark),
            **_check(spec),
        }
        with quotas():
            try:
                answer = elb.create_target_group(**cast("CreateTargetGroupInputTypeDef", wanted))
            except elb.exceptions.DuplicateTargetGroupNameException:
                return self._adopted(resource, wanted["Name"], ids, mark)
        arn = answer["TargetGroups"][0].get("TargetGroupArn", "")
        self._set_drain(arn, spec["drain"])
        return Made(arn)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        self._clients.elbv2.modify_target_group(TargetGroupArn=aws_id, **_check(resource.spec))
        self._set_drain(aws_id, resource.spec["drain"])
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        group = self._named(_name(owned.identity.key, mark))
        arn = group.get("TargetGroupArn", "") if group else ""
        return arn if arn and owner(self._clients, arn) == mark else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """Its rule is gone by now, but ELB may take a moment to see that."""
        elb = self._clients.elbv2
        try:
            elb.delete_target_group(TargetGroupArn=aws_id)
        except elb.exceptions.TargetGroupNotFoundException:
            return ""
        except elb.exceptions.ResourceInUseException as error:
            raise NotYet(f"target group {aws_id} is still in use", seconds=5) from error
        return ""

    def _adopted(self, resource: Resource, name: str, ids: Ids, mark: str) -> Made:
        group = self._named(name) or {}
        arn = group.get("TargetGroupArn", "")
        if not arn or owner(self._clients, arn) != mark:
            raise Refused(
                "NameTaken", f"target group {name} exists, but was not made for this tag: delete it"
            )
        return self.update(resource, arn, ids, mark)

    def _named(self, name: str) -> TargetGroupTypeDef | None:
        elb = self._clients.elbv2
        try:
            return elb.describe_target_groups(Names=[name])["TargetGroups"][0]
        except elb.exceptions.TargetGroupNotFoundException:
            return None

    def _set_drain(self, arn: str, seconds: int) -> None:
        self._clients.elbv2.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": _DRAIN, "Value": str(seconds)}]
        )


def _name(key: str, mark: str) -> str:
    return f"expose-{digest(f'{mark}/{key}')}"


def _check(spec: Any) -> dict[str, Any]:
    """The health check that a spec asks for, in AWS's words."""
    codes = {"GrpcCode" if spec["protocol"] == "GRPC" else "HttpCode": spec["matcher"]}
    over_http = {"HealthCheckPath": spec["path"], "Matcher": codes} if spec["path"] else {}
    return {
        "HealthCheckEnabled": True,
        "HealthCheckProtocol": spec["check"],
        "HealthCheckPort": "traffic-port",
        "HealthCheckIntervalSeconds": spec["interval"],
        "HealthCheckTimeoutSeconds": spec["timeout"],
        "HealthyThresholdCount": spec["healthy"],
        "UnhealthyThresholdCount": _UNHEALTHY,
        **over_http,
    }


def _seen(group: TargetGroupTypeDef) -> dict[str, Any]:
    """The spec that a target group fulfils, but for what stands in its attributes."""
    grpc = group.get("ProtocolVersion") == "GRPC"
    codes = group.get("Matcher", {})
    over_http = group.get("HealthCheckProtocol") in {"HTTP", "HTTPS"}
    return {
        "protocol": "GRPC" if grpc else group.get("Protocol"),
        "type": group.get("TargetType"),
        "check": group.get("HealthCheckProtocol"),
        "path": group.get("HealthCheckPath", "") if over_http else "",
        "matcher": codes.get("GrpcCode" if grpc else "HttpCode", "") if over_http else "",
        "interval": group.get("HealthCheckIntervalSeconds"),
        "timeout": group.get("HealthCheckTimeoutSeconds"),
        "healthy": group.get("HealthyThresholdCount"),
    }
