"""The `dns` mechanism: from a tag and the tasks to a claim, a Cloud Map service, and one instance for each task."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from expose.mechanisms import MECHANISMS, Lookup
from expose.mechanisms.dns import INSTANCE, NAMESPACE, SERVICE, VPC
from expose.model import Identity, Resource, Service
from expose.policy import Detail, Limits
from expose.refusals import Invalid, NotYet, Refused
from tests.unit.values import NAME, NOW, Port, definition, exposure, namespace, service, surroundings, task

DNS = MECHANISMS["dns"]
PUBLIC, HTTP = (namespace("granja.animales.com", kind) for kind in ("public", "http"))
TASKS = service(task(1), task(2))
YOUNG = {"started_at": NOW - 29}
NO_ADDRESS = {"public_ipv4": "", "private_ipv4": "", "ipv6": ""}


def desired(value: str = NAME, of: Service = TASKS, around: Any = None) -> Sequence[Resource]:
    return DNS.desired(exposure(value), of, around or surroundings(PUBLIC))


def named(resources: Sequence[Resource], kind: str) -> list[Resource]:
    return [each for each in resources if each.identity.kind == kind]


def specs(*args: Any, **kwargs: Any) -> list[Mapping[str, Any]]:
    return [each.spec for each in named(desired(*args, **kwargs), INSTANCE)]


def refusal(value: str = NAME, of: Service = TASKS, around: Any = None) -> Refused:
    with pytest.raises(Refused) as refused:
        desired(value, of, around)
    assert refused.value.message.startswith(f"expose:dns = {value!r}: ")
    return refused.value


def test_a_name_is_a_claim_a_cloud_map_service_and_an_instance_for_each_task() -> None:
    claim, name, first, second = desired()

    assert str(claim.identity) == f"claim/dns/public/{NAME}"
    assert name.identity.kind == SERVICE
    assert name.spec == {"name": "conejo", "types": ["A"], "ttl": 15}
    assert name.refs == {"claim": claim.identity, "namespace": PUBLIC["id"]}
    for instance, its in zip((first, second), TASKS.tasks, strict=True):
        assert instance.refs == {"service": name.identity}
        assert (instance.task, instance.address) == (its.id, its.public_ipv4)


def test_an_instance_says_what_ecs_itself_would_say_and_whose_it_is() -> None:
    """F§3.4, and our mark."""
    assert specs(of=service(task(1))) == [
        {
            "AWS_INSTANCE_IPV4": "203.0.0.1",
            "AWS_INSTANCE_PORT": "8080",
            "AVAILABILITY_ZONE": "eu-west-1a",
            "REGION": "eu-west-1",
            "ECS_CLUSTER_NAME": "granja",
            "ECS_SERVICE_NAME": "conejo",
            "ECS_TASK_DEFINITION_FAMILY": "conejo",
            "EXPOSE_OWNER": "corral/granja/conejo/expose:dns",
        }
    ]


def test_an_attribute_without_a_value_is_left_out_because_cloud_map_would_drop_or_refuse_it() -> None:
    (spec,) = specs(of=service(task(1, zone=""), of=definition()))

    assert "AVAILABILITY_ZONE" not in spec
    assert "AWS_INSTANCE_PORT" not in spec
    assert all(spec.values())


def test_every_resource_comes_after_those_that_it_refers_to_and_the_claim_comes_first() -> None:
    around = surroundings(limits=Limits(create_namespaces="private"), vpcs=["vpc-1"])
    for resources in (desired(), desired(around=around)):
        assert resources[0].identity.kind == "claim"
        seen: set[Identity] = set()
        for each in resources:
            assert set(each.parents) <= seen
            seen.add(each.identity)
        assert len(seen) == len(resources)


def test_the_id_of_an_instance_is_one_that_cloud_map_takes_and_ecs_never_uses() -> None:
    """F§3.2: at most 64 characters, and with SRV a DNS label. F§3.4: ECS uses the bare task id."""
    for instance in named(desired(), INSTANCE):
        identifier = instance.identity.key.rsplit("/", 1)[-1]
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", identifier)
        assert identifier != instance.task
        assert identifier.endswith(instance.task)


@pytest.mark.parametrize(
    ("kind", "option", "address"),
    [
        ("public", "", "203.0.0.1"),
        ("public", " ip=private", "10.20.0.1"),
        ("private", "", "10.20.0.1"),
        ("private", " ip=public", "203.0.0.1"),
        ("http", "", "10.20.0.1"),
        ("http", " ip=public", "203.0.0.1"),
    ],
)
def test_a_public_namespace_has_public_addresses_and_others_private_ones_unless_said(
    kind: str, option: str, address: str
) -> None:
    around = surroundings(namespace("granja.animales.com", kind))
    (spec,) = specs(f"{NAME}{option}", service(task(1)), around)

    assert spec["AWS_INSTANCE_IPV4"] == address
    wanted = Detail.PUBLIC if address.startswith("203.") else Detail.PRIVATE
    assert DNS.detail(exposure(f"{NAME}{option}"), around) is wanted


@pytest.mark.parametrize(("records", "families"), [("A", "4"), ("AAAA", "6"), ("A+AAAA", "46"), ("SRV", "4")])
def test_the_type_of_the_records_says_which_addresses_an_instance_has(records: str, families: str) -> None:
    resources = desired(f"{NAME} type={records}")
    (name,) = named(resources, SERVICE)

    assert name.spec["types"] == records.split("+")
    for each in named(resources, INSTANCE):
        assert {key[-1] for key in each.spec if key.startswith("AWS_INSTANCE_IPV")} == set(families)
        assert {"6" if ":" in address else "4" for address in each.address.split()} == set(families)


def test_an_srv_record_leads_to_the_ipv6_address_where_there_is_no_other() -> None:
    """F§3.2: SRV needs a port and at least one address."""
    resources = desired(f"{NAME} type=SRV", service(task(1, public_ipv4="")))
    (instance,) = named(resources, INSTANCE)

    assert instance.spec["AWS_INSTANCE_IPV6"] == instance.address == "2001:db8::1"
    assert "AWS_INSTANCE_IPV4" not in instance.spec


def test_the_types_of_the_records_are_part_of_the_identity_because_cloud_map_cannot_change_them() -> None:
    """F§3.1. The time to live can be changed."""
    names = {
        value: named(desired(f"{NAME} {value}"), SERVICE)[0] for value in ("type=A", "type=SRV", "ttl=60")
    }

    assert names["type=A"].identity != names["type=SRV"].identity
    assert names["type=A"].identity == names["ttl=60"].identity
    assert names["type=A"].fingerprint != names["ttl=60"].fingerprint
    assert names["ttl=60"].spec["ttl"] == 60


def test_an_http_namespace_has_no_records() -> None:
    (name,) = named(desired(around=surroundings(HTTP)), SERVICE)
    assert name.spec == {"name": "conejo", "types": [], "ttl": None}

    for option in ("type=A", "ttl=15"):
        refused = refusal(f"{NAME} {option}", around=surroundings(HTTP))
        assert isinstance(refused, Invalid)
        assert refused.code == "NoRecordsThere"
        assert f"{option.partition('=')[0]}= means nothing in granja.animales.com" in refused.message


@pytest.mark.parametrize(
    ("options", "of", "expected"),
    [
        ("", definition(Port("web", 8080)), "8080"),
        ("port=9090", definition(Port("web", 8080), Port("web", 9090)), "9090"),
        ("container=proxy", definition(Port("web", 8080), Port("proxy", 8443)), "8443"),
        ("", definition(Port("web", 8080), mode="bridge"), "32768"),
        ("", definition(Port("web", 8080), mode="host"), "32768"),
        ("", definition(Port("web", 7070), mode="host"), "7070"),
    ],
)
def test_the_port_is_written_on_every_instance(options: str, of: Any, expected: str) -> None:
    one = task(1, bindings=(("web", 8080, 32768, "tcp"),))
    for records in ("A", "SRV"):
        (spec,) = specs(f"{NAME} {options} type={records}", service(one, of=of))
        assert spec["AWS_INSTANCE_PORT"] == expected


def test_an_srv_record_needs_a_port_and_an_a_record_does_not() -> None:
    assert refusal(f"{NAME} type=SRV", service(task(1), of=definition())).code == "NoPort"
    assert len(specs(NAME, service(task(1), of=definition()))) == 1


@pytest.mark.parametrize(
    ("value", "code", "advice"),
    [
        (NAME, "NoPublicAddress", "no public IPv4 address: on Fargate set assignPublicIp=ENABLED"),
        (f"{NAME} ip=private", "NoPrivateAddress", "no private IPv4 address"),
        (f"{NAME} type=AAAA", "NoIpv6Address", "no IPv6 address: turn on the account setting dualStackIPv6"),
        (f"{NAME} type=A+AAAA", "NoIpv6Address", "say type=A"),
        (f"{NAME} type=SRV", "NoPublicAddress", "no public IPv4 address"),
    ],
)
def test_an_address_that_no_task_has_is_waited_for_while_they_are_young_and_refused_when_they_are_not(
    value: str, code: str, advice: str
) -> None:
    old, young = task(1, **NO_ADDRESS), task(2, **NO_ADDRESS, **YOUNG)
    with pytest.raises(NotYet) as waiting:
        desired(value, service(young))
    refused = refusal(value, service(old, young))

    assert refused.code == code
    assert advice in refused.message
    assert waiting.value.message == refused.message


def test_records_of_both_families_need_both_addresses() -> None:
    for lacking in ("public_ipv4", "ipv6"):
        refusal(f"{NAME} type=A+AAAA", service(task(1, **{lacking: ""})))


def test_who_has_no_private_address_is_not_advised_about_public_ones() -> None:
    advice = refusal(f"{NAME} ip=private", service(task(1, **NO_ADDRESS))).message.partition(": ")[2]

    assert not [wrong for wrong in ("assignPublicIp", "say ip=private") if wrong in advice]


def test_a_task_without_an_address_does_not_take_the_others_with_it() -> None:
    definitions = {**TASKS.definitions, "unbound": definition(Port("web", 1), mode="bridge")}
    tasks = (task(1), task(2, **NO_ADDRESS), task(3, definition="unbound"))
    mixed = service(*tasks, definitions=definitions)

    assert [each.task for each in named(desired(of=mixed), INSTANCE)] == [task(1).id]


def test_what_waiting_does_not_mend_is_refused_however_young_the_tasks_are() -> None:
    young = service(task(1, **YOUNG), of=definition(Port("web", 8080), Port("web", 9090)))

    assert refusal(of=young).code == "SeveralPorts"


def test_no_task_is_no_error() -> None:
    assert [each.identity.kind for each in desired(of=service())] == ["claim", SERVICE]


def test_what_has_to_be_known_is_asked_beforehand() -> None:
    in_vpc: Service = service(subnets=("subnet-1", "subnet-2"))
    for create, of, asked in [
        ("no", in_vpc, [NAMESPACE]),
        ("public", in_vpc, [NAMESPACE]),
        ("private", in_vpc, [NAMESPACE, VPC]),
        ("private", service(), [NAMESPACE]),
    ]:
        lookups = DNS.lookups(exposure(), of, Limits(create_namespaces=create))
        assert [each.kind for each in lookups] == asked
        assert lookups[0] == Lookup(NAMESPACE, NAME)
        assert lookups[1:] in ((), (Lookup(VPC, "subnet-1"),))
