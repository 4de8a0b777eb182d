"""ECS's rules for tags (F§2), which are the user interface of the product: what cannot be written in one is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from moto.core.responses import EmptyResult
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse

_MOST_TAGS = 50
_MOST_KEY, _MOST_VALUE = 128, 256
_SIGNS = frozenset("_.:/=+-@")
_SHORT_ARN = re.compile(r"arn:aws[^:]*:ecs:[^:]*:[^:]*:(service|task|container-instance)/[^/]+")

Tags = Sequence[dict[str, str]]


def check_tags(tags: Tags) -> None:
    """Raises InvalidParameterException for the first thing that is wrong with them."""
    for tag in tags:
        key, value = tag.get("key", ""), tag.get("value") or ""
        if not 1 <= len(key) <= _MOST_KEY or not _is_allowed(key):
            raise InvalidParameterException(f"The tag key {key!r} is not valid.")
        if key.lower().startswith("aws:"):
            raise InvalidParameterException(
                f"The tag key {key!r} is reserved: aws: prefixed keys are AWS's own."
            )
        if len(value) > _MOST_VALUE or not _is_allowed(value):
            raise InvalidParameterException(f"The value of the tag {key!r} is not valid.")
    if len({tag.get("key") for tag in tags}) > _MOST_TAGS:
        raise InvalidParameterException(f"A resource can have at most {_MOST_TAGS} tags.")


def tag_resource(self: EC2ContainerServiceResponse) -> EmptyResult:
    arn, tags = self._get_param("resourceArn"), self._get_param("tags") or []
    add_tags(self.ecs_backend, arn, {tag["key"]: tag.get("value") or "" for tag in tags})
    return EmptyResult()


def add_tags(self: EC2ContainerServiceBackend, arn: str, tags: dict[str, str]) -> None:
    """Also the backend's own method, which the tagging API calls."""
    resource = _resource(self, arn)
    present = {tag["key"]: tag.get("value") or "" for tag in resource.tags or []}
    merged = [{"key": key, "value": value} for key, value in (present | tags).items()]
    check_tags([{"key": key, "value": value} for key, value in tags.items()])
    check_tags([tag for tag in merged if not tag["key"].lower().startswith("aws:")])
    resource.tags = merged


def remove_tags(self: EC2ContainerServiceBackend, resource_arn: str, tag_keys: list[str]) -> None:
    resource = _resource(self, resource_arn)
    resource.was_tagged = getattr(resource, "was_tagged", False) or bool(resource.tags)
    resource.tags = [tag for tag in resource.tags or [] if tag["key"] not in tag_keys]


def _resource(backend: EC2ContainerServiceBackend, arn: str) -> Any:
    if _SHORT_ARN.fullmatch(arn):
        raise InvalidParameterException("Long arn format must be used for tagging operations")
    parsed = backend._parse_resource_arn(arn)
    if parsed["service"] == "service":
        return _service(backend, arn)
    if parsed["service"] == "task":
        return _task(backend, arn)
    return backend._get_resource(arn, parsed)


def _service(backend: EC2ContainerServiceBackend, arn: str) -> Any:
    found = next((one for one in backend.services.values() if one.arn == arn), None)
    if found is None:
        raise InvalidParameterException(
            "The specified service was not found. Specify a valid service and try again."
        )
    if found.status == "INACTIVE":
        raise InvalidParameterException(
            "The specified service is inactive. Specify an active service and try again."
        )
    return found


def _task(backend: EC2ContainerServiceBackend, arn: str) -> Any:
    for tasks in backend.tasks.values():
        if arn in tasks:
            return tasks[arn]
    raise InvalidParameterException("The specified task was not found. Specify a valid task and try again.")


def _is_allowed(text: str) -> bool:
    r"""`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, which Python's `re` cannot say."""
    return all(sign in _SIGNS or unicodedata.category(sign)[0] in "LZN" for sign in text)
