"""What Cloud Map accepts: names, ids, record combinations and attributes. Pure; each check raises InvalidInput (F§3)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

from farm.aws.addresses import PUBLIC
from farm.aws.cloudmap.model import Namespace, Service, invalid

INSTANCE_ID = re.compile(r"[0-9a-zA-Z_/:.@-]{1,64}")
SERVICE_NAME = re.compile(
    r"(?=.{1,127}\Z)([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}[a-zA-Z0-9_]|[a-zA-Z0-9])"
    r"(\.([a-zA-Z0-9_][a-zA-Z0-9-_]{0,61}[a-zA-Z0-9_]|[a-zA-Z0-9]))*|\."
)
NAMESPACE_NAME = {
    "HTTP": re.compile(r"(?!arn:)[!-~]{1,1024}"),
    "DNS_PRIVATE": re.compile(r"(?!arn:)[!-~]{1,253}"),
    "DNS_PUBLIC": re.compile(
        r"(?=.{1,253}\Z)([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    ),
}
_KEY = re.compile(r"[!-~]{1,255}")
_VALUE = re.compile(r"([!-~][ \t!-~]*)?[!-~]?")
_COMBINATIONS = ({"A"}, {"AAAA"}, {"A", "AAAA"}, {"SRV"}, {"CNAME"})
_MOST_CUSTOM, _MOST_CHARACTERS, _MOST_VALUE = 30, 5000, 1024
_AWS_ATTRIBUTES = frozenset(
    [
        "AWS_ALIAS_DNS_NAME",
        "AWS_EC2_INSTANCE_ID",
        "AWS_INIT_HEALTH_STATUS",
        "AWS_INSTANCE_CNAME",
        "AWS_INSTANCE_IPV4",
        "AWS_INSTANCE_IPV6",
        "AWS_INSTANCE_PORT",
    ]
)
_REQUIRED = {"A": "AWS_INSTANCE_IPV4", "AAAA": "AWS_INSTANCE_IPV6", "CNAME": "AWS_INSTANCE_CNAME"}


def check_lengths(asked: Mapping[str, Any]) -> None:
    for name, most in (("Description", 1024), ("CreatorRequestId", 64)):
        if len(asked.get(name) or "") > most:
            raise invalid(f"{name} must have length less than or equal to {most}.")


def check_namespace_name(kind: str, name: str) -> None:
    if not NAMESPACE_NAME[kind].fullmatch(name):
        raise invalid(f"Invalid namespace name: {name}")


def check_service_name(name: str) -> None:
    if not SERVICE_NAME.fullmatch(name):
        raise invalid(f"Invalid service name: {name}")


def check_instance_id(instance_id: str) -> None:
    if not INSTANCE_ID.fullmatch(instance_id):
        raise invalid(f"Invalid instance id: {instance_id}")


def check_dns(namespace: Namespace, asked: Mapping[str, Any]) -> None:
    """The DnsConfig and health checks that a new service may have in this namespace."""
    dns = asked.get("DnsConfig")
    probe, custom = asked.get("HealthCheckConfig"), asked.get("HealthCheckCustomConfig")
    if dns and not namespace.is_dns:
        raise invalid("DnsConfig is not supported in an HTTP namespace.")
    if dns and asked.get("Type") == "HTTP":
        raise invalid("A service of type HTTP cannot have a DnsConfig.")
    if probe is not None and custom is not None:
        raise invalid("HealthCheckConfig and HealthCheckCustomConfig exclude each other.")
    if probe is not None and namespace.type == "DNS_PRIVATE":
        raise invalid("HealthCheckConfig is not supported in a private DNS namespace.")
    if dns:
        routing = dns.get("RoutingPolicy", "MULTIVALUE")
        check_records([record["Type"] for record in dns["DnsRecords"]], routing, probed=probe is not None)


def check_records(types: Iterable[str], routing: str, *, probed: bool) -> None:
    kinds = list(types)
    if set(kinds) not in _COMBINATIONS or len(set(kinds)) < len(kinds):
        raise invalid(f"Invalid combination of DNS records: {', '.join(kinds)}")
    if kinds == ["CNAME"] and routing != "WEIGHTED":
        raise invalid("CNAME records require the routing policy WEIGHTED.")
    if kinds == ["CNAME"] and probed:
        raise invalid("CNAME records exclude HealthCheckConfig.")


def check_attributes(service: Service, attributes: Mapping[str, str]) -> None:
    _check_form(attributes)
    if "AWS_EC2_INSTANCE_ID" in attributes and service.namespace.is_dns:
        raise invalid("AWS_EC2_INSTANCE_ID is only supported in HTTP namespaces.")
    if "AWS_ALIAS_DNS_NAME" in attributes:
        _check_alias(service, attributes)
    else:
        _check_required(service, attributes)
    _check_values(attributes)
    if service.probe:
        _check_probed(attributes)


def _check_form(attributes: Mapping[str, str]) -> None:
    for key, value in attributes.items():
        if key.lower().startswith("aws_") and key not in _AWS_ATTRIBUTES:
            raise invalid(f"Invalid attribute: [{key}]. [aws_] prefix is reserved for AWS attributes.")
        if not _KEY.fullmatch(key):
            raise invalid(f"Invalid attribute key: [{key}].")
        if len(value) > _MOST_VALUE or not _VALUE.fullmatch(value):
            raise invalid(f"Invalid value of attribute [{key}].")
    if len(attributes.keys() - _AWS_ATTRIBUTES) > _MOST_CUSTOM:
        raise invalid(f"An instance can have at most {_MOST_CUSTOM} custom attributes.")
    if sum(len(key) + len(value) for key, value in attributes.items()) > _MOST_CHARACTERS:
        raise invalid(f"The attributes exceed {_MOST_CHARACTERS} characters in total.")


def _check_alias(service: Service, attributes: Mapping[str, str]) -> None:
    if service.routing != "WEIGHTED" or any(key.startswith("AWS_INSTANCE_") for key in attributes):
        raise invalid(
            "AWS_ALIAS_DNS_NAME requires the routing policy WEIGHTED and no AWS_INSTANCE_ attribute."
        )


def _check_required(service: Service, attributes: Mapping[str, str]) -> None:
    missing = [
        _REQUIRED[kind] for kind in service.records if _REQUIRED.get(kind, "") not in {"", *attributes}
    ]
    if "SRV" in service.records:
        missing += [key for key in ("AWS_INSTANCE_PORT",) if key not in attributes]
    if missing:
        raise invalid(f"Required attribute(s) {', '.join(sorted(missing))} are missing.")
    if "SRV" in service.records and not attributes.keys() & {"AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6"}:
        raise invalid("At least one of AWS_INSTANCE_IPV4 AWS_INSTANCE_IPV6 is required.")


def _check_values(attributes: Mapping[str, str]) -> None:
    _check_address(attributes, "AWS_INSTANCE_IPV4", ipaddress.IPv4Address)
    _check_address(attributes, "AWS_INSTANCE_IPV6", ipaddress.IPv6Address)
    port = attributes.get("AWS_INSTANCE_PORT", "0")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise invalid(f"Invalid value of attribute [AWS_INSTANCE_PORT]: {port}")
    health = attributes.get("AWS_INIT_HEALTH_STATUS", "HEALTHY")
    if health not in {"HEALTHY", "UNHEALTHY"}:
        raise invalid(f"No enum constant com.amazonaws.servicediscovery.InitHealthStatus.{health}")


def _check_address(attributes: Mapping[str, str], key: str, kind: type) -> None:
    if key not in attributes:
        return
    try:
        kind(attributes[key])
    except ValueError as error:
        raise invalid(f"Invalid value of attribute [{key}]: {attributes[key]}") from error


def _check_probed(attributes: Mapping[str, str]) -> None:
    """Route 53's probes come from the internet."""
    if "AWS_INSTANCE_PORT" not in attributes:
        raise invalid("A port must be supplied in order to register this instance.")
    address = ipaddress.ip_address(attributes.get("AWS_INSTANCE_IPV4", "192.0.2.1"))
    if not address.is_global and address not in PUBLIC:
        raise invalid(f"IPv4 address {address} is forbidden for healthChecks")
