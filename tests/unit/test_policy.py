"""What may be done: which tasks are ready, how an emptied name is held, what a policy and the allow-lists permit."""

from __future__ import annotations

import pytest

from expose.model import Identity, Owned, Resource, Service, Task
from expose.plan import Create, Delete, Forget, Plan, Update
from expose.policy import POLICIES, Limits, ready, to_publish
from expose.refusals import Refused, Status
from tests.unit.values import NAME, definition, exposure, service, task

CHECKED = definition(checked=True)
UNHEALTHY, HEALTHY = task(1), task(2, healthy=True)


@pytest.mark.parametrize(
    ("running", "healthy", "checked", "expected"),
    [
        (True, False, False, True),  # without a check its health stays UNKNOWN for ever (F§1.2)
        (True, True, False, True),
        (True, False, True, False),
        (True, True, True, True),
        (False, True, True, False),
        (False, False, False, False),
    ],
)
def test_ready_is_running_and_healthy_where_there_is_a_way_to_tell(
    running: bool, healthy: bool, checked: bool, expected: bool
) -> None:
    one = task(1, running=running, healthy=healthy)

    assert ready(one, service(one, of=definition(checked=checked))) is expected


def test_a_task_of_an_unknown_definition_is_not_ready() -> None:
    one = task(1, definition="arn:aws:ecs:eu-west-1:123456789012:task-definition/other:1")

    assert not ready(one, service(one))


def publishing(of: Service, *published: Task, idle: float = 0.0) -> list[str]:
    ids = {each.id for each in published}
    return [each.id for each in to_publish(of, ready, published=ids, none_ready_for=idle, empty_after=60)]


def test_ready_tasks_are_published_and_the_others_are_not() -> None:
    both = service(UNHEALTHY, HEALTHY, of=CHECKED)

    assert publishing(both) == [HEALTHY.id]
    assert publishing(both, UNHEALTHY, HEALTHY) == [HEALTHY.id]


def test_no_surprise_empties_a_name() -> None:
    """Rule 6: the last ones stay until there really has been none ready for `EmptyAfter` seconds."""
    sick = service(UNHEALTHY, of=CHECKED)

    assert publishing(sick, UNHEALTHY, idle=0) == [UNHEALTHY.id]
    assert publishing(sick, UNHEALTHY, idle=59.9) == [UNHEALTHY.id]
    assert publishing(sick, UNHEALTHY, idle=60) == []


def test_a_name_is_held_by_what_was_published_never_filled_with_what_was_not() -> None:
    assert publishing(service(UNHEALTHY, of=CHECKED)) == []
    assert publishing(service(UNHEALTHY, task(3), of=CHECKED), task(3)) == [task(3).id]


def test_a_task_that_has_stopped_is_not_held() -> None:
    """Rule 5 wins over rule 6: it is no task of the service any more."""
    assert publishing(service(UNHEALTHY, of=CHECKED), HEALTHY) == []
    assert publishing(service(wanted=4), UNHEALTHY, HEALTHY) == []


def test_a_service_that_wants_no_tasks_is_emptied_at_once() -> None:
    assert publishing(service(UNHEALTHY, of=CHECKED, wanted=0), UNHEALTHY) == []


def test_a_service_that_is_scaled_down_keeps_what_is_still_ready() -> None:
    assert publishing(service(HEALTHY, wanted=0)) == [HEALTHY.id]


def test_nothing_of_a_deleted_service_is_published() -> None:
    assert publishing(service(HEALTHY, UNHEALTHY, active=False), HEALTHY, UNHEALTHY) == []


THING = Resource(Identity("thing", "one"))
OURS, STOPPED, ALIVE = (Owned(THING.identity, task=task_id) for task_id in ("", "stopped", "alive"))
DOOR = Owned(THING.identity, open=True)
ALL = Plan(
    (Create(THING), Update(THING, OURS)),
    (Delete(OURS), Delete(STOPPED), Delete(ALIVE), Forget(OURS), Delete(DOOR)),
)


@pytest.mark.parametrize(
    ("policy", "permitted"),
    [
        ("sync", ALL),
        # Rule 5: the address of a task that has stopped is somebody else's already. Rule 12: doors close.
        ("upsert-only", Plan(ALL.openings, (Delete(STOPPED), Forget(OURS), Delete(DOOR)))),
        ("observe", Plan()),
    ],
)
def test_a_policy_says_what_of_a_plan_is_carried_out(policy: str, permitted: Plan) -> None:
    assert POLICIES[policy](ALL, {"alive"}) == permitted
    assert not POLICIES[policy](Plan(), {"alive"})


def test_there_are_three_policies() -> None:
    assert set(POLICIES) == {"sync", "upsert-only", "observe"}


@pytest.mark.parametrize("allowed", [("*",), ("granja",), ("corral", "granja"), ("gr*",), ("gran??",)])
def test_an_allowed_cluster_may_expose(allowed: tuple[str, ...]) -> None:
    assert Limits(clusters=allowed).allow_cluster("granja")


@pytest.mark.parametrize("allowed", [(), ("corral",), ("gran",), ("Granja",), ("granja-*",)])
def test_another_cluster_may_not(allowed: tuple[str, ...]) -> None:
    assert not Limits(clusters=allowed).allow_cluster("granja")


def test_only_allowed_mechanisms_may_be_used() -> None:
    Limits(mechanisms=("lb", "dns")).check_mechanism(exposure())
    Limits(mechanisms=("*",)).check_mechanism(exposure())
    with pytest.raises(Refused) as refused:
        Limits(mechanisms=("lb", "api")).check_mechanism(exposure())

    said(refused.value, "'dns' is not allowed here", ("lb", "api"), "AllowedMechanisms")


@pytest.mark.parametrize(
    "suffix", ["*", "granja.animales.com", "animales.com", ".animales.com", "com", NAME, "animales.com."]
)
def test_a_name_at_or_below_an_allowed_suffix_may_be_had(suffix: str) -> None:
    Limits(names=("otros.net", suffix)).check_name(NAME, exposure())


@pytest.mark.parametrize(
    "suffix", ["otros.net", "imales.com", "x.conejo.granja.animales.com", "conejo.granja", "co", "", "."]
)
def test_a_name_that_only_looks_like_an_allowed_one_may_not(suffix: str) -> None:
    with pytest.raises(Refused) as refused:
        Limits(names=(suffix,)).check_name(NAME, exposure())

    said(refused.value, f"{NAME!r} is not allowed here", (suffix,), "AllowedNames")


def said(refused: Refused, token: str, allowed: tuple[str, ...], parameter: str) -> None:
    """The tag, the token, what was expected, and whom to ask."""
    assert (refused.code, refused.status) == ("NotAllowed", Status.BLOCKED)
    assert refused.message.startswith(f"expose:dns = {NAME!r}: {token}: expected one of {', '.join(allowed)}")
    assert f"parameter {parameter}" in refused.message
