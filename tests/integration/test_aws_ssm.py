"""Parameter Store on the farm, as far as lists of addresses need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from farm.timeline import Timeline
from tests.integration.refusals import refused

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

NAME = "/expose/corral/granja/conejo"
TAGS = [{"Key": "ecs-expose:owner", "Value": "corral/granja/conejo/expose:ip"}]


@pytest.fixture
def ssm(timeline: Timeline) -> SSMClient:
    return boto3.client("ssm")


def put(ssm: SSMClient, value: str = "[]", name: str = NAME, **more: object) -> None:
    ssm.put_parameter(**{"Name": name, "Value": value, "Type": "String", **more})  # type: ignore[arg-type]  # a dict


def test_a_standard_parameter_holds_4_kb_and_no_byte_more(ssm: SSMClient) -> None:
    put(ssm, "a" * 4096)
    with refused("ValidationException"):
        put(ssm, "a" * 4097, Overwrite=True)
    with refused("ValidationException"):
        put(ssm, "ñ" * 2049, Overwrite=True)
    assert ssm.get_parameter(Name=NAME)["Parameter"]["Value"] == "a" * 4096


@pytest.mark.parametrize("name", ["/expose/a b", "/expose/a:b", "/expose//a", "/a" * 16, "/aws/a", "/ssm/a"])
def test_a_name_is_a_path_of_letters_digits_and_three_signs(ssm: SSMClient, name: str) -> None:
    with pytest.raises(ssm.exceptions.ClientError):
        put(ssm, name=name)


def test_tags_come_with_a_new_parameter_only(ssm: SSMClient) -> None:
    put(ssm, Tags=TAGS)
    with refused("ValidationException"):
        put(ssm, Tags=TAGS, Overwrite=True)
    with refused("ParameterAlreadyExists"):
        put(ssm, "other")
    put(ssm, "other", Overwrite=True)
    assert ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"] == TAGS


def test_what_is_not_there_has_no_tags_and_is_left_out_of_an_answer(ssm: SSMClient) -> None:
    with refused("InvalidResourceId"):
        ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)
    with refused("ParameterNotFound"):
        ssm.delete_parameter(Name=NAME)
    answer = ssm.get_parameters(Names=[NAME])
    assert (answer["Parameters"], answer["InvalidParameters"]) == ([], [NAME])


def test_a_name_that_was_deleted_comes_back_without_its_tags(ssm: SSMClient) -> None:
    put(ssm, Tags=TAGS)
    ssm.delete_parameter(Name=NAME)
    put(ssm)
    assert ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"] == []
