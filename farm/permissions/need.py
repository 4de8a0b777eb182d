"""One permission that a call asks for, and how the ARNs in it are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from farm.aws import ACCOUNT, REGION

Params = Mapping[str, Any]
Keys = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Need:
    """One action on one resource, with what conditions may ask about the request."""

    action: str
    resource: str = "*"
    keys: Keys = field(default_factory=dict)


def arn(service: str, resource: str) -> str:
    return resource if resource.startswith("arn:") else f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def named(service: str, kind: str, name: str) -> str:
    """An ARN given as it is, or made of a bare name or id."""
    return name if name.startswith("arn:") else arn(service, f"{kind}/{name}")


def tag_keys(params: Params) -> dict[str, list[str]]:
    """What conditions may ask about the tags that a request brings."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in params.get("Tags") or ()}
    asked = {f"aws:RequestTag/{key}": [value] for key, value in tags.items()}
    return {**asked, "aws:TagKeys": list(tags)} if tags else {}


def ec2(operation: str, resource: str = "*") -> Need:
    return Need(f"ec2:{operation}", resource, {"ec2:Region": [REGION]})
