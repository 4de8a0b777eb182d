"""ECS and its network interfaces behave as AWS's (F§1, F§2), so that what works on the farm works there."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import pytest
from moto.ecs.models import ecs_backends
from refusals import refused

from farm import seed
from farm.account import client
from farm.aws import ACCOUNT, REGION, addresses, ecs
from farm.timeline import Timeline

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecs import ECSClient

CLUSTER = "granja"
CONEJO = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{CLUSTER}/conejo"
ec2: EC2Client = client("ec2")
api: ECSClient = client("ecs")


class Yard:
    """One cluster in one network, and the words that these tests use."""

    def __init__(self, *, ipv6: bool = False) -> None:
        self.network = seed.network(ec2, ipv6=ipv6)
        api.create_cluster(clusterName=CLUSTER)

    def service(
        self, name: str = "conejo", *, public: bool = True, cluster: str = CLUSTER, **asked: Any
    ) -> Any:
        """CreateService for Fargate unless asked otherwise; moto's model of it."""
        asked = {
            "taskDefinition": asked.get("taskDefinition") or seed.task_definition(api, name),
            "launchType": "FARGATE",
            "networkConfiguration": self.network.configuration(public=public),
            "desiredCount": 2,
        } | asked
        asked = {key: value for key, value in asked.items() if value is not None}
        api.create_service(cluster=cluster, serviceName=name, **asked)
        return ecs_backends[ACCOUNT][REGION].services[f"{cluster}:{name}"]

    def on_host(self, name: str, mode: str, **asked: Any) -> Any:
        definition = seed.task_definition(api, name, mode=mode)
        return self.service(
            name, taskDefinition=definition, launchType="EC2", networkConfiguration=None, **asked
        )


@pytest.fixture
def yard(timeline: Timeline) -> Yard:
    return Yard()


def described(task: ecs.Task) -> Any:
    return api.describe_tasks(cluster=task.cluster_name, tasks=[task.task_arn])["tasks"][0]


def details(task: ecs.Task) -> dict[str, str]:
    attachment = next(
        one for one in described(task)["attachments"] if one["type"] == "ElasticNetworkInterface"
    )
    return {one["name"]: one["value"] for one in attachment["details"]}


def interface(task: ecs.Task) -> Any:
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=[details(task)["networkInterfaceId"]])
    return found["NetworkInterfaces"][0]


def running(service: Any, count: int = 1) -> list[ecs.Task]:
    return [ecs.start_task(service, last_status="RUNNING") for _ in range(count)]


# tasks


def test_a_task_stays_as_it_is_however_often_it_is_looked_at(yard: Yard) -> None:
    (task,) = running(yard.service())
    seen = {(described(task)["lastStatus"], described(task)["version"]) for _ in range(5)}
    assert len(seen) == 1


def test_a_new_service_has_no_task_until_the_scheduler_starts_one(yard: Yard) -> None:
    yard.service(desiredCount=4)
    service = api.describe_services(cluster=CLUSTER, services=["conejo"])["services"][0]
    assert (service["desiredCount"], service["runningCount"], service["pendingCount"]) == (4, 0, 0)
    assert api.list_tasks(cluster=CLUSTER)["taskArns"] == []


def test_a_task_says_what_aws_says_of_one(yard: Yard) -> None:
    """F§1.2."""
    (task,) = running(yard.service())
    seen = described(task)
    assert seen["taskArn"] == f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/{task.id}"
    assert len(task.id) == 32
    assert int(task.id, 16)
    assert seen["group"] == "service:conejo"
    assert seen["startedBy"].startswith("ecs-svc/")
    assert (seen["launchType"], seen["platformVersion"], seen["connectivity"]) == (
        "FARGATE",
        "1.4.0",
        "CONNECTED",
    )
    assert seen["availabilityZone"] in {"eu-west-1a", "eu-west-1b"}
    assert seen["createdAt"] <= seen["startedAt"]
    assert seen["healthStatus"] == "UNKNOWN"  # for ever, without a health check


def test_every_step_counts_the_version_up_and_leaves_its_time(yard: Yard, timeline: Timeline) -> None:
    """F§1.1."""
    task = ecs.start_task(yard.service())
    versions = [described(task)["version"]]
    for stage in ecs.STAGES[1:]:
        timeline.run_for(1)
        ecs.set_task(task, stage)
        versions.append(described(task)["version"])
    assert versions == list(range(1, len(ecs.STAGES) + 1))
    seen = described(task)
    assert seen["createdAt"] < seen["startedAt"] < seen["stoppingAt"] < seen["stoppedAt"]


def test_all_containers_are_reported_not_only_the_first(yard: Yard) -> None:
    two = [{"name": name, "image": "x", "memory": 64} for name in ("web", "log")]
    api.register_task_definition(
        family="pair",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=two,  # type: ignore[arg-type]  # built up by key
    )
    (task,) = running(yard.service("pair", taskDefinition="pair"))
    containers = described(task)["containers"]
    assert [one["name"] for one in containers] == ["web", "log"]
    assert len({one["containerArn"] for one in containers}) == 2
    for one in containers:
        assert one["taskArn"] == task.task_arn
        assert one["lastStatus"] == "RUNNING"
        assert one["networkInterfaces"][0]["privateIpv4Address"] == details(task)["privateIPv4Address"]
        assert "exitCode" not in one


def test_a_stop_is_decided_first_and_reported_while_the_task_still_runs(yard: Yard) -> None:
    """F§1.3."""
    (task,) = running(yard.service(tags=[{"key": "a", "value": "b"}], propagateTags="SERVICE"))
    api.stop_task(cluster=CLUSTER, task=task.id, reason="enough")
    seen = api.describe_tasks(cluster=CLUSTER, tasks=[task.id], include=["TAGS"])["tasks"][0]
    assert (seen["lastStatus"], seen["desiredStatus"]) == ("RUNNING", "STOPPED")
    assert (seen["stopCode"], seen["stoppedReason"]) == ("UserInitiated", "enough")
    assert seen["tags"] == []  # StopTask deletes the task's tags (F§2)


def test_a_standalone_task_belongs_to_its_family_and_needs_no_dns_names_nor_container_memory(
    yard: Yard,
) -> None:
    """F§1.2; moto-notes §1, rows 3 and 4."""
    api.register_task_definition(
        family="once",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": "x"}],
    )
    asked: Any = {
        "cluster": CLUSTER,
        "taskDefinition": "once",
        "launchType": "FARGATE",
        "networkConfiguration": yard.network.configuration(public=True),
    }
    (task,) = api.run_task(**asked, startedBy="me")["tasks"]
    assert (task["group"], task["startedBy"], task["lastStatus"]) == ("family:once", "me", "PROVISIONING")
    with refused("InvalidParameterException"):
        api.run_task(**asked, group="service:conejo")


def test_a_task_on_spot_says_its_capacity_provider(yard: Yard) -> None:
    """F§1.2."""
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    (task,) = running(yard.service(launchType=None, capacityProviderStrategy=spot))
    seen = described(task)
    assert (seen["launchType"], seen["capacityProviderName"]) == ("FARGATE", "FARGATE_SPOT")
    assert "Association" in interface(task)


def test_stopping_a_task_that_is_not_there_is_an_invalid_parameter(yard: Yard) -> None:
    with refused("InvalidParameterException"):
        api.stop_task(cluster=CLUSTER, task="0" * 32)


# network interfaces


def test_an_interface_is_in_the_tasks_subnet_and_managed_by_aws(yard: Yard) -> None:
    """F§1.6, F§8."""
    for task in running(yard.service(), 3):
        seen = interface(task)
        subnet = ec2.describe_subnets(SubnetIds=[seen["SubnetId"]])["Subnets"][0]
        assert seen["SubnetId"] in yard.network.public
        assert ip_address(seen["PrivateIpAddress"]) in ip_network(subnet["CidrBlock"])
        assert seen["PrivateIpAddress"] == details(task)["privateIPv4Address"]
        assert (seen["Status"], seen["RequesterManaged"]) == ("in-use", True)
        assert [group["GroupId"] for group in seen["Groups"]] == [yard.network.security_group]


def test_the_attachment_has_awss_names_and_type(yard: Yard) -> None:
    """F§1.2: mind the spelling of the private address."""
    (task,) = running(yard.service())
    assert described(task)["attachments"][0]["type"] == "ElasticNetworkInterface"
    assert details(task).keys() == {
        "subnetId",
        "networkInterfaceId",
        "macAddress",
        "privateDnsName",
        "privateIPv4Address",
    }


def test_a_task_that_is_provisioning_knows_only_its_subnet(yard: Yard) -> None:
    """F§1.2."""
    assert details(ecs.start_task(yard.service())).keys() == {"subnetId"}


def test_a_public_address_is_amazons_and_only_there_if_asked_for(yard: Yard) -> None:
    """F§1.6."""
    (public,), (private,) = running(yard.service()), running(yard.service("gallina", public=False))
    association = interface(public)["Association"]
    assert ip_address(association["PublicIp"]) in addresses.PUBLIC
    assert association["IpOwnerId"] == "amazon"
    assert "Association" not in interface(private)


def test_a_public_address_belongs_to_one_task_at_a_time_and_goes_back_to_the_pool(yard: Yard) -> None:
    """F§8: somebody else may get it next."""
    service = yard.service()
    tasks = running(service, 5)
    held = [interface(task)["Association"]["PublicIp"] for task in tasks]
    assert len(set(held)) == 5
    addresses.settings().eager_reuse = True
    ecs.retire_task(tasks[2])
    assert interface(*running(service))["Association"]["PublicIp"] == held[2]


def test_the_interface_of_a_stopped_task_is_gone_but_the_task_still_says_what_it_was(yard: Yard) -> None:
    """F§1.2, F§1.6."""
    stays, goes = running(yard.service(), 2)
    ids = [details(one)["networkInterfaceId"] for one in (stays, goes)]
    ecs.retire_task(goes)
    with refused("InvalidNetworkInterfaceID.NotFound"):
        ec2.describe_network_interfaces(NetworkInterfaceIds=ids)
    found = ec2.describe_network_interfaces(Filters=[{"Name": "network-interface-id", "Values": ids}])
    assert [one["NetworkInterfaceId"] for one in found["NetworkInterfaces"]] == ids[:1]
    assert described(goes)["attachments"][0]["status"] == "DELETED"
    assert details(goes)["networkInterfaceId"] == ids[1]


def test_ec2_is_eventually_consistent_about_new_interfaces(yard: Yard, timeline: Timeline) -> None:
    """F§1.6."""
    addresses.settings().visible_after, addresses.settings().public_after = 2.0, 3.0
    (task,) = running(yard.service())
    with refused("InvalidNetworkInterfaceID.NotFound"):
        interface(task)
    timeline.run_for(2)
    assert "Association" not in interface(task)
    timeline.run_for(3)
    assert "Association" in interface(task)


def test_describing_interfaces_by_id_and_by_page_exclude_each_other(yard: Yard) -> None:
    """F§1.6."""
    (task,) = running(yard.service())
    with refused("InvalidParameterCombination"):
        ec2.describe_network_interfaces(
            NetworkInterfaceIds=[details(task)["networkInterfaceId"]], MaxResults=5
        )


def test_a_filter_takes_at_most_200_values(yard: Yard) -> None:
    """F§1.6."""
    ids = [f"eni-{number}" for number in range(201)]
    with refused("FilterLimitExceeded"):
        ec2.describe_network_interfaces(Filters=[{"Name": "network-interface-id", "Values": ids}])


def test_a_task_in_a_dual_stack_subnet_has_an_ipv6_address(timeline: Timeline) -> None:
    """F§1.2, F§1.6."""
    (task,) = running(Yard(ipv6=True).service())
    address = interface(task)["Ipv6Addresses"][0]["Ipv6Address"]
    assert details(task)["ipv6Address"] == address
    assert described(task)["containers"][0]["networkInterfaces"][0]["ipv6Address"] == address


# tasks on EC2


def test_a_task_on_ec2_never_has_a_public_address_of_its_own(yard: Yard) -> None:
    """F§1.2."""
    with refused("InvalidParameterException"):
        yard.service(launchType="EC2")
    ecs.add_host(CLUSTER, yard.network.public[0], public=True)
    mine = [{"capacityProvider": "mine"}]
    asked = yard.service("gallina", launchType=None, capacityProviderStrategy=mine)
    for task in (*running(yard.service(launchType="EC2", public=False)), *running(asked)):
        assert "Association" not in interface(task)
        assert described(task)["containerInstanceArn"]


def test_bridge_mode_gives_ports_of_the_host_and_no_interface(yard: Yard) -> None:
    """F§1.2: the address is the instance's, the port only known from networkBindings."""
    ecs.add_host(CLUSTER, yard.network.public[0], public=True)
    tasks = running(yard.on_host("oveja", "bridge"), 2)
    bindings = [described(task)["containers"][0]["networkBindings"][0] for task in tasks]
    assert {one["containerPort"] for one in bindings} == {seed.PORT}
    assert len({one["hostPort"] for one in bindings}) == 2
    assert all(described(task)["attachments"] == [] for task in tasks)
    instance = host_of(tasks[0])
    assert ip_address(instance["PrivateIpAddress"]) in ip_network("127.20.0.0/20")
    assert ip_address(instance["PublicIpAddress"]) in addresses.PUBLIC


def test_in_host_mode_the_ports_are_the_containers_own(yard: Yard) -> None:
    """F§1.2."""
    ecs.add_host(CLUSTER, yard.network.private[0])
    (task,) = running(yard.on_host("pato", "host"))
    assert described(task)["containers"][0]["networkBindings"][0]["hostPort"] == seed.PORT
    assert "PublicIpAddress" not in host_of(task)


def test_a_task_needs_a_host_with_its_ports_free(yard: Yard) -> None:
    service = yard.on_host("pato", "host")
    with pytest.raises(Exception, match="No Container Instances"):
        ecs.start_task(service)
    ecs.add_host(CLUSTER, yard.network.private[0])
    (task,) = running(service)
    with pytest.raises(Exception, match="No Container Instances"):
        ecs.start_task(service)
    ecs.retire_task(task)
    assert running(service)


def host_of(task: ecs.Task) -> Any:
    arn = described(task)["containerInstanceArn"]
    found = api.describe_container_instances(cluster=CLUSTER, containerInstances=[arn])
    instance = found["containerInstances"][0]["ec2InstanceId"]
    return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]


# ListTasks, DescribeTasks


def test_list_tasks_shows_tasks_that_are_to_run_unless_asked_otherwise(yard: Yard) -> None:
    """F§2."""
    starting, stops = ecs.start_task(yard.service()), *running(yard.service("gallina"))
    ecs.set_task(stops, stop_code="UserInitiated")
    assert api.list_tasks(cluster=CLUSTER)["taskArns"] == [starting.task_arn]
    assert api.list_tasks(cluster=CLUSTER, desiredStatus="STOPPED")["taskArns"] == [stops.task_arn]
    assert api.list_tasks(cluster=CLUSTER, desiredStatus="PENDING")["taskArns"] == []


def test_list_tasks_narrows_exactly(yard: Yard) -> None:
    """F§2: by service, family, launch type, starter, and by this cluster only."""
    api.create_cluster(clusterName=f"{CLUSTER}2")
    (mine,) = running(yard.service())
    (other,) = running(yard.service("conejo2"))
    running(yard.service("conejo", cluster=f"{CLUSTER}2"))
    assert len(api.list_tasks(cluster=CLUSTER)["taskArns"]) == 2
    assert api.list_tasks(cluster=CLUSTER, serviceName="conejo")["taskArns"] == [mine.task_arn]
    assert api.list_tasks(cluster=CLUSTER, family="conejo2")["taskArns"] == [other.task_arn]
    assert api.list_tasks(cluster=CLUSTER, startedBy=mine.started_by)["taskArns"] == [mine.task_arn]
    assert api.list_tasks(cluster=CLUSTER, launchType="EC2")["taskArns"] == []
    with refused("ServiceNotFoundException"):
        api.list_tasks(cluster=CLUSTER, serviceName="perro")
    with refused("InvalidParameterException"):
        api.list_tasks(cluster=CLUSTER, serviceName="conejo", startedBy="me")


def test_list_tasks_pages_by_100_and_repeats_nothing_when_tasks_go(yard: Yard) -> None:
    """F§2."""
    service = yard.service()
    tasks = {task.task_arn: task for task in (ecs.start_task(service) for _ in range(103))}
    first = api.list_tasks(cluster=CLUSTER)
    ecs.purge_task(tasks[first["taskArns"][99]])
    second = api.list_tasks(cluster=CLUSTER, nextToken=first["nextToken"])
    assert len(first["taskArns"]) == 100
    assert sorted(first["taskArns"] + second["taskArns"]) == sorted(tasks)
    with refused("InvalidParameterException"):
        api.list_tasks(cluster=CLUSTER, maxResults=101)


def test_tasks_that_are_unknown_come_back_as_failures(yard: Yard) -> None:
    """F§2."""
    (task,) = running(yard.service())
    found = api.describe_tasks(cluster=CLUSTER, tasks=[task.task_arn, "0" * 32])
    assert [one["taskArn"] for one in found["tasks"]] == [task.task_arn]
    assert [one["reason"] for one in found["failures"]] == ["MISSING"]


def test_tasks_are_described_in_their_own_cluster_and_at_most_100_at_once(yard: Yard) -> None:
    """F§2."""
    api.create_cluster(clusterName="gran")
    (task,) = running(yard.service())
    assert api.describe_tasks(cluster="gran", tasks=[task.id])["failures"][0]["reason"] == "MISSING"
    with refused("InvalidParameterException"):
        api.describe_tasks(cluster=CLUSTER, tasks=["0" * 32] * 101)


# services


def test_list_services_pages_by_10_unless_asked_otherwise(yard: Yard) -> None:
    """F§2."""
    definition = seed.task_definition(api, "conejo")
    for number in range(12):
        yard.service(f"conejo-{number}", taskDefinition=definition)
    assert len(api.list_services(cluster=CLUSTER)["serviceArns"]) == 10
    assert len(api.list_services(cluster=CLUSTER, maxResults=100)["serviceArns"]) == 12
    pages = api.get_paginator("list_services").paginate(cluster=CLUSTER)
    assert len({arn for page in pages for arn in page["serviceArns"]}) == 12


def test_at_most_10_services_are_described_at_once_and_unknown_ones_are_failures(yard: Yard) -> None:
    """F§2."""
    with refused("InvalidParameterException"):
        api.describe_services(cluster=CLUSTER, services=["conejo"] * 11)
    found = api.describe_services(cluster=CLUSTER, services=["perro"])
    assert [one["reason"] for one in found["failures"]] == ["MISSING"]


def test_tags_are_shown_only_when_asked_for(yard: Yard) -> None:
    """F§2."""
    yard.service(tags=[{"key": "expose:dns", "value": "conejo.granja.animales.com"}])
    without = api.describe_services(cluster=CLUSTER, services=["conejo"])["services"][0]
    within = api.describe_services(cluster=CLUSTER, services=["conejo"], include=["TAGS"])["services"][0]
    assert "tags" not in without
    assert within["tags"] == [{"key": "expose:dns", "value": "conejo.granja.animales.com"}]


def test_a_deleted_service_drains_then_is_inactive_and_without_tags(yard: Yard) -> None:
    """F§1.4."""
    (task,) = running(yard.service(tags=[{"key": "a", "value": "b"}]))
    with refused("InvalidParameterException"):
        api.delete_service(cluster=CLUSTER, service="conejo")
    api.delete_service(cluster=CLUSTER, service="conejo", force=True)
    assert status() == "DRAINING"
    assert api.list_services(cluster=CLUSTER)["serviceArns"] == []
    ecs.retire_task(task)
    assert status() == "INACTIVE"
    gone = api.describe_services(cluster=CLUSTER, services=["conejo"], include=["TAGS"])["services"][0]
    assert gone.get("tags", []) == []


def status() -> str:
    return api.describe_services(cluster=CLUSTER, services=["conejo"])["services"][0]["status"]


def test_a_service_cannot_be_created_over_one_that_is_active_or_drains(yard: Yard) -> None:
    """moto-notes §1, row 12."""
    (task,) = running(yard.service())
    with refused("InvalidParameterException") as answer:
        yard.service()
    assert answer["Error"]["Message"] == "Creation of service was not idempotent."
    api.delete_service(cluster=CLUSTER, service="conejo", force=True)
    with refused("InvalidParameterException"):
        yard.service()
    ecs.retire_task(task)
    assert yard.service().status == "ACTIVE"


def test_a_service_keeps_what_it_was_created_with(yard: Yard) -> None:
    """moto-notes §1, row 13."""
    registries = [{"registryArn": "arn:aws:servicediscovery:eu-west-1:123456789012:service/srv-1"}]
    balancers = [{"targetGroupArn": "arn:tg", "containerName": "web", "containerPort": 8080}]
    yard.service(
        deploymentConfiguration={"minimumHealthyPercent": 50, "maximumPercent": 150},
        serviceRegistries=registries,
        loadBalancers=balancers,
        enableExecuteCommand=True,
    )
    seen = api.describe_services(cluster=CLUSTER, services=["conejo"])["services"][0]
    assert seen["deploymentConfiguration"]["minimumHealthyPercent"] == 50
    assert seen["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "ENABLED"
    assert (seen["serviceRegistries"], seen["loadBalancers"]) == (registries, balancers)


def test_a_change_that_needs_other_tasks_puts_a_new_deployment_before_the_old(yard: Yard) -> None:
    """F§1.2: tasks name theirs in startedBy."""
    service = yard.service()
    (old,) = running(service)
    api.update_service(cluster=CLUSTER, service="conejo", desiredCount=3)
    assert len(service.deployments) == 1
    api.update_service(cluster=CLUSTER, service="conejo", forceNewDeployment=True)
    (new,) = running(service)
    deployments = api.describe_services(cluster=CLUSTER, services=["conejo"])["services"][0]["deployments"]
    assert [(one["id"], one["status"], one["runningCount"]) for one in deployments] == [
        (new.started_by, "PRIMARY", 1),
        (old.started_by, "ACTIVE", 1),
    ]


# tags


@pytest.mark.parametrize("text", ["conejo.granja.animales.com ip=private +x/y:z@-_", "ñandú", "a b"])
def test_a_tag_can_hold_letters_digits_blanks_and_few_signs(yard: Yard, text: str) -> None:
    """F§2."""
    yard.service()
    api.tag_resource(resourceArn=CONEJO, tags=[{"key": "expose:dns", "value": text}])
    assert api.list_tags_for_resource(resourceArn=CONEJO)["tags"] == [{"key": "expose:dns", "value": text}]


@pytest.mark.parametrize("sign", list("*,;{}[]()<>\"'$%&#!?~^|\\`\n"))
def test_other_signs_are_refused_in_tags(yard: Yard, sign: str) -> None:
    """F§2."""
    yard.service()
    for tag in ({"key": "expose:dns", "value": f"a{sign}b"}, {"key": f"a{sign}b", "value": "x"}):
        with refused("InvalidParameterException"):
            api.tag_resource(resourceArn=CONEJO, tags=[tag])  # type: ignore[list-item]  # both are strings
    assert api.list_tags_for_resource(resourceArn=CONEJO)["tags"] == []


@pytest.mark.parametrize(
    "tags",
    [
        [{"key": "a" * 129, "value": ""}],
        [{"key": "a", "value": "b" * 257}],
        [{"key": f"a{number}", "value": ""} for number in range(51)],
        [{"key": "AWS:mine", "value": ""}],
    ],
    ids=["long key", "long value", "more than 50", "reserved prefix"],
)
def test_tags_have_limits_also_when_a_service_is_created(yard: Yard, tags: Any) -> None:
    """F§2."""
    with refused("InvalidParameterException"):
        yard.service(tags=tags)
    yard.service()
    with refused("InvalidParameterException"):
        api.tag_resource(resourceArn=CONEJO, tags=tags)


def test_fifty_tags_is_counted_with_those_that_are_there(yard: Yard) -> None:
    """F§2."""
    yard.service(tags=[{"key": f"a{number}", "value": ""} for number in range(50)])
    api.tag_resource(resourceArn=CONEJO, tags=[{"key": "a7", "value": "new"}])
    with refused("InvalidParameterException"):
        api.tag_resource(resourceArn=CONEJO, tags=[{"key": "one-more", "value": ""}])


def test_a_service_with_the_old_short_arn_cannot_be_tagged(yard: Yard) -> None:
    """F§2; it keeps that ARN when the account moves on."""
    api.put_account_setting(name="serviceLongArnFormat", value="disabled")
    short = yard.service().arn
    api.put_account_setting(name="serviceLongArnFormat", value="enabled")
    assert short == f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/conejo"
    assert api.describe_services(cluster=CLUSTER, services=["conejo"])["services"][0]["serviceArn"] == short
    with refused("InvalidParameterException"):
        api.tag_resource(resourceArn=short, tags=[{"key": "expose:dns", "value": "a.b"}])


def test_an_inactive_service_cannot_be_tagged(yard: Yard) -> None:
    yard.service()
    api.delete_service(cluster=CLUSTER, service="conejo", force=True)
    with refused("InvalidParameterException"):
        api.tag_resource(resourceArn=CONEJO, tags=[{"key": "expose:dns", "value": "a.b"}])
