"""Tags of REST APIs and their stages, in v1's words; they are kept with those of v2."""

from __future__ import annotations

from farm.aws.apigateway import tags
from farm.aws.apigateway.model import Params, Result
from farm.aws.restapis.model import Rest


def get_tags(of: Rest, asked: Params) -> Result:
    return {"tags": tags.get_tags(of.both, {"ResourceArn": asked["resourceArn"]})["Tags"]}


def tag_resource(of: Rest, asked: Params) -> Result:
    return tags.tag_resource(of.both, {"ResourceArn": asked["resourceArn"], "Tags": asked["tags"]})


def untag_resource(of: Rest, asked: Params) -> Result:
    return tags.untag_resource(of.both, {"ResourceArn": asked["resourceArn"], "TagKeys": asked["tagKeys"]})
