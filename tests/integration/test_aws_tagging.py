"""The tagging API finds ECS services as AWS's does (F§7): the product's sweep lives on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from moto.ecs.models import ecs_backends
from refusals import refused

from farm import seed
from farm.account import client
from farm.aws import ACCOUNT, REGION, ecs
from farm.timeline import Timeline

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient

CLUSTER = "granja"
api: ECSClient = client("ecs")
tagging: ResourceGroupsTaggingAPIClient = client("resourcegroupstaggingapi")


@pytest.fixture(autouse=True)
def definition(timeline: Timeline) -> str:
    api.create_cluster(clusterName=CLUSTER)
    return seed.task_definition(api, "conejo", mode="bridge")


def service(name: str, **tags: str) -> str:
    pairs: Any = [{"key": key, "value": value} for key, value in tags.items()]
    made = api.create_service(
        cluster=CLUSTER, serviceName=name, taskDefinition="conejo", desiredCount=1, tags=pairs
    )
    return made["service"]["serviceArn"]


def found(**asked: Any) -> dict[str, dict[str, str]]:
    """Tags by ARN, of all pages."""
    pages = tagging.get_paginator("get_resources").paginate(ResourceTypeFilters=["ecs:service"], **asked)
    rows = [row for page in pages for row in page["ResourceTagMappingList"]]
    assert len({row["ResourceARN"] for row in rows}) == len(rows)
    return {row["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in row["Tags"]} for row in rows}


def test_tagged_services_are_found_and_others_are_not() -> None:
    tagged = service("conejo", expose="yes")
    service("gallina")
    assert found() == {tagged: {"expose": "yes"}}


def test_filters_go_by_key_and_value() -> None:
    conejo, gallina = service("conejo", expose="a"), service("gallina", expose="b")
    service("perro", other="a")
    assert found(TagFilters=[{"Key": "expose"}]).keys() == {conejo, gallina}
    assert found(TagFilters=[{"Key": "expose", "Values": ["b", "c"]}]).keys() == {gallina}


def test_a_page_has_100_resources() -> None:
    arns = {service(f"conejo-{number:03}", a="1", b="2", c="3") for number in range(103)}
    first = tagging.get_resources(ResourceTypeFilters=["ecs:service"])
    assert len(first["ResourceTagMappingList"]) == 100
    assert found().keys() == arns


def test_the_last_page_has_an_empty_token() -> None:
    service("conejo", expose="yes")
    assert tagging.get_resources(ResourceTypeFilters=["ecs:service"])["PaginationToken"] == ""


def test_services_go_on_being_paged_when_one_goes_in_between() -> None:
    arns = sorted(service(f"conejo-{number}", a="1") for number in range(4))
    asked: Any = {"ResourceTypeFilters": ["ecs:service"], "ResourcesPerPage": 2}
    first = tagging.get_resources(**asked)
    ecs.purge_service(ecs_backends[ACCOUNT][REGION].services[f"{CLUSTER}:conejo-1"])
    second = tagging.get_resources(PaginationToken=first["PaginationToken"], **asked)
    assert [row["ResourceARN"] for row in second["ResourceTagMappingList"]] == arns[2:]


def test_what_was_once_tagged_comes_back_without_tags() -> None:
    """F§7: so an empty row does not mean that the service is there."""
    untagged, deleted = service("conejo", expose="a"), service("gallina", expose="b")
    api.untag_resource(resourceArn=untagged, tagKeys=["expose"])
    api.delete_service(cluster=CLUSTER, service="gallina", force=True)
    assert found() == {untagged: {}, deleted: {}}
    assert found(TagFilters=[{"Key": "expose"}]) == {}


def test_arns_and_filters_exclude_each_other() -> None:
    """F§7."""
    arn = service("conejo", expose="a")
    with refused("InvalidParameterException"):
        tagging.get_resources(ResourceARNList=[arn], TagFilters=[{"Key": "expose"}])


def test_tagging_through_this_api_obeys_the_services_own_rules() -> None:
    """F§2: one resource that refuses does not hold up the others."""
    arn = service("conejo")
    answer = tagging.tag_resources(ResourceARNList=[arn, f"{arn}-gone"], Tags={"expose:dns": "a.b"})
    assert found() == {arn: {"expose:dns": "a.b"}}
    assert answer["FailedResourcesMap"].keys() == {f"{arn}-gone"}
    assert tagging.tag_resources(ResourceARNList=[arn], Tags={"a": "*"})["FailedResourcesMap"].keys() == {arn}
