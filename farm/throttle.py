"""AWS's token buckets, per account and Region: a call that finds its bucket empty is refused.

The sizes of ECS's buckets (F§2) and of ELB's for Describe calls (F§4.2) are AWS's. What AWS does not publish is assumed
here, on the cautious side: stopping tasks, Cloud Map's (F§3.2 knows of 50 ListInstances a second), EC2's Describe calls,
the tagging API, certificates, and what ELB allows to be changed: no more than aws-load-balancer-controller allows
itself (F§4.2). API Gateway's are AWS's (F§5.1): one for all its calls of both versions, and a second one for what is
slow; how many of the slow ones may come at once is not said, so one. Queues, tables, event buses and
load on functions are not limited: their limits are far above what one account of ours does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from farm.aws import clock


@dataclass(frozen=True, slots=True)
class Bucket:
    """Room for `burst` calls, refilled by `rate` a second."""

    name: str
    burst: float
    rate: float
    code: str = "ThrottlingException"


_RESOURCE_READ = Bucket("ecs cluster resource read", 100, 20)
_SERVICE_READ = Bucket("ecs service read", 100, 20)
_SERVICE_MODIFY = Bucket("ecs service modify", 50, 5)
_CLUSTER_READ = Bucket("ecs cluster read", 50, 20)
_DEFINITION_READ = Bucket("ecs task definition read", 50, 20)
_TAG_READ = Bucket("ecs tag read", 50, 20)
_TAG_MODIFY = Bucket("ecs tag modify", 20, 10)

_STOP = Bucket("ecs task stop", 40, 20)  # assumed

_ECS = {
    "DescribeTasks": _RESOURCE_READ,
    "ListTasks": _RESOURCE_READ,
    "DescribeContainerInstances": _RESOURCE_READ,
    "ListContainerInstances": _RESOURCE_READ,
    "ListAttributes": _RESOURCE_READ,
    "DescribeServices": _SERVICE_READ,
    "DescribeServiceDeployments": Bucket("ecs service deployment", 50, 20),
    "ListServices": _SERVICE_READ,
    "ListServicesByNamespace": Bucket("ecs services by namespace", 10, 1),
    "CreateService": _SERVICE_MODIFY,
    "UpdateService": _SERVICE_MODIFY,
    "DeleteService": _SERVICE_MODIFY,
    "StopTask": _STOP,
    "DescribeClusters": _CLUSTER_READ,
    "ListClusters": _CLUSTER_READ,
    "DescribeTaskDefinition": _DEFINITION_READ,
    "ListTaskDefinitions": _DEFINITION_READ,
    "ListTaskDefinitionFamilies": _DEFINITION_READ,
    "ListTagsForResource": _TAG_READ,
    "TagResource": _TAG_MODIFY,
    "UntagResource": _TAG_MODIFY,
}

_INSTANCE_WRITE = Bucket("servicediscovery instance write", 50, 20)
_ASSUMED = {
    "ListInstances": Bucket("servicediscovery list instances", 50, 50),
    "RegisterInstance": _INSTANCE_WRITE,
    "DeregisterInstance": _INSTANCE_WRITE,
}
_CLOUD_MAP = Bucket("servicediscovery other", 50, 20)
_ELB_DESCRIBE = Bucket("elb describe", 40, 10, code="Throttling")
_ELB_TARGETS = Bucket("elb targets", 20, 4, code="Throttling")
_ELB_MODIFY = Bucket("elb modify", 20, 3, code="Throttling")
_GATEWAY_CODE = "TooManyRequestsException"
_GATEWAY = Bucket("apigateway", 40, 10, code=_GATEWAY_CODE)
_GATEWAY_SLOW = {
    operation: Bucket(f"apigateway {operation}", 1, 1 / seconds, code=_GATEWAY_CODE)
    for operation, seconds in {
        "CreateDeployment": 5,
        "CreateVpcLink": 15,
        "DeleteVpcLink": 30,
        "CreateDomainName": 30,
        "UpdateDomainName": 30,
        "DeleteDomainName": 30,
        "DeleteRestApi": 30,
        "PutRestApi": 1,
    }.items()
}
_PARAMETER_WRITE = Bucket("ssm parameter write", 3, 3)
_PARAMETER_READ = Bucket("ssm parameter read", 40, 40)
_EC2_DESCRIBE = Bucket("ec2 describe", 100, 20, code="RequestLimitExceeded")
_PARAMETER_WRITES = {"PutParameter", "DeleteParameter", "AddTagsToResource"}
_WHOLE = {
    "acm": Bucket("acm", 5, 5),
    "resourcegroupstaggingapi": Bucket("tagging", 15, 15),
    "route53": Bucket("route53", 5, 5, code="Throttling"),
}


def buckets_of(service: str, operation: str) -> tuple[Bucket, ...]:
    """The buckets that a call draws from; none where the farm does not limit."""
    if service in {"apigateway", "apigatewayv2"}:
        slow = _GATEWAY_SLOW.get(operation)
        return (_GATEWAY, slow) if slow else (_GATEWAY,)
    found = _bucket_of(service, operation)
    return (found,) if found else ()


def _bucket_of(service: str, operation: str) -> Bucket | None:
    match service:
        case "ecs":
            return _ECS.get(operation)
        case "elbv2" if operation.startswith("Describe"):
            return _ELB_DESCRIBE
        case "elbv2":
            return _ELB_TARGETS if operation in {"RegisterTargets", "DeregisterTargets"} else _ELB_MODIFY
        case "servicediscovery":
            return _ASSUMED.get(operation, _CLOUD_MAP)
        case "ssm":
            return _PARAMETER_WRITE if operation in _PARAMETER_WRITES else _PARAMETER_READ
        case "ec2" if operation.startswith("Describe"):
            return _EC2_DESCRIBE
    return _WHOLE.get(service)


class Throttle:
    """All buckets of one account, full at first."""

    def __init__(self, now: Callable[[], float] = clock.now) -> None:
        self._now = now
        self._levels: dict[Bucket, tuple[float, float]] = {}

    def refuse(self, service: str, operation: str) -> str | None:
        """Draw for one call, from all its buckets or none: the error code when there was nothing left to draw."""
        buckets = buckets_of(service, operation)
        levels = {bucket: self._level(bucket) for bucket in buckets}
        empty = next((bucket for bucket in buckets if levels[bucket] < 1), None)
        for bucket, level in levels.items():
            self._levels[bucket] = (level if empty else level - 1, self._now())
        return empty.code if empty else None

    def _level(self, bucket: Bucket) -> float:
        level, since = self._levels.get(bucket, (bucket.burst, self._now()))
        return min(bucket.burst, level + (self._now() - since) * bucket.rate)
