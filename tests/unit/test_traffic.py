"""Which tasks count: those of the deployments or task sets that take production traffic; in doubt, those that did."""

from __future__ import annotations

import pytest

from expose.policy import ready, runs, to_publish
from expose.traffic import Shift, of_deployments, of_task_sets
from tests.unit.values import service, task

TWO = ("green", "blue")
UNSHIFTED = Shift("IN_PROGRESS", "TEST_TRAFFIC_SHIFT", 0.0)
SHIFTED = Shift("IN_PROGRESS", "BAKE_TIME", 100.0)


@pytest.mark.parametrize(
    ("shift", "counting"),
    [
        (UNSHIFTED, "blue"),
        (SHIFTED, "green"),
        (Shift("IN_PROGRESS", "PRODUCTION_TRAFFIC_SHIFT", 10.0), "blue"),
        (Shift("IN_PROGRESS", "PRODUCTION_TRAFFIC_SHIFT", 99.9), "blue"),
        (Shift("ROLLBACK_IN_PROGRESS", "BAKE_TIME", 0.0), "blue"),
        (Shift("ROLLBACK_IN_PROGRESS", "BAKE_TIME", 100.0), "green"),
        (Shift("IN_PROGRESS", "RECONCILE_SERVICE", 100.0), "green"),
        # without weights, by how far it is
        (Shift("IN_PROGRESS", "SCALE_UP"), "blue"),
        (Shift("IN_PROGRESS", "POST_TEST_TRAFFIC_SHIFT"), "blue"),
        (Shift("IN_PROGRESS", "PRODUCTION_TRAFFIC_SHIFT"), "blue"),
        (Shift("IN_PROGRESS", "POST_PRODUCTION_TRAFFIC_SHIFT"), "green"),
        (Shift("IN_PROGRESS", "BAKE_TIME"), "green"),
        (Shift("IN_PROGRESS", "CLEAN_UP"), "green"),
        (Shift("SUCCESSFUL"), "green"),
        (Shift("ROLLBACK_IN_PROGRESS", "BAKE_TIME"), "blue"),
        (Shift("ROLLBACK_SUCCESSFUL", "CLEAN_UP"), "blue"),
        (Shift("STOP_REQUESTED", "BAKE_TIME"), "blue"),
        (Shift("IN_PROGRESS", "A_STAGE_TO_COME"), "blue"),
    ],
)
def test_the_new_colour_counts_when_all_traffic_goes_there_and_not_before(
    shift: Shift, counting: str
) -> None:
    assert of_deployments(TWO, shift, before=()) == (counting,)


def test_what_counted_before_goes_on_counting_where_it_is_not_known_how_far_traffic_has_shifted() -> None:
    assert of_deployments(TWO, None, before=("green",)) == ("green",)
    assert of_deployments(TWO, None, before=("blue",)) == ("blue",)
    assert of_deployments(TWO, None, before=("gone",)) == ("blue",)
    assert of_deployments(TWO, None, before=()) == ("blue",)


def test_a_single_deployment_counts() -> None:
    assert of_deployments(("green",), None, before=("blue",)) == ("green",)
    assert of_deployments((), None, before=("blue",)) == ()


def test_of_task_sets_the_primary_one_counts() -> None:
    assert of_task_sets(["blue"], TWO, before=("green",)) == ("blue",)
    assert of_task_sets([], TWO, before=("green",)) == ("green",)
    assert of_task_sets([], TWO, before=()) == ()


def test_only_tasks_that_count_are_ready_and_a_task_of_which_that_is_not_known_waits() -> None:
    blue, green, other = (task(n, started_by=by) for n, by in enumerate(("blue", "green", "")))
    shifting = service(blue, green, other, serving=("blue",))
    for lets_in in (ready, runs):
        assert [lets_in(each, shifting) for each in shifting.tasks] == [True, False, False]
        published = to_publish(shifting, lets_in, published=(), none_ready_for=0, empty_after=60)
        assert published == (blue,)
        assert all(lets_in(each, service(blue, green, other)) for each in shifting.tasks)
