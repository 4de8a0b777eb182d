"""The Resource Groups Tagging API as AWS has it: 100 a page, and things once tagged come back with no tags at all (F§7).

So GetResources alone never says that a tag is there, nor that a service still is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.resource_tagging import (
    TaggedResource,
    iter_taggable_backends,
    make_tag_matcher,
    match_resource_type,
)
from moto.core.responses import ActionResult
from moto.ecs.models import EC2ContainerServiceBackend
from moto.resourcegroupstaggingapi.exceptions import ResourceGroupsTaggingAPIError
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
from moto.resourcegroupstaggingapi.responses import ResourceGroupsTaggingAPIResponse

from farm.aws.cloudmap import registry
from farm.aws.paging import BadTokenError, page

_PAGE = 100


def mend() -> None:
    """Put moto's tagging API right."""
    ResourceGroupsTaggingAPIResponse.get_resources = _get_resources
    ResourceGroupsTaggingAPIBackend.tag_resources = _tag_resources
    ResourceGroupsTaggingAPIBackend.untag_resources = _untag_resources
    EC2ContainerServiceBackend.iter_tagged_resources = _iter_tagged_resources


def _get_resources(self: ResourceGroupsTaggingAPIResponse) -> ActionResult:
    arns, filters, types = (
        self._get_param(name, []) for name in ("ResourceARNList", "TagFilters", "ResourceTypeFilters")
    )
    size = self._get_int_param("ResourcesPerPage", _PAGE)
    if arns and (filters or types):
        raise _invalid("ResourceARNList cannot be used with TagFilters or ResourceTypeFilters.")
    if not 1 <= size <= _PAGE:
        raise _invalid(f"ResourcesPerPage must be between 1 and {_PAGE}.")
    found = [one for one in _once_tagged(self.backend, types) if not arns or one.arn in arns]
    passes = make_tag_matcher(filters)
    try:
        some, token = page(
            (one for one in found if passes(one.tags)),
            lambda one: str(one.arn),
            size,
            self._get_param("PaginationToken"),
        )
    except BadTokenError as error:
        raise ResourceGroupsTaggingAPIError(
            "PaginationTokenExpiredException", "The pagination token has expired."
        ) from error
    mapping = [
        {"ResourceARN": one.arn, "Tags": [{"Key": key, "Value": value} for key, value in one.tags.items()]}
        for one in some
    ]
    return ActionResult({"ResourceTagMappingList": mapping, "PaginationToken": token or ""})


def _once_tagged(backend: ResourceGroupsTaggingAPIBackend, types: list[str]) -> Iterator[TaggedResource]:
    for owner in iter_taggable_backends(backend.account_id, backend.region_name):
        for resource in owner.iter_tagged_resources():
            tagged = resource.tags or resource.extra.get("include_untagged")
            if tagged and match_resource_type(resource.resource_type, types):
                yield resource
    for arn, tags in list(registry(backend.region_name).tags.items()):  # of Cloud Map, which moto leaves out
        kind = f"servicediscovery:{arn.split(':')[5].partition('/')[0]}"
        if tags and match_resource_type(kind, types):
            yield TaggedResource(arn, dict(tags), kind)


def _iter_tagged_resources(self: EC2ContainerServiceBackend) -> Iterator[TaggedResource]:
    """Services whether they are there, untagged or deleted; of the rest of ECS, what is there."""
    for service in self.services.values():
        extra = {"include_untagged": getattr(service, "was_tagged", False)}
        yield _resource(service.arn, service.tags, "ecs:service", extra)
    for cluster in self.clusters.values():
        yield _resource(cluster.arn, cluster.tags, "ecs:cluster", {})
    for tasks in self.tasks.values():
        for task in tasks.values():
            yield _resource(task.task_arn, task.tags, "ecs:task", {})
    for revisions in self.task_definitions.values():
        for definition in revisions.values():
            yield _resource(definition.arn, definition.tags, "ecs:task-definition", {})


def _resource(
    arn: str, tags: list[dict[str, str]] | None, kind: str, extra: Mapping[str, bool]
) -> TaggedResource:
    return TaggedResource(arn, {tag["key"]: tag.get("value") or "" for tag in tags or []}, kind, dict(extra))


def _tag_resources(
    self: ResourceGroupsTaggingAPIBackend, resource_arns: list[str], tags: dict[str, str]
) -> dict[str, Any]:
    return _each(self, resource_arns, lambda owner, arn: owner.tag_resource(arn, tags))


def _untag_resources(
    self: ResourceGroupsTaggingAPIBackend, resource_arn_list: list[str], tag_keys: list[str]
) -> dict[str, Any]:
    return _each(self, resource_arn_list, lambda owner, arn: owner.untag_resource(arn, tag_keys))


def _each(backend: ResourceGroupsTaggingAPIBackend, arns: list[str], act: Any) -> dict[str, Any]:
    """One resource that refuses does not hold up the others: it is named in FailedResourcesMap."""
    failed = {}
    for arn in arns:
        owner = backend._get_backend_for_resource(arn)
        try:
            if owner is None:
                raise _invalid("Not a supported resource.")
            act(owner, arn)
        except ServiceException as refusal:
            failed[arn] = {
                "StatusCode": 400,
                "ErrorCode": "InvalidParameterException",
                "ErrorMessage": refusal.message,
            }
    return failed


def _invalid(message: str) -> ResourceGroupsTaggingAPIError:
    return ResourceGroupsTaggingAPIError("InvalidParameterException", message)
