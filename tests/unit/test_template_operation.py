"""template.yaml as somebody runs it: watched, and built and deployed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.unit.stack import FUNCTIONS, ROOT, Stack, source, stack


@pytest.fixture(scope="module")
def deployed() -> Stack:
    return stack()


# --- watching --------------------------------------------------------------------------------------------------------


def test_every_function_and_every_dead_letter_queue_has_an_alarm(deployed: Stack) -> None:
    watched = {
        (alarm["MetricName"], alarm["Dimensions"][0]["Value"])
        for alarm in deployed.of("AWS::CloudWatch::Alarm").values()
    }
    dead = {name for name in deployed.of("AWS::SQS::Queue") if name.endswith("DeadLetters")}

    assert {("Errors", f"<{name}>") for name in FUNCTIONS} <= watched
    assert {("ApproximateNumberOfMessagesVisible", f"<{name}.QueueName>") for name in dead} <= watched


def test_silence_of_the_sweep_is_an_alarm_and_silence_of_the_rest_is_not(deployed: Stack) -> None:
    missing = {
        name: alarm["TreatMissingData"] for name, alarm in deployed.of("AWS::CloudWatch::Alarm").items()
    }

    assert missing.pop("SweepStops") == "breaching"
    assert set(missing.values()) == {"notBreaching"}


def test_alarms_go_to_the_topic_where_there_is_one(deployed: Stack) -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:alarms"

    assert all("AlarmActions" not in alarm for alarm in deployed.of("AWS::CloudWatch::Alarm").values())
    told = stack(AlarmTopic=topic).of("AWS::CloudWatch::Alarm").values()
    assert all(alarm["AlarmActions"] == [topic] for alarm in told)


def test_the_dashboard_can_be_drawn(deployed: Stack) -> None:
    drawn = json.loads(deployed.properties("Dashboard")["DashboardBody"])

    assert {widget["properties"]["region"] for widget in drawn["widgets"]} == {"<AWS::Region>"}
    places = [(widget["x"], widget["y"]) for widget in drawn["widgets"]]
    assert sorted(set(places)) == sorted(places)


@pytest.mark.parametrize(
    ("metric", "statistic"), [("Count", "Sum"), ("Latency", "p95"), ("4xx", "Sum"), ("5xx", "Sum")]
)
def test_the_dashboard_shows_every_route_apart(deployed: Stack, metric: str, statistic: str) -> None:
    """By the dimensions of API Gateway's detailed metrics."""
    drawn = json.loads(deployed.properties("Dashboard")["DashboardBody"])
    searched = [
        line[0]["expression"]
        for widget in drawn["widgets"]
        for line in widget["properties"]["metrics"]
        if isinstance(line[0], dict)
    ]

    schema = "{AWS/ApiGateway,ApiId,Method,Resource,Stage}"
    assert f"SEARCH('{schema} MetricName=\"{metric}\"', '{statistic}', 60)" in searched


# --- building and deploying ------------------------------------------------------------------------------------------


def test_the_layer_carries_what_the_tests_ran_with() -> None:
    """Same versions, same hashes; no pydantic, no tracer, no boto3."""
    layer, lock = (
        dict(re.findall(r"^([\w-]+)==(\S+ (?:\\\n +\S+ ?)+)", path.read_text(), re.MULTILINE))
        for path in (ROOT / "layers/expose/requirements.txt", ROOT / "requirements.lock")
    )

    assert set(layer) == {"aws-lambda-powertools", "jmespath", "typing-extensions"}
    assert layer == {name: lock[name] for name in layer}


def test_the_layer_is_built_by_a_target_named_after_it() -> None:
    (layer,) = (name for name, one in source()["Resources"].items() if one["Type"].endswith("LayerVersion"))

    assert source()["Resources"][layer]["Metadata"]["BuildMethod"] == "makefile"
    assert f"\nbuild-{layer}:\n" in (ROOT / "layers/expose/Makefile").read_text()


def test_deploying_asks_before_it_changes_anything() -> None:
    deploy = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]["deploy"]["parameters"]

    assert deploy == {"capabilities": "CAPABILITY_IAM", "confirm_changeset": True, "resolve_s3": True}


@pytest.mark.slow
def test_sam_and_cfn_lint_find_nothing(tmp_path: Path) -> None:
    sam = Path(sys.executable).with_name("sam")
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    checked = subprocess.run(
        [sam, "validate", "--lint"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
