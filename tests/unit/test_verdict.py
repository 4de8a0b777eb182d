"""How an exposure stands after a pass: its status in words, when to look again, and what is worth telling."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from expose.mechanisms.members import LACKS
from expose.model import Identity, Owned, Service
from expose.outcome import Outcome
from expose.records import Record
from expose.refusals import Invalid, NotYet, Refused, Status
from expose.verdict import Look, announcement, judge, lacking, next_look, refusal_record
from expose.work import Depth
from tests.unit.values import ARN, NAME, NOW, definition, service, task

BLOCKED, INVALID = Refused("NameTaken", "held by another"), Invalid("UnreadableTag", "no name")
DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "RegisterInstance")
THROTTLED = ClientError(
    {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "ListNamespaces"
)
TIMEOUT = ReadTimeoutError(endpoint_url="https://ecs")
FOUR = service(*(task(number) for number in range(4)))
CHECKED = definition(checked=True)


def record(*published: int, **differences: Any) -> Record:
    owned = tuple(
        Owned(
            Identity("instance", str(number)), aws_id="x", task=task(number).id, address=f"203.0.113.{number}"
        )
        for number in published
    )
    return replace(Record(str(ARN), "expose:dns", NAME, NAME, owned=owned), **differences)


ALL = record(0, 1, 2, 3)


def judged(
    outcome: Outcome | None = None,
    before: Record = ALL,
    of: Service = FOUR,
    *,
    gone: bool = False,
    now: float = NOW,
    held: float = 0.0,
) -> Record:
    return judge(before, outcome or Outcome(before), of, gone=gone, now=now, held_until=held)


@pytest.mark.parametrize(
    ("outcome", "status", "code", "words"),
    [
        ({}, Status.ACTIVE, "", "4 of 4"),
        ({"refused": BLOCKED}, Status.BLOCKED, "NameTaken", "held by another"),
        ({"refused": INVALID}, Status.INVALID, "UnreadableTag", "no name"),
        ({"failed": DENIED}, Status.FAILED, "AccessDenied", "RegisterInstance"),
        ({"failed": TIMEOUT}, Status.FAILED, "ReadTimeoutError", "https://ecs"),
        ({"failed": THROTTLED}, Status.PENDING, "Throttled", "too many calls"),
        ({"waiting": NotYet("being made", seconds=3)}, Status.PENDING, "Waiting", "being made"),
        ({"withheld": "- thing/one"}, Status.PENDING, "Withheld", "- thing/one"),
        ({"refused": BLOCKED, "failed": DENIED, "waiting": NotYet("", seconds=3)}, Status.BLOCKED, "NameTaken", ""),
        ({"failed": DENIED, "waiting": NotYet("", seconds=3)}, Status.FAILED, "AccessDenied", ""),
    ],
)  # fmt: skip
def test_an_exposure_stands_as_the_worst_that_happened_to_it(
    outcome: dict[str, Any], status: Status, code: str, words: str
) -> None:
    stands = judged(Outcome(ALL, **outcome))

    assert (stands.status, stands.code) == (status, code)
    assert words in stands.message


@pytest.mark.parametrize(
    ("published", "wanted", "status", "message"),
    [
        ((0, 1), 4, Status.ACTIVE, "2 of 4"),
        ((), 4, Status.PENDING, "none of 4 tasks is ready"),
        ((), 0, Status.ACTIVE, "0 of 0"),
    ],
)
def test_an_exposure_says_how_many_of_the_wanted_tasks_are_published(
    published: tuple[int, ...], wanted: int, status: Status, message: str
) -> None:
    stands = judged(before=record(*published), of=service(wanted=wanted))

    assert (stands.status, stands.message) == (status, message)


def test_an_exposure_whose_tag_is_gone_is_being_removed() -> None:
    assert (judged(gone=True).status, judged(gone=True).code) == (Status.PENDING, "Removing")


def test_all_that_the_pass_recorded_is_kept() -> None:
    done = record(0, good="other", found={}, version=7)

    assert judged(Outcome(done)).owned == done.owned
    assert (judged(Outcome(done)).good, judged(Outcome(done)).version) == ("other", 7)


@pytest.mark.parametrize(
    ("outcome", "pauses"),
    [
        ({"failed": DENIED}, [5, 10, 20, 40, 80, 160, 300, 300]),
        ({"failed": THROTTLED}, [5, 10, 20, 40, 80, 160, 300, 300]),
        ({"refused": BLOCKED}, [60, 120, 240, 480, 900, 900]),
    ],
)
def test_what_went_wrong_is_tried_again_ever_more_rarely(
    outcome: dict[str, Any], pauses: list[float]
) -> None:
    stands, now, seen = ALL, NOW, []
    for _ in pauses:
        stands = judged(Outcome(stands, **outcome), stands, now=now)
        seen.append(round(stands.retry_at - now))
        assert stands.look_at == stands.retry_at
        now = stands.retry_at

    assert seen == pauses
    assert (judged(before=stands).attempts, judged(before=stands).retry_at) == (0, 0.0)


@pytest.mark.parametrize("outcome", [{"refused": BLOCKED}, {"failed": DENIED}])
def test_a_look_in_between_does_not_put_off_the_next_try(outcome: dict[str, Any]) -> None:
    first = judged(Outcome(ALL, **outcome))
    second = judged(Outcome(first, **outcome), first, now=first.retry_at - 1)

    assert (second.retry_at, second.attempts) == (first.retry_at, first.attempts)


@pytest.mark.parametrize(("refusal", "look_at"), [(INVALID, 0.0), (BLOCKED, NOW + 60)])
def test_a_refused_tag_waits_for_its_owner_not_for_tasks_that_are_ready_already(
    refusal: Refused, look_at: float
) -> None:
    young, never = service(task(0, started_at=NOW - 10)), record(good="")

    assert judged(Outcome(never, refused=refusal), never, young).look_at == look_at


def test_an_exposure_at_rest_is_not_looked_at_again() -> None:
    assert judged().look_at == 0.0


@pytest.mark.parametrize(("age", "pause"), [(0, 5), (10, 5), (40, 10), (200, 50), (3600, 60)])
def test_a_task_that_is_not_healthy_yet_is_looked_at_because_no_event_will_tell(
    age: float, pause: float
) -> None:
    """F§1.2. Ever more rarely, the longer it has been so."""
    sick = service(task(0, healthy=True), task(1, started_at=NOW - age), of=CHECKED)

    assert judged(before=record(0), of=sick).look_at == NOW + pause
    assert judged(before=record(0), of=sick, gone=True).look_at == 0.0


PENDING = {"running": False, "started_at": 0.0}


@pytest.mark.parametrize(("read_ago", "pause"), [(0, 45), (30, 15), (40, 5), (3600, 5)])
def test_a_task_that_does_not_run_yet_is_looked_at_because_its_event_may_be_lost(
    read_ago: float, pause: float
) -> None:
    beginning = service(task(0), task(1, **PENDING), read_at=NOW - read_ago)

    stands = judged(before=record(0), of=beginning)
    look = next_look([stands], [], beginning, now=NOW)

    assert stands.look_at == NOW + pause
    assert look == Look(pause, Depth.TASKS)


def test_an_operation_s_end_is_looked_for_without_reading_tasks_that_do_not_run_yet() -> None:
    beginning = service(task(0), task(1, **PENDING))
    soon = replace(record(0), look_at=NOW + 3)

    assert next_look([soon], [], beginning, now=NOW) == Look(3, Depth.RECORD)


def test_a_task_without_production_traffic_has_the_service_read_again() -> None:
    """F§11.8: no event tells when it shifts."""
    blue, green = task(0, started_by="blue"), task(1, started_by="green")
    shifting = service(blue, green, serving=("blue",))

    stands = judged(before=record(0), of=shifting)

    assert stands.look_at == NOW + 30
    assert next_look([stands], [], shifting, now=NOW) == Look(30, Depth.SERVICE)
    alone = replace(shifting, tasks=(blue,))
    assert judged(before=record(0), of=alone).look_at == 0.0


@pytest.mark.parametrize(("age", "pause"), [(40, 10), (600, 150), (7200, 300)])
@pytest.mark.parametrize("code", sorted(LACKS))
def test_what_tasks_lack_is_asked_for_again_soon_although_the_owner_was_told(
    code: str, age: float, pause: float
) -> None:
    of, never = service(task(0, started_at=NOW - age)), record(good="")

    stands = judged(Outcome(never, refused=Refused(code, "")), never, of)

    assert stands.look_at == NOW + min(pause, 60)  # at 60, everything is tried anew
    assert lacking([stands], of, now=NOW) == {task(0).id}


def test_only_what_may_lack_something_is_read_anew() -> None:
    old, young = task(0), task(1, started_at=NOW - 10)
    both = service(old, young)

    assert lacking([record(0, 1)], both, now=NOW) == frozenset()
    assert lacking([record(0)], service(old, task(2)), now=NOW) == {task(2).id}
    assert lacking([record(code="NameTaken")], both, now=NOW) == {young.id}


def test_the_next_look_is_at_the_earliest_of_all_that_is_waited_for() -> None:
    sick = service(task(0, started_at=NOW - 200), of=CHECKED)
    waiting = Outcome(record(0), waiting=NotYet("", seconds=30))

    assert judged(waiting, record(0), sick, held=NOW + 40).look_at == NOW + 30
    assert judged(waiting, record(0), sick, held=NOW + 20).look_at == NOW + 20
    assert judged(None, record(0), sick, held=NOW + 60).look_at == NOW + 50
    assert judged(Outcome(ALL, failed=DENIED, waiting=NotYet("", seconds=30))).look_at == NOW + 5


# A bug: `held_until` in the past asks for a look in one second, again and again, for as long as it stays withheld.
def test_a_time_that_has_passed_is_not_waited_for() -> None:
    """Where the policy or AWS keeps back what should have happened then, looking again and again brings nothing."""
    assert judged(held=NOW - 1).look_at == 0.0
    assert judged(Outcome(ALL, failed=DENIED), held=NOW - 1).look_at == NOW + 5


def test_the_next_look_is_never_in_the_past() -> None:
    for seed in range(200):
        random = Random(seed)
        outcome = Outcome(record(*range(random.randint(0, 3))))
        outcome.failed = random.choice([None, DENIED])
        outcome.waiting = random.choice([None, NotYet("", seconds=3)])
        held = random.choice([0.0, NOW - 1, NOW, NOW + 1])
        stands = judged(outcome, outcome.record, service(task(0, running=random.random() < 0.5)), held=held)

        assert stands.look_at == 0.0 or stands.look_at > NOW
        assert stands.retry_at == 0.0 or stands.retry_at > NOW


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.ACTIVE, "Exposure Changed"),
        (Status.INVALID, "Exposure Blocked"),
        (Status.BLOCKED, "Exposure Blocked"),
        (Status.FAILED, "Exposure Failed"),
    ],
)
def test_what_happened_is_told_once_with_all_that_its_owner_needs(status: Status, kind: str) -> None:
    stands = record(1, 2, status=status, code="Code", message="Words")
    said, told = announcement(stands, removed=False)

    assert told
    assert told.kind == kind
    assert told.detail == {
        "service": str(ARN),
        "tag": "expose:dns",
        "value": NAME,
        "status": status,
        "code": "Code",
        "message": "Words",
        "addresses": ["203.0.113.1", "203.0.113.2"],
    }
    assert announcement(replace(stands, announced=said), removed=False) == (said, None)


@pytest.mark.parametrize(
    "difference",
    [{"status": Status.FAILED}, {"code": "Other"}, {"value": "other"}, {"owned": record(1, 3).owned}],
)
def test_what_is_new_is_told_again(difference: dict[str, Any]) -> None:
    stands = record(1, 2, status=Status.ACTIVE, code="Code")
    said, _ = announcement(stands, removed=False)

    assert announcement(replace(stands, announced=said, **difference), removed=False)[1]


def test_what_is_on_its_way_is_not_told_and_does_not_make_what_was_said_new() -> None:
    active = record(1, status=Status.ACTIVE)
    said, _ = announcement(active, removed=False)
    pending = replace(active, status=Status.PENDING, announced=said)

    assert announcement(pending, removed=False) == (said, None)
    assert announcement(replace(active, announced=said), removed=False) == (said, None)


def test_the_end_of_an_exposure_is_told_whatever_its_status() -> None:
    said, told = announcement(record(status=Status.PENDING, announced="before"), removed=True)

    assert told
    assert (told.kind, told.detail["status"], told.detail["addresses"]) == ("Exposure Changed", "Removed", [])
    assert said != "before"


def test_a_service_that_cannot_be_looked_at_stands_like_a_tag_that_is_refused() -> None:
    stands = refusal_record(str(ARN), "expose:*", BLOCKED)

    assert (stands.status, stands.code, stands.message) == (Status.BLOCKED, "NameTaken", "held by another")
    assert announcement(stands, removed=False)[1]


def test_a_look_that_is_under_way_is_not_put_off_by_a_later_one() -> None:
    """Its message would find a time that is still to come, and nobody would send one for that."""
    outcome = Outcome(ALL)
    outcome.waiting = NotYet("", seconds=30)

    assert judged(outcome, replace(ALL, look_at=NOW + 2)).look_at == NOW + 2
    assert judged(outcome, replace(ALL, look_at=NOW - 2)).look_at == NOW + 30
