"""template.yaml keeps what the design promises: nothing is lost on the way, and what is exposed is withdrawn before the
machine that could do it is gone."""

from __future__ import annotations

import re

import pytest

from expose.common import LEASE
from tests.unit.stack import FUNCTIONS, Stack, listed, source, stack, tokens

MARGIN = 30  # seconds by which clocks, and a call that is still on its way, may differ


@pytest.fixture(scope="module")
def deployed() -> Stack:
    return stack()


def test_whoever_makes_what_is_shared_is_dead_before_another_may_make_it(deployed: Stack) -> None:
    """And another makes it before the dead one's message comes back."""
    assert deployed.properties("Reconcile")["Timeout"] + MARGIN <= LEASE
    assert deployed.properties("WorkQueue")["VisibilityTimeout"] > LEASE


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


def test_a_message_stays_hidden_for_longer_than_a_worker_lives_and_not_for_much_longer(
    deployed: Stack,
) -> None:
    """F§6, F§10.5: what a killed worker held is seen again only then."""
    mappings = deployed.of("AWS::Lambda::EventSourceMapping")

    assert set(mappings) == {"WithdrawGone", "ReconcileWork", "NotifyLater"}
    for mapping in mappings.values():
        queue = deployed.properties(mapping["EventSourceArn"].strip("<>").removesuffix(".Arn"))
        function = deployed.properties(mapping["FunctionName"].strip("<>"))
        assert function["Timeout"] <= queue["VisibilityTimeout"] <= 6 * function["Timeout"]
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

    fed_from_queues = {"Reconcile", "Withdraw"}

    assert set(configured) == {f"{name}EventInvokeConfig" for name in {*FUNCTIONS} - fed_from_queues}
    for name, config in configured.items():
        assert config["DestinationConfig"]["OnFailure"]["Destination"] == "<EventsDeadLetters.Arn>"
        role = f"{name.removesuffix('EventInvokeConfig')}Role"
        (send,) = (one for one in deployed.statements(role) if listed(one["Action"]) == ["sqs:SendMessage"])
        assert "<EventsDeadLetters.Arn>" in send["Resource"]


def test_the_sweep_runs_every_minute(deployed: Stack) -> None:
    clock = deployed.properties("Clock")

    assert clock["ScheduleExpression"] == "rate(1 minute)"
    assert clock["Targets"][0]["Arn"] == "<Sweep.Arn>"


def test_the_audit_runs_as_often_as_the_stack_says_and_never_twice_at_a_time() -> None:
    """F§6: `rate` wants the plural, and no audit lasts as long as the shortest interval."""
    shortest = stack().properties("Audit")["Timeout"] / 60
    clock = stack(AuditMinutes="7").properties("AuditClock")

    assert source()["Parameters"]["AuditMinutes"]["MinValue"] >= max(2, shortest)
    assert clock["ScheduleExpression"] == "rate(7 minutes)"
    assert clock["Targets"][0]["Arn"] == "<Audit.Arn>"


# --- the ledger and the trail -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Ledger", "Trail"])
def test_tables_are_on_demand_encrypted_recoverable_and_forget_what_expires(
    deployed: Stack, name: str
) -> None:
    table = deployed.properties(name)

    assert set(deployed.of("AWS::DynamoDB::Table")) == {"Ledger", "Trail"}
    assert deployed.resources[name]["DeletionPolicy"] == "Delete"
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [
        ("pk", "HASH"),
        ("sk", "RANGE"),
    ]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}


# --- deleting the stack ----------------------------------------------------------------------------------------------


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
        *("Withdraw", "WithdrawRole", "WithdrawGone", "WithdrawQueue"),
        *(
            "ReconcileWork",
            "NotifyLater",
            "WorkQueue",
            "LaterQueue",
            "WorkDeadLetters",
            "LaterDeadLetters",
            "Ledger",
            "Trail",
        ),
        *("CleanupLog", "ReconcileLog", "NotifyLog", *deployed.of("AWS::Lambda::LayerVersion")),
    } <= _needs(deployed, "Exposures")
