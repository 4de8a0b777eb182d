"""Tags of load balancers, groups, listeners and rules: 50 of each, asked for 20 resources at a time (F§4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from moto.elbv2.exceptions import TooManyTagsError
from moto.elbv2.models import ELBv2Backend

from farm.aws.elb.model import invalid, refused

_MOST_RESOURCES = 20
_MOST_TAGS = 50


def add_tags(self: ELBv2Backend, resource_arns: Sequence[str], tags: list[dict[str, str]]) -> None:
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise refused("DuplicateTagKeys", "A tag key was specified more than once")
    for arn in resource_arns:
        self._get_resource_by_arn(arn)
        present = self.tagging_service.get_tag_dict_for_resource(arn)
        if len(present.keys() | set(keys)) > _MOST_TAGS:
            raise TooManyTagsError
        self.tagging_service.tag_resource(arn, tags)


def describe_tags(self: ELBv2Backend, resource_arns: Sequence[str]) -> dict[str, Mapping[str, str]]:
    if len(resource_arns) > _MOST_RESOURCES:
        raise invalid(f"At most {_MOST_RESOURCES} resources can be specified in one call")
    for arn in resource_arns:
        self._get_resource_by_arn(arn)
    return {arn: self.tagging_service.get_tag_dict_for_resource(arn) for arn in resource_arns}
