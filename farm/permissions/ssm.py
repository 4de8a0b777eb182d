"""Parameter Store: a call is about parameters by their names; the tags of a new one are allowed on their own (F§7)."""

from __future__ import annotations

from farm.permissions.need import Need, Params, arn, tag_keys


def needs(operation: str, params: Params) -> list[Need]:
    """A name that begins with a slash stands in the ARN without a second one."""
    names = params.get("Names") or [params.get("Name") or params.get("ResourceId") or "*"]
    resources = [_parameter(name) for name in names]
    keys = tag_keys(params)
    found = [Need(f"ssm:{operation}", resource, keys) for resource in resources]
    if keys and operation == "PutParameter":
        found += [Need("ssm:AddTagsToResource", resource, keys) for resource in resources]
    return found


def _parameter(name: str) -> str:
    return "*" if name == "*" else arn("ssm", f"parameter/{name.lstrip('/')}")
