"""Route 53 made right: records that are there once, deleted only as they are, and all changes of a batch or none.

moto keeps hosted zones and their records; how a batch changes them is here. A name server reads `hosted_zones`, and is
told through `settings().changed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from moto.route53.exceptions import InvalidActionValue, Route53ClientError
from moto.route53.models import FakeZone, RecordSet, Route53Backend, route53_backends
from moto.route53.utils import validate_domain_name

from farm.aws import ACCOUNT, REGION
from farm.aws.cloudmap.model import registry

Params = dict[str, Any]


@dataclass(slots=True)
class Settings:
    """What tests and the farm may turn."""

    changed: Callable[[], object] = lambda: None
    """Told when records have changed. Called with `ONE_AT_A_TIME` held."""


@dataclass(frozen=True, slots=True)
class Record:
    """Records of one name and type: values, or the name of which they are an alias. Names end without a dot."""

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]
    alias: str


@dataclass(frozen=True, slots=True)
class HostedZone:
    name: str
    private: bool
    records: tuple[Record, ...]


def mend() -> None:
    """Put moto's changes of records right."""
    Route53Backend.change_resource_record_sets = _change_resource_record_sets
    Route53Backend.get_hosted_zone = _get_hosted_zone


_moto_get_hosted_zone = Route53Backend.get_hosted_zone


def _get_hosted_zone(self: Route53Backend, id_: str) -> FakeZone:
    """One that Cloud Map keeps can be looked at like any other."""
    zone_id = id_.rpartition("/")[2]
    for namespace in registry().namespaces.values():
        if namespace.zone_id == zone_id:
            zone = FakeZone(f"{namespace.name}.", zone_id, bool(namespace.vpc), namespace.creator_request_id)
            if namespace.vpc:
                zone.add_vpc(namespace.vpc, REGION)
            return zone
    return _moto_get_hosted_zone(self, id_)


def settings() -> Settings:
    return _settings_of(route53_backends[ACCOUNT]["aws"])


def hosted_zones() -> list[HostedZone]:
    """Whoever calls this in a farm on the wall clock holds `farm.aws.ONE_AT_A_TIME`."""
    return [
        HostedZone(zone.name.rstrip("."), zone.private_zone, tuple(_record(one) for one in zone.rrsets))
        for zone in route53_backends[ACCOUNT]["aws"].zones.values()
    ]


def _settings_of(backend: Route53Backend) -> Settings:
    found: Settings = backend.__dict__.setdefault("farm_route53", Settings())
    return found


def _record(held: RecordSet) -> Record:
    alias = (held.alias_target or {}).get("DNSName", "")
    return Record(
        held.name.rstrip("."), held.type, int(held.ttl or 0), tuple(held.records or ()), alias.rstrip(".")
    )


def _change_resource_record_sets(self: Route53Backend, zoneid: str, change_list: list[Params]) -> None:
    zone = self.get_hosted_zone(zoneid)
    records, problems = list(zone.rrsets), []
    for change in change_list:
        asked = _normalised(change["ResourceRecordSet"])
        if problem := _problem(zone, records, change["Action"], asked):
            problems.append(problem)
        else:
            records = _applied(records, change["Action"], asked)
    if problems:
        raise Route53ClientError("InvalidChangeBatch", f"[{', '.join(problems)}]")
    zone.rrsets = records
    _settings_of(self).changed()


def _normalised(asked: Params) -> Params:
    """As Route 53 keeps it: names in lower case with a dot at the end, values as text."""
    shown = {**asked, "Name": _full(asked["Name"])}
    if "ResourceRecords" in asked:
        shown["ResourceRecords"] = [one["Value"] for one in asked["ResourceRecords"]]
    if "AliasTarget" in asked:
        target = asked["AliasTarget"]
        shown["AliasTarget"] = {**target, "DNSName": _full(target["DNSName"])}
    return shown


def _full(name: str) -> str:
    return name.rstrip(".").lower() + "."


def _applied(records: list[RecordSet], action: str, asked: Params) -> list[RecordSet]:
    kept = [one for one in records if _identity(one) != _asked_identity(asked)]
    return kept if action == "DELETE" else [*kept, RecordSet(asked)]


def _identity(held: RecordSet) -> tuple[str, str, str]:
    return held.name, held.type, held.set_identifier or ""


def _asked_identity(asked: Params) -> tuple[str, str, str]:
    return asked["Name"], asked["Type"], asked.get("SetIdentifier") or ""


def _problem(zone: FakeZone, records: list[RecordSet], action: str, asked: Params) -> str | None:
    """Why this change cannot be, after those before it; None if it can."""
    if action not in {"CREATE", "UPSERT", "DELETE"}:
        raise InvalidActionValue(action)
    validate_domain_name(asked["Name"], code="InvalidChangeBatch")
    if ("AliasTarget" in asked) == ("ResourceRecords" in asked and "TTL" in asked):
        raise Route53ClientError(
            "InvalidInput",
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId] in Change with [Action={action}, Name={asked['Name']}, "
            f"Type={asked['Type']}, SetIdentifier={asked.get('SetIdentifier', 'null')}]",
        )
    same = next((one for one in records if _identity(one) == _asked_identity(asked)), None)
    if action == "DELETE":
        return _problem_of_deleting(zone, same, asked)
    if action == "CREATE" and same is not None:
        return f"Tried to create resource record set {_named(asked)} but it already exists"
    return _problem_of_setting(zone, records, asked)


def _problem_of_deleting(zone: FakeZone, same: RecordSet | None, asked: Params) -> str | None:
    tried = f"Tried to delete resource record set {_named(asked)}"
    if same is None:
        return f"{tried} but it was not found"
    if _content(same) != _content(RecordSet(asked)):
        return f"{tried} but the values provided do not match the current values"
    if asked["Name"] == _full(zone.name) and asked["Type"] in {"NS", "SOA"}:
        return f"A HostedZone must contain at least one {asked['Type']} record for the zone itself."
    return None


def _problem_of_setting(zone: FakeZone, records: Iterable[RecordSet], asked: Params) -> str | None:
    name, kind, apex = asked["Name"], asked["Type"], _full(zone.name)
    if name != apex and not name.endswith(f".{apex}"):
        return f"RRSet with DNS name {name} is not permitted in zone {apex}"
    if kind == "CNAME" and name == apex:
        return f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {apex}"
    beside = [one for one in records if one.name == name and _identity(one) != _asked_identity(asked)]
    if any((one.type == "CNAME") != (kind == "CNAME") for one in beside):
        return (
            f"RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records "
            f"with the same DNS name in zone {apex}"
        )
    if any(one.type == kind and bool(one.set_identifier) != ("SetIdentifier" in asked) for one in beside):
        return (
            f"RRSet with DNS name {name}, type {kind}, SetIdentifier {asked.get('SetIdentifier', 'null')} "
            "cannot be created as a non-simple and a simple RRSet of this name and type cannot both exist"
        )
    return None


def _content(held: RecordSet) -> tuple[Any, ...]:
    """All that a DELETE must say as it is; the order of values does not matter."""
    routing = (held.weight, held.region, held.failover, held.geo_location, held.multi_value_answer)
    ttl = None if held.ttl is None else int(held.ttl)
    return ttl, sorted(held.records or ()), held.alias_target, held.health_check_id, routing


def _named(asked: Params) -> str:
    identity = f", set-identifier='{asked['SetIdentifier']}'" if "SetIdentifier" in asked else ""
    return f"[name='{asked['Name']}', type='{asked['Type']}'{identity}]"
