"""template.yaml keeps what the design promises: nothing is lost on the way, nobody may more than he must, and what is
exposed is withdrawn before the machine that could do it is gone."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

import expose
from tests.unit.stack import ROOT, Stack, listed, source, stack, tokens

FUNCTIONS = {"Notify": "notify", "Reconcile": "reconcile", "Sweep": "sweep", "Cleanup": "cleanup"}
NAMESPACES = ("no", "http", "private", "public")

# What each function calls itself. Lambda and Cloud Map act in its name as well: those follow.
CALLS = {
    "Notify": {"dynamodb:Query", "sqs:SendMessage"},
    "Reconcile": {
        *(
            "dynamodb:Query",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        ),
        *("sqs:SendMessage", "events:PutEvents"),
        *("ecs:DescribeServices", "ecs:ListTasks", "ecs:DescribeTasks", "ecs:DescribeTaskDefinition"),
        *("ecs:DescribeContainerInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeInstances"),
        *("ec2:DescribeSubnets", "servicediscovery:ListNamespaces", "servicediscovery:ListServices"),
        *(
            "servicediscovery:CreateService",
            "servicediscovery:UpdateService",
            "servicediscovery:DeleteService",
        ),
        *(
            "servicediscovery:GetService",
            "servicediscovery:ListTagsForResource",
            "servicediscovery:TagResource",
        ),
        *("servicediscovery:RegisterInstance", "servicediscovery:DeregisterInstance"),
        *(
            "servicediscovery:ListInstances",
            "servicediscovery:GetOperation",
            "servicediscovery:ListOperations",
        ),
    },
    "Sweep": {"tag:GetResources", "ecs:ListTasks", "ecs:DescribeTasks", "dynamodb:Scan", "sqs:SendMessage"},
    "Cleanup": {"dynamodb:PutItem", "dynamodb:Scan", "sqs:SendMessage"},
}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
POLL = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
FORWARDED = {  # F§7: Cloud Map passes its caller's identity on to Route 53
    *("route53:ChangeResourceRecordSets", "route53:GetHostedZone", "route53:ListHostedZonesByName"),
    *(
        "route53:CreateHealthCheck",
        "route53:GetHealthCheck",
        "route53:UpdateHealthCheck",
        "route53:DeleteHealthCheck",
    ),
}
IN_ITS_NAME = {"Notify": LOG | POLL, "Reconcile": LOG | POLL | FORWARDED, "Sweep": LOG, "Cleanup": LOG}
CREATES = {
    "no": set(),
    "http": {"servicediscovery:CreateHttpNamespace"},
    "private": {
        *("servicediscovery:CreatePrivateDnsNamespace", "route53:CreateHostedZone"),
        *("ec2:DescribeVpcs", "ec2:DescribeRegions"),
    },
    "public": {"servicediscovery:CreatePublicDnsNamespace", "route53:CreateHostedZone"},
}
DELETES = {"servicediscovery:DeleteNamespace", "route53:DeleteHostedZone"}

# F§7: AWS knows no resource for these, or none that exists before the call.
ANYWHERE = {
    *("ecs:ListTasks", "ecs:DescribeTaskDefinition", "tag:GetResources", "ec2:Describe*"),
    *(
        "servicediscovery:ListNamespaces",
        "servicediscovery:ListServices",
        "servicediscovery:ListTagsForResource",
    ),
    *("servicediscovery:TagResource", "servicediscovery:ListOperations", "servicediscovery:GetOperation"),
    *("servicediscovery:Create*Namespace", "route53:ListHostedZonesByName", "route53:CreateHealthCheck"),
    "route53:CreateHostedZone",
}


@pytest.fixture(scope="module")
def deployed() -> Stack:
    return stack()


# --- parameters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", source()["Parameters"])
def test_a_parameter_says_what_it_is_and_refuses_the_rest(name: str) -> None:
    parameter = source()["Parameters"][name]

    assert len(parameter["Description"]) > 20
    assert parameter["ConstraintDescription"]
    bounds = {"AllowedValues", "AllowedPattern", "MinValue"} & set(parameter)
    assert bounds
    assert ("MinValue" in parameter) == ("MaxValue" in parameter)
    assert all(isinstance(value, str) for value in parameter.get("AllowedValues", []))  # `no` is a word


def test_every_parameter_is_grouped_labelled_and_used() -> None:
    interface = source()["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    rest = {name: part for name, part in source().items() if name not in {"Parameters", "Metadata"}}

    assert sorted(grouped) == sorted(interface["ParameterLabels"]) == sorted(source()["Parameters"])
    assert set(source()["Parameters"]) <= set(re.findall(r"\w+", " ".join(tokens(rest))))


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("TagPrefix", ["expose", "x", "granja-1"], ["aws", "Expose", "1x", "a:b", "", "a" * 33]),
        ("AllowedClusters", ["*", "granja", "granja,prod-*"], ["", "granja, prod", "a/b", "granja,"]),
        ("AllowedMechanisms", ["*", "dns", "dns,ip"], ["", "nds", "dns, ip", "*,dns"]),
        ("AllowedNames", ["*", "animales.com", "animales.com,a_b.c"], ["", "*.com", "Animales.com", "a.b "]),
        (
            "AlarmTopic",
            ["", "arn:aws:sns:eu-west-1:123456789012:alarms"],
            ["alarms", "arn:aws:sqs:x:123456789012:q"],
        ),
    ],
)
def test_a_parameter_takes_the_good_and_refuses_the_bad(name: str, good: list[str], bad: list[str]) -> None:
    pattern = source()["Parameters"][name]["AllowedPattern"]

    assert [value for value in good if not re.fullmatch(pattern, value)] == []
    assert [value for value in bad if re.fullmatch(pattern, value)] == []


# --- functions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "folder"), FUNCTIONS.items())
def test_a_function_runs_the_handler_of_its_folder_with_the_layer(
    name: str, folder: str, deployed: Stack
) -> None:
    function = deployed.properties(name)
    (layer,) = deployed.of("AWS::Lambda::LayerVersion")

    assert source()["Resources"][name]["Properties"]["CodeUri"] == f"functions/{folder}/"
    assert (function["Handler"], function["Runtime"]) == ("app.handler", "python3.13")
    assert (function["Architectures"], function["Layers"]) == (["arm64"], [f"<{layer}>"])
    assert "TracingConfig" not in function


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_knows_every_parameter(name: str) -> None:
    deployed = stack(
        TagPrefix="show", AllowedClusters="granja", CreateNamespaces="private", WindowSeconds="7"
    )

    assert deployed.properties(name)["Environment"]["Variables"] == {
        "EXPOSE_STACK": "<AWS::StackName>",
        "EXPOSE_PREFIX": "show",
        "EXPOSE_POLICY": "sync",
        "EXPOSE_CLUSTERS": "granja",
        "EXPOSE_MECHANISMS": "*",
        "EXPOSE_NAMES": "*",
        "EXPOSE_CREATE_NAMESPACES": "private",
        "EXPOSE_VERIFY_MINUTES": "60",
        "EXPOSE_EMPTY_AFTER": "60",
        "EXPOSE_GRACE": "300",
        "EXPOSE_WINDOW": "7",
        "EXPOSE_ON_DELETE": "withdraw",
        "EXPOSE_TABLE": "<Ledger>",
        "EXPOSE_WORK_QUEUE": "<WorkQueue>",
        "EXPOSE_LATER_QUEUE": "<LaterQueue>",
        "POWERTOOLS_SERVICE_NAME": "ecs-expose",
        "POWERTOOLS_METRICS_NAMESPACE": "ecs-expose",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def test_the_functions_are_these_and_each_writes_to_its_own_log_for_a_month(deployed: Stack) -> None:
    functions = deployed.of("AWS::Lambda::Function")

    assert set(functions) == set(FUNCTIONS)
    for name, function in functions.items():
        assert function["LoggingConfig"]["LogGroup"] == f"<{name}Log>"
        assert deployed.properties(f"{name}Log")["RetentionInDays"] == 30


# --- queues: nothing is lost -----------------------------------------------------------------------------------------


def test_every_queue_is_encrypted_and_has_dead_letters_of_its_own_kind(deployed: Stack) -> None:
    queues = deployed.of("AWS::SQS::Queue")
    dead = {name for name in queues if name.endswith("DeadLetters")}

    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues.values())
    for name in set(queues) - dead:
        redrive = queues[name]["RedrivePolicy"]
        target = redrive["deadLetterTargetArn"].strip("<>").removesuffix(".Arn")
        assert target in dead
        assert redrive["maxReceiveCount"] == 5
        assert queues[target].get("FifoQueue") == queues[name].get("FifoQueue")


def test_work_is_one_message_group_per_service(deployed: Stack) -> None:
    work = deployed.properties("WorkQueue")

    assert work["FifoQueue"] is True
    assert (work["DeduplicationScope"], work["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")
    assert all(
        queue["QueueName"].endswith(".fifo") is queue.get("FifoQueue", False)
        for queue in deployed.of("AWS::SQS::Queue").values()
    )


def test_a_message_stays_hidden_for_six_times_the_function_s_timeout(deployed: Stack) -> None:
    """F§6."""
    mappings = deployed.of("AWS::Lambda::EventSourceMapping")

    assert set(mappings) == {"ReconcileWork", "NotifyLater"}
    for mapping in mappings.values():
        queue = deployed.properties(mapping["EventSourceArn"].strip("<>").removesuffix(".Arn"))
        function = deployed.properties(mapping["FunctionName"].strip("<>"))
        assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["BatchSize"] == 10
        assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_every_rule_s_target_has_dead_letters_that_let_it_in(deployed: Stack) -> None:
    """F§6: without them EventBridge drops the event; they must be a standard queue whose policy names the rule."""
    rules = deployed.of("AWS::Events::Rule")
    (policy,) = deployed.of("AWS::SQS::QueuePolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]

    assert "FifoQueue" not in deployed.properties("EventsDeadLetters")
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert sorted(statement["Condition"]["ArnEquals"]["aws:SourceArn"]) == sorted(
        f"<{rule}.Arn>" for rule in rules
    )
    for rule in rules.values():
        (target,) = rule["Targets"]
        assert target["DeadLetterConfig"] == {"Arn": "<EventsDeadLetters.Arn>"}
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] >= 60


def test_every_rule_may_invoke_its_function_and_nobody_else_may(deployed: Stack) -> None:
    allowed = {
        (one["SourceArn"], one["FunctionName"]): one["Principal"]
        for one in deployed.of("AWS::Lambda::Permission").values()
    }
    targets = {
        (f"<{name}.Arn>", f"<{rule['Targets'][0]['Arn'].strip('<>').removesuffix('.Arn')}>")
        for name, rule in deployed.of("AWS::Events::Rule").items()
    }

    assert allowed == dict.fromkeys(targets, "events.amazonaws.com")


def test_an_asynchronous_run_that_fails_leaves_a_dead_letter(deployed: Stack) -> None:
    configured = deployed.of("AWS::Lambda::EventInvokeConfig")

    assert set(configured) == {f"{name}EventInvokeConfig" for name in FUNCTIONS if name != "Reconcile"}
    for name, config in configured.items():
        assert config["DestinationConfig"]["OnFailure"]["Destination"] == "<EventsDeadLetters.Arn>"
        role = f"{name.removesuffix('EventInvokeConfig')}Role"
        (send,) = (one for one in deployed.statements(role) if listed(one["Action"]) == ["sqs:SendMessage"])
        assert "<EventsDeadLetters.Arn>" in send["Resource"]


def test_the_sweep_runs_every_minute(deployed: Stack) -> None:
    clock = deployed.properties("Clock")

    assert clock["ScheduleExpression"] == "rate(1 minute)"
    assert clock["Targets"][0]["Arn"] == "<Sweep.Arn>"


# --- the ledger ------------------------------------------------------------------------------------------------------


def test_the_ledger_is_on_demand_encrypted_recoverable_and_forgets_its_audit_trail(deployed: Stack) -> None:
    ledger = deployed.properties("Ledger")

    assert deployed.resources["Ledger"]["DeletionPolicy"] == "Delete"
    assert ledger["BillingMode"] == "PAY_PER_REQUEST"
    assert [(key["AttributeName"], key["KeyType"]) for key in ledger["KeySchema"]] == [
        ("pk", "HASH"),
        ("sk", "RANGE"),
    ]
    assert ledger["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert ledger["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert ledger["SSESpecification"] == {"SSEEnabled": True}


# --- deleting the stack ------------------------------------------------------------------------------------------------


def _needs(deployed: Stack, name: str) -> set[str]:
    """All that exists as long as `name` does: CloudFormation deletes it later."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        resource = deployed.resources[waiting.pop()]
        said = {
            *tokens(resource.get("Properties")),
            *(f"<{one}>" for one in listed(resource.get("DependsOn", []))),
        }
        referred = {one for text in said for one in re.findall(r"<(\w+)[.>]", text)}
        new = (referred & set(deployed.resources)) - found
        found |= new
        waiting += new
    return found


def test_nothing_wakes_the_machine_any_more_when_it_withdraws_what_is_exposed(deployed: Stack) -> None:
    for rule in deployed.of("AWS::Events::Rule"):
        assert "Exposures" in _needs(deployed, rule)


def test_all_that_withdrawing_takes_outlives_it(deployed: Stack) -> None:
    assert {
        *("Cleanup", "Reconcile", "Notify", "CleanupRole", "ReconcileRole", "NotifyRole"),
        *(
            "ReconcileWork",
            "NotifyLater",
            "WorkQueue",
            "LaterQueue",
            "WorkDeadLetters",
            "LaterDeadLetters",
            "Ledger",
        ),
        *("CleanupLog", "ReconcileLog", "NotifyLog", *deployed.of("AWS::Lambda::LayerVersion")),
    } <= _needs(deployed, "Exposures")


# --- permissions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("created", NAMESPACES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_what_it_calls_and_nothing_else(name: str, created: str) -> None:
    expected = CALLS[name] | IN_ITS_NAME[name]
    if name == "Reconcile" and created != "no":
        expected |= CREATES[created] | DELETES

    assert stack(CreateNamespaces=created).actions(f"{name}Role") == expected


def test_whatever_the_product_declares_is_granted() -> None:
    granted = {
        action
        for created in NAMESPACES
        for name in FUNCTIONS
        for action in stack(CreateNamespaces=created).actions(f"{name}Role")
    }

    assert set(_declared()) - granted == set()


def _declared() -> Iterator[str]:
    """`ACTIONS` of every module of the product that has them."""
    for module in pkgutil.walk_packages(expose.__path__, "expose."):
        yield from getattr(importlib.import_module(module.name), "ACTIONS", ())


@pytest.mark.parametrize("created", NAMESPACES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_permission_is_wider_than_aws_makes_it(name: str, created: str) -> None:
    for statement in stack(CreateNamespaces=created).statements(f"{name}Role"):
        actions = listed(statement["Action"])
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in actions)
        if "*" in listed(statement["Resource"]):
            assert [one for one in actions if not any(fnmatchcase(one, known) for known in ANYWHERE)] == []


def test_roles_are_ours_alone_and_lambda_s(deployed: Stack) -> None:
    roles = deployed.of("AWS::IAM::Role")

    assert set(roles) == {f"{name}Role" for name in FUNCTIONS}
    for role in roles.values():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert "ManagedPolicyArns" not in role  # AWS's reach every queue and log group of the account


def _conditions(deployed: Stack, role: str, action: str) -> Any:
    return [one.get("Condition") for one in deployed.statements(role) if action in listed(one["Action"])]


@pytest.mark.parametrize("action", ["ecs:ListTasks", "ecs:DescribeTasks", "ecs:DescribeServices"])
def test_tasks_are_read_in_the_allowed_clusters_only(action: str) -> None:
    deployed = stack(AllowedClusters="granja,prod-*")
    roles = [role for role in deployed.of("AWS::IAM::Role") if action in deployed.actions(role)]

    assert roles
    for role in roles:
        allowed = {"ecs:cluster": ["*:cluster/granja", "*:cluster/prod-*"]}
        assert _conditions(deployed, role, action) == [{"StringLike": allowed}]


def test_records_are_written_below_the_allowed_names_only() -> None:
    (condition,) = _conditions(
        stack(AllowedNames="animales.com,granja.net"), "ReconcileRole", "route53:ChangeResourceRecordSets"
    )

    ((operator, names),) = condition.items()
    assert operator == "ForAllValues:StringLike"  # holds as well where AWS does not say the names
    assert list(names.values()) == [["*animales.com", "*granja.net"]]


def test_events_are_published_under_our_name_only(deployed: Stack) -> None:
    assert _conditions(deployed, "ReconcileRole", "events:PutEvents") == [
        {"StringEquals": {"events:source": "ecs-expose"}}
    ]


# --- watching ----------------------------------------------------------------------------------------------------------


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


# --- building and deploying ----------------------------------------------------------------------------------------------


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
