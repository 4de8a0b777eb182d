"""The names under which APIs are found: their own, those of custom domains' targets, and what Route 53 says leads there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from farm import dns
from farm.aws import REGION, restapis, route53
from farm.aws.apigateway import seen

_TTL = 60
_ZONE = f"execute-api.{REGION}.amazonaws.com"
_KINDS = {"A", "AAAA", "CNAME", "TXT"}


def zones(address: str) -> list[dns.Zone]:
    """As the name servers of AWS have them; none without an API or a domain. All lead to the gateway's address."""
    records = {(name, "A"): dns.RecordSet(_TTL, (address,)) for name in _names()}
    return [dns.Zone(_ZONE, records, negative_ttl=_TTL)] if records else []


def hosted(others: Sequence[dns.Zone]) -> list[dns.Zone]:
    """The account's hosted zones, an alias being what its target is in the zones of AWS.

    Private ones come first, as for a resolver in the VPC. Of records by weight or health the last one is taken.
    """
    known = sorted(route53.hosted_zones(), key=lambda zone: not zone.private)
    return [dns.Zone(dns.plain(zone.name), _records(zone, others)) for zone in known]


def hosts() -> set[str]:
    """The hosts of all APIs, of both kinds, and the custom domains."""
    return {one.host for one in (*seen.apis(), *restapis.apis())} | {one.name for one in seen.domains()}


def _names() -> Iterator[str]:
    for api in (*seen.apis(), *restapis.apis()):
        yield dns.plain(api.host)
    for domain in seen.domains():
        yield dns.plain(domain.target)


def _records(zone: route53.HostedZone, others: Sequence[dns.Zone]) -> dict[tuple[str, str], dns.RecordSet]:
    held = [(one, _set(one, others)) for one in zone.records if one.type in _KINDS]
    return {(dns.plain(one.name), one.type): found for one, found in held if found}


def _set(record: route53.Record, others: Sequence[dns.Zone]) -> dns.RecordSet | None:
    """None for an alias that leads nowhere."""
    if record.alias:
        return dns.look_up(record.alias, record.type, others)
    values = record.values
    if record.type == "CNAME":
        values = tuple(f"{value.rstrip('.')}." for value in values)
    return dns.RecordSet(record.ttl, values)
