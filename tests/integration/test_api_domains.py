"""Hosts: a custom domain that is there is mapped, one that is not is made where the stack has a certificate for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.acm.models import acm_backends
from moto.route53.models import route53_backends

from farm.aws import ACCOUNT, REGION
from farm.farm import Farm
from tests.integration.guarded import (
    FAST,
    TAG,
    apis,
    expose,
    gateway,
    inventory,
    reach,
    remove,
    stands,
)
from tests.integration.world import become, status

HOST = "api1.system.com"
VALUE = f"{HOST}/orders auth=iam"


@contextmanager
def farming(**parameters: str) -> Iterator[Farm]:
    with Farm.virtual(parameters={**FAST, **parameters}) as farm:
        yield farm


def domain(farm: Farm, name: str = HOST) -> None:
    gateway(farm).create_domain_name(
        DomainName=name,
        DomainNameConfigurations=[
            {"CertificateArn": farm.request_certificate(name), "EndpointType": "REGIONAL"}
        ],
    )


def answers(farm: Farm, path: str = "/orders", host: str = HOST) -> str:
    return farm.invoke(host, path, sign=True).service


def test_an_existing_domain_is_mapped_and_stays() -> None:
    with farming() as farm:
        domain(farm)
        before = inventory(farm)
        expose(farm, VALUE)
        assert answers(farm) == "conejo"
        assert farm.invoke(HOST, "/orders").status == 403

        expose(farm, f"{HOST}/bills auth=iam", "gallina")
        assert answers(farm, "/bills") == "gallina"
        assert len(apis(farm)) == 1
        farm.untag("conejo", TAG)
        farm.untag("gallina", TAG)
        reach(farm, lambda: inventory(farm) == before)
        assert inventory(farm) == before


def test_a_stage_is_mapped_below_its_name() -> None:
    with farming() as farm:
        domain(farm)
        expose(farm, VALUE)
        expose(farm, f"{VALUE} stage=beta", "gallina")
        assert answers(farm) == "conejo"
        assert answers(farm, "/beta/orders") == "gallina"


def test_a_host_without_a_domain_is_told_what_to_do() -> None:
    with farming() as farm:
        farm.create_service("conejo", 1, public=False, tags={TAG: VALUE})
        said = become(farm, "Blocked", tag=TAG)
        assert said["code"] == "NoDomain"
        assert "ApiCertificate" in said["message"]
        domain(farm)
        assert reach(farm, lambda: stands(farm, VALUE))
        assert answers(farm) == "conejo"


@pytest.mark.parametrize("value", [VALUE, f"{VALUE} stage=beta"])
def test_a_domain_that_leads_elsewhere_is_left_alone(value: str) -> None:
    """A longer mapping, such as a stage's, would take requests from a shorter one (F§10.2)."""
    with farming() as farm:
        domain(farm)
        theirs = gateway(farm).create_api(Name="theirs", ProtocolType="HTTP", Target="https://their.com")[
            "ApiId"
        ]
        gateway(farm).create_api_mapping(DomainName=HOST, ApiId=theirs, Stage="$default")
        before = gateway(farm).get_api_mappings(DomainName=HOST)["Items"]
        farm.create_service("conejo", 1, public=False, tags={TAG: value})
        said = become(farm, "Blocked", tag=TAG)
        assert said["code"] == "MappingTaken"
        assert theirs in said["message"]
        assert gateway(farm).get_api_mappings(DomainName=HOST)["Items"] == before


def test_a_tag_moves_from_one_host_to_another_with_its_throttles() -> None:
    with farming() as farm:
        for name in (HOST, "api2.system.com"):
            domain(farm, name)
        expose(farm, f"{VALUE} rate=5")
        farm.tag("conejo", {TAG: "api2.system.com/orders auth=iam rate=5"})
        assert reach(farm, lambda: stands(farm, "api2.system.com/orders auth=iam rate=5"), limit=100)
        reach(farm, lambda: len(apis(farm)) == 1, limit=100)
        assert [each["Name"] for each in apis(farm)] == ["api2.system.com $default"]
        stage = gateway(farm).get_stage(ApiId=apis(farm)[0]["ApiId"], StageName="$default")
        assert len(stage.get("RouteSettings", {})) == 2
        farm.untag("conejo", TAG)
        become(farm, "", tag=TAG)


CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
ZONE = "Z0123456789ABC"


def certify(farm: Farm) -> None:
    """The certificate that the stack's parameter names, which is known before there is a farm."""
    known = acm_backends[ACCOUNT][REGION]._certificates
    made = known.pop(farm.request_certificate(HOST, "*.system.com"))
    made.arn = CERTIFICATE
    known[CERTIFICATE] = made


def host_zone(farm: Farm) -> None:
    """And the zone."""
    made = farm.client("route53").create_hosted_zone(Name="system.com", CallerReference="1")["HostedZone"][
        "Id"
    ]
    known = route53_backends[ACCOUNT]["aws"].zones
    zone = known.pop(made.rpartition("/")[2])
    zone.resource_id = ZONE
    known[ZONE] = zone


def records(farm: Farm) -> dict[str, str]:
    found = farm.client("route53").list_resource_record_sets(HostedZoneId=ZONE)["ResourceRecordSets"]
    return {
        each["Name"].rstrip("."): each["AliasTarget"]["DNSName"].rstrip(".")
        for each in found
        if "AliasTarget" in each
    }


def test_a_domain_is_made_with_the_certificate_and_its_target_is_told() -> None:
    with farming(ApiCertificate=CERTIFICATE) as farm:
        certify(farm)
        expose(farm, VALUE)
        assert answers(farm) == "conejo"
        (made,) = gateway(farm).get_domain_names()["Items"]
        target = made["DomainNameConfigurations"][0]["ApiGatewayDomainName"]
        assert target in status(farm, tag=TAG)["addresses"]
        remove(farm)


def test_its_name_is_put_into_the_zone_and_taken_out_again() -> None:
    with farming(ApiCertificate=CERTIFICATE, ApiHostedZone=ZONE) as farm:
        certify(farm)
        host_zone(farm)
        expose(farm, VALUE)
        (made,) = gateway(farm).get_domain_names()["Items"]
        target = made["DomainNameConfigurations"][0]["ApiGatewayDomainName"]
        assert records(farm) == {HOST: target}
        assert farm.resolve(HOST)
        assert HOST in status(farm, tag=TAG)["addresses"]
        remove(farm)
        assert not records(farm)


def test_a_record_that_leads_elsewhere_is_left_alone() -> None:
    with farming(ApiCertificate=CERTIFICATE, ApiHostedZone=ZONE) as farm:
        certify(farm)
        host_zone(farm)
        put(farm)
        farm.create_service("conejo", 1, public=False, tags={TAG: VALUE})
        assert become(farm, "Blocked", tag=TAG)["code"] == "NameTaken"
        assert farm.resolve(HOST) == ["203.0.113.9"]
        farm.untag("conejo", TAG)
        become(farm, "", tag=TAG)
        assert farm.resolve(HOST) == ["203.0.113.9"]


def put(farm: Farm, address: str = "203.0.113.9") -> None:
    """A record of somebody's own, in the place of whatever is there."""
    record = {"Name": HOST, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": address}]}
    farm.client("route53").change_resource_record_sets(
        HostedZoneId=ZONE, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    )


def take_away(farm: Farm) -> None:
    """The domain, by hand."""
    for mapping in gateway(farm).get_api_mappings(DomainName=HOST)["Items"]:
        gateway(farm).delete_api_mapping(DomainName=HOST, ApiMappingId=mapping["ApiMappingId"])
    gateway(farm).delete_domain_name(DomainName=HOST)


@pytest.mark.parametrize("gone", [True, False], ids=["without its domain", "beside its domain"])
def test_a_record_that_does_not_say_any_more_what_we_wrote_is_somebody_else_s(gone: bool) -> None:
    with farming(ApiCertificate=CERTIFICATE, ApiHostedZone=ZONE) as farm:
        certify(farm)
        host_zone(farm)
        expose(farm, VALUE)
        put(farm)
        if gone:
            take_away(farm)
        farm.untag("conejo", TAG)
        assert reach(farm, lambda: not status(farm, tag=TAG))
        assert farm.resolve(HOST) == ["203.0.113.9"]


def test_a_record_that_was_changed_is_told_with_the_verification() -> None:
    with farming(ApiCertificate=CERTIFICATE, ApiHostedZone=ZONE, VerifyMinutes="5") as farm:
        certify(farm)
        host_zone(farm)
        expose(farm, VALUE)
        put(farm)
        assert become(farm, "Blocked", tag=TAG, limit=400)["code"] == "NameTaken"
        assert farm.resolve(HOST) == ["203.0.113.9"]


def test_a_domain_that_somebody_made_in_the_place_of_ours_is_theirs() -> None:
    with farming(ApiCertificate=CERTIFICATE) as farm:
        certify(farm)
        expose(farm, VALUE)
        take_away(farm)
        domain(farm)
        farm.untag("conejo", TAG)
        assert reach(farm, lambda: not status(farm, tag=TAG))
        assert [each["DomainName"] for each in gateway(farm).get_domain_names()["Items"]] == [HOST]


def test_a_mapping_that_somebody_has_led_elsewhere_is_theirs() -> None:
    with farming() as farm:
        domain(farm)
        expose(farm, VALUE)
        theirs = gateway(farm).create_api(Name="theirs", ProtocolType="HTTP")["ApiId"]
        gateway(farm).create_stage(ApiId=theirs, StageName="$default", AutoDeploy=True)
        (mapping,) = gateway(farm).get_api_mappings(DomainName=HOST)["Items"]
        gateway(farm).update_api_mapping(
            DomainName=HOST, ApiMappingId=mapping["ApiMappingId"], ApiId=theirs, Stage="$default"
        )
        farm.untag("conejo", TAG)
        assert reach(farm, lambda: not status(farm, tag=TAG))
        assert [each["ApiId"] for each in gateway(farm).get_api_mappings(DomainName=HOST)["Items"]] == [
            theirs
        ]


def test_the_default_endpoint_can_be_closed() -> None:
    with farming(CloseDefaultEndpoint="yes") as farm:
        domain(farm)
        expose(farm, VALUE)
        assert answers(farm) == "conejo"
        assert not farm.invoke(
            apis(farm)[0]["ApiEndpoint"].removeprefix("https://"), "/orders", sign=True
        ).service
