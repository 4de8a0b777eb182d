"""Bad input: told with the tag, the token and what was expected, and nothing that works is changed by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from farm.farm import Farm
from farm.gate import GATE, Fault
from tests.integration.world import become, cloudmap_services, instances, logged, status, writes

SPACE = "granja.animales.com"
NAME = f"conejo.{SPACE}"
OTHER = f"gallina.{SPACE}"
INVALID, BLOCKED, FAILED = "Invalid", "Blocked", "Failed"


def nothing(farm: Farm) -> None:
    """Nothing else has to be so."""


def held_by_gallina(farm: Farm) -> None:
    farm.create_service("gallina", 1, tags={"expose:dns": OTHER})
    become(farm, "Active", "gallina")


def made_by_somebody(farm: Farm) -> str:
    space = farm.cloudmap.list_namespaces()["Namespaces"][0]["Id"]
    records = {"DnsRecords": [{"Type": "A", "TTL": 60}]}
    return farm.cloudmap.create_service(Name="gallina", NamespaceId=space, DnsConfig=records)["Service"][
        "Arn"
    ]  # type: ignore[arg-type,typeddict-item]  # a plain dictionary


def registered_by_ecs(farm: Farm) -> None:
    farm.create_service("gallina", 1, serviceRegistries=[{"registryArn": made_by_somebody(farm)}])
    farm.run_for(10)


def refused_by_cloud_map(farm: Farm) -> None:
    GATE.faults.append(
        Fault("error", code="AccessDeniedException", operation="CreateService", service="servicediscovery")
    )


def http_namespace(farm: Farm) -> None:
    farm.create_namespace("gallinero", "http")
    farm.run_for(1)


def two_namespaces(farm: Farm) -> None:
    farm.create_namespace("doble.com")
    farm.create_namespace("doble.com", "private")
    farm.run_for(1)


@dataclass(frozen=True)
class Bad:
    """A bad `value` of `tag`, where `good` worked before. `of` is the exposure that tells of it, if not the tag's."""

    code: str
    value: str
    says: tuple[str, ...]
    status: str = INVALID
    tag: str = "expose:dns"
    of: str = ""
    good: str = NAME
    given: Callable[[Farm], object] = nothing
    service: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


def unreadable(value: str, *says: str, tag: str = "expose:dns") -> Bad:
    return Bad("UnreadableTag", value, (*says, "for example expose:dns"), tag=tag)


def blocked(code: str, value: str, *says: str, **more: Any) -> Bad:
    return Bad(code, value, says, BLOCKED, **more)


PORTS = {"good": f"{NAME} port=8080", "service": {"name": "cabra", "ports": (8080, 8443)}}
NO_PORTS = {"service": {"name": "oveja", "ports": ()}}
HIDDEN = {"good": f"{NAME} ip=private", "service": {"public": False}}
LONG = ".".join(["a" * 50] * 3)

BAD = {
    "unknown mechanism": Bad("UnknownMechanism", OTHER, ("'dnz'", "expected one of api, dns, ip, lb"), tag="expose:dnz"),
    "unknown option": unreadable(f"{OTHER} prt=80", "'prt'", "container, ip, port, ttl, type"),
    "port is no number": unreadable(f"{OTHER} port=http", "port=http", "from 1 to 65535"),
    "port is too large": unreadable(f"{OTHER} port=65536", "port=65536", "from 1 to 65535"),
    "ttl is negative": unreadable(f"{OTHER} ttl=-1", "ttl=-1", "from 0 to 86400"),
    "unknown type": unreadable(f"{OTHER} type=CNAME", "type=CNAME", "A, A+AAAA, AAAA, SRV"),
    "unknown ip": unreadable(f"{OTHER} ip=elastic", "ip=elastic", "private, public"),
    "option without value": unreadable(f"{OTHER} port=", "'port='", "option=value"),
    "option twice": unreadable(f"{OTHER} port=1 port=2", "'port'", "twice"),
    "no option": unreadable(f"{OTHER} 8080", "'8080'", "option=value"),
    "two labels": unreadable(OTHER, "'expose:dns:a:b'", "one label", tag="expose:dns:a:b"),
    "empty label": unreadable(OTHER, "'expose:dns:'", "one label", tag="expose:dns:"),
    "empty": unreadable("", "target is missing"),
    "missing target": unreadable("port=8080", "target is missing", "'port=8080'"),
    "short name": unreadable("gallina", "'gallina'", "full name"),
    "empty label in the name": unreadable("gallina..com", "''", "DNS label"),
    "hyphen in front": unreadable(f"-{OTHER}", "'-gallina'", "DNS label"),
    "strange letters": unreadable("gallina@granja.com", "'gallina@granja'", "DNS label"),
    "long label": unreadable(f"{'a' * 64}.{SPACE}", "'" + "a" * 64, "63"),
    "long below the namespace": Bad("NameTooLong", f"{LONG}.{SPACE}", (LONG, "127")),
    "not an allowed name": blocked(
        "NotAllowed", "gallina.animales.com", "'gallina.animales.com'", SPACE, "AllowedNames",
        parameters={"AllowedNames": f"{SPACE},corral.com"},
    ),
    "allowed only in part of a label": blocked(
        "NotAllowed", f"gallina.falsa{SPACE}", f"falsa{SPACE}", "AllowedNames", parameters={"AllowedNames": SPACE}
    ),
    "no namespace": blocked("NoNamespace", "gallina.corral.com", "create namespace corral.com", "CreateNamespaces"),
    "several namespaces": blocked(
        "SeveralNamespaces", "gallina.doble.com", "DNS_PRIVATE"[4:].lower(), "ip=public", given=two_namespaces
    ),
    "records where there are none": Bad(
        "NoRecordsThere", "gallina.gallinero ttl=5", ("ttl=", "gallinero", "HTTP"), given=http_namespace
    ),
    "held by another service": blocked("NameTaken", OTHER, OTHER, "granja/gallina", given=held_by_gallina),
    "made by somebody": blocked("NameTaken", OTHER, "gallina", "choose another name", given=made_by_somebody),
    "registered by ECS": blocked("NameTaken", OTHER, "gallina", "choose another name", given=registered_by_ecs),
    "one name twice": blocked("NameTaken", NAME, NAME, "granja/conejo/expose:dns", tag="expose:dns:otra"),
    "several ports": blocked("SeveralPorts", NAME, "web:8080, web:8443", "port= or container=", **PORTS),
    "port that is none": blocked("NoPort", f"{NAME} port=9", "port=9", "web:8080, web:8443", **PORTS),
    "container that is none": blocked("NoPort", f"{NAME} container=db", "container=db", "web:8080"),
    "no port at all": blocked("NoPort", f"{NAME} type=SRV", "container port is needed", "none", **NO_PORTS),
    "no public address": blocked("NoPublicAddress", f"{NAME} ip=public", "no public IPv4", "ip=private", **HIDDEN),
    "no IPv6 address": blocked("NoIpv6Address", f"{NAME} type=AAAA", "dualStackIPv6", "type=A"),
    "unknown policy": Bad(
        "UnknownPolicy", "obsrve", ("'obsrve'", "observe, sync, upsert-only"), tag="expose:policy", of="expose:dns"
    ),
    "refused by AWS": Bad(
        "AccessDeniedException", OTHER, ("AccessDeniedException", "CreateService"), FAILED, given=refused_by_cloud_map
    ),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_input_is_told_and_changes_nothing_that_works(bad: Bad) -> None:
    with Farm.virtual(parameters=bad.parameters) as farm:
        farm.create_namespace(SPACE)
        farm.run_for(1)
        name = bad.service.get("name", "conejo")
        farm.create_service(**{"name": name, "count": 2, "tags": {"expose:dns": bad.good}, **bad.service})
        become(farm, "Active", name)
        bad.given(farm)
        farm.tag(name, {bad.tag: bad.value})

        refusal = become(farm, bad.status, name, bad.of or bad.tag)
        assert refusal["code"] == bad.code
        for said in (bad.tag, *bad.says):
            assert said in refusal["message"]
        kind = "Exposure Failed" if bad.status == FAILED else "Exposure Blocked"
        told = [event["detail"] for event in farm.published(kind)]
        assert (bad.of or bad.tag, bad.code) in [(each["tag"], each["code"]) for each in told]
        assert refusal["message"] in [each["message"] for each in told]
        assert f'"code":"{bad.code}"' in logged(farm)

        assert_followed_through_a_rotation(farm, name, public=bad.service.get("public", True))
        assert status(farm, name, bad.of or bad.tag)["code"] == bad.code


def assert_followed_through_a_rotation(farm: Farm, service: str, *, public: bool) -> None:
    """Every task dies, one after the other; the name goes with them."""
    before = farm.addresses(service, public=public)
    assert farm.resolve(NAME) == before
    for task in farm.tasks(service):
        farm.kill(task["taskArn"].rpartition("/")[2])
        farm.run_for(30)
        assert farm.resolve(NAME) == farm.addresses(service, public=public)
    assert len(farm.resolve(NAME)) == 2
    assert not set(farm.resolve(NAME)) & set(before)


def test_a_mechanism_that_is_not_allowed_makes_nothing_however_often_it_is_looked_at() -> None:
    with Farm.virtual(parameters={"AllowedMechanisms": "ip", "CreateNamespaces": "public"}) as farm:
        farm.create_service("conejo", 2, tags={"expose:dns": NAME})
        refusal = become(farm, BLOCKED)
        farm.run_for(30)
        farm.kill(farm.tasks("conejo")[0]["taskArn"].rpartition("/")[2])
        farm.run_for(300)
        assert writes(farm) == []
        assert status(farm)["code"] == refusal["code"] == "NotAllowed"
        for said in ("expose:dns", "'dns'", "ip", "AllowedMechanisms"):
            assert said in refusal["message"]
        assert len(farm.published("Exposure Blocked")) == 1


def test_a_cluster_that_is_not_allowed_is_told_so_and_bothers_nobody() -> None:
    """The functions may not even read the services there."""
    with Farm.virtual(parameters={"AllowedClusters": "corral", "CreateNamespaces": "public"}) as farm:
        farm.create_service("conejo", 1, tags={"expose:dns": NAME})
        farm.create_service("gallina", 1)
        farm.run_for(1800)
        (told,) = farm.published()
        assert (told["detail-type"], told["detail"]["code"]) == ("Exposure Blocked", "NotAllowed")
        assert told["detail"]["service"] == farm.arn("conejo")
        for said in ("expose:", "'granja'", "corral", "AllowedClusters"):
            assert said in told["detail"]["message"]
        assert [call for call in farm.calls() if call.caller != "user" and call.error] == []
        assert writes(farm) == []


def test_nobody_elses_cloud_map_service_is_touched() -> None:
    with Farm.virtual() as farm:
        farm.create_namespace(SPACE)
        farm.run_for(1)
        arn = made_by_somebody(farm)
        service = arn.rpartition("/")[2]
        farm.cloudmap.register_instance(
            ServiceId=service, InstanceId="theirs", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"}
        )
        farm.create_service("conejo", 1, tags={"expose:dns": OTHER})
        become(farm, BLOCKED)
        farm.untag("conejo", "expose:dns")
        become(farm, "")
        assert list(instances(farm, OTHER)) == ["theirs"]
        assert cloudmap_services(farm)[OTHER]["DnsConfig"]["DnsRecords"] == [{"Type": "A", "TTL": 60}]
        assert farm.cloudmap.list_tags_for_resource(ResourceARN=arn)["Tags"] == []
        assert {call.operation for call in writes(farm)} == {"CreateService"}
