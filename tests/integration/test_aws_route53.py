"""Route 53 behaves as AWS's (moto-notes §5): a record is there once, deleted as it is, and a batch happens whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused

from farm.account import client
from farm.aws import route53
from farm.aws.route53 import HostedZone, Record
from farm.timeline import Timeline

dns: Any = client("route53")


class Zone:
    def __init__(self, name: str = "system.com") -> None:
        self.id = dns.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"]

    def change(self, *changes: tuple[str, dict[str, Any]]) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
        dns.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch=batch)

    def records(self) -> list[str]:
        """NAME TYPE VALUES, but for the zone's own."""
        found = dns.list_resource_record_sets(HostedZoneId=self.id)["ResourceRecordSets"]
        return [
            f"{one['Name']} {one['Type']} {_values(one)}" for one in found if one["Type"] not in {"NS", "SOA"}
        ]


def _values(record: dict[str, Any]) -> str:
    if "AliasTarget" in record:
        return str(record["AliasTarget"]["DNSName"])
    return ",".join(one["Value"] for one in record["ResourceRecords"])


def a(name: str, *values: str, kind: str = "A", **more: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": kind,
        "TTL": 60,
        "ResourceRecords": [{"Value": one} for one in values],
        **more,
    }


def alias(name: str, target: str) -> dict[str, Any]:
    to = {"HostedZoneId": "ZLY8HYME6SFDD", "DNSName": target, "EvaluateTargetHealth": False}
    return {"Name": name, "Type": "A", "AliasTarget": to}


@pytest.fixture
def zone(timeline: Timeline) -> Zone:
    return Zone()


def test_a_record_is_created_once(zone: Zone) -> None:
    zone.change(("CREATE", a("api1.system.com", "192.0.2.1")))
    for again in (a("api1.system.com", "192.0.2.2"), a("API1.system.com.", "192.0.2.1")):
        with refused("InvalidChangeBatch") as answer:
            zone.change(("CREATE", again))
        assert "but it already exists" in answer["Error"]["Message"]
    assert zone.records() == ["api1.system.com. A 192.0.2.1"]


def test_an_upsert_replaces(zone: Zone) -> None:
    zone.change(("UPSERT", a("api1.system.com", "192.0.2.1")))
    zone.change(("UPSERT", alias("api1.system.com", "d-1.execute-api.eu-west-1.amazonaws.com")))
    assert zone.records() == ["api1.system.com. A d-1.execute-api.eu-west-1.amazonaws.com."]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (a("api1.system.com", "192.0.2.1"), "the values provided do not match the current values"),
        (a("api1.system.com", "192.0.2.1", "192.0.2.2", TTL=61), "do not match"),
        (alias("api1.system.com", "d-1.execute-api.eu-west-1.amazonaws.com"), "do not match"),
        (a("api2.system.com", "192.0.2.1"), "but it was not found"),
        (a("api1.system.com", "::1", kind="AAAA"), "but it was not found"),
        (a("api1.system.com", "192.0.2.1", "192.0.2.2", SetIdentifier="x", Weight=1), "but it was not found"),
    ],
)
def test_a_record_is_deleted_only_as_it_is(zone: Zone, wrong: dict[str, Any], message: str) -> None:
    """Also not by values that it once had."""
    zone.change(("CREATE", a("api1.system.com", "192.0.2.1")))
    zone.change(("UPSERT", a("api1.system.com", "192.0.2.1", "192.0.2.2")))
    with refused("InvalidChangeBatch") as answer:
        zone.change(("DELETE", wrong))
    assert message in answer["Error"]["Message"]
    assert zone.records() == ["api1.system.com. A 192.0.2.1,192.0.2.2"]
    zone.change(("DELETE", a("api1.system.com", "192.0.2.2", "192.0.2.1")))
    assert zone.records() == []


def test_an_alias_is_deleted_with_its_target(zone: Zone) -> None:
    zone.change(("CREATE", alias("api1.system.com", "D-1.execute-api.eu-west-1.amazonaws.com")))
    with refused("InvalidChangeBatch"):
        zone.change(("DELETE", alias("api1.system.com", "d-2.execute-api.eu-west-1.amazonaws.com")))
    zone.change(("DELETE", alias("api1.system.com", "d-1.execute-api.eu-west-1.amazonaws.com.")))
    assert zone.records() == []


def test_a_set_identifier_is_of_one_name_and_type(zone: Zone) -> None:
    weighted = {"SetIdentifier": "blue", "Weight": 1}
    names = ("a.system.com", "b.system.com")
    zone.change(*(("CREATE", a(name, "192.0.2.1", **weighted)) for name in names))
    zone.change(("DELETE", a(names[0], "192.0.2.1", **weighted)))
    assert zone.records() == ["b.system.com. A 192.0.2.1"]
    with refused("InvalidChangeBatch"):
        zone.change(("CREATE", a(names[1], "192.0.2.1")))


def test_a_batch_happens_whole_or_not_at_all(zone: Zone) -> None:
    with refused("InvalidChangeBatch") as answer:
        zone.change(
            ("CREATE", a("a.system.com", "192.0.2.1")),
            ("CREATE", a("a.other.com", "192.0.2.1")),
            ("DELETE", a("b.system.com", "192.0.2.1")),
        )
    assert "is not permitted in zone system.com." in answer["Error"]["Message"]
    assert "it was not found" in answer["Error"]["Message"]
    assert zone.records() == []
    zone.change(("CREATE", a("a.system.com", "192.0.2.1")), ("DELETE", a("a.system.com", "192.0.2.1")))
    assert zone.records() == []


def test_a_cname_stands_alone(zone: Zone) -> None:
    zone.change(("CREATE", a("a.system.com", "192.0.2.1")))
    with refused("InvalidChangeBatch"):
        zone.change(("CREATE", a("a.system.com", "b.system.com", kind="CNAME")))
    zone.change(("CREATE", a("c.system.com", "b.system.com", kind="CNAME")))
    for wrong in (a("c.system.com", "192.0.2.1"), a("system.com", "b.system.com", kind="CNAME")):
        with refused("InvalidChangeBatch"):
            zone.change(("UPSERT", wrong))


@pytest.mark.parametrize("name", ["notsystem.com", "com", "a.system.com.other.com"])
def test_names_outside_the_zone(zone: Zone, name: str) -> None:
    with refused("InvalidChangeBatch"):
        zone.change(("CREATE", a(name, "192.0.2.1")))


def test_a_record_has_values_or_a_target(zone: Zone) -> None:
    both = {**alias("a.system.com", "b.system.com"), "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    for wrong in (both, {"Name": "a.system.com", "Type": "A"}):
        with refused("InvalidInput"):
            zone.change(("UPSERT", wrong))


def test_the_zones_own_records_stay(zone: Zone) -> None:
    own = dns.list_resource_record_sets(HostedZoneId=zone.id)["ResourceRecordSets"]
    assert {one["Type"] for one in own} == {"NS", "SOA"}
    for record in own:
        with refused("InvalidChangeBatch"):
            zone.change(("DELETE", record))


def test_what_a_name_server_would_know(zone: Zone) -> None:
    told: list[int] = []
    route53.settings().changed = lambda: told.append(1)
    zone.change(("CREATE", a("a.system.com", "192.0.2.1")), ("CREATE", alias("api1.system.com", "d-1.test")))
    (known,) = route53.hosted_zones()
    assert isinstance(known, HostedZone)
    assert (known.name, known.private, told) == ("system.com", False, [1])
    assert [one for one in known.records if one.type == "A"] == [
        Record("a.system.com", "A", 60, ("192.0.2.1",), ""),
        Record("api1.system.com", "A", 0, (), "d-1.test"),
    ]
