"""`expose explain` where all is as the tag asks, and a client outside still waits: who the network lets in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.farm import Farm
from farm.gate import GATE, Fault
from tests.integration.commands import codes, expose, told
from tests.integration.world import become

NAME = "conejo.granja.animales.com"


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual() as farm:
        farm.create_namespace("granja.animales.com")
        farm.run_for(1)
        rules = farm.ec2.describe_security_group_rules(
            Filters=[{"Name": "group-id", "Values": [farm.network.security_group]}]
        )["SecurityGroupRules"]
        if inbound := [rule["SecurityGroupRuleId"] for rule in rules if not rule["IsEgress"]]:
            farm.ec2.revoke_security_group_ingress(
                GroupId=farm.network.security_group, SecurityGroupRuleIds=inbound
            )
        farm.create_service("conejo", 1, tags={"expose:dns": NAME})
        become(farm, "Active")
        yield farm


def let_in(farm: Farm, port: int, source: str) -> None:
    farm.ec2.authorize_security_group_ingress(
        GroupId=farm.network.security_group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": source}]}
        ],
    )


def open_ports(farm: Farm) -> list[str]:
    (task,) = expose(farm, "explain", "granja/conejo", "--json").document["tasks"]
    return task["open"]


def test_that_nobody_gets_in_is_told_although_all_is_as_asked(farm: Farm) -> None:
    status, tag = told(farm, "conejo")
    assert status == 1
    assert (tag["obstacles"], codes(tag["hints"])) == ([], ["NobodyGetsIn"])
    assert "security groups" in tag["hints"][0]["message"]
    assert expose(farm, "plan", "granja/conejo").status == 0


def test_who_gets_in_is_told_by_task(farm: Farm) -> None:
    let_in(farm, 8080, "0.0.0.0/0")
    let_in(farm, 22, "203.0.113.0/24")
    status, tag = told(farm, "conejo")
    assert (status, tag["hints"]) == (0, [])
    assert sorted(open_ports(farm)) == ["tcp 22 to 203.0.113.0/24", "tcp 8080 to the world"]
    assert "tcp 8080 to the world" in expose(farm, "explain", "granja/conejo").said


def test_whoever_may_not_see_the_security_groups_is_told_the_rest(farm: Farm) -> None:
    GATE.faults.append(
        Fault("error", "UnauthorizedOperation", service="ec2", operation="DescribeSecurityGroups")
    )
    answer = expose(farm, "explain", "granja/conejo")
    assert answer.status == 0
    assert "as asked, 1 of 1" in answer.words
    assert open_ports(farm) is None
