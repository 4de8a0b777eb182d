"""`expose findings`: what the audit has found open, the worst first, until it is closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.farm import Farm
from tests.integration.commands import expose
from tests.integration.world import become

NAME = "conejo.granja.animales.com"
AUDIT = 400  # seconds, in which at least one audit falls


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual() as farm:
        farm.create_namespace("granja.animales.com")
        farm.run_for(1)
        farm.create_service("conejo", 2, tags={"expose:dns": NAME})
        become(farm, "Active")
        yield farm


def opening(farm: Farm, port: int) -> dict[str, object]:
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    return {"GroupId": farm.network.security_group, "IpPermissions": [rule]}


def test_what_was_opened_to_the_world_is_found_and_gone_when_it_is_closed(farm: Farm) -> None:
    farm.ec2.authorize_security_group_ingress(**opening(farm, 22))
    farm.run_for(AUDIT)
    answer = expose(farm, "findings")
    assert answer.status == 1
    for said in ("critical", "granja/conejo", "22", *farm.addresses("conejo")):
        assert said in answer.said
    found = [each for each in expose(farm, "findings", "--json").document if each["ports"] == [22, 22]]
    assert [(each["grade"], each["service"]) for each in found] == [("critical", farm.arn("conejo"))]
    assert sorted(found[0]["addresses"]) == farm.addresses("conejo")

    farm.ec2.revoke_security_group_ingress(**opening(farm, 22))
    farm.run_for(AUDIT)
    after = expose(farm, "findings", "--json")
    assert after.status == 0
    assert [each for each in after.document if each["ports"] == [22, 22]] == []


def test_the_worst_comes_first_and_lower_grades_can_be_left_out(farm: Farm) -> None:
    for port in (9999, 22):
        farm.ec2.authorize_security_group_ingress(**opening(farm, port))
    farm.run_for(AUDIT)
    grades = [each["grade"] for each in expose(farm, "findings", "--json").document]
    assert grades[:2] == ["critical", "high"]
    only = expose(farm, "findings", "--grade", "critical", "--json").document
    assert {each["grade"] for each in only} == {"critical"}


def test_where_nothing_is_open_nothing_is_found(farm: Farm) -> None:
    answer = expose(farm, "findings", "--grade", "medium")
    assert (answer.status, answer.said[:14]) == (0, "Nothing found.")


def test_a_grade_that_is_none_is_an_error_that_lists_them(farm: Farm) -> None:
    answer = expose(farm, "findings", "--grade", "worse")
    assert answer.status == 2
    assert "critical, high, medium, low, info" in answer.complained
