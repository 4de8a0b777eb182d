"""What exposures use together, as the ledger knows it: who uses it, what each adds, who makes and who removes it."""

from __future__ import annotations

from itertools import permutations

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from expose.aws import Clients
from expose.common import LEASE, Common
from expose.model import Identity
from expose.refusals import Lingering, NotYet
from expose.shared import Shared
from farm.timeline import Timeline
from tests.unit.tables import TABLE, items, table

RULE = Identity("elb.rule", "granja-alb:80/a.com||")
A, B, C = "corral/granja/a/expose:lb", "corral/granja/b/expose:lb", "corral/granja/c/expose:lb"


@pytest.fixture
def clients(timeline: Timeline) -> Clients:
    return table()


@pytest.fixture
def shared(clients: Clients, timeline: Timeline) -> Shared:
    return Shared(clients, TABLE, timeline.now)


def test_what_nobody_uses_was_never_made(shared: Shared) -> None:
    assert shared.look(RULE) == Common()


def test_who_joins_finds_what_is_made(shared: Shared) -> None:
    assert shared.join(RULE, A) == Common(in_use=True)
    shared.made(RULE, "arn:1", "name.elb")

    assert shared.join(RULE, B) == Common("arn:1", "name.elb", in_use=True)
    assert shared.look(RULE) == Common("arn:1", "name.elb", in_use=True)


@pytest.mark.parametrize("order", list(permutations((A, B, C))))
def test_parts_are_kept_by_mark_until_each_withdraws_its_own(shared: Shared, order: tuple[str, ...]) -> None:
    for mark in order:
        assert shared.take_part(RULE, mark, f"part of {mark}").parts[mark] == f"part of {mark}"
    left = {mark: f"part of {mark}" for mark in order}
    for mark in order:
        del left[mark]
        assert shared.withdraw(RULE, mark).parts == left
        assert shared.look(RULE).parts == left


def test_a_part_may_be_said_anew_and_repeated(shared: Shared) -> None:
    for said in ("one", "two", "two"):
        shared.take_part(RULE, A, said)
    shared.take_part(RULE, B, "other")

    assert shared.look(RULE).parts == {A: "two", B: "other"}
    shared.withdraw(RULE, A)
    assert shared.withdraw(RULE, A).parts == {B: "other"}


# making


def test_one_at_a_time_makes_it(shared: Shared) -> None:
    for mark in (A, B):
        shared.join(RULE, mark)
    with shared.making(RULE, A):
        with pytest.raises(NotYet, match="another service is just making"), shared.making(RULE, B):
            pytest.fail("two make it")
        shared.made(RULE, "arn:1")

    assert shared.join(RULE, B).aws_id == "arn:1"


def test_where_aws_refuses_another_may_try_at_once(shared: Shared) -> None:
    shared.join(RULE, A)
    with pytest.raises(ClientError), shared.making(RULE, A):
        raise _answer("AccessDenied", 403)

    with shared.making(RULE, B):
        shared.made(RULE, "arn:1")


@pytest.mark.parametrize("unanswered", [ReadTimeoutError(endpoint_url="https://elb"), "InternalFailure"])
def test_where_aws_does_not_answer_nobody_makes_it_before_the_lease_ends(
    shared: Shared, timeline: Timeline, unanswered: Exception | str
) -> None:
    error = _answer(unanswered, 500) if isinstance(unanswered, str) else unanswered
    shared.join(RULE, A)
    with pytest.raises(type(error)), shared.making(RULE, A):
        raise error

    timeline.run_for(LEASE - 1)
    for mark in (A, B):
        with pytest.raises(NotYet), shared.making(RULE, mark):
            pytest.fail("it may have been made")
    assert shared.join(RULE, B).unanswered
    timeline.run_for(2)
    with shared.making(RULE, B):
        shared.made(RULE, "arn:1")


def test_what_is_not_seen_has_to_be_made_anew_unless_it_was_made_just_now(
    shared: Shared, timeline: Timeline
) -> None:
    shared.join(RULE, A)
    shared.made(RULE, "arn:1")
    shared.lost(RULE, "arn:1")
    assert shared.look(RULE).aws_id == "arn:1"

    timeline.run_for(31)
    shared.lost(RULE, "arn:2")
    assert shared.look(RULE).aws_id == "arn:1"
    shared.lost(RULE, "arn:1")
    assert shared.look(RULE).aws_id == ""


def test_what_an_older_version_was_making_or_removing_stands_in_nobody_s_way(
    shared: Shared, clients: Clients
) -> None:
    clients.dynamodb.put_item(
        TableName=TABLE,
        Item={"pk": {"S": f"SHARED#{RULE}"}, "sk": {"S": "SHARED"}, "closing": {"S": A}, "maker": {"S": A}},
    )
    shared.join(RULE, B)
    with shared.making(RULE, B):
        shared.made(RULE, "arn:1")


# leaving


def test_the_last_one_to_leave_learns_since_when_nobody_uses_it(shared: Shared, timeline: Timeline) -> None:
    for mark in (A, B):
        shared.join(RULE, mark)
    start = timeline.now()

    assert shared.leave(RULE, A).in_use
    assert shared.leave(RULE, B) == Common(empty_since=start)
    timeline.run_for(9)
    assert shared.leave(RULE, B).empty_since == start
    shared.join(RULE, A)
    assert shared.leave(RULE, A).empty_since == start + 9


def test_what_nobody_knows_of_is_not_kept_for_anybody(shared: Shared, clients: Clients) -> None:
    assert shared.leave(RULE, A) == Common()
    assert items(clients) == 0


def test_who_closes_keeps_others_out_until_it_is_gone(shared: Shared, clients: Clients) -> None:
    shared.join(RULE, B)
    shared.leave(RULE, B)
    assert shared.close(RULE, B)
    for enter in (shared.join, lambda rule, mark: shared.take_part(rule, mark, "part")):
        with pytest.raises(NotYet, match="is being removed"):
            enter(RULE, A)
    with pytest.raises(NotYet, match="another service is removing"):
        shared.close(RULE, A)
    assert shared.close(RULE, B)  # again, after a crash

    shared.drop(RULE, "arn:1")
    assert items(clients) == 0
    shared.take_part(RULE, A, "part")


def test_what_somebody_uses_is_not_closed_and_not_dropped(shared: Shared) -> None:
    shared.join(RULE, A)
    shared.made(RULE, "arn:1")
    assert not shared.close(RULE, B)

    shared.drop(RULE, "arn:0")
    assert shared.look(RULE) == Common("arn:1", in_use=True)
    shared.drop(RULE, "arn:1")  # gone it is all the same, so A makes it anew
    assert shared.look(RULE) == Common(in_use=True)


def test_a_remover_that_died_keeps_others_out_for_its_lease_only(shared: Shared, timeline: Timeline) -> None:
    _closed(shared)
    timeline.run_for(LEASE - 1)
    with pytest.raises(NotYet):
        shared.join(RULE, B)
    timeline.run_for(2)

    found = shared.join(RULE, B)

    assert found.aws_id == "arn:1"
    assert found.unsure_until > 0


def test_who_died_while_removing_it_may_have_it_back(shared: Shared) -> None:
    _closed(shared)

    assert shared.take_part(RULE, A, "part").unsure_until > 0


def test_where_aws_refuses_to_remove_it_others_join_at_once_and_it_rests_for_ever_longer(
    shared: Shared, timeline: Timeline
) -> None:
    for pause in (60, 120, 240, 480, 900, 900):
        _closed(shared) if pause == 60 else shared.close(RULE, A)
        with pytest.raises(Lingering, match="AccessDenied"), shared.removal(RULE):
            raise _answer("AccessDenied", 403)
        timeline.run_for(pause - 1)
        with pytest.raises(Lingering, match="AccessDenied"):
            shared.close(RULE, A)
        timeline.run_for(2)

    assert shared.join(RULE, B) == Common("arn:1", in_use=True)


def test_what_waits_for_something_else_is_said_again_and_rests_as_long_as_that_takes(
    shared: Shared, timeline: Timeline
) -> None:
    _closed(shared)
    with pytest.raises(NotYet), shared.removal(RULE):
        raise NotYet("it still has routes", seconds=30)
    with pytest.raises(NotYet, match="it still has routes") as reason:
        shared.close(RULE, A)
    assert reason.value.seconds == 30
    timeline.run_for(31)
    assert shared.close(RULE, A)


def test_where_aws_does_not_answer_a_removal_it_is_used_at_once_and_with_care(shared: Shared) -> None:
    _closed(shared)
    with pytest.raises(ReadTimeoutError), shared.removal(RULE):
        raise ReadTimeoutError(endpoint_url="https://elb")

    assert shared.join(RULE, B).unsure_until > 0


def test_closing_and_joining_at_once_only_one_comes_through(shared: Shared) -> None:
    """Whichever DynamoDB sees first: there is no third way."""
    for first_in in (True, False):
        if first_in:
            shared.take_part(RULE, A, "part")
            assert not shared.close(RULE, B)
            shared.withdraw(RULE, A)
        else:
            assert shared.close(RULE, B)
            with pytest.raises(NotYet):
                shared.take_part(RULE, A, "part")
            shared.drop(RULE, "")
        assert shared.look(RULE).parts == {}


def _closed(shared: Shared) -> None:
    """Made, used and left by A, which is about to remove it."""
    shared.join(RULE, A)
    shared.made(RULE, "arn:1")
    shared.leave(RULE, A)
    assert shared.close(RULE, A)


def _answer(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "DeleteRule",
    )
