"""Services: made and deleted at once, changed by operations (F§3.1)."""

from __future__ import annotations

from typing import Any

from farm.aws import ACCOUNT
from farm.aws.cloudmap.model import (
    Namespace,
    Params,
    Refused,
    Registry,
    Result,
    Service,
    invalid,
    lasting_id,
    random_id,
)
from farm.aws.cloudmap.operations import submit
from farm.aws.cloudmap.paging import filtered_page, matches
from farm.aws.cloudmap.rules import check_dns, check_lengths, check_records, check_service_name
from farm.aws.cloudmap.tagging import check_count, put_tags

_MOST_ATTRIBUTES = 30


def create_service(of: Registry, asked: Params) -> Result:
    namespace = of.namespace(
        asked.get("NamespaceId") or (asked.get("DnsConfig") or {}).get("NamespaceId") or ""
    )
    check_lengths(asked)
    check_service_name(asked["Name"])
    check_dns(namespace, asked)
    check_count({tag["Key"]: tag["Value"] for tag in asked.get("Tags") or []}, asked["Name"])
    twin = next((one for one in of.services_in(namespace) if _collide(one, asked["Name"])), None)
    if twin:
        raise Refused(
            "ServiceAlreadyExists",
            f"Service {asked['Name']} already exists.",
            CreatorRequestId=twin.creator_request_id,
            ServiceId=twin.id,
            ServiceArn=twin.arn,
        )
    service = _new(of, namespace, asked)
    of.services[service.id] = service
    put_tags(of, service.arn, asked.get("Tags") or [])
    return {"Service": _describe(service) | {"CreatorRequestId": service.creator_request_id}}


def update_service(of: Registry, asked: Params) -> Result:
    """What is left out is deleted: records and probe alike. Types of records can go, but not come."""
    service, change = of.service(asked["Id"]), asked["Service"]
    if not service.namespace.is_dns:
        raise invalid("UpdateService is not supported for services in HTTP namespaces.")
    check_lengths(change)
    records = {one["Type"]: one["TTL"] for one in change.get("DnsConfig", {}).get("DnsRecords", [])}
    if records.keys() - service.records.keys():
        raise invalid("The types of DNS records cannot be changed.")
    if records:
        check_records(records, service.routing, probed="HealthCheckConfig" in change)

    def effect() -> None:
        service.description = change.get("Description", service.description)
        service.records = records
        service.probe = change.get("HealthCheckConfig")

    return submit(
        of, "UPDATE_SERVICE", targets={"SERVICE": service.id}, namespace=service.namespace, effect=effect
    )


def delete_service(of: Registry, asked: Params) -> Result:
    service = of.service(asked["Id"])
    if service.instances or any(key.startswith(f"{service.id}/") for key in of.running):
        raise Refused(
            "ResourceInUse",
            "Service contains registered instances; delete the instances before deleting the service",
        )
    del of.services[service.id]
    of.tags.pop(service.arn, None)
    return {}


def get_service(of: Registry, asked: Params) -> Result:
    service = of.service(asked["Id"])
    return {"Service": _describe(service) | {"CreatorRequestId": service.creator_request_id}}


def list_services(of: Registry, asked: Params) -> Result:
    found, token = filtered_page(of, of.services.values(), lambda one: one.id, asked, _passes)
    return {"Services": [_describe(one) for one in found], "NextToken": token}


def get_service_attributes(of: Registry, asked: Params) -> Result:
    service = of.service(asked["ServiceId"])
    return {
        "ServiceAttributes": {
            "ServiceArn": service.arn,
            "ResourceOwner": ACCOUNT,
            "Attributes": service.attributes,
        }
    }


def update_service_attributes(of: Registry, asked: Params) -> Result:
    service = of.service(asked["ServiceId"])
    merged = service.attributes | asked["Attributes"]
    if len(merged) > _MOST_ATTRIBUTES:
        raise Refused(
            "ServiceAttributesLimitExceededException",
            f"A service can have at most {_MOST_ATTRIBUTES} attributes.",
        )
    service.attributes = merged
    return {}


def delete_service_attributes(of: Registry, asked: Params) -> Result:
    service = of.service(asked["ServiceId"])
    for key in asked["Attributes"]:
        service.attributes.pop(key, None)
    return {}


def _collide(one: Service, name: str) -> bool:
    """DNS knows no case."""
    return one.name.lower() == name.lower() if one.namespace.is_dns else one.name == name


def _new(of: Registry, namespace: Namespace, asked: Params) -> Service:
    dns: dict[str, Any] = asked.get("DnsConfig") or {}
    identity = lasting_id("srv-", namespace.id, asked["Name"])
    return Service(
        id=identity,
        arn=of.arn("service", identity),
        name=asked["Name"],
        namespace=namespace,
        type="DNS_HTTP" if dns else "HTTP",
        creator_request_id=asked.get("CreatorRequestId") or random_id("", 32),
        description=asked.get("Description"),
        records={record["Type"]: record["TTL"] for record in dns.get("DnsRecords", [])},
        routing=dns.get("RoutingPolicy", "MULTIVALUE"),
        probe=asked.get("HealthCheckConfig"),
        custom_health=asked.get("HealthCheckCustomConfig") is not None,
    )


def _describe(service: Service) -> Result:
    dns = {
        "NamespaceId": service.namespace.id,
        "RoutingPolicy": service.routing,
        "DnsRecords": [{"Type": kind, "TTL": ttl} for kind, ttl in service.records.items()],
    }
    return {
        "Id": service.id,
        "Arn": service.arn,
        "ResourceOwner": ACCOUNT,
        "Name": service.name,
        "NamespaceId": service.namespace.id,
        "Description": service.description,
        "InstanceCount": len(service.instances),
        "DnsConfig": dns if service.records else None,
        "Type": service.type,
        "HealthCheckConfig": service.probe,
        "HealthCheckCustomConfig": {"FailureThreshold": 1} if service.custom_health else None,
        "CreateDate": service.created,
        "CreatedByAccount": ACCOUNT,
    }


def _passes(service: Service, wanted: Params) -> bool:
    values = {"NAMESPACE_ID": service.namespace.id, "RESOURCE_OWNER": "SELF"}
    if wanted["Name"] not in values:
        raise invalid(f"Invalid filter name: {wanted['Name']}")
    return matches(values[wanted["Name"]], wanted["Values"], wanted)
