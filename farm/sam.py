"""template.yaml as CloudFormation would see it: translated by SAM's own translator, without network.

Code is not packaged. Functions run from the work tree, so what remembers their folders is returned beside the template.
"""

from __future__ import annotations

import copy
import functools
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from farm.aws import REGION

Template = dict[str, Any]

# It complains that nobody publishes its own usage figures
logging.getLogger("samtranslator.metrics.metrics").setLevel(logging.ERROR)

_EMPTY_ZIP = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="


def translate(path: Path, parameters: Mapping[str, str]) -> tuple[Template, dict[str, Path]]:
    """The CloudFormation template, and each function's folder by its logical id."""
    return copy.deepcopy(_translated(path, path.stat().st_mtime_ns, tuple(sorted(parameters.items()))))


@functools.cache
def _translated(
    path: Path, _: int, parameters: tuple[tuple[str, str], ...]
) -> tuple[Template, dict[str, Path]]:
    """As long as the file stays what it was: reading YAML takes longer than most of what a farm is used for."""
    template = yaml_parse(path.read_text())
    folders = {}
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        for member in {"CodeUri", "ContentUri"} & set(properties):
            folders[name] = (path.parent / properties[member]).resolve()
            properties[member] = {"Bucket": "farm", "Key": name}
    translator = Translator(
        managed_policy_map={}, sam_parser=Parser(), boto_session=boto3.Session(region_name=REGION)
    )
    translated = translator.translate(template, dict(parameters))
    for resource in translated["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"] = {"ZipFile": _EMPTY_ZIP}
        if resource["Type"] == "AWS::Lambda::LayerVersion":
            resource["Properties"]["Content"] = {"ZipFile": _EMPTY_ZIP}
    return translated, folders


def dependencies(template: Template) -> dict[str, set[str]]:
    """For each resource, those that must exist before it and be deleted after it."""
    names = set(template["Resources"])
    return {
        name: (_references(resource) | set(_listed(resource.get("DependsOn", [])))) & names - {name}
        for name, resource in template["Resources"].items()
    }


def _references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {name for item in value for name in _references(item)}
    if not isinstance(value, dict):
        return set()
    found = {name for item in value.values() for name in _references(item)}
    if isinstance(value.get("Ref"), str):
        found.add(value["Ref"])
    if "Fn::GetAtt" in value:
        attribute = value["Fn::GetAtt"]
        found.add(attribute[0] if isinstance(attribute, list) else attribute.partition(".")[0])
    if "Fn::Sub" in value:
        text = value["Fn::Sub"]
        text = text[0] if isinstance(text, list) else text
        found |= {part.partition("}")[0].partition(".")[0] for part in text.split("${")[1:]}
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
