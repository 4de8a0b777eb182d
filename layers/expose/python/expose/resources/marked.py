"""What carries our mark, found by its tag in the whole Region, whether or not the ledger knows of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from expose.aws import Clients
from expose.model import Identity, Owned
from expose.resources.mark import OWNER_TAG

if TYPE_CHECKING:
    from mypy_boto3_resourcegroupstaggingapi.type_defs import TagFilterTypeDef

_PARTS = re.compile(r"\.\d+$")


class Marked:
    """AWS shows tags here a while after they were written, and of things that are gone a while longer."""

    ACTIONS = frozenset({"tag:GetResources"})

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def of_stack(self, stack: str) -> Iterator[tuple[str, str]]:
        """The ARN and the mark of everything that this stack has made, but for what goes with its API."""
        for arn, mark in self._listed({"Key": OWNER_TAG}):
            if mark.partition("/")[0] == stack and "/stages/" not in arn:
                yield arn, mark

    def of_exposure(self, mark: str) -> Iterator[Owned]:
        """As the ledger would know it, under a key of its own: enough to read it, and to delete it."""
        for arn, _ in self._listed({"Key": OWNER_TAG, "Values": [mark]}):
            for kind, part in _KINDS.items():
                if part in arn:
                    name = id_of(arn)
                    yield Owned(Identity(kind, name), aws_id=name)

    def _listed(self, wanted: TagFilterTypeDef) -> Iterator[tuple[str, str]]:
        pages = self._clients.tagging.get_paginator("get_resources").paginate(
            TagFilters=[wanted], PaginationConfig={"PageSize": 100}
        )
        for page in pages:
            for each in page["ResourceTagMappingList"]:
                for tag in each.get("Tags", []):
                    if tag["Key"] == OWNER_TAG:
                        yield each.get("ResourceARN", ""), tag["Value"]


_KINDS = {
    "cloudmap.service": ":service/srv-",
    "elb.group": ":targetgroup/",
    "ssm.list": ":parameter/",
}


def id_of(arn: str) -> str:
    """By what the ledger knows it: a list of addresses by the name of its first parameter."""
    service, path = arn.split(":", 5)[2], arn.split(":", 5)[5]
    if service == "apigateway":
        return path.split("/")[2]
    if service == "ssm":
        return _PARTS.sub("", f"/{path.partition('/')[2]}")
    return arn if service == "elasticloadbalancing" else path.partition("/")[2]
