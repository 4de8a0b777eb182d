"""How what we made in ELB can be told from what others made, and what its refusals mean for the owner of a tag."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from expose.aws import Clients, code
from expose.refusals import Refused
from expose.resources.mark import OWNER_TAG

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import TagTypeDef

_QUOTAS = {
    "TooManyCertificates": "certificates on the listener",
    "TooManyListeners": "listeners on the load balancer",
    "TooManyLoadBalancers": "load balancers in this Region",
    "TooManyRegistrationsForTargetId": "registrations of one target",
    "TooManyRules": "rules on the load balancer",
    "TooManyTargetGroups": "target groups in this Region",
    "TooManyTargets": "targets in the group",
    "TooManyUniqueTargetGroupsPerLoadBalancer": "target groups on the load balancer",
}


def tags(mark: str) -> list[TagTypeDef]:
    return [{"Key": OWNER_TAG, "Value": mark}]


def owner(clients: Clients, arn: str) -> str:
    """The mark that something carries; empty for none."""
    return owners(clients, [arn]).get(arn, "")


def owners(clients: Clients, arns: list[str]) -> dict[str, str]:
    """The marks of up to 20 at once."""
    described = clients.elbv2.describe_tags(ResourceArns=arns)["TagDescriptions"]
    return {
        each.get("ResourceArn", ""): tag.get("Value", "")
        for each in described
        for tag in each.get("Tags", [])
        if tag["Key"] == OWNER_TAG
    }


@contextmanager
def quotas() -> Iterator[None]:
    """A quota that is reached is for the owner to know."""
    try:
        yield
    except ClientError as error:
        if code(error) not in _QUOTAS:
            raise
        raise Refused(
            "QuotaReached",
            f"AWS allows no more {_QUOTAS[code(error)]}: remove some, or ask for more in Service Quotas "
            f"({error.response.get('Error', {}).get('Message', '')})",
        ) from error
