"""REST APIs behave as AWS's (F§5.5): APIs that are found again by their tags, and the tree of resources in each."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused
from rest_apis import Rests, rest

from farm.account import client
from farm.aws import apigateway, restapis
from farm.timeline import Timeline


@pytest.fixture
def world(timeline: Timeline) -> Rests:
    return Rests(timeline)


def paths(world: Rests) -> set[str]:
    return {one["path"] for one in rest.get_resources(restApiId=world.api)["items"]}


def test_an_api_is_found_again_by_its_tags(world: Rests) -> None:
    """F§5.5: names are not unique, tags come with the API in every list."""
    world.new_api(tags={"owner": "me"})
    found = [one["id"] for one in rest.get_rest_apis()["items"] if one["tags"] == {"owner": "me"}]
    assert len(found) == 1
    shown = rest.get_rest_api(restApiId=found[0])
    assert (shown["name"], shown["endpointConfiguration"]["types"]) == ("granja", ["REGIONAL"])
    arn = f"arn:aws:apigateway:eu-west-1::/restapis/{found[0]}"
    rest.tag_resource(resourceArn=arn, tags={"more": "1"})
    rest.untag_resource(resourceArn=arn, tagKeys=["owner"])
    assert rest.get_tags(resourceArn=arn)["tags"] == {"more": "1"}
    tagged = client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "more"}])
    assert [one["ResourceARN"] for one in tagged["ResourceTagMappingList"]] == [arn]


def test_lists_come_in_pages(world: Rests) -> None:
    """F§5.5: 25 unless said otherwise, and the position of the rest."""
    for number in range(26):
        world.new_api(f"api-{number}")
    first = rest.get_rest_apis()
    rest_of_them = rest.get_rest_apis(position=first["position"])
    assert (len(first["items"]), len(rest_of_them["items"])) == (25, 2)
    assert "position" not in rest_of_them
    for number in range(4):
        world.resource(f"r{number}")
    few = rest.get_resources(restApiId=world.api, limit=3)
    assert (len(few["items"]), "position" in few) == (3, True)
    for name in ("a", "b"):
        world.pools(name)
    assert "position" in rest.get_authorizers(restApiId=world.api, limit=1)
    with refused("BadRequestException"):
        rest.get_rest_apis(position="nonsense!")


def test_an_api_goes_with_all_that_is_in_it(world: Rests) -> None:
    world.ready()
    world.deploy("prod")
    rest.delete_rest_api(restApiId=world.api)
    assert rest.get_rest_apis()["items"] == []
    assert not restapis.apis()
    assert not [arn for arn in apigateway.tags_by_arn() if "restapis" in arn]
    for call, more in (
        (rest.get_rest_api, {}),
        (rest.get_resources, {}),
        (rest.delete_rest_api, {}),
        (rest.get_stage, {"stageName": "prod"}),
    ):
        with refused("NotFoundException") as answer:
            call(restApiId=world.api, **more)
        assert answer["Error"]["Message"] == f"Invalid API identifier specified 123456789012:{world.api}"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_who_serves_hears_of_apis_that_come_and_go(world: Rests) -> None:
    told: list[int] = []
    apigateway.settings().changed = lambda: told.append(1)
    api = world.new_api()
    assert len(told) == 1
    rest.delete_rest_api(restApiId=api)
    assert len(told) == 2


def test_resources_are_a_tree(world: Rests) -> None:
    orders = world.resource("orders")
    proxy = world.resource("{proxy+}", orders)
    assert paths(world) == {"/", "/orders", "/orders/{proxy+}"}
    found = rest.get_resource(restApiId=world.api, resourceId=proxy)
    assert (found["parentId"], found["pathPart"], "resourceMethods" in found) == (orders, "{proxy+}", False)


def test_methods_are_shown_whole_when_asked_for(world: Rests) -> None:
    """embed=methods: with integrations; otherwise names only."""
    orders = world.ready("orders")

    def methods(**asked: Any) -> Any:
        items = rest.get_resources(restApiId=world.api, **asked)["items"]
        return next(one for one in items if one["id"] == orders)["resourceMethods"]

    assert methods() == {"ANY": {}}
    whole = methods(embed=["methods"])["ANY"]
    assert whole["authorizationType"] == "NONE"
    assert whole["methodIntegration"]["uri"] == "http://orders.internal/orders"


def test_one_name_under_one_parent(world: Rests) -> None:
    """ConflictException 409; the same name elsewhere is another resource."""
    orders = world.resource("orders")
    world.resource("orders", orders)
    with refused("ConflictException") as answer:
        world.resource("orders")
    assert answer["Error"]["Message"] == "Another resource with the same parent already has this name: orders"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 409


@pytest.mark.parametrize("second", ["{id}", "{proxy+}"])
def test_one_variable_among_siblings(world: Rests, second: str) -> None:
    world.resource("{name}")
    with refused("BadRequestException") as answer:
        world.resource(second)
    assert "already has a variable path part -- only one is allowed" in answer["Error"]["Message"]
    assert paths(world) == {"/", "/{name}"}


@pytest.mark.parametrize("part", ["a/b", "a b", "{a", "{a+}b", ""])
def test_a_path_part_is_one_segment(world: Rests, part: str) -> None:
    with refused("BadRequestException"):
        world.resource(part)
    with refused("BadRequestException"):
        world.resource("below", world.resource("{proxy+}"))


def test_a_resource_goes_with_all_below_it(world: Rests) -> None:
    orders = world.resource("orders")
    world.resource("{proxy+}", orders)
    world.resource("orders2")
    rest.delete_resource(restApiId=world.api, resourceId=orders)
    assert paths(world) == {"/", "/orders2"}
    with refused("NotFoundException"):
        rest.delete_resource(restApiId=world.api, resourceId=orders)
    with refused("BadRequestException"):
        rest.delete_resource(restApiId=world.api, resourceId=world.root)


def test_an_api_is_changed_by_one_at_a_time(world: Rests, timeline: Timeline) -> None:
    """F§5.1: 409 when an API is changed in parallel."""
    restapis.settings().busy = 1.0
    world.resource("a")
    with refused("ConflictException") as answer:
        world.resource("b")
    assert "concurrent modification" in answer["Error"]["Message"]
    timeline.run_for(1)
    world.resource("b")


def test_three_hundred_resources_are_all(world: Rests) -> None:
    restapis.settings().most_resources = 2
    world.resource("a")
    with refused("LimitExceededException") as answer:
        world.resource("b")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
