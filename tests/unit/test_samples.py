"""Every rule has samples in events/, every sample is listed here, and each matches exactly the rules that it should."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest

from farm.aws.patterns import check, matches
from tests.unit.stack import ROOT, stack

EVENTS = ROOT / "events"

RULES = {
    "task-running": "TaskRule",
    "task-running-bridge": "TaskRule",
    "task-running-native": "TaskRule",
    "task-stop-decided": "TaskRule",
    "task-stopped": "TaskRule",
    "task-died": "TaskRule",
    "deployment-in-progress": "DeploymentRule",
    "deployment-completed": "DeploymentRule",
    "deployment-failed": "DeploymentRule",
    "tag-added": "TagRule",
    "tag-changed": "TagRule",
    "tag-removed": "TagRule",
    "call-tag-resource": "ApiCallRule",
    "call-untag-resource": "ApiCallRule",
    "call-create-service": "ApiCallRule",
    "call-create-express-service": "ApiCallRule",
    "call-update-express-service": "ApiCallRule",
    "call-delete-express-service": "ApiCallRule",
    "call-update-service": "ApiCallRule",
    "call-delete-service": "ApiCallRule",
    "tagging-tag-resources": "TaggingCallRule",
    "tagging-untag-resources": "TaggingCallRule",
}
CLOCKS = {"audit-clock"}
PUBLISHED = {"published-public-address-audit", "published-stale-address-withdrawn"}
NO_RULE = {
    "task-pending",
    "task-standalone",
    "tag-of-others",
    "call-failed",
    "tagging-of-others",
    "clock",
    *CLOCKS,
    *PUBLISHED,
}
NO_EVENT = {"work-batch", "later-batch", "exposures-create", "exposures-update", "exposures-delete"}


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def rules() -> dict[str, Any]:
    # The tokens that stand for what AWS knows, as the samples have it.
    text = json.dumps(stack().rules())
    for token, value in {"Partition": "aws", "Region": "eu-west-1", "AccountId": "123456789012"}.items():
        text = text.replace(f"<AWS::{token}>", value)
    patterns: dict[str, Any] = json.loads(text)
    return patterns


def test_the_patterns_are_legal_and_need_nothing_else_from_aws(rules: dict[str, Any]) -> None:
    for pattern in rules.values():
        check(pattern)
        assert "<" not in json.dumps(pattern)


def test_every_sample_is_listed_and_every_listed_one_is_there() -> None:
    assert {path.stem for path in EVENTS.iterdir()} == {*RULES, *NO_RULE, *NO_EVENT}


def test_every_rule_has_a_sample(rules: dict[str, Any]) -> None:
    assert set(rules) == set(RULES.values())


def test_every_word_that_a_rule_waits_for_is_in_a_sample(rules: dict[str, Any]) -> None:
    calls = {sample(name)["detail"]["eventName"] for name, rule in RULES.items() if rule.endswith("CallRule")}
    assert calls == {name for rule in rules.values() for name in rule.get("detail", {}).get("eventName", [])}


@pytest.mark.parametrize("name", [*RULES, *sorted(NO_RULE)])
def test_a_sample_wakes_its_rule_and_no_other(name: str, rules: dict[str, Any]) -> None:
    woken = [rule for rule, pattern in rules.items() if matches(pattern, sample(name))]

    assert woken == ([RULES[name]] if name in RULES else [])


@pytest.mark.parametrize("status", ["PROVISIONING", "PENDING", "ACTIVATING"])
def test_a_task_on_its_way_up_costs_nothing(status: str, rules: dict[str, Any]) -> None:
    event = sample("task-pending")
    event["detail"]["lastStatus"] = status

    assert not any(matches(pattern, event) for pattern in rules.values())


@pytest.mark.parametrize("status", ["RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"])
def test_a_task_that_will_stop_is_heard_of_whatever_it_still_does(status: str, rules: dict[str, Any]) -> None:
    event = sample("task-stop-decided")
    event["detail"]["lastStatus"] = status

    assert matches(rules["TaskRule"], event)


def test_the_rule_for_tags_follows_the_prefix() -> None:
    event = sample("tag-added")

    assert not matches(stack(TagPrefix="show").rules()["TagRule"], event)


@pytest.mark.parametrize("name", sorted({*RULES, *NO_RULE}))
def test_an_event_has_eventbridge_s_envelope(name: str) -> None:
    event = sample(name)

    assert set(event) == {
        "version",
        "id",
        "detail-type",
        "source",
        "account",
        "time",
        "region",
        "resources",
        "detail",
    }
    assert event["version"] == "0"
    assert (event["account"], event["region"]) == ("123456789012", "eu-west-1")


@pytest.mark.parametrize("name", sorted(name for name in [*RULES, *NO_RULE] if name.startswith("task-")))
def test_a_task_event_has_ecs_s_shape(name: str) -> None:
    """F§1.2: casing, the long ARNs, 32 hexadecimal digits, timestamps as text."""
    event = sample(name)
    task = event["detail"]

    assert event["resources"] == [task["taskArn"]]
    assert re.fullmatch(r"arn:aws:ecs:eu-west-1:123456789012:task/granja/[0-9a-f]{32}", task["taskArn"])
    assert all(isinstance(task[at], str) for at in task if at.endswith("At"))
    for attachment in (one for one in task["attachments"] if one["type"] == "eni"):
        assert "privateIPv4Address" in {detail["name"] for detail in attachment["details"]}
        assert "privateIpv4Address" in task["containers"][0]["networkInterfaces"][0]


def test_the_interface_does_not_stand_first_where_ecs_registers_the_task_itself() -> None:
    """F§1.2: `elb` and `sdi` attachments come before the `eni`."""
    attachments = sample("task-running-native")["detail"]["attachments"]

    assert [one["type"] for one in attachments] == ["sdi", "elb", "eni"]


def test_the_service_stands_in_the_field_of_its_call() -> None:
    """F§1.4: `serviceName` for CreateService, `service` for the others."""
    created = sample("call-create-service")["detail"]

    assert created["requestParameters"]["serviceName"] == "gallina"
    assert created["responseElements"]["service"]["serviceArn"].endswith(":service/granja/gallina")
    for name in ("call-update-service", "call-delete-service"):
        assert "service" in sample(name)["detail"]["requestParameters"]


@pytest.mark.parametrize("name", ["work-batch", "later-batch"])
def test_a_batch_has_the_digests_and_attributes_that_sqs_sends(name: str) -> None:
    for record in sample(name)["Records"]:
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()
        assert ("MessageGroupId" in record["attributes"]) is record["eventSourceARN"].endswith(".fifo")


def test_the_work_batch_has_two_messages_of_one_service_and_one_that_nobody_can_read() -> None:
    records = sample("work-batch")["Records"]
    groups = [record["attributes"]["MessageGroupId"] for record in records]
    unreadable = [record for record in records if not record["body"].startswith('{"service"')]

    assert len(set(groups)) < len(groups)
    assert len(unreadable) == 1


@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_the_custom_resource_is_asked_in_cloudformation_s_way(kind: str) -> None:
    request = sample(f"exposures-{kind.lower()}")

    assert request["RequestType"] == kind
    assert request["ResourceType"] == stack().resources[request["LogicalResourceId"]]["Type"]
    assert ("PhysicalResourceId" in request) is (kind != "Create")
