"""ECS that lives, held to what AWS does: how tasks come and go, what is said about it, how deployments roll."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from farm.bus import Envelope, Manners
from farm.farm import Farm
from farm.pace import DEMO, REAL
from farm.rollout import Live, Step, Wish, done, next_step

STAGES = ["PROVISIONING", "PENDING", "ACTIVATING", "RUNNING"]
LEAVING = ["RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"]


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(pace=DEMO, deploy=False) as farm:
        yield farm


def settle(farm: Farm) -> None:
    assert farm.run_until(farm.living.steady), "the services did not become steady"


def said(farm: Farm, detail_type: str) -> list[Envelope]:
    return [event for event in farm.bus.log if event["detail-type"] == detail_type]


def life(farm: Farm, task_id: str) -> list[dict[str, Any]]:
    """What was said of one task, in order."""
    events = said(farm, "ECS Task State Change")
    return [event["detail"] for event in events if event["detail"]["taskArn"].endswith(task_id)]


def ids(farm: Farm, service: str = "conejo") -> list[str]:
    return [task["taskArn"].rpartition("/")[2] for task in farm.tasks(service)]


def interface(detail: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in detail["attachments"] if one["type"] == "eni")


def values(attachment: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in attachment["details"]}


def test_a_new_service_gets_as_many_tasks_as_it_asks_for(farm: Farm) -> None:
    farm.create_service("conejo", 4)
    settle(farm)
    service = farm.service("conejo")
    assert (service["runningCount"], service["pendingCount"]) == (4, 0)
    assert len(set(farm.addresses("conejo"))) == 4
    assert len({task["availabilityZone"] for task in farm.tasks("conejo")}) == 2


def test_a_task_goes_through_every_stage_and_each_is_said(farm: Farm) -> None:
    """F§1.3: lastStatus order."""
    farm.create_service("conejo", 1)
    settle(farm)
    story = life(farm, ids(farm)[0])
    assert [detail["lastStatus"] for detail in story] == STAGES
    assert {detail["desiredStatus"] for detail in story} == {"RUNNING"}


def test_the_version_counts_up_and_describe_tasks_shows_the_same(farm: Farm) -> None:
    """F§1.1: detail.version is a per-task counter, which DescribeTasks returns in `version`."""
    farm.create_service("conejo", 1)
    while not farm.living.steady():
        farm.run_for(0.1)
        for task in farm.tasks("conejo"):
            last = life(farm, task["taskArn"])[-1]
            assert (task["version"], task["lastStatus"]) == (last["version"], last["lastStatus"])
    assert [detail["version"] for detail in life(farm, ids(farm)[0])] == [1, 2, 3, 4]


def test_an_event_has_the_shape_that_aws_gives_it(farm: Farm) -> None:
    """F§1.2: camelCase, ISO times, `eni`, both spellings of the private address, group and startedBy."""
    farm.create_service("conejo", 1, tags={"expose:dns": "x"}, propagateTags="SERVICE")
    settle(farm)
    event = said(farm, "ECS Task State Change")[-1]
    detail, task = event["detail"], farm.tasks("conejo")[0]
    assert event["source"] == "aws.ecs"
    assert event["resources"] == [task["taskArn"]]
    assert (event["version"], event["account"], event["region"]) == ("0", "123456789012", "eu-west-1")
    assert detail["createdAt"].endswith("Z")
    assert detail["updatedAt"].endswith("Z")
    assert detail["group"] == "service:conejo"
    assert detail["startedBy"] == farm.service("conejo")["deployments"][0]["id"]
    assert detail["startedBy"].startswith("ecs-svc/")
    address = values(interface(detail))["privateIPv4Address"]
    assert detail["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] == address
    assert "tags" not in detail


def test_in_events_the_interface_is_called_eni_and_elsewhere_not(farm: Farm) -> None:
    """F§1.2."""
    farm.create_service("conejo", 1)
    settle(farm)
    assert interface(life(farm, ids(farm)[0])[-1])
    assert [one["type"] for one in farm.tasks("conejo")[0]["attachments"]] == ["ElasticNetworkInterface"]


def test_early_events_know_only_the_subnet(farm: Farm) -> None:
    """F§1.2: networkInterfaceId and the private address come once the interface exists."""
    farm.create_service("conejo", 1)
    settle(farm)
    first, second = (values(interface(detail)) for detail in life(farm, ids(farm)[0])[:2])
    assert set(first) == {"subnetId"}
    assert {"networkInterfaceId", "privateIPv4Address"} <= set(second)


def test_no_event_has_the_public_address(farm: Farm) -> None:
    """F§1.2."""
    farm.create_service("conejo", 2)
    settle(farm)
    assert farm.addresses("conejo")
    assert "127.30." not in str(farm.bus.log)


def test_what_ecs_attaches_itself_stands_before_the_interface(farm: Farm) -> None:
    """F§1.2: `elb` and `sdi` attachments precede the eni; never take attachments[0]."""
    farm.create_service(
        "conejo",
        1,
        serviceRegistries=[{"registryArn": "arn:aws:servicediscovery:eu-west-1:123456789012:service/srv-x"}],
        loadBalancers=[{"targetGroupArn": "arn:x", "containerName": "web", "containerPort": 8080}],
    )
    settle(farm)
    detail = life(farm, ids(farm)[0])[-1]
    assert [one["type"] for one in detail["attachments"]] == ["elb", "sdi", "eni"]


def test_a_stop_is_decided_while_the_task_still_runs(farm: Farm) -> None:
    """F§1.3: the earliest signal is desiredStatus STOPPED while lastStatus is RUNNING."""
    farm.create_service("conejo", 1)
    settle(farm)
    task = ids(farm)[0]
    farm.scale("conejo", 0)
    settle(farm)
    leaving = [detail for detail in life(farm, task) if detail["desiredStatus"] == "STOPPED"]
    assert [detail["lastStatus"] for detail in leaving] == LEAVING
    assert {detail["stopCode"] for detail in leaving} == {"ServiceSchedulerInitiated"}
    versions = [detail["version"] for detail in life(farm, task)]
    assert versions == sorted(set(versions))


def test_the_last_event_still_has_the_private_address(farm: Farm) -> None:
    """F§1.2: eni DELETED, same networkInterfaceId and privateIPv4Address."""
    farm.create_service("conejo", 1)
    settle(farm)
    task, before = ids(farm)[0], farm.addresses("conejo", public=False)
    farm.scale("conejo", 0)
    settle(farm)
    last = interface(life(farm, task)[-1])
    assert last["status"] == "DELETED"
    assert [values(last)["privateIPv4Address"]] == before


def test_a_stopped_tasks_public_address_is_anybodys(farm: Farm) -> None:
    """Design §6 rule 5: public addresses go back to Amazon's pool."""
    farm.create_service("conejo", 2)
    settle(farm)
    assert len(farm.ec2.describe_network_interfaces()["NetworkInterfaces"]) == 2
    farm.scale("conejo", 0)
    settle(farm)
    assert farm.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_stopping_lasts_no_longer_than_the_stop_timeout(farm: Farm) -> None:
    """F§1.3: SIGKILL after stopTimeout."""
    with Farm.virtual(pace=REAL, deploy=False) as slow:
        slow.create_service("conejo", 1)
        settle(slow)
        task = slow.living.task(ids(slow)[0])
        for defined in task.definition.container_definitions:
            defined["stopTimeout"] = 2
        slow.scale("conejo", 0)
        settle(slow)
        assert task.execution_stopped_at is not None
        assert task.stopping_at is not None
        assert (task.execution_stopped_at - task.stopping_at).total_seconds() < 6


def test_a_task_that_its_owner_stops_is_replaced(farm: Farm) -> None:
    farm.create_service("conejo", 3)
    settle(farm)
    task = ids(farm)[0]
    farm.stop_task(task)
    farm.stop_task(task)  # asking twice decides once
    settle(farm)
    assert task not in ids(farm)
    assert len(ids(farm)) == 3
    leaving = [detail for detail in life(farm, task) if detail["desiredStatus"] == "STOPPED"]
    assert [detail["lastStatus"] for detail in leaving] == LEAVING
    assert leaving[0]["stopCode"] == "UserInitiated"


def test_a_task_that_dies_gives_no_warning_and_is_replaced(farm: Farm) -> None:
    """F§1.3: when the essential container exits by itself there is no early signal."""
    farm.create_service("conejo", 2)
    settle(farm)
    task = ids(farm)[0]
    farm.kill(task)
    farm.run_for(0)
    settle(farm)
    last = life(farm, task)[-1]
    assert [detail["lastStatus"] for detail in life(farm, task)] == [*STAGES, "STOPPED"]
    assert (last["desiredStatus"], last["stopCode"]) == ("STOPPED", "EssentialContainerExited")
    assert last["containers"][0]["exitCode"] == 137
    assert len(ids(farm)) == 2


def test_a_task_stopped_before_it_ran_never_runs(farm: Farm) -> None:
    farm.create_service("conejo", 1)
    farm.run_until(lambda: bool(farm.tasks("conejo")))
    task = ids(farm)[0]
    farm.scale("conejo", 0)
    settle(farm)
    assert "RUNNING" not in [detail["lastStatus"] for detail in life(farm, task)]
    assert life(farm, task)[-1]["lastStatus"] == "STOPPED"


def test_health_is_unknown_until_the_check_passes_and_no_event_says_when(farm: Farm) -> None:
    """F§1.2: healthStatus; design §4: no event announces a health change."""
    farm.create_service("conejo", 1, checked=True)
    farm.run_until(lambda: [task["lastStatus"] for task in farm.tasks("conejo")] == ["RUNNING"])
    assert farm.tasks("conejo")[0]["healthStatus"] == "UNKNOWN"
    spoken = len(said(farm, "ECS Task State Change"))
    settle(farm)
    assert farm.tasks("conejo")[0]["healthStatus"] == "HEALTHY"
    assert len(said(farm, "ECS Task State Change")) == spoken


def test_without_a_health_check_health_stays_unknown(farm: Farm) -> None:
    farm.create_service("conejo", 1)
    settle(farm)
    farm.run_for(600)
    assert farm.tasks("conejo")[0]["healthStatus"] == "UNKNOWN"


def test_an_unhealthy_task_is_replaced(farm: Farm) -> None:
    farm.create_service("conejo", 2, checked=True)
    settle(farm)
    task = ids(farm)[0]
    farm.living.health(task, "UNHEALTHY")
    farm.run_for(0)
    settle(farm)
    assert task not in ids(farm)
    assert len(ids(farm)) == 2


def test_a_deployment_replaces_every_task_and_keeps_the_floor(farm: Farm) -> None:
    """minimumHealthyPercent 100 and maximumPercent 200 are the defaults."""
    farm.create_service("conejo", 4)
    settle(farm)
    before = set(farm.addresses("conejo"))
    revision = farm.deploy_new_revision("conejo")
    least, most = 4, 0
    while not farm.living.steady():
        farm.run_for(0.05)
        alive = farm.tasks("conejo")
        least = min(least, sum(task["lastStatus"] == "RUNNING" for task in alive))
        most = max(most, len(alive))
    assert least == 4
    assert 4 < most <= 8
    assert before.isdisjoint(farm.addresses("conejo"))
    assert {task["taskDefinitionArn"] for task in farm.tasks("conejo")} == {revision}


def test_a_deployment_under_a_ceiling_of_100_goes_down_first(farm: Farm) -> None:
    farm.create_service(
        "conejo", 4, deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 100}
    )
    settle(farm)
    farm.ecs.update_service(cluster="granja", service="conejo", forceNewDeployment=True)
    sizes = set()
    while not farm.living.steady():
        farm.run_for(0.05)
        sizes.add(len(farm.tasks("conejo")))
    assert min(sizes) >= 2
    assert max(sizes) == 4


def test_deployments_show_as_describe_services_has_them(farm: Farm) -> None:
    farm.create_service("conejo", 2)
    settle(farm)
    old = farm.service("conejo")["deployments"]
    assert [(one["status"], one["rolloutState"]) for one in old] == [("PRIMARY", "COMPLETED")]
    farm.ecs.update_service(cluster="granja", service="conejo", forceNewDeployment=True)
    during = farm.service("conejo")["deployments"]
    assert [(one["status"], one["rolloutState"]) for one in during] == [
        ("PRIMARY", "IN_PROGRESS"),
        ("ACTIVE", "COMPLETED"),
    ]
    settle(farm)
    after = farm.service("conejo")["deployments"]
    assert [(one["id"], one["rolloutState"]) for one in after] == [(during[0]["id"], "COMPLETED")]
    assert "has reached a steady state" in farm.service("conejo")["events"][0]["message"]


def test_a_deployment_is_announced_and_completed_and_then_steady(farm: Farm) -> None:
    """F§1.4: creation shows as SERVICE_DEPLOYMENT_IN_PROGRESS; no clusterArn, no version in the detail."""
    arn = farm.create_service("conejo", 2)
    settle(farm)
    events = said(farm, "ECS Deployment State Change")
    assert [event["detail"]["eventName"] for event in events] == [
        "SERVICE_DEPLOYMENT_IN_PROGRESS",
        "SERVICE_DEPLOYMENT_COMPLETED",
    ]
    assert all(event["resources"] == [arn] for event in events)
    assert events[0]["detail"].keys() == {"eventType", "eventName", "deploymentId", "updatedAt", "reason"}
    steady = said(farm, "ECS Service Action")
    assert [event["detail"]["eventName"] for event in steady] == ["SERVICE_STEADY_STATE"]
    assert steady[0]["detail"]["clusterArn"].endswith("cluster/granja")


def test_changing_the_count_is_no_deployment(farm: Farm) -> None:
    farm.create_service("conejo", 2)
    settle(farm)
    farm.scale("conejo", 5)
    settle(farm)
    assert len(ids(farm)) == 5
    assert len(said(farm, "ECS Deployment State Change")) == 2


def test_a_deleted_service_drains_and_is_inactive_and_nothing_announces_it(farm: Farm) -> None:
    """F§1.4: ACTIVE, DRAINING, INACTIVE; deletion is only visible through CloudTrail."""
    farm.create_service("conejo", 2)
    settle(farm)
    spoken = len(said(farm, "ECS Deployment State Change")) + len(said(farm, "ECS Service Action"))
    farm.delete_service("conejo")
    assert farm.service("conejo")["status"] == "DRAINING"
    settle(farm)
    assert farm.service("conejo")["status"] == "INACTIVE"
    assert len(said(farm, "ECS Deployment State Change")) + len(said(farm, "ECS Service Action")) == spoken


def test_stopped_tasks_are_visible_for_an_hour(farm: Farm) -> None:
    """F§1.3."""
    farm.create_service("conejo", 1)
    settle(farm)
    arn = farm.tasks("conejo")[0]["taskArn"]
    farm.stop_task(arn)
    settle(farm)
    farm.run_for(3000)
    assert farm.ecs.describe_tasks(cluster="granja", tasks=[arn])["tasks"][0]["lastStatus"] == "STOPPED"
    farm.run_for(1200)
    farm.scale("conejo", 2)
    settle(farm)
    assert farm.ecs.describe_tasks(cluster="granja", tasks=[arn])["failures"][0]["reason"] == "MISSING"


def test_a_standalone_task_lives_too_and_belongs_to_no_service(farm: Farm) -> None:
    """F§1.2: group is family:NAME."""
    farm.create_service("conejo", 0)
    farm.ecs.run_task(
        cluster="granja",
        taskDefinition="conejo",
        launchType="FARGATE",
        networkConfiguration=farm.network.configuration(public=True),
    )
    farm.run_for(10)
    events = said(farm, "ECS Task State Change")
    assert [event["detail"]["lastStatus"] for event in events] == STAGES
    assert {event["detail"]["group"] for event in events} == {"family:conejo"}


def test_bridge_tasks_wait_for_a_host_and_get_ports_of_it(farm: Farm) -> None:
    """F§1.2: no eni; networkBindings visible once RUNNING; hostPort 0 is dynamic."""
    farm.create_service("conejo", 2, mode="bridge")
    farm.run_for(5)
    actions = [event["detail"]["eventName"] for event in said(farm, "ECS Service Action")]
    assert actions == ["SERVICE_TASK_PLACEMENT_FAILURE"]
    farm.add_host()
    settle(farm)
    bindings = [task["containers"][0]["networkBindings"][0] for task in farm.tasks("conejo")]
    assert {binding["containerPort"] for binding in bindings} == {8080}
    assert len({binding["hostPort"] for binding in bindings}) == 2
    assert all(task["attachments"] == [] for task in farm.tasks("conejo"))


def test_a_tag_change_is_said_twice_in_two_ways(farm: Farm) -> None:
    """F§1.5: aws.tag has all tags after the change; CloudTrail has the request."""
    arn = farm.create_service("conejo", 0, tags={"team": "granja"})
    farm.run_for(5)
    farm.bus.log.clear()
    farm.tag("conejo", {"expose:dns": "conejo.granja.animales.com"})
    farm.untag("conejo", "team")
    farm.run_for(5)
    added, removed = (event["detail"] for event in said(farm, "Tag Change on Resource"))
    assert added["changed-tag-keys"] == ["expose:dns"]
    assert added["tags"] == {"team": "granja", "expose:dns": "conejo.granja.animales.com"}
    assert (added["service"], added["resource-type"]) == ("ecs", "service")
    assert removed["changed-tag-keys"] == ["team"]
    assert removed["tags"] == {"expose:dns": "conejo.granja.animales.com"}
    assert (added["version"], removed["version"]) == (1, 2)
    calls = [event["detail"] for event in said(farm, "AWS API Call via CloudTrail")]
    assert [call["eventName"] for call in calls] == ["TagResource", "UntagResource"]
    assert [call["requestParameters"]["resourceArn"] for call in calls] == [arn, arn]


def test_cloudtrail_names_a_service_in_two_different_fields(farm: Farm) -> None:
    """F§1.4: `serviceName` for CreateService, `service` for UpdateService and DeleteService."""
    arn = farm.create_service("conejo", 1)
    farm.scale("conejo", 0)
    farm.delete_service("conejo")
    farm.run_for(5)
    calls = [event["detail"] for event in said(farm, "AWS API Call via CloudTrail")]
    named = [
        (
            call["eventName"],
            call["requestParameters"].get("serviceName"),
            call["requestParameters"].get("service"),
        )
        for call in calls
    ]
    assert named == [
        ("CreateService", "conejo", None),
        ("UpdateService", None, "conejo"),
        ("DeleteService", None, "conejo"),
    ]
    assert {call["responseElements"]["service"]["serviceArn"] for call in calls} == {arn}


def test_reads_leave_no_trail(farm: Farm) -> None:
    """F§1.5: List, Get and Describe are not delivered."""
    farm.create_service("conejo", 0)
    farm.service("conejo")
    farm.run_for(5)
    assert len(said(farm, "AWS API Call via CloudTrail")) == 1


def story(seed: int, manners: Manners) -> tuple[list[str], list[str]]:
    with Farm.virtual(pace=DEMO, deploy=False, manners=manners, seed=seed) as farm:
        heard: list[str] = []
        farm.bus._deliver = lambda event: heard.append(event["id"])
        farm.create_service("conejo", 3)
        settle(farm)
        farm.deploy_new_revision("conejo")
        settle(farm)
        farm.run_for(300)
        return [event["id"] for event in farm.bus.log], heard


def test_a_rough_bus_repeats_delays_and_loses_and_the_same_seed_does_the_same() -> None:
    """F§1.1: at least once, in no order; duplicates are the same event."""
    said_1, heard_1 = story(7, Manners.rough(7))
    said_2, heard_2 = story(7, Manners.rough(7))
    assert (said_1, heard_1) == (said_2, heard_2)
    assert len(heard_1) > len(set(heard_1)), "none came twice"
    assert set(heard_1) < set(said_1), "none was lost"
    assert list(dict.fromkeys(heard_1)) != [one for one in said_1 if one in heard_1], "all came in order"


def test_a_calm_bus_tells_everything_once_in_order() -> None:
    spoken, heard = story(1, Manners.calm())
    assert spoken == heard


def test_events_can_be_lost_on_purpose(farm: Farm) -> None:
    stop = farm.bus.lose(lambda event: event["detail-type"] == "ECS Task State Change")
    farm.create_service("conejo", 1)
    settle(farm)
    assert [event["detail"]["lastStatus"] for event in farm.bus.lost] == STAGES
    stop()
    farm.scale("conejo", 0)
    settle(farm)
    assert len(farm.bus.lost) == len(STAGES)


def lives(*states: str) -> list[Live]:
    """`o` an old task that serves, `n` a new one that does, `p` a new one on its way, `x` an unhealthy one."""
    return [
        Live(f"{kind}{n}", "old" if kind == "o" else "new", ready=kind in "on", unhealthy=kind == "x")
        for n, kind in enumerate(states)
    ]


@pytest.mark.parametrize(
    ("tasks", "floor", "ceiling", "start", "stop"),
    [
        ("", 100, 200, 4, []),
        ("nnnn", 100, 200, 0, []),
        ("oooo", 100, 200, 4, []),
        ("oooopppp", 100, 200, 0, []),
        ("oooonpp", 100, 200, 1, ["o0"]),
        ("oooo", 50, 100, 2, ["o0", "o1"]),
        ("oopp", 50, 100, 0, []),
        ("oooo", 0, 100, 4, ["o0", "o1", "o2", "o3"]),
        ("oooo", 100, 125, 1, []),
        ("oooop", 100, 125, 0, []),
        ("nnnnpn", 100, 200, 0, ["p4", "n0"]),
        ("nnnx", 100, 200, 1, ["x3"]),
    ],
)
def test_a_rollout_keeps_between_floor_and_ceiling(
    tasks: str, floor: int, ceiling: int, start: int, stop: list[str]
) -> None:
    wish = Wish(desired=4, deployment="new", minimum_percent=floor, maximum_percent=ceiling)
    assert next_step(wish, lives(*tasks)) == Step(start, tuple(stop))


def test_a_rollout_is_done_when_only_ready_tasks_of_the_newest_are_left() -> None:
    wish = Wish(desired=2, deployment="new")
    assert done(wish, lives("n", "n"))
    assert not done(wish, lives("n", "p"))
    assert not done(wish, lives("n", "n", "o"))


def test_ecs_registers_the_private_address_itself_where_a_service_asks_for_it(farm: Farm) -> None:
    """F§3.4: instance id is the task id, the address private, with ECS's attributes; deregistered before SIGTERM."""
    farm.create_namespace("granja.local", "private")
    farm.run_for(5)
    namespace = farm.cloudmap.list_namespaces()["Namespaces"][0]["Id"]
    registry = farm.cloudmap.create_service(
        Name="conejo", NamespaceId=namespace, DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 15}]}
    )["Service"]
    farm.create_service("conejo", 2, serviceRegistries=[{"registryArn": registry["Arn"]}])
    settle(farm)
    farm.run_for(5)
    assert farm.resolve("conejo.granja.local") == farm.addresses("conejo", public=False)
    found = farm.cloudmap.list_instances(ServiceId=registry["Id"])["Instances"]
    assert {one["Id"] for one in found} == set(ids(farm))
    assert {one["Attributes"]["ECS_SERVICE_NAME"] for one in found} == {"conejo"}
    farm.scale("conejo", 0)
    settle(farm)
    farm.run_for(5)
    assert farm.resolve("conejo.granja.local") == []
