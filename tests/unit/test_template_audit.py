"""template.yaml's part in public addresses: who may look, what is watched, what is told."""

from __future__ import annotations

import json

import pytest

from tests.unit.stack import FUNCTIONS, Stack, listed, placed, stack


@pytest.fixture(scope="module")
def deployed() -> Stack:
    return stack()


def test_the_audit_and_the_sweep_write_little_in_the_ledger() -> None:
    """Findings; and the sweep whose turn it is, and that something was left behind for a service."""
    writes = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
    keys = {
        role: [
            (keys["dynamodb:LeadingKeys"], writes & set(listed(one["Action"])))
            for one in stack(GuardZones="Z0").statements(role)
            if writes & set(listed(one["Action"])) and one["Resource"] == "<Ledger.Arn>"
            for keys in one["Condition"].values()
        ]
        for role in ("AuditRole", "SweepRole")
    }

    findings = (["AUDIT#*"], {"dynamodb:PutItem", "dynamodb:DeleteItem"})
    orphans, turns = (
        (["SERVICE#*", "PIECE#*"], {"dynamodb:UpdateItem"}),
        (["SWEEP"], {"dynamodb:UpdateItem", "dynamodb:DeleteItem"}),
    )
    assert keys == {"AuditRole": [findings], "SweepRole": [findings, orphans, turns]}


def test_the_trail_is_written_where_tasks_are_followed_and_never_read_as_a_whole(deployed: Stack) -> None:
    may = {
        name: {
            action
            for one in deployed.statements(f"{name}Role")
            if "<Trail.Arn>" in listed(one["Resource"])
            for action in listed(one["Action"])
        }
        for name in FUNCTIONS
    }

    assert may == {
        "Notify": set(),
        "Withdraw": {"dynamodb:UpdateItem"},
        "Reconcile": {"dynamodb:UpdateItem"},
        "Sweep": {"dynamodb:Query"},
        "Audit": {"dynamodb:UpdateItem"},
        "Cleanup": set(),
    }


def test_neither_changes_anything_in_the_account() -> None:
    deployed = stack(AuditAll="yes", GuardZones="Z0123456789ABC")
    own = ("dynamodb:", "sqs:", "events:", "logs:")
    for role in ("AuditRole", "SweepRole"):
        others = {action for action in deployed.actions(role) if not action.startswith(own)}
        assert {action.partition(":")[2][:4] for action in others} <= {"Desc", "List", "GetR", "GetM"}


def test_only_the_zones_to_watch_are_read() -> None:
    (read,) = (
        one
        for one in placed(GuardZones="Z0123456789ABC,Z0DEF").statements("SweepRole")
        if "route53:ListResourceRecordSets" in listed(one["Action"])
    )

    assert read["Resource"] == [f"arn:*:route53:::hostedzone/{zone}" for zone in ("Z0123456789ABC", "Z0DEF")]


@pytest.mark.parametrize("action", ["ecs:ListTasks", "ecs:DescribeTasks"])
def test_tasks_are_counted_in_the_allowed_clusters_only(action: str) -> None:
    (condition,) = (
        one["Condition"]
        for one in stack(AuditAll="yes", AllowedClusters="granja,prod-*").statements("AuditRole")
        if action in listed(one["Action"])
    )

    assert condition == {"StringLike": {"ecs:cluster": ["*:cluster/granja", "*:cluster/prod-*"]}}


def test_a_stale_address_a_critical_finding_a_failed_part_and_a_service_in_trouble_are_alarms(
    deployed: Stack,
) -> None:
    alarms = deployed.of("AWS::CloudWatch::Alarm").values()
    ours = {one["MetricName"]: one for one in alarms if one["Namespace"] == "ecs-expose"}

    assert set(ours) == {"StaleAddresses", "AuditFindingsCritical", "TroubledFor", "SweepPartsFailed"}
    service = deployed.properties("Sweep")["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    for alarm in ours.values():
        assert alarm["Dimensions"] == [{"Name": "service", "Value": service}]
    thresholds = {name: (one["ComparisonOperator"], one["Threshold"]) for name, one in ours.items()}
    assert thresholds.pop("TroubledFor") == ("GreaterThanOrEqualToThreshold", 900)
    assert set(thresholds.values()) == {("GreaterThanThreshold", 0)}


def test_open_findings_are_drawn_by_grade(deployed: Stack) -> None:
    drawn = json.loads(deployed.properties("Dashboard")["DashboardBody"])
    metrics = {
        line[1] for widget in drawn["widgets"] for line in widget["properties"]["metrics"] if len(line) > 1
    }

    assert {f"AuditFindings{grade}" for grade in ("Critical", "High", "Medium", "Low")} <= metrics
    assert "StaleAddresses" in metrics


def test_nothing_is_read_of_ecs_where_only_tagged_services_are_audited(deployed: Stack) -> None:
    assert not [action for action in deployed.actions("AuditRole") if action.startswith("ecs:")]
