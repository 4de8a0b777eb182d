"""Cloud Map behaves as AWS's (F§3): what it promises it does later, and what it refuses it refuses in AWS's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from refusals import refused

from farm.account import client
from farm.aws import cloudmap
from farm.timeline import Timeline

if TYPE_CHECKING:
    from mypy_boto3_servicediscovery import ServiceDiscoveryClient

NAME = "granja.animales.com"
ADDRESS = {"AWS_INSTANCE_IPV4": "127.30.0.1"}
api: ServiceDiscoveryClient = client("servicediscovery")


class Map:
    """Cloud Map in a few words; everything in them has come to its end when they return."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline

    def settle(self) -> None:
        self.timeline.run_for(60)

    def namespace(self, name: str = NAME, kind: str = "public", **asked: Any) -> str:
        """Its id."""
        create = {
            "public": api.create_public_dns_namespace,
            "private": api.create_private_dns_namespace,
            "http": api.create_http_namespace,
        }[kind]
        operation = create(Name=name, **asked)["OperationId"]
        self.settle()
        return api.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]

    def service(self, namespace: str, *types: str, name: str = "conejo", **asked: Any) -> str:
        """Its id. Without types it has no records."""
        routing = asked.pop("routing", "MULTIVALUE")
        records = [{"Type": kind, "TTL": 15} for kind in types]
        dns = {"DnsConfig": {"RoutingPolicy": routing, "DnsRecords": records}} if types else {}
        return api.create_service(Name=name, NamespaceId=namespace, **dns, **asked)["Service"]["Id"]

    def register(self, service: str, instance: str = "a", **attributes: str) -> None:
        api.register_instance(ServiceId=service, InstanceId=instance, Attributes=attributes or ADDRESS)
        self.settle()


@pytest.fixture
def world(timeline: Timeline) -> Map:
    return Map(timeline)


@pytest.fixture
def service(world: Map) -> str:
    """A service with A records in a public namespace."""
    return world.service(world.namespace(), "A")


def instances(service: str) -> dict[str, dict[str, str]]:
    """As ListInstances has them, all pages."""
    pages = api.get_paginator("list_instances").paginate(ServiceId=service)
    return {one["Id"]: one["Attributes"] for page in pages for one in page["Instances"]}


def known(service: str, instance: str = "a") -> dict[str, str]:
    return api.get_instance(ServiceId=service, InstanceId=instance)["Instance"]["Attributes"]


def operation(answer: Any) -> Any:
    return api.get_operation(OperationId=answer["OperationId"])["Operation"]


# operations


def test_registering_takes_effect_only_when_its_operation_succeeds(
    world: Map, service: str, timeline: Timeline
) -> None:
    """F§3.2: a 200 on RegisterInstance does not mean that the record exists."""
    answer = api.register_instance(ServiceId=service, InstanceId="a", Attributes=ADDRESS)
    seen = [operation(answer)["Status"]]
    with refused("InstanceNotFound"):
        known(service)
    for _ in range(2):
        timeline.run_for(0.75)
        seen.append(operation(answer)["Status"])
    assert seen == ["SUBMITTED", "PENDING", "SUCCESS"]
    assert known(service) == ADDRESS
    assert operation(answer)["Targets"] == {"INSTANCE": "a", "SERVICE": service}


def test_an_operation_can_fail_and_then_nothing_has_changed(world: Map, service: str) -> None:
    """F§3.2: a missing permission shows in the operation and nowhere else."""
    cloudmap.fail_next("ACCESS_DENIED", "not authorized to perform: route53:ChangeResourceRecordSets")
    answer = api.register_instance(ServiceId=service, InstanceId="a", Attributes=ADDRESS)
    world.settle()
    assert (operation(answer)["Status"], operation(answer)["ErrorCode"]) == ("FAIL", "ACCESS_DENIED")
    assert "route53" in operation(answer)["ErrorMessage"]
    assert instances(service) == {}
    world.register(service)
    assert instances(service) == {"a": ADDRESS}


def test_what_route53_refuses_the_caller_fails_the_operation(world: Map, service: str) -> None:
    """F§7."""
    denied = cloudmap.Failure("ACCESS_DENIED", "no")
    cloudmap.settings().judge = lambda kind, _: denied if kind == "REGISTER_INSTANCE" else None
    answer = api.register_instance(ServiceId=service, InstanceId="a", Attributes=ADDRESS)
    world.settle()
    assert operation(answer)["Status"] == "FAIL"


def test_one_operation_at_a_time_for_an_instance(world: Map, service: str) -> None:
    """F§3.2: same service and same instance, whatever the two want of it."""
    first = api.register_instance(ServiceId=service, InstanceId="a", Attributes=ADDRESS)
    with refused("DuplicateRequest") as answer:
        api.register_instance(ServiceId=service, InstanceId="a", Attributes=ADDRESS)
    assert answer["DuplicateOperationId"] == first["OperationId"]
    with refused("DuplicateRequest"):
        api.deregister_instance(ServiceId=service, InstanceId="a")
    api.register_instance(ServiceId=service, InstanceId="b", Attributes=ADDRESS)
    world.settle()
    assert instances(service).keys() == {"a", "b"}


def test_a_request_token_is_good_for_one_operation(world: Map, service: str) -> None:
    """F§3.2: a repeated token with other attributes returns the old operation, and changes nothing."""
    asked: Any = {"ServiceId": service, "InstanceId": "a", "CreatorRequestId": "once"}
    first = api.register_instance(**asked, Attributes=ADDRESS)
    world.settle()
    second = api.register_instance(**asked, Attributes={"AWS_INSTANCE_IPV4": "127.30.0.2"})
    world.settle()
    assert second["OperationId"] == first["OperationId"]
    assert known(service) == ADDRESS


def test_listing_operations_filters_them_and_loses_none(world: Map, service: str) -> None:
    """F§3.2; moto-notes §3."""
    world.register(service)
    cloudmap.fail_next("INTERNAL_FAILURE")
    world.register(service, "b")

    def found(**filters: str) -> int:
        wanted: Any = [{"Name": name, "Values": [value]} for name, value in filters.items()]
        return len(api.list_operations(Filters=wanted)["Operations"])

    assert found() == 3
    assert found(SERVICE_ID=service) == 2
    assert found(SERVICE_ID=service, STATUS="FAIL") == 1
    assert found(STATUS="SUCCESS") == found(STATUS="SUCCEED") == 2
    assert found(TYPE="CREATE_NAMESPACE") == 1
    now = world.timeline.now()
    early: Any = [
        {"Name": "UPDATE_DATE", "Values": [str(int(now - 100)), str(int(now - 50))], "Condition": "BETWEEN"}
    ]
    assert len(api.list_operations(Filters=early)["Operations"]) == 1
    assert found() == 3
    with refused("OperationNotFound"):
        api.get_operation(OperationId="none")


# instances


def test_registering_again_replaces_all_attributes(world: Map, service: str) -> None:
    """F§3.2: an upsert, and previous values are not retained."""
    world.register(service, **ADDRESS, colour="brown")
    world.register(service, AWS_INSTANCE_IPV4="127.30.0.2")
    assert instances(service) == {"a": {"AWS_INSTANCE_IPV4": "127.30.0.2"}}


def test_a_list_of_instances_is_only_eventually_right(world: Map, service: str, timeline: Timeline) -> None:
    """F§3.2."""
    answer = api.register_instance(ServiceId=service, InstanceId="a", Attributes=ADDRESS)
    timeline.run_for(1.5)
    assert operation(answer)["Status"] == "SUCCESS"
    assert instances(service) == {}
    timeline.run_for(1)
    assert instances(service) == {"a": ADDRESS}
    api.deregister_instance(ServiceId=service, InstanceId="a")
    timeline.run_for(1.5)
    assert instances(service) == {"a": ADDRESS}
    with refused("InstanceNotFound"):
        known(service)
    timeline.run_for(1)
    assert instances(service) == {}


def test_instances_are_listed_100_a_page(world: Map, service: str) -> None:
    """F§3.2."""
    for number in range(102):
        api.register_instance(ServiceId=service, InstanceId=f"i{number:03}", Attributes=ADDRESS)
    world.settle()
    assert len(api.list_instances(ServiceId=service)["Instances"]) == 100
    assert len(instances(service)) == 102
    with refused("InvalidInput"):
        api.list_instances(ServiceId=service, MaxResults=101)


def test_deregistering_what_is_not_there_says_so(world: Map, service: str) -> None:
    """F§3.2."""
    with refused("InstanceNotFound"):
        api.deregister_instance(ServiceId=service, InstanceId="a")
    with refused("ServiceNotFound"):
        api.deregister_instance(ServiceId="srv-none", InstanceId="a")


@pytest.mark.parametrize("instance", ["a b", "ñ", "a,b", "a" * 65])
def test_an_instance_id_has_few_signs_and_64_at_most(service: str, instance: str) -> None:
    """F§3.2."""
    with refused("InvalidInput"):
        api.register_instance(ServiceId=service, InstanceId=instance, Attributes=ADDRESS)


@pytest.mark.parametrize(
    ("types", "attributes", "message"),
    [
        (["A"], {"AWS_INSTANCE_IPV6": "2001:db8::1"}, "AWS_INSTANCE_IPV4 are missing"),
        (["A", "AAAA"], ADDRESS, "AWS_INSTANCE_IPV6 are missing"),
        (["SRV"], ADDRESS, "AWS_INSTANCE_PORT are missing"),
        (["SRV"], {"AWS_INSTANCE_PORT": "80"}, "At least one of AWS_INSTANCE_IPV4 AWS_INSTANCE_IPV6"),
        (["A"], {"AWS_INSTANCE_IPV4": "conejo"}, "AWS_INSTANCE_IPV4"),
        (["A"], ADDRESS | {"AWS_INSTANCE_PORT": "http"}, "AWS_INSTANCE_PORT"),
        (["A"], ADDRESS | {"aws_owner": "me"}, "prefix is reserved for AWS attributes"),
        (["A"], ADDRESS | {"AWS_OWNER": "me"}, "prefix is reserved for AWS attributes"),
        (["A"], ADDRESS | {"a key": "x"}, "a key"),
        (["A"], ADDRESS | {"key": " leading blank"}, "key"),
        (["A"], ADDRESS | {"key": "ñandú"}, "key"),
        (["A"], ADDRESS | {"key": "x" * 1025}, "key"),
        (["A"], ADDRESS | {f"key{number}": "" for number in range(31)}, "30"),
        (["A"], ADDRESS | {f"key{number}": "x" * 1000 for number in range(5)}, "5000"),
        (["A"], ADDRESS | {"AWS_INIT_HEALTH_STATUS": "FINE"}, "No enum constant"),
        (["A"], {"AWS_EC2_INSTANCE_ID": "i-1"}, "HTTP"),
        (["A"], {"AWS_ALIAS_DNS_NAME": "lb.example"}, "WEIGHTED"),
    ],
)
def test_attributes_must_suit_the_records_and_the_rules(
    world: Map, types: list[str], attributes: dict[str, str], message: str
) -> None:
    """F§3.2."""
    service = world.service(world.namespace(), *types)
    with refused("InvalidInput") as answer:
        api.register_instance(ServiceId=service, InstanceId="a", Attributes=attributes)
    assert message in answer["Error"]["Message"]


def test_thirty_custom_attributes_are_allowed_beside_awss_own(world: Map, service: str) -> None:
    """F§3.2: a port may be given on an A service too."""
    custom = {f"key{number}": "" for number in range(30)}
    world.register(service, **ADDRESS, AWS_INSTANCE_PORT="8080", **custom)
    assert len(instances(service)["a"]) == 32


def test_a_probed_instance_needs_a_port_and_a_routable_address(world: Map) -> None:
    """F§3.1."""
    probe = {"Type": "TCP"}
    service = world.service(world.namespace(), "A", HealthCheckConfig=probe)
    with refused("InvalidInput"):
        api.register_instance(ServiceId=service, InstanceId="a", Attributes=ADDRESS)
    private = {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_PORT": "80"}
    with refused("InvalidInput"):
        api.register_instance(ServiceId=service, InstanceId="a", Attributes=private)
    world.register(service, **ADDRESS, AWS_INSTANCE_PORT="80")


def test_the_number_of_instances_is_limited_per_service_and_namespace(world: Map) -> None:
    """F§3.2: 1,000 and 2,000, what is on its way included."""
    limits = cloudmap.settings()
    assert (limits.most_per_service, limits.most_per_namespace) == (1000, 2000)
    limits.most_per_service, limits.most_per_namespace = 2, 3
    namespace = world.namespace()
    one, two = (world.service(namespace, "A", name=name) for name in ("conejo", "gallina"))
    for number in range(2):
        api.register_instance(ServiceId=one, InstanceId=f"i{number}", Attributes=ADDRESS)
    with refused("ResourceLimitExceeded"):
        api.register_instance(ServiceId=one, InstanceId="i2", Attributes=ADDRESS)
    world.settle()
    world.register(one, "i0")  # replacing is no growth
    world.register(two, "i0")
    with refused("ResourceLimitExceeded"):
        api.register_instance(ServiceId=two, InstanceId="i1", Attributes=ADDRESS)


def test_custom_health_is_acted_on_after_a_while_and_only_where_configured(
    world: Map, service: str, timeline: Timeline
) -> None:
    """F§3.1."""
    world.register(service)
    asked: Any = {"InstanceId": "a", "Status": "UNHEALTHY"}
    with refused("CustomHealthNotFound"):
        api.update_instance_custom_health_status(ServiceId=service, **asked)
    namespace = api.get_service(Id=service)["Service"]["NamespaceId"]
    custom = world.service(namespace, "A", name="gallina", HealthCheckCustomConfig={"FailureThreshold": 1})
    world.register(custom)
    api.update_instance_custom_health_status(ServiceId=custom, **asked)
    assert api.get_instances_health_status(ServiceId=custom)["Status"] == {"a": "HEALTHY"}
    timeline.run_for(30)
    assert api.get_instances_health_status(ServiceId=custom)["Status"] == {"a": "UNHEALTHY"}


def test_discovery_goes_by_the_namespaces_http_name(world: Map) -> None:
    """F§3.1: it differs from Name where a name is used again."""
    world.namespace()
    namespace = world.namespace(kind="private", Vpc="vpc-1")
    properties = api.get_namespace(Id=namespace)["Namespace"]["Properties"]
    name = properties["HttpProperties"]["HttpName"]
    assert name.startswith(f"{NAME}-")
    world.register(world.service(namespace, "A"), **ADDRESS, colour="brown")
    found = api.discover_instances(
        NamespaceName=name, ServiceName="conejo", QueryParameters={"colour": "brown"}
    )
    assert [one["InstanceId"] for one in found["Instances"]] == ["a"]
    with refused("ServiceNotFound"):
        api.discover_instances(NamespaceName=NAME, ServiceName="conejo")


# namespaces


def test_a_namespace_exists_only_when_its_operation_has_succeeded(world: Map) -> None:
    """F§3.1."""
    answer = api.create_public_dns_namespace(Name=NAME)
    assert api.list_namespaces()["Namespaces"] == []
    with refused("DuplicateRequest"):
        api.create_public_dns_namespace(Name=NAME)
    world.settle()
    (seen,) = api.list_namespaces()["Namespaces"]
    assert operation(answer)["Targets"] == {"NAMESPACE": seen["Id"]}
    assert seen["Properties"]["DnsProperties"]["HostedZoneId"].startswith("Z")


def test_a_namespace_is_not_created_twice(world: Map) -> None:
    """moto-notes §3."""
    namespace = world.namespace()
    with refused("NamespaceAlreadyExists") as answer:
        api.create_public_dns_namespace(Name=NAME)
    assert answer["NamespaceId"] == namespace


def test_a_vpc_can_have_several_private_namespaces_and_several_vpcs_the_same_name(world: Map) -> None:
    """moto-notes §3."""
    for name, vpc in ((NAME, "vpc-1"), ("animales.com", "vpc-1"), (NAME, "vpc-2")):
        world.namespace(name, "private", Vpc=vpc)
    assert len(api.list_namespaces()["Namespaces"]) == 3
    with refused("NamespaceAlreadyExists"):
        world.namespace(NAME, "private", Vpc="vpc-2")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("public", "granja"),
        ("public", "gran_ja.com"),
        ("public", "a" * 64 + ".com"),
        ("private", "a b"),
        ("private", "a" * 254),
        ("http", "ñ"),
        ("http", "arn:a"),
    ],
)
def test_namespace_names_follow_their_kind(world: Map, kind: str, name: str) -> None:
    """F§3.1: a public one has at least one dot."""
    with refused("InvalidInput"):
        world.namespace(name, kind, **({"Vpc": "vpc-1"} if kind == "private" else {}))


def test_a_namespace_with_services_cannot_be_deleted(world: Map) -> None:
    """F§3.1."""
    namespace = world.namespace()
    service = world.service(namespace, "A")
    with refused("ResourceInUse"):
        api.delete_namespace(Id=namespace)
    api.delete_service(Id=service)
    api.delete_namespace(Id=namespace)
    assert len(api.list_namespaces()["Namespaces"]) == 1
    world.settle()
    with refused("NamespaceNotFound"):
        api.get_namespace(Id=namespace)


def test_filters_come_after_paging_so_a_page_may_be_empty_and_not_the_last(world: Map) -> None:
    """F§3.2."""
    for number in range(6):
        world.namespace(f"n{number}.com")
    cloudmap.settings().page = 1
    wanted: Any = [{"Name": "NAME", "Values": ["n3.com"]}]
    pages = list(api.get_paginator("list_namespaces").paginate(Filters=wanted))
    assert [len(page["Namespaces"]) for page in pages].count(0) == 5
    assert [one["Name"] for page in pages for one in page["Namespaces"]] == ["n3.com"]


def test_the_soa_ttl_of_a_namespace_can_be_set_and_changed(world: Map) -> None:
    """F§3.3: it is how long a resolver remembers that a name is not there."""
    namespace = world.namespace(Properties={"DnsProperties": {"SOA": {"TTL": 60}}})
    assert cloudmap.zones()[0].negative_ttl == 60
    change: Any = {"Properties": {"DnsProperties": {"SOA": {"TTL": 5}}}}
    api.update_public_dns_namespace(Id=namespace, Namespace=change)
    world.settle()
    assert cloudmap.zones()[0].negative_ttl == 5


# services


def test_a_service_that_is_there_names_itself_to_who_creates_it_again(world: Map, service: str) -> None:
    """F§3.1: names that differ by case collide in DNS namespaces."""
    namespace = api.get_service(Id=service)["Service"]["NamespaceId"]
    with refused("ServiceAlreadyExists") as answer:
        world.service(namespace, "A", name="Conejo")
    assert answer["ServiceId"] == service
    assert answer["ServiceArn"].endswith(service)


def test_case_makes_another_name_in_an_http_namespace(world: Map) -> None:
    """F§3.1."""
    namespace = world.namespace(kind="http")
    assert world.service(namespace) != world.service(namespace, name="Conejo")


def test_a_service_made_again_may_have_its_old_id(world: Map, service: str) -> None:
    """F§3.1: the id is no proof of identity."""
    namespace = api.get_service(Id=service)["Service"]["NamespaceId"]
    api.delete_service(Id=service)
    with refused("ServiceNotFound"):
        api.get_service(Id=service)
    assert world.service(namespace, "A") == service


def test_a_service_with_instances_cannot_be_deleted(world: Map, service: str) -> None:
    """F§3.1: neither while one is on its way, in or out."""
    api.register_instance(ServiceId=service, InstanceId="a", Attributes=ADDRESS)
    with refused("ResourceInUse"):
        api.delete_service(Id=service)
    world.settle()
    with refused("ResourceInUse"):
        api.delete_service(Id=service)
    api.deregister_instance(ServiceId=service, InstanceId="a")
    with refused("ResourceInUse"):
        api.delete_service(Id=service)
    world.settle()
    api.delete_service(Id=service)


@pytest.mark.parametrize(
    ("kind", "types", "asked"),
    [
        ("http", ["A"], {}),
        ("public", ["A", "SRV"], {}),
        ("public", ["A", "A"], {}),
        ("public", ["CNAME"], {}),
        ("public", ["CNAME"], {"routing": "WEIGHTED", "HealthCheckConfig": {"Type": "TCP"}}),
        ("public", ["A"], {"Type": "HTTP"}),
        ("public", ["A"], {"HealthCheckConfig": {"Type": "TCP"}, "HealthCheckCustomConfig": {}}),
        ("private", ["A"], {"HealthCheckConfig": {"Type": "TCP"}}),
        ("public", ["A"], {"name": "-conejo"}),
        ("public", ["A"], {"name": "a" * 64}),
    ],
)
def test_a_service_must_suit_its_namespace(
    world: Map, kind: str, types: list[str], asked: dict[str, Any]
) -> None:
    """F§3.1."""
    namespace = world.namespace(kind=kind, **({"Vpc": "vpc-1"} if kind == "private" else {}))
    with refused("InvalidInput"):
        world.service(namespace, *types, **asked)


def test_a_service_needs_its_namespace(world: Map) -> None:
    """moto-notes §3."""
    with refused("NamespaceNotFound"):
        world.service("ns-none", "A")


def test_update_service_deletes_the_records_that_are_left_out(world: Map) -> None:
    """F§3.1; and it is an operation."""
    service = world.service(world.namespace(), "A", "AAAA")
    change: Any = {"DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 5}]}}
    api.update_service(Id=service, Service=change)
    with refused("DuplicateRequest"):
        api.update_service(Id=service, Service=change)
    assert records_of(service) == {"A": 15, "AAAA": 15}
    world.settle()
    assert records_of(service) == {"A": 5}


def records_of(service: str) -> dict[str, int]:
    records = api.get_service(Id=service)["Service"]["DnsConfig"]["DnsRecords"]
    return {one["Type"]: one["TTL"] for one in records}


def test_record_types_are_immutable_and_http_services_are_not_updated(world: Map, service: str) -> None:
    """F§3.1."""
    change: Any = {"DnsConfig": {"DnsRecords": [{"Type": "SRV", "TTL": 5}]}}
    with refused("InvalidInput"):
        api.update_service(Id=service, Service=change)
    http = world.service(world.namespace("http", "http"))
    with refused("InvalidInput"):
        api.update_service(Id=http, Service={"Description": "x"})


def test_tags_belong_to_namespaces_and_services(world: Map, service: str) -> None:
    """F§3.1: at most 50."""
    arn = api.get_service(Id=service)["Service"]["Arn"]
    api.tag_resource(ResourceARN=arn, Tags=[{"Key": "owner", "Value": "me"}])
    assert api.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "owner", "Value": "me"}]
    api.untag_resource(ResourceARN=arn, TagKeys=["owner"])
    assert api.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
    with refused("TooManyTagsException"):
        api.tag_resource(ResourceARN=arn, Tags=[{"Key": str(one), "Value": ""} for one in range(51)])
    with refused("ResourceNotFoundException"):
        api.list_tags_for_resource(ResourceARN=f"{arn}-none")


# what DNS says


def test_a_name_answers_with_the_addresses_of_its_instances(world: Map, service: str) -> None:
    """F§3.3."""
    assert cloudmap.records(f"conejo.{NAME}", "A") is None
    for number in (1, 2):
        world.register(service, f"i{number}", AWS_INSTANCE_IPV4=f"127.30.0.{number}")
    found = cloudmap.records(f"Conejo.{NAME}.", "A")
    assert found
    assert (found.ttl, found.values) == (15, ("127.30.0.1", "127.30.0.2"))
    assert cloudmap.records(f"conejo.{NAME}", "AAAA") is None


def test_unhealthy_instances_are_left_out_unless_all_are(world: Map) -> None:
    """F§3.3: it fails open."""
    service = world.service(world.namespace(), "A", HealthCheckCustomConfig={})
    world.register(service, "sick", AWS_INSTANCE_IPV4="127.30.0.1", AWS_INIT_HEALTH_STATUS="UNHEALTHY")
    assert values() == {"127.30.0.1"}
    world.register(service, "well", AWS_INSTANCE_IPV4="127.30.0.2")
    assert values() == {"127.30.0.2"}


def test_weighted_routing_answers_with_one_of_them(world: Map) -> None:
    """F§3.3."""
    service = world.service(world.namespace(), "A", routing="WEIGHTED")
    for number in (1, 2):
        world.register(service, f"i{number}", AWS_INSTANCE_IPV4=f"127.30.0.{number}")
    answers = [values() for _ in range(50)]
    assert {len(one) for one in answers} == {1}
    assert set.union(*answers) == {"127.30.0.1", "127.30.0.2"}


def test_srv_names_a_host_for_each_instance(world: Map) -> None:
    """F§3.2, F§3.3: priority and weight are 1; the hosts have addresses of their own."""
    service = world.service(world.namespace(), "SRV")
    world.register(service, **ADDRESS, AWS_INSTANCE_PORT="8080")
    assert values("SRV") == {f"1 1 8080 a.conejo.{NAME}."}
    host = cloudmap.records(f"a.conejo.{NAME}", "A")
    assert host
    assert host.values == ("127.30.0.1",)


def values(kind: str = "A") -> set[str]:
    found = cloudmap.records(f"conejo.{NAME}", kind)
    return set(found.values) if found else set()
