"""Route 53: a change is of records of a hosted zone, and conditions may ask which (F§7)."""

from __future__ import annotations

from farm.permissions.need import Need, Params

_KEYS = "route53:ChangeResourceRecordSets"


def needs(operation: str, params: Params) -> list[Need]:
    zone = params.get("HostedZoneId") or params.get("Id") or ""
    resource = f"arn:aws:route53:::hostedzone/{zone.rpartition('/')[2]}" if zone else "*"
    return [Need(f"route53:{operation}", resource, _asked(params))]


def _asked(params: Params) -> dict[str, list[str]]:
    changes = params.get("ChangeBatch", {}).get("Changes", ())
    if not changes:
        return {}
    records = [one["ResourceRecordSet"] for one in changes]
    return {
        f"{_KEYS}NormalizedRecordNames": [one["Name"].rstrip(".").lower() for one in records],
        f"{_KEYS}RecordTypes": [one["Type"] for one in records],
        f"{_KEYS}Actions": [one["Action"] for one in changes],
    }
