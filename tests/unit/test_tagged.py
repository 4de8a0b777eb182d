"""Tags as AWS lists them against those remembered: what the list lacks, or still has, is not believed at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from expose.aws import Clients
from expose.model import Identity, Owned
from expose.policy import Limits
from expose.records import Memory, Record
from expose.refusals import NotYet
from expose.tagged import Tagged
from tests.unit.values import ARN, NOW, service

Known = dict[str, tuple[Memory | None, list[Record]]]
TAGS = {"expose:dns": "conejo.granja.animales.com", "team": "animals"}


@pytest.fixture
def aws() -> Iterator[tuple[Tagged, Stubber, Stubber]]:
    clients = Clients()
    tagging, ecs = (boto3.client(name, "eu-west-1") for name in ("resourcegroupstaggingapi", "ecs"))
    vars(clients).update(tagging=tagging, ecs=ecs)
    with Stubber(tagging) as listed, Stubber(ecs) as services:
        yield Tagged(clients, prefix="expose", limits=Limits(), clock=lambda: NOW), listed, services


def arn(number: int = 0) -> str:
    return str(replace(ARN, name=f"conejo-{number}"))


def remembered(*numbers: int, tags: Mapping[str, str] = TAGS) -> Known:
    found: Known = {}
    for number in numbers:
        name = arn(number)
        owned = (Owned(Identity("claim", name), aws_id="x"),)
        found[name] = (
            Memory(service(arn=replace(ARN, name=f"conejo-{number}"), tags=tags)),
            [Record(name, "expose:dns", owned=owned)],
        )
    return found


def lists(stub: Stubber, *numbers: int) -> None:
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    found = [{"ResourceARN": arn(number), "Tags": tags} for number in numbers]
    stub.add_response("get_resources", {"ResourceTagMappingList": found, "PaginationToken": ""})


def knows(stub: Stubber, *numbers: int) -> None:
    tags = [{"key": key, "value": value} for key, value in TAGS.items()]
    found = [{"serviceName": f"conejo-{each}", "status": "ACTIVE", "tags": tags} for each in numbers]
    asked: Any = {"cluster": "granja", "services": ANY, "include": ["TAGS"]}
    stub.add_response("describe_services", {"services": found, "failures": []}, asked)


def found(tagged: Tagged, known: Known) -> list[str]:
    return sorted(work.service for work in tagged.differences(known, known))


def test_what_is_as_remembered_is_not_looked_at(aws: tuple[Tagged, Stubber, Stubber]) -> None:
    tagged, listed, _ = aws
    lists(listed, 0, 1)

    assert found(tagged, remembered(0, 1)) == []


def test_other_tags_and_none_are_looked_at(aws: tuple[Tagged, Stubber, Stubber]) -> None:
    tagged, listed, _ = aws
    lists(listed, 0)

    assert found(tagged, remembered(0, tags={"expose:dns": "before"}) | remembered(1)) == [arn(0), arn(1)]


def test_a_new_service_is_looked_at_and_one_that_ecs_does_not_know_is_not(
    aws: tuple[Tagged, Stubber, Stubber],
) -> None:
    """F§10.4: what is gone may go on being listed, with its tags."""
    tagged, listed, services = aws
    lists(listed, 0, 1)
    knows(services, 1)

    assert found(tagged, {}) == [arn(1)]


def test_new_ones_are_not_looked_at_where_their_cluster_is_gone(
    aws: tuple[Tagged, Stubber, Stubber],
) -> None:
    tagged, listed, services = aws
    lists(listed, 0)
    services.add_client_error("describe_services", "ClusterNotFoundException")

    assert found(tagged, {}) == []


def test_each_new_one_is_looked_at_where_ecs_does_not_say(aws: tuple[Tagged, Stubber, Stubber]) -> None:
    tagged, listed, services = aws
    lists(listed, 0, 1)
    services.add_client_error("describe_services", "AccessDeniedException")

    assert found(tagged, {}) == [arn(0), arn(1)]


MANY = range(20)


def test_a_list_that_lacks_most_of_all_is_wrong_where_ecs_says_that_they_are_tagged(
    aws: tuple[Tagged, Stubber, Stubber],
) -> None:
    tagged, listed, services = aws
    lists(listed)
    knows(services, 0)

    with pytest.raises(NotYet, match="conejo-0"):
        found(tagged, remembered(*MANY))


def test_it_is_right_where_ecs_says_the_same(aws: tuple[Tagged, Stubber, Stubber]) -> None:
    tagged, listed, services = aws
    lists(listed)
    knows(services)

    assert len(found(tagged, remembered(*MANY))) == len(MANY)
