"""Records that others keep, and that lead to what was once a task's: told once, and when they are gone; never touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from moto.route53.models import route53_backends

from farm.aws import ACCOUNT, addresses
from farm.farm import Farm
from farm.gate import GATE, USER, Fault
from tests.integration.listed import published
from tests.integration.world import become

ZONE = "ZGRANJA0"
SWEEP = 65
STRANGER, STRANGER6 = "198.51.100.7", "2a05:d018::7"


@contextmanager
def watched(**setup: Any) -> Iterator[tuple[Farm, Sequence[str]]]:
    """A farm whose stack watches a zone, and the addresses that tasks have held there and hold no more."""
    with Farm.virtual(parameters={"GuardZones": ZONE}, **setup) as farm:
        farm.client("route53").create_hosted_zone(Name="animales.com", CallerReference="farm")
        zones = route53_backends[ACCOUNT]["aws"].zones
        ((_, zone),) = zones.items()
        zone.resource_id = ZONE
        zones.clear()
        zones[ZONE] = zone
        farm.create_service("conejo", 2, tags={"expose:ip": "8080"})
        become(farm, "Active", tag="expose:ip")
        former = published(farm) + published(farm, family="ipv6")
        farm.deploy_new_revision("conejo")
        farm.run_for(120)
        yield farm, former


def record(action: str, name: str, *addresses: str, kind: str = "A") -> dict[str, Any]:
    values = [{"Value": address} for address in addresses]
    named = {"Name": f"{name}.animales.com", "Type": kind, "TTL": 60, "ResourceRecords": values}
    return {"Action": action, "ResourceRecordSet": named}


def change(farm: Farm, *changes: Mapping[str, Any]) -> None:
    farm.client("route53").change_resource_record_sets(
        HostedZoneId=ZONE, ChangeBatch={"Changes": list(changes)}
    )


def told(farm: Farm) -> list[tuple[str, str, tuple[str, ...]]]:
    """Of each event the state, the record and the addresses."""
    details = [event["detail"] for event in farm.published("Public Address Audit")]
    return [
        (each["state"], each["subject"], tuple(each["addresses"]))
        for each in details
        if each["kind"] == "stale-record"
    ]


def records(farm: Farm) -> Any:
    return farm.client("route53").list_resource_record_sets(HostedZoneId=ZONE)["ResourceRecordSets"]


def test_one_planted_by_hand_is_told_once_and_closed_when_it_is_gone() -> None:
    with watched() as (farm, former):
        change(farm, record("CREATE", "old", former[0]))
        planted = records(farm)
        farm.run_for(4 * SWEEP)
        assert told(farm) == [("open", "A old.animales.com", (former[0],))]
        (event,) = [
            e for e in farm.published("Public Address Audit") if e["detail"]["kind"] == "stale-record"
        ]
        assert event["detail"]["grade"] == "critical"
        assert event["detail"]["service"] == farm.arn("conejo")
        assert records(farm) == planted
        change(farm, record("DELETE", "old", former[0]))
        farm.run_for(2 * SWEEP)
        assert told(farm)[1:] == [("closed", "A old.animales.com", (former[0],))]
        assert not [item for item in farm.ledger() if item["pk"].startswith("AUDIT#zone/")]


def test_what_was_never_ours_or_is_ours_now_is_not_worth_a_word() -> None:
    with watched() as (farm, _):
        farm.create_service("zorro", 1)
        farm.run_for(30)
        change(
            farm,
            record("CREATE", "stranger", STRANGER),
            record("CREATE", "stranger", STRANGER6, kind="AAAA"),
            record("CREATE", "held", *published(farm)),
            record("CREATE", "untagged", *farm.addresses("zorro")),
        )
        farm.run_for(3 * SWEEP)
        assert told(farm) == []


def test_each_stale_address_of_a_record_is_a_finding_of_its_own_in_both_families() -> None:
    with watched(ipv6=True) as (farm, former):
        ipv4 = [address for address in former if ":" not in address]
        (ipv6, *_) = (address for address in former if ":" in address)
        change(
            farm,
            record("CREATE", "old", *ipv4, STRANGER),
            record("CREATE", "old", ipv6, kind="AAAA"),
        )
        farm.run_for(2 * SWEEP)
        assert sorted(told(farm)) == sorted(
            [
                *(("open", "A old.animales.com", (address,)) for address in ipv4),
                ("open", "AAAA old.animales.com", (ipv6,)),
            ]
        )


def test_a_zone_that_cannot_be_read_closes_nothing_and_stops_no_other_part_of_the_sweep() -> None:
    with watched() as (farm, former):
        change(farm, record("CREATE", "old", former[0]))
        farm.run_for(2 * SWEEP)
        fault = Fault("error", code="AccessDenied", service="route53", where=lambda call: call.caller != USER)
        GATE.faults.append(fault)
        farm.bus.lose(lambda event: True)
        farm.create_service("gallina", 1, tags={"expose:ip": "8080"})
        farm.run_for(2 * SWEEP)
        assert [state for state, *_ in told(farm)] == ["open"]
        become(farm, "Active", "gallina", "expose:ip")
        GATE.faults.remove(fault)
        farm.run_for(SWEEP)
        assert [state for state, *_ in told(farm)] == ["open"]


def test_a_record_whose_address_comes_back_to_us_is_closed() -> None:
    """An address that comes back to a task of ours is held again: its finding closes, though nobody touched the record."""
    with watched() as (farm, former):
        change(farm, record("CREATE", "old", former[0]))
        farm.run_for(2 * SWEEP)
        addresses.settings().eager_reuse = True
        for number in range(4):
            farm.create_service(f"zorro{number}", 1)
        farm.run_for(30)
        assert any(former[0] in farm.addresses(f"zorro{number}") for number in range(4))
        farm.run_for(SWEEP)
        assert [state for state, *_ in told(farm)] == ["open", "closed"]


def test_without_the_parameter_no_zone_is_read() -> None:
    with Farm.virtual() as farm:
        farm.run_for(2 * SWEEP)
        assert not farm.calls(service="route53", caller="sweep")
