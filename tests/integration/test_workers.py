"""Functions run as on Lambda (F§6, F§10.5, F§11.7): side by side, each environment by itself, killed at their timeout.

Each test is of one manner of Lambda's, with a function of its own.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import boto3
import pytest

from expose import arn
from farm.functions import FunctionError
from farm.gate import GATE, Fault
from farm.lambdas import whole
from farm.workers import Workers
from tests.integration.side_by_side import toys

NOTES = """
    import json, os, time, uuid
    import boto3
    from botocore.config import Config

    ONCE = Config(read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})
    TWICE = Config(read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
    sqs = boto3.client("sqs", config=ONCE)
    table = boto3.resource("dynamodb", config=ONCE).Table("toys")
    begun = time.time()
    seen = []

    def sayings(event):
        return [json.loads(record["body"])["say"] for record in event.get("Records", [])] or [event["detail"]["say"]]
"""

REMEMBERS = (
    NOTES
    + """
    def handler(event, context):
        seen.extend(sayings(event))
        sqs.list_queues()
        print(*seen)
"""
)


def test_invocations_at_the_same_moment_have_environments_that_know_nothing_of_each_other(
    tmp_path: Path,
) -> None:
    with toys(tmp_path, REMEMBERS) as world:
        world.say("a", "b")
        world.timeline.run_for(1)
        assert sorted(world.printed) == ["a", "b"]


def test_an_environment_that_is_free_is_used_again_with_all_that_it_remembers(tmp_path: Path) -> None:
    with toys(tmp_path, REMEMBERS) as world:
        for saying in ("a", "b"):
            world.say(saying)
            world.timeline.run_for(1)
        assert world.printed == ["a", "a b"]


def test_lambda_may_take_a_new_environment_at_any_time(tmp_path: Path) -> None:
    with toys(tmp_path, REMEMBERS, Workers(seed=1, fresh=1.0)) as world:
        for saying in ("a", "b"):
            world.say(saying)
            world.timeline.run_for(5)
        assert world.printed == ["a", "b"]


def test_a_world_begins_with_environments_that_remember_nothing_of_the_last_one(tmp_path: Path) -> None:
    for _ in range(2):
        with toys(tmp_path, REMEMBERS) as world:
            world.say("a")
            world.timeline.run_for(1)
            assert world.printed == ["a"]


LAYERED = (
    NOTES
    + """
    from expose import arn

    def handler(event, context):
        sqs.list_queues()
        from expose import arn as imported_late
        vars(imported_late).setdefault("told", sayings(event))
        print(*arn.told)
"""
)


def test_the_layers_modules_are_an_environments_own_also_when_they_are_imported_late(tmp_path: Path) -> None:
    with toys(tmp_path, LAYERED) as world:
        world.say("a", "b")
        world.timeline.run_for(1)
        assert sorted(world.printed) == ["a", "b"]
    assert not hasattr(arn, "told")


INTERLEAVED = (
    NOTES
    + """
    def handler(event, context):
        (saying,) = sayings(event)
        os.environ["SAYING"] = saying
        for number in range(3):
            print(saying, "is", os.environ["SAYING"], end=" ")
            sqs.list_queues()
            print("at", round(time.time() - begun, 1))
            time.sleep(0.3)
"""
)


def test_variables_time_and_output_are_each_invocations_own_while_they_take_turns(tmp_path: Path) -> None:
    with toys(tmp_path, INTERLEAVED) as world:
        before = dict(os.environ)
        world.say("a", "b")
        world.timeline.run_for(0.25)
        assert dict(os.environ) == before
        world.timeline.run_for(5)
        lines = [f"{saying} is {saying} at {at}" for at in (0.1, 0.5, 0.9) for saying in ("a", "b")]
        assert sorted(world.printed) == sorted(lines)
        assert [line[0] for line in world.printed] == ["a", "b"] * 3


COUNTS = (
    NOTES
    + """
    table = boto3.resource("dynamodb", config=TWICE).Table("toys")

    def handler(event, context):
        found = table.get_item(Key={"pk": "count"}).get("Item", {"n": 0})
        table.put_item(Item={"pk": "count", "n": found["n"] + 1})
        print(uuid.uuid4())
"""
)


def count_twice(folder: Path, seed: int) -> tuple[int, str]:
    """What two workers count to who each read, add one and write; and a digest of all calls, each with its time."""
    with toys(folder, COUNTS, Workers(seed)) as world:
        GATE.faults.append(Fault("error", "ThrottlingException", operation="GetItem", nth=1))
        world.say("a")
        world.timeline.run_for(0.1)
        world.say("b")
        world.timeline.run_for(30)
        item = boto3.resource("dynamodb", "eu-west-1").Table("toys").get_item(Key={"pk": "count"})["Item"]
        told = [(call.at, call.operation, sorted(call.params)) for call in world.calls()]
    return int(str(item["n"])), hashlib.sha256(repr((told, world.printed)).encode()).hexdigest()


def test_a_race_is_found_by_its_seed_and_comes_again_with_it(tmp_path: Path) -> None:
    found = {seed: count_twice(tmp_path, seed) for seed in range(12)}
    assert {count for count, _ in found.values()} == {1, 2}
    lost = next(seed for seed, (count, _) in found.items() if count == 1)
    assert [count_twice(tmp_path, lost) for _ in range(3)] == [found[lost]] * 3


@pytest.mark.slow
def test_a_seed_gives_the_same_turns_in_every_process(tmp_path: Path) -> None:
    """Whatever the order of Python's sets there."""
    told = f"from tests.integration.test_workers import *; print(count_twice(Path({str(tmp_path)!r}), 5))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", told], env={**os.environ, "PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert outputs == {f"{count_twice(tmp_path, 5)}\n"}


STUBBORN = (
    NOTES
    + """
    def handler(event, context):
        print(*sayings(event), context.get_remaining_time_in_millis())
        try:
            sqs.list_queues() if "hang" in sayings(event) else time.sleep(60)
        except BaseException as death:
            print(type(death).__name__)
        finally:
            table.put_item(Item={"pk": "after"})
        print("lives on")
"""
)


@pytest.mark.parametrize("saying", ["sleep", "hang"])
def test_a_handler_dies_at_its_timeout_and_does_nothing_any_more(tmp_path: Path, saying: str) -> None:
    patient = STUBBORN.replace("read_timeout=5", "read_timeout=300")
    with toys(tmp_path, patient, properties="EventInvokeConfig: {MaximumRetryAttempts: 0}") as world:
        GATE.faults.append(Fault("hang", operation="ListQueues"))
        world.say(saying)
        world.timeline.run_for(19.9)
        assert world.failures == []
        world.timeline.run_for(0.2)
        assert world.failures == ["Sandbox.Timedout"]
        assert world.printed == [f"{saying} 20000", "Crash"]
        assert not world.calls("PutItem")


@pytest.mark.parametrize("kind", ["oom", "crash", "hang"])
def test_with_a_handler_all_goes_that_its_environment_remembered(tmp_path: Path, kind: str) -> None:
    patient = REMEMBERS.replace("read_timeout=5", "read_timeout=300")
    with toys(tmp_path, patient, properties="EventInvokeConfig: {MaximumRetryAttempts: 0}") as world:
        world.say("a")
        world.timeline.run_for(1)
        GATE.faults.append(Fault(kind, operation="ListQueues", nth=1))  # type: ignore[arg-type]
        world.say("b")
        world.timeline.run_for(30)
        world.say("c")
        world.timeline.run_for(1)
        assert world.failures == ["Sandbox.Timedout" if kind == "hang" else "Runtime.ExitError"]
        assert world.printed == ["a", "c"]


def test_an_error_ends_an_invocation_but_no_environment(tmp_path: Path) -> None:
    raises = REMEMBERS + "        if 'boom' in sayings(event):\n            raise RuntimeError('boom')\n"
    with toys(tmp_path, raises, properties="EventInvokeConfig: {MaximumRetryAttempts: 0}") as world:
        for saying in ("boom", "b"):
            world.say(saying)
            world.timeline.run_for(1)
        assert world.failures == ["RuntimeError"]
        assert world.printed[-1] == "boom b"


def test_what_a_killed_handler_held_is_hidden_for_the_visibility_timeout_with_all_behind_it_in_its_group(
    tmp_path: Path,
) -> None:
    """No partial answer comes of it, whatever it had done; and a message that comes back too often is buried (F§10.5)."""
    code = (
        NOTES
        + """
    def handler(event, context):
        print(*(f"{json.loads(record['body'])['say']}{record['attributes']['ApproximateReceiveCount']}"
                for record in event["Records"]))
        if "poison" in sayings(event):
            time.sleep(60)
        return {"batchItemFailures": []}
"""
    )
    with toys(tmp_path, code) as world:
        world.lambdas.portion = lambda _: 1
        world.work("poison", group="sick")
        world.timeline.run_for(1)
        world.work("behind", group="sick")
        world.work("other", group="well")
        world.timeline.run_for(110)
        assert world.failures == ["Sandbox.Timedout"]
        assert world.printed == ["poison1", "other1"]
        world.timeline.run_for(120)
        assert world.printed[2:] == ["poison2"]
        world.timeline.run_for(240)
        assert world.printed[3:] == ["poison3", "behind1"]
        assert world.buried() == 1


def test_what_a_killed_handler_held_beside_the_poison_comes_back_too(tmp_path: Path) -> None:
    code = (
        NOTES
        + """
    def handler(event, context):
        print(*sorted(sayings(event)))
        time.sleep(60)
"""
    )
    with toys(tmp_path, code) as world:
        world.lambdas.portion = whole
        world.work("a", "b", group="g")
        world.work("c", group="h")
        world.timeline.run_for(250)
        assert world.printed == ["a b c"] * 3


def test_what_an_event_set_going_and_what_died_is_tried_again_one_and_three_minutes_later(
    tmp_path: Path,
) -> None:
    """Asynchronous invocations: two retries, counted from the failure (F§6)."""
    code = (
        NOTES
        + """
    def handler(event, context):
        print(round(time.time()) % 1_800_000_000)
        time.sleep(60)
"""
    )
    with toys(tmp_path, code) as world:
        world.say("a")
        world.timeline.run_for(900)
        assert world.printed == ["0", "80", "220"]
        assert world.failures == ["Sandbox.Timedout"] * 3


def test_an_invocation_that_takes_longer_than_the_clocks_period_meets_the_next_one(tmp_path: Path) -> None:
    code = (
        NOTES
        + """
    def handler(event, context):
        print("begins")
        time.sleep(90)
        print("ends")
"""
    )
    with toys(tmp_path, code, timeout=100, clock="ENABLED") as world:
        world.timeline.run_for(160)
        assert world.printed == ["begins", "begins", "ends"]


AT_ONCE = (
    NOTES
    + """
    def handler(event, context):
        print("+")
        time.sleep(5)
        print("-")
"""
)


def most_at_once(printed: list[str]) -> int:
    running = most = 0
    for sign in printed:
        running += 1 if sign == "+" else -1
        most = max(most, running)
    return most


def test_a_queue_is_worked_on_by_as_many_as_its_mapping_allows_and_no_more(tmp_path: Path) -> None:
    with toys(tmp_path, AT_ONCE, Workers(seed=3)) as world:
        for number in range(30):
            world.work("a", group=str(number))
        world.timeline.run_for(300)
        assert most_at_once(world.printed) == 3
        assert not world.failures


def test_a_functions_messages_of_one_group_are_never_with_two_workers(tmp_path: Path) -> None:
    with toys(tmp_path, AT_ONCE, Workers(seed=3)) as world:
        for _ in range(10):
            world.work("a")
            world.timeline.run_for(1)
        world.timeline.run_for(120)
        assert most_at_once(world.printed) == 1


def test_reserved_concurrency_makes_events_wait_without_costing_them_an_attempt(tmp_path: Path) -> None:
    properties = "ReservedConcurrentExecutions: 2"
    with toys(tmp_path, AT_ONCE, Workers(seed=3), properties=properties) as world:
        world.say(*"abcdefgh")
        world.timeline.run_for(600)
        assert most_at_once(world.printed) == 2
        assert world.printed.count("+") == world.printed.count("-") == 8


CLIENT = (
    NOTES
    + """
    def handler(event, context):
        client = boto3.client("sqs", config=TWICE if "twice" in sayings(event) else ONCE)
        try:
            client.create_queue(QueueName="made")
            outcome = "done"
        except Exception as error:
            outcome = type(error).__name__
        print(outcome, round(time.time() - begun, 1))
"""
)


@pytest.mark.parametrize(
    ("fault", "printed", "made"),
    [
        (Fault("hang", operation="CreateQueue"), "ReadTimeoutError 5.1", 0),
        (Fault("hang", operation="CreateQueue", phase="after"), "ReadTimeoutError 5.1", 1),
        (Fault("slow", operation="CreateQueue", seconds=3), "done 3.1", 1),
        (Fault("slow", operation="CreateQueue", seconds=9), "ReadTimeoutError 5.1", 1),
        (Fault("lost", operation="CreateQueue"), "ConnectionClosedError 0.1", 1),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
def test_a_call_without_answer_ends_when_its_client_has_waited_long_enough(
    tmp_path: Path, fault: Fault, printed: str, made: int
) -> None:
    with toys(tmp_path, CLIENT) as world:
        GATE.faults.append(fault)
        world.say("once")
        world.timeline.run_for(15)
        assert world.printed == [printed]
        fault.nth = 0
        queues = boto3.client("sqs", "eu-west-1").list_queues(QueueNamePrefix="made").get("QueueUrls", [])
        assert len(queues) == made


def test_every_attempt_waits_as_long(tmp_path: Path) -> None:
    with toys(tmp_path, CLIENT) as world:
        GATE.faults.append(Fault("hang", operation="CreateQueue"))
        world.say("twice")
        world.timeline.run_for(15)
        (line,) = world.printed
        outcome, seconds = line.split()
        assert (outcome, len(world.calls("CreateQueue"))) == ("ReadTimeoutError", 2)
        assert 10.2 <= float(seconds) < 12


def test_others_go_on_while_a_call_hangs(tmp_path: Path) -> None:
    with toys(tmp_path, CLIENT) as world:
        GATE.faults.append(Fault("hang", operation="CreateQueue", nth=1))
        world.say("once", "once")
        world.timeline.run_for(1)
        assert world.printed == ["done 0.1"]
        world.timeline.run_for(5)
        assert world.printed == ["done 0.1", "ReadTimeoutError 5.1"]


def test_an_invocation_by_hand_waits_for_its_result(tmp_path: Path) -> None:
    code = (
        NOTES
        + """
    def handler(event, context):
        if event.get("say") == "hang":
            time.sleep(60)
        sqs.list_queues()
        return {"said": event["say"]}
"""
    )
    with toys(tmp_path, code) as world:
        assert world.lambdas.invoke("toy", {"say": "hello"}) == {"said": "hello"}
        with pytest.raises(FunctionError, match=r"Task timed out after 20\.00 seconds"):
            world.lambdas.invoke("toy", {"say": "hang"})


def test_when_the_world_ends_nobody_goes_on(tmp_path: Path) -> None:
    with toys(tmp_path, STUBBORN) as world:
        world.say("a", "b")
        world.timeline.run_for(3)
        printed = world.printed
    assert not [thread for thread in threading.enumerate() if thread.name == "worker"]
    assert printed == ["a 20000", "b 20000"]
