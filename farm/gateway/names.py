"""The names under which APIs are found: their own, and those that custom domains' records lead to."""

from __future__ import annotations

from collections.abc import Iterator

from farm import dns
from farm.aws import REGION
from farm.aws.apigateway import seen

_TTL = 60
_ZONE = f"execute-api.{REGION}.amazonaws.com"


def zones(address: str) -> list[dns.Zone]:
    """As the name servers of AWS have them; none without an API or a domain. All lead to the gateway's address."""
    records = {(name, "A"): dns.RecordSet(_TTL, (address,)) for name in _names()}
    return [dns.Zone(_ZONE, records, negative_ttl=_TTL)] if records else []


def _names() -> Iterator[str]:
    for api in seen.apis():
        yield dns.plain(api.host)
    for domain in seen.domains():
        yield dns.plain(domain.target)
