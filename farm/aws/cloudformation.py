"""CloudFormation as far as our stack needs it: defaults that are lists, `AWS::NoValue` in lists, and resources that moto
does not know.

What moto cannot create (alarms, queue policies, custom resources, ...) is there by name only, silently, so that it can
be referred to and listed. Custom resources are sent their requests by `farm.deploy`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.cloudformation import models, parsing
from moto.core.common_models import CloudFormationModel

from farm.aws import ACCOUNT, REGION


def mend() -> None:
    """Patch moto's CloudFormation in place."""
    known = parsing.resource_class_from_type
    parsing.resource_class_from_type = lambda kind: _class_of(kind, known)
    parsing.clean_json = _without_nothing(parsing.clean_json)
    models.Stack.stack_resources = property(_made)
    models.Stack.parse_template = staticmethod(_sooner(models.Stack.parse_template))
    parsing.ResourceMap.load_parameters = _with_default_lists(parsing.ResourceMap.load_parameters)


class Unmodelled(CloudFormationModel):  # type: ignore[misc]  # moto is untyped here
    """A resource that exists by name only."""

    def __init__(self, name: str, properties: dict[str, Any]) -> None:
        self.physical_resource_id = name
        self.properties = properties
        self.data: dict[str, Any] = {}

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return ""

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,  # noqa: ARG003 - moto's signature
        region_name: str,  # noqa: ARG003
        **_: Any,
    ) -> Unmodelled:
        return cls(resource_name, cloudformation_json["Properties"])

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Unmodelled, cloudformation_json: dict[str, Any], **_: Any
    ) -> Unmodelled:
        original_resource.properties = cloudformation_json["Properties"]
        return original_resource

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:  # noqa: ARG003 - whatever is asked for
        return True

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        fallback = f"arn:aws:farm:{REGION}:{ACCOUNT}:{self.physical_resource_id}"
        return self.data.get(attribute_name, fallback if attribute_name == "Arn" else "")

    def delete(self, account_id: str, region_name: str) -> None:
        """Nothing was there but the name."""


def _sooner(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """JSON read as JSON: moto takes it for YAML first, which is right, and takes a hundred times as long."""
    return lambda template: json.loads(template) if template.startswith("{") else parse(template)


def _made(stack: Any) -> list[Any]:
    """Moto lists a resource whose condition does not hold as None, and cannot look past it."""
    return [each for each in stack.resource_map.values() if each is not None]


def _class_of(kind: str, known: Callable[[str], Any]) -> Any:
    if kind.startswith("Custom::") or kind not in parsing.get_model_map():
        return Unmodelled
    return known(kind)


def _without_nothing(clean: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Moto leaves a None where `AWS::NoValue` stood in a list."""

    def clean_json(value: Any, resources: Any) -> Any:
        resolved = clean(value, resources)
        return [item for item in resolved if item is not None] if isinstance(resolved, list) else resolved

    return clean_json


def _with_default_lists(load: Callable[[parsing.ResourceMap], None]) -> Callable[[parsing.ResourceMap], None]:
    def load_parameters(resources: parsing.ResourceMap) -> None:
        for name, slot in resources._template.get("Parameters", {}).items():
            is_list = slot["Type"] == "CommaDelimitedList" or slot["Type"].startswith("List<")
            if is_list and "Default" in slot:
                resources.input_parameters.setdefault(name, slot["Default"])
        load(resources)

    return load_parameters
