"""Tags of APIs, stages, VPC Links and domain names: nothing else of API Gateway has any (F§5.2)."""

from __future__ import annotations

from collections.abc import Iterator

from moto.apigatewayv2.models import ApiGatewayV2Backend
from moto.core.resource_tagging import TaggedResource

from farm.aws import REGION
from farm.aws.apigateway.model import Gateway, Params, Refused, Result, gateway, gateway_of, invalid

_MOST = 50


def tags_by_arn(region: str = REGION) -> dict[str, dict[str, str]]:
    """Of all that can have tags, also of what has none."""
    return gateway(region).tags


def get_tags(of: Gateway, asked: Params) -> Result:
    return {"Tags": dict(_tags(of, asked["ResourceArn"]))}


def tag_resource(of: Gateway, asked: Params) -> Result:
    _add(of, asked["ResourceArn"], asked.get("Tags", {}))
    return {}


def untag_resource(of: Gateway, asked: Params) -> Result:
    _take(of, asked["ResourceArn"], asked["TagKeys"])
    return {}


def iter_tagged_resources(self: ApiGatewayV2Backend) -> Iterator[TaggedResource]:
    """For the tagging API: `apigateway:apis`, `apigateway:vpclinks` and `apigateway:domainnames`, stages with APIs."""
    for arn, tags in list(gateway_of(self).tags.items()):
        kind = arn.partition("::/")[2].partition("/")[0]
        yield TaggedResource(arn, dict(tags), f"apigateway:{kind}")


def add_tags(self: ApiGatewayV2Backend, resource_arn: str, tags: dict[str, str]) -> None:
    _add(gateway_of(self), resource_arn, tags)


def take_tags(self: ApiGatewayV2Backend, resource_arn: str, tag_keys: list[str]) -> None:
    _take(gateway_of(self), resource_arn, tag_keys)


def _add(of: Gateway, arn: str, tags: dict[str, str]) -> None:
    present = _tags(of, arn)
    if len(present.keys() | tags.keys()) > _MOST:
        raise invalid(f"A resource can have at most {_MOST} tags")
    present.update(tags)


def _take(of: Gateway, arn: str, keys: list[str]) -> None:
    present = _tags(of, arn)
    for key in keys:
        present.pop(key, None)


def _tags(of: Gateway, arn: str) -> dict[str, str]:
    if (found := of.tags.get(arn)) is None:
        raise Refused("NotFoundException", f"Invalid resource identifier specified {arn}")
    return found
