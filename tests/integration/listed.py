"""How tests look at what `expose:ip` publishes: the parameters as a client reads them, and the verdict on them."""

from __future__ import annotations

import json
from typing import Any

from farm.farm import Farm
from tests.integration.world import become

TAG = "expose:ip"
NAME = "/expose/ecs-expose/granja/conejo"


def parameters(farm: Farm) -> dict[str, list[dict[str, Any]]]:
    """What each of our parameters holds, by name."""
    pages = (
        farm.client("ssm").get_paginator("get_parameters_by_path").paginate(Path="/expose", Recursive=True)
    )
    return {one["Name"]: json.loads(one["Value"]) for page in pages for one in page["Parameters"]}


def entries(farm: Farm, name: str = NAME) -> list[dict[str, Any]]:
    """All of a list, as the README tells clients to read it: NAME, NAME.2 and so on, to the first that is not there."""
    found, number = parameters(farm), 1
    listed: list[dict[str, Any]] = []
    while (part := f"{name}.{number}" if number > 1 else name) in found:
        listed += found[part]
        number += 1
    return listed


def published(farm: Farm, name: str = NAME, family: str = "ipv4") -> list[str]:
    return sorted(entry[family] for entry in entries(farm, name) if family in entry)


def expose(farm: Farm, value: str = "8080", count: int = 2, tag: str = TAG, **more: Any) -> None:
    farm.create_service("conejo", count, tags={tag: value}, **more)
    become(farm, "Active", tag=tag)
