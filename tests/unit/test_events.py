"""Events name the work, never describe it: which services an event is about, and how far to look."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from expose.arn import ServiceArn
from expose.events import Malformed, read
from expose.refusals import Refused
from expose.work import Depth

EVENTS = Path(__file__).parents[2] / "events"
SERVICE = "arn:aws:ecs:eu-west-1:123456789012:service/granja/"

# What each sample becomes: services, depth, and the tasks that an event may speak of because that never reverts.
WORK: dict[str, tuple[list[str], Depth]] = {
    "task-running": (["conejo"], Depth.TASKS),
    "task-running-bridge": (["gallina"], Depth.TASKS),
    "task-running-native": (["gallina"], Depth.TASKS),
    "task-stop-decided": (["conejo"], Depth.RECORD),
    "task-stopped": (["conejo"], Depth.RECORD),
    "task-died": (["conejo"], Depth.RECORD),
    "deployment-in-progress": (["conejo"], Depth.SERVICE),
    "deployment-completed": (["conejo"], Depth.SERVICE),
    "deployment-failed": (["conejo"], Depth.SERVICE),
    "tag-added": (["conejo"], Depth.SERVICE),
    "tag-changed": (["conejo"], Depth.SERVICE),
    "tag-removed": (["conejo"], Depth.SERVICE),
    "tag-of-others": (["conejo"], Depth.SERVICE),
    "call-tag-resource": (["conejo"], Depth.SERVICE),
    "call-untag-resource": (["conejo"], Depth.SERVICE),
    "call-create-service": (["gallina"], Depth.SERVICE),
    "call-create-express-service": (["gallina"], Depth.SERVICE),
    "call-update-express-service": (["gallina"], Depth.SERVICE),
    "call-delete-express-service": (["gallina"], Depth.SERVICE),
    "call-update-service": (["conejo"], Depth.SERVICE),
    "call-delete-service": (["gallina"], Depth.SERVICE),
    "tagging-tag-resources": (["conejo", "gallina"], Depth.SERVICE),
    "tagging-untag-resources": (["conejo"], Depth.SERVICE),
}
NO_WORK = {"task-pending", "task-standalone", "call-failed", "tagging-of-others"}


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


@pytest.mark.parametrize("name", WORK)
def test_an_event_names_the_services_that_it_is_about(name: str) -> None:
    works = read(sample(name))

    assert ([work.service.removeprefix(SERVICE) for work in works], works[0].depth) == WORK[name]
    assert {work.depth for work in works} == {works[0].depth}


@pytest.mark.parametrize("name", sorted(NO_WORK))
def test_an_event_that_changes_nothing_for_any_service_asks_for_no_work(name: str) -> None:
    assert read(sample(name)) == []


def test_every_sample_of_an_event_is_read_here() -> None:
    others = {
        "work-batch",
        "later-batch",
        "exposures-create",
        "exposures-update",
        "exposures-delete",
        "clock",
        "audit-clock",
        "published-public-address-audit",
        "published-stale-address-withdrawn",
    }

    assert {path.stem for path in EVENTS.iterdir()} == {*WORK, *NO_WORK, *others}


@pytest.mark.parametrize("name", WORK)
def test_work_remembers_when_the_change_happened(name: str) -> None:
    event = sample(name) | {"time": "2026-11-22T10:00:00Z"}

    assert {work.since for work in read(event)} == {1795341600.0}


@pytest.mark.parametrize("name", ["task-stop-decided", "task-stopped", "task-died"])
def test_the_id_of_a_task_that_will_stop_travels_along_so_that_nobody_has_to_ask_ecs(name: str) -> None:
    event = sample(name)
    (work,) = read(event)
    (task,) = (*work.stopping, *work.stopped)

    assert event["detail"]["taskArn"].endswith(f"/{task}")


def test_a_task_that_will_stop_but_still_serves_is_told_from_one_that_does_not() -> None:
    decided = sample("task-stop-decided")
    for status in ("RUNNING", "DEACTIVATING", "STOPPING"):
        decided["detail"]["lastStatus"] = status
        (work,) = read(decided)
        assert (len(work.stopping), len(work.stopped)) == (1, 0)
    for status in ("DEPROVISIONING", "STOPPED"):
        decided["detail"]["lastStatus"] = status
        (work,) = read(decided)
        assert (len(work.stopping), len(work.stopped)) == (0, 1)


@pytest.mark.parametrize("status", ["PROVISIONING", "PENDING", "ACTIVATING"])
def test_a_task_that_stops_before_it_ever_ran_is_heard_of_too(status: str) -> None:
    event = sample("task-pending")
    event["detail"] |= {"desiredStatus": "STOPPED", "lastStatus": status}

    assert [work.depth for work in read(event)] == [Depth.RECORD]


def test_only_a_task_that_will_stop_is_named_in_its_work() -> None:
    for name in sorted(set(WORK) - {"task-stop-decided", "task-stopped", "task-died"}):
        assert [(work.stopping, work.stopped) for work in read(sample(name))] == [((), ())] * len(
            WORK[name][0]
        )


def test_a_standalone_task_is_nobody_s_whatever_happens_to_it() -> None:
    event = sample("task-standalone")
    event["detail"]["desiredStatus"] = "STOPPED"
    assert read(event) == []


def test_the_cluster_of_a_task_is_its_service_s() -> None:
    event = sample("task-running")
    event["detail"]["clusterArn"] = "arn:aws-cn:ecs:cn-north-1:123456789012:cluster/corral"

    assert read(event)[0].service == "arn:aws-cn:ecs:cn-north-1:123456789012:service/corral/conejo"


@pytest.mark.parametrize(
    ("region", "parameters", "service"),
    [
        ("eu-west-1", {"service": "conejo", "cluster": "granja"}, f"{SERVICE}conejo"),
        ("eu-west-1", {"service": "conejo"}, f"{SERVICE.replace('granja', 'default')}conejo"),
        ("eu-west-1", {"serviceName": "conejo", "cluster": "granja"}, f"{SERVICE}conejo"),
        ("eu-west-1", {"service": "c", "cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/granja"}, f"{SERVICE}c"),
        ("eu-west-1", {"service": f"{SERVICE}conejo", "cluster": "granja"}, f"{SERVICE}conejo"),
        ("cn-north-1", {"service": "c"}, "arn:aws-cn:ecs:cn-north-1:123456789012:service/default/c"),
        ("us-gov-west-1", {"service": "c"}, "arn:aws-us-gov:ecs:us-gov-west-1:123456789012:service/default/c"),
        ("us-iso-east-1", {"service": "c"}, "arn:aws-iso:ecs:us-iso-east-1:123456789012:service/default/c"),
        ("us-isob-east-1", {"service": "c"}, "arn:aws-iso-b:ecs:us-isob-east-1:123456789012:service/default/c"),
        ("eu-isoe-west-1", {"service": "c"}, "arn:aws-iso-e:ecs:eu-isoe-west-1:123456789012:service/default/c"),
        ("us-isof-south-1", {"service": "c"}, "arn:aws-iso-f:ecs:us-isof-south-1:123456789012:service/default/c"),
        ("eusc-de-east-1", {"service": "c"}, "arn:aws-eusc:ecs:eusc-de-east-1:123456789012:service/default/c"),
        ("eu-west-1", {"serviceArn": f"{SERVICE}conejo"}, f"{SERVICE}conejo"),
    ],
)  # fmt: skip
def test_a_call_without_an_answer_is_read_from_its_request(
    region: str, parameters: dict[str, str], service: str
) -> None:
    event = sample("call-update-service") | {"region": region}
    event["detail"] |= {"requestParameters": parameters, "responseElements": None, "userIdentity": {}}
    assert [work.service for work in read(event)] == [service]


def test_an_arn_in_the_event_says_the_partition_better_than_the_name_of_its_region() -> None:
    """A partition may be newer than we are."""
    new = {"region": "moon-base-1", "account": "123456789012"}
    caller = {"arn": "arn:aws-moon:sts::123456789012:assumed-role/deploy/ci"}
    event = sample("call-update-service") | new
    event["detail"] |= {
        "requestParameters": {"service": "c"},
        "responseElements": None,
        "userIdentity": caller,
    }

    assert [work.service for work in read(event)] == [
        "arn:aws-moon:ecs:moon-base-1:123456789012:service/default/c"
    ]


@pytest.mark.parametrize(
    "parameters", [None, {}, {"omitted": True, "originalSize": 104857, "reason": "too large"}]
)
def test_what_cloudtrail_left_out_is_read_from_the_answer_or_left_to_the_sweep(parameters: Any) -> None:
    event = sample("call-create-service")
    event["detail"]["requestParameters"] = parameters
    assert [work.service for work in read(event)] == [f"{SERVICE}gallina"]

    event["detail"]["responseElements"] = None
    assert read(event) == []


def test_a_tag_on_a_cluster_or_a_task_is_no_service_s() -> None:
    event = sample("call-tag-resource")
    for kind in (
        "cluster/granja",
        "task/granja/0",
        "service-deployment/granja/conejo/1",
        "task-definition/a:1",
    ):
        event["detail"]["requestParameters"]["resourceArn"] = SERVICE.replace("service/granja/", kind)
        assert read(event) == []


@pytest.mark.parametrize(
    "other",
    [
        "arn:aws:servicediscovery:eu-west-1:123456789012:service/srv-abcdefgh12345678",
        "arn:aws:vpc-lattice:eu-west-1:123456789012:service/svc-0123456789abcdef0",
        "arn:aws:apprunner:eu-west-1:123456789012:service/corral/8fe1e10304f84fd2b0df550fe98a71fa",
    ],
)
def test_services_of_other_kinds_that_are_tagged_in_one_call_do_not_hide_ecs_s(other: str) -> None:
    event = sample("tagging-tag-resources")
    event["detail"]["requestParameters"]["resourceARNList"].insert(0, other)

    assert [work.service for work in read(event)] == [f"{SERVICE}conejo", f"{SERVICE}gallina"]


UNKNOWN = [None, [], "", 7, {}, {"detail-type": []}, {"detail-type": "Other", "detail": {}}]


@pytest.mark.parametrize(
    "event", [*UNKNOWN, sample("clock"), sample("work-batch"), sample("exposures-create")]
)
def test_what_is_no_event_of_ours_is_malformed(event: Any) -> None:
    with pytest.raises(Malformed):
        read(event)


@pytest.mark.parametrize("name", [*WORK, *sorted(NO_WORK)])
def test_an_event_that_lacks_any_one_field_is_work_or_malformed_and_nothing_else(name: str) -> None:
    for path in paths(sample(name)):
        event = sample(name)
        del at(event, path[:-1])[path[-1]]
        read_or_malformed(event)


@pytest.mark.parametrize("wrong", [None, 7, "x", [], {}, [None]])
def test_an_event_with_any_one_field_of_another_type_is_work_or_malformed(wrong: Any) -> None:
    for name in (*WORK, *NO_WORK):
        original = sample(name)
        for path in paths(original):
            event = copy.deepcopy(original)
            at(event, path[:-1])[path[-1]] = wrong
            read_or_malformed(event)


def test_a_malformed_event_says_what_was_missing_and_shows_itself_shortened() -> None:
    event = sample("task-running")
    del event["detail"]["clusterArn"]
    with pytest.raises(Malformed, match=r"KeyError: 'clusterArn' in \{'version': '0'") as malformed:
        read(event)

    assert len(str(malformed.value)) < 600


def test_the_old_short_arn_of_a_service_is_refused_with_the_way_out() -> None:
    with pytest.raises(Refused, match="serviceLongArnFormat") as refused:
        ServiceArn.parse("arn:aws:ecs:eu-west-1:123456789012:service/conejo")

    assert refused.value.code == "ShortArn"
    assert str(ServiceArn.parse(f"{SERVICE}conejo")) == f"{SERVICE}conejo"
    for text in (
        "conejo",
        "arn:aws:ecs:eu-west-1:123456789012:cluster/granja",
        f"{SERVICE}x".replace("ecs", "sqs"),
    ):
        with pytest.raises(ValueError, match="is not the ARN of an ECS service"):
            ServiceArn.parse(text)


def paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every field of an event stands, however deep."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*before, key)
        yield from paths(each, (*before, key))


def at(value: Any, path: Sequence[Any]) -> Any:
    for key in path:
        value = value[key]
    return value


def read_or_malformed(event: Any) -> None:
    try:
        works = read(event)
    except Malformed:
        return
    assert all(work.service.startswith("arn:") and work.depth in Depth for work in works)
