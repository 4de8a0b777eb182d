"""The audit: what is open is told once, and once more when it is closed; nobody with a public address is overlooked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from farm.farm import Farm
from farm.figures.auditing import audit_calls
from farm.functions import FunctionError
from farm.gate import GATE, Fault
from tests.integration.listed import published
from tests.integration.world import become, status

WORLD, OFFICE = "0.0.0.0/0", "198.51.100.0/24"


@contextmanager
def audited(value: str = "8080", count: int = 2, **setup: Any) -> Iterator[Farm]:
    """A farm on which `conejo` publishes its tasks' addresses, and whose audits are by hand."""
    setup["parameters"] = {"AuditMinutes": "1440", **setup.get("parameters", {})}
    with Farm.virtual(**setup) as farm:
        farm.create_service("conejo", count, tags={"expose:ip": value})
        become(farm, "Active", tag="expose:ip")
        farm.run_for(5)
        yield farm


def let_in(farm: Farm, port: int, source: str = WORLD, *, group: str = "") -> Callable[[], None]:
    """Open a port of the tasks' security group; the returned function closes it."""
    rule: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    rule |= {"Ipv6Ranges": [{"CidrIpv6": source}]} if ":" in source else {"IpRanges": [{"CidrIp": source}]}
    asked: dict[str, Any] = {
        "GroupId": group or farm.network.security_group,
        "IpPermissions": [rule],
    }
    farm.ec2.authorize_security_group_ingress(**asked)
    return lambda: farm.ec2.revoke_security_group_ingress(**asked) and None


def audit(farm: Farm) -> list[Mapping[str, Any]]:
    """What one audit tells."""
    before = len(farm.published("Public Address Audit"))
    assert farm.lambdas is not None
    farm.lambdas.invoke("audit", {})
    farm.run_for(2)
    return [event["detail"] for event in farm.published("Public Address Audit")[before:]]


def said(details: list[Mapping[str, Any]]) -> list[tuple[str, str, str, list[int]]]:
    return [(each["state"], each["grade"], each["kind"], each["ports"]) for each in details]


def kept(farm: Farm) -> dict[str, str]:
    """What the ledger has open: the worst grade of each subject."""
    return {
        item["pk"].removeprefix("AUDIT#"): item["grade"]
        for item in farm.ledger()
        if item["pk"].startswith("AUDIT#")
    }


def test_what_is_open_is_told_once_and_when_it_is_closed() -> None:
    with audited() as farm:
        let_in(farm, 8080)
        close = let_in(farm, 22)
        told = audit(farm)
        assert said(told) == [
            ("open", "critical", "open-to-world", [22, 22]),
            ("open", "info", "open-to-world", [8080, 8080]),
        ]
        worst = told[0]
        assert worst["service"] == farm.arn("conejo")
        assert (worst["sources"], worst["groups"]) == ([WORLD], [farm.network.security_group])
        assert worst["addresses"] == farm.addresses("conejo")
        assert len(worst["tasks"]) == 2
        assert (worst["declared"], worst["protocol"], worst["family"]) == (False, "tcp", 4)
        assert kept(farm) == {farm.arn("conejo"): "critical"}
        assert audit(farm) == []
        close()
        closed = audit(farm)
        assert said(closed) == [("closed", "critical", "open-to-world", [22, 22])]
        assert (closed[0]["id"], closed[0]["since"]) == (worst["id"], worst["since"])
        assert kept(farm) == {farm.arn("conejo"): "info"}


def test_a_finding_is_the_same_whichever_tasks_show_it() -> None:
    with audited() as farm:
        let_in(farm, 22)
        first = audit(farm)
        farm.deploy_new_revision("conejo")
        farm.run_for(200)
        assert audit(farm) == []
        farm.ec2.revoke_security_group_ingress(
            GroupId=farm.network.security_group,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": WORLD}]}
            ],
        )
        (closed,) = [each for each in audit(farm) if each["state"] == "closed"]
        assert closed["id"] in {each["id"] for each in first}
        assert closed["addresses"] == farm.addresses("conejo")


def test_a_range_is_less_than_the_world_and_ipv6_is_looked_at_apart() -> None:
    with audited(ipv6=True) as farm:
        let_in(farm, 8080)
        let_in(farm, 22, OFFICE)
        let_in(farm, 5432, "::/0")
        told = {(each["ports"][0], each["family"]): each["grade"] for each in audit(farm)}
        assert told == {(8080, 4): "info", (22, 4): "medium", (5432, 6): "critical"}


def test_what_is_declared_and_reached_by_nobody_is_told() -> None:
    with audited() as farm:
        assert said(audit(farm)) == [("open", "low", "unreachable", [8080, 8080])]
        let_in(farm, 8080)
        assert [state for state, *_ in said(audit(farm))] == ["open", "closed"]


def test_a_service_that_is_exposed_no_more_has_no_findings_any_more() -> None:
    with audited() as farm:
        let_in(farm, 22)
        audit(farm)
        farm.untag("conejo", "expose:ip")
        become(farm, "", tag="expose:ip")
        assert {each["state"] for each in audit(farm)} == {"closed"}
        assert kept(farm) == {}


def test_the_port_of_a_name_is_declared_by_the_name() -> None:
    with Farm.virtual(parameters={"AuditMinutes": "1440"}) as farm:
        farm.create_namespace("granja.animales.com")
        farm.run_for(5)
        farm.create_service("conejo", 1, tags={"expose:dns": "conejo.granja.animales.com"})
        become(farm, "Active")
        let_in(farm, 8080)
        let_in(farm, 9090)
        assert said(audit(farm)) == [
            ("open", "high", "open-to-world", [9090, 9090]),
            ("open", "info", "open-to-world", [8080, 8080]),
        ]


@pytest.mark.parametrize("every", ["no", "yes"])
def test_untagged_tasks_are_found_where_all_are_audited(every: str) -> None:
    with audited(parameters={"AuditAll": every}) as farm:
        let_in(farm, 8080)
        audit(farm)
        farm.create_service("zorro", 2)
        farm.ecs.run_task(
            cluster=farm.cluster,
            taskDefinition="zorro",
            launchType="FARGATE",
            networkConfiguration=farm.network.configuration(public=True),
        )
        farm.create_service("gallina", 1, public=False)
        farm.run_for(60)
        told = audit(farm)
        whose = {farm.arn("zorro"), f"{farm.cluster}/family:zorro"}
        assert {each["service"] for each in told} == (whose if every == "yes" else set())
        assert set(kept(farm)) == {farm.arn("conejo"), *(whose if every == "yes" else ())}
        kinds = {(each["kind"], each["grade"]) for each in told}
        assert kinds == ({("public-address", "low"), ("open-to-world", "high")} if every == "yes" else set())
        assert audit(farm) == []
        farm.delete_service("zorro")
        farm.run_for(120)
        assert {each["state"] for each in audit(farm)} == ({"closed"} if every == "yes" else set())


def test_the_trail_of_untagged_tasks_is_kept_by_the_audit() -> None:
    with audited(parameters={"AuditAll": "yes"}) as farm:
        farm.create_service("zorro", 1)
        farm.run_for(60)
        (address,) = farm.addresses("zorro")
        audit(farm)
        (item,) = [each for each in farm.trail() if each["pk"] == address]
        assert (item["service"], "until" in item) == (farm.arn("zorro"), False)
        farm.scale("zorro", 0)
        farm.run_for(120)
        audit(farm)
        (item,) = [each for each in farm.trail() if each["pk"] == address]
        assert item["until"] > item["since"]
        assert "expires" in item


def test_clusters_that_are_not_allowed_are_not_looked_at() -> None:
    with audited(parameters={"AuditAll": "yes", "AllowedClusters": "granja"}) as farm:
        farm.ecs.create_cluster(clusterName="corral")
        farm.create_service("zorro", 1, cluster="corral")
        farm.run_for(60)
        assert {each["service"] for each in audit(farm)} == {farm.arn("conejo")}


def test_a_cluster_that_cannot_be_read_closes_nothing_there() -> None:
    with audited(parameters={"AuditAll": "yes"}) as farm:
        farm.create_service("zorro", 1)
        farm.run_for(60)
        audit(farm)
        GATE.faults.append(Fault("error", code="ServerException", service="ecs", operation="DescribeTasks"))
        let_in(farm, 22)
        assert {(each["service"], each["state"]) for each in audit(farm)} == {(farm.arn("conejo"), "open")}
        assert farm.arn("zorro") in kept(farm)


def test_ec2_not_answering_closes_nothing_and_is_seen_as_a_failure() -> None:
    with audited() as farm:
        let_in(farm, 22)
        audit(farm)
        GATE.faults.append(Fault("error", code="UnauthorizedOperation", operation="DescribeSecurityGroups"))
        with pytest.raises(FunctionError):
            audit(farm)
        assert kept(farm) == {farm.arn("conejo"): "critical"}


def test_a_guarded_service_is_looked_at_as_soon_as_the_audit_finds_a_change() -> None:
    with audited("8080 guard=enforce", parameters={"VerifyMinutes": "1440"}) as farm:
        before = published(farm)
        close = let_in(farm, 22)
        audit(farm)
        become(farm, "Blocked", tag="expose:ip")
        assert status(farm, tag="expose:ip")["code"] == "WorldOpen"
        assert published(farm) == []
        close()
        audit(farm)
        become(farm, "Active", tag="expose:ip", limit=10)
        assert published(farm) == before


def test_findings_are_counted_by_grade_in_every_audit() -> None:
    with audited() as farm:
        let_in(farm, 22)
        audit(farm)
        audit(farm)
        metrics = [line for line in farm.logs["audit"] if "AuditFindingsCritical" in line]
        assert len(metrics) == 2
        assert all('"AuditFindingsCritical":[1.0]' in each for each in metrics)
        assert all('"AuditFindingsHigh":[0.0]' in each for each in metrics)


def test_it_runs_by_the_clock() -> None:
    with audited(parameters={"AuditMinutes": "2"}) as farm:
        let_in(farm, 22)
        farm.run_for(130)
        assert farm.published("Public Address Audit")[0]["detail"]["grade"] == "critical"


@pytest.mark.parametrize("every", [False, True])
def test_it_costs_as_many_looks_at_networks_for_many_services_as_for_few(every: bool) -> None:
    """EC2 is asked in bulk; of the rest only our own books grow with the services."""
    few, many = audit_calls(2, 1, every=every), audit_calls(6, 3, every=every)
    looks = {name: count for name, count in few.items() if name.startswith(("ec2:", "ecs:"))}
    assert looks == {name: count for name, count in many.items() if name.startswith(("ec2:", "ecs:"))}
    assert looks["ec2:DescribeSecurityGroups"] == looks["ec2:DescribeNetworkAcls"] == 1
    assert sum(looks.values()) <= (8 if every else 5)
