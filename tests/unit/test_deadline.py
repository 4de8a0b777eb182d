"""No call begins that could outlast its invocation, and none takes longer than it may."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import boto3
import pytest

from expose.aws import AwsError, Clients
from expose.deadline import HURRIED, PATIENT, SAVING, Deadline, OutOfTime, Patience


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hanging() -> Iterator[str]:
    """An endpoint that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        kept: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for each in kept:
            each.close()


def test_a_call_may_begin_while_it_and_the_saving_fit_into_the_time_that_is_left() -> None:
    clock = Clock()
    deadline = Deadline(clock, call=18)
    deadline.check()  # nobody has said when it ends

    deadline.begin(60)
    clock.now += 60 - 18 - SAVING
    deadline.check()
    clock.now += 0.1
    with pytest.raises(OutOfTime):
        deadline.check()


def test_a_part_has_its_share_and_never_more_than_the_whole() -> None:
    clock = Clock()
    deadline = Deadline(clock, call=0)
    deadline.begin(SAVING + 50)
    with deadline.within(20):
        clock.now += 21
        assert deadline.passed
    assert not deadline.passed
    with deadline.within(1000):
        clock.now += 30
        assert deadline.passed
    assert deadline.passed


def test_each_invocation_has_a_deadline_of_its_own() -> None:
    clock = Clock()
    deadline = Deadline(clock, call=0)
    deadline.begin(SAVING + 1)
    clock.now += 2
    assert deadline.passed

    deadline.begin(SAVING + 1)
    assert not deadline.passed


def test_after_the_deadline_nothing_is_asked_of_aws_but_what_was_done_is_saved(
    hanging: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", hanging)
    clients = Clients(boto3.Session(region_name="eu-west-1"), Patience(0.1, 0.1, 1))
    clients.deadline.begin(0)

    for call in (
        clients.ecs.list_clusters,
        clients.elbv2.describe_load_balancers,
        clients.apigatewayv2_once.get_apis,
        lambda: list(clients.tagging.get_paginator("get_resources").paginate()),
    ):
        with pytest.raises(OutOfTime):
            call()
    with pytest.raises(AwsError):  # it was asked, and did not answer
        clients.sqs.list_queues()


@pytest.mark.parametrize("patience", [Patience(0.2, 0.2, 1), Patience(0.2, 0.3, 2)])
def test_a_call_to_an_endpoint_that_hangs_ends_within_its_time(
    patience: Patience, hanging: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", hanging)
    clients = Clients(boto3.Session(region_name="eu-west-1"), patience)
    begun = time.monotonic()
    with pytest.raises(AwsError):
        clients.ecs.list_clusters()
    assert time.monotonic() - begun < patience.longest + 5, "the machine may be busy"


def test_what_one_call_may_take_and_the_saving_leave_room_for_work_before_the_functions_are_killed() -> None:
    assert PATIENT.longest == 18
    assert HURRIED.longest == 3
