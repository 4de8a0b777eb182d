"""Tags of namespaces and services; instances have none (F§3.1)."""

from __future__ import annotations

from farm.aws.cloudmap.model import Params, Refused, Registry, Result

_MOST_TAGS = 50


def put_tags(of: Registry, arn: str, tags: list[dict[str, str]]) -> None:
    merged = of.tags.get(arn, {}) | {tag["Key"]: tag["Value"] for tag in tags}
    check_count(merged, arn)
    of.tags[arn] = merged


def check_count(tags: dict[str, str], arn: str) -> None:
    if len(tags) > _MOST_TAGS:
        raise Refused("TooManyTagsException", f"More than {_MOST_TAGS} tags.", ResourceName=arn)


def tag_resource(of: Registry, asked: Params) -> Result:
    put_tags(of, _known(of, asked["ResourceARN"]), asked["Tags"])
    return {}


def untag_resource(of: Registry, asked: Params) -> Result:
    tags = of.tags.get(_known(of, asked["ResourceARN"]), {})
    for key in asked["TagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags_for_resource(of: Registry, asked: Params) -> Result:
    tags = of.tags.get(_known(of, asked["ResourceARN"]), {})
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _known(of: Registry, arn: str) -> str:
    namespaces, services = of.namespaces.values(), of.services.values()
    if arn in {*(one.arn for one in namespaces), *(one.arn for one in services)}:
        return arn
    raise Refused("ResourceNotFoundException", f"Resource {arn} not found.")
