"""Namespaces: made, changed and deleted by operations; until one ends, its namespace is as it was (F§3.1)."""

from __future__ import annotations

import string
from collections.abc import Callable

from moto.moto_api._internal import mock_random

from farm.aws import ACCOUNT
from farm.aws.cloudmap.model import Namespace, Params, Refused, Registry, Result, invalid, random_id
from farm.aws.cloudmap.operations import submit
from farm.aws.cloudmap.paging import filtered_page, matches
from farm.aws.cloudmap.rules import check_lengths, check_namespace_name
from farm.aws.cloudmap.tagging import put_tags

_DEFAULT_SOA_TTL = 15


def create_namespace(of: Registry, asked: Params, kind: str) -> Result:
    name, vpc = asked["Name"], asked.get("Vpc")
    check_lengths(asked)
    check_namespace_name(kind, name)
    twin = next((one for one in of.namespaces.values() if _collide(one, kind, name, vpc)), None)
    if twin and asked.get("CreatorRequestId") != twin.creator_request_id:
        raise Refused(
            "NamespaceAlreadyExists",
            f"Namespace {name} already exists.",
            CreatorRequestId=twin.creator_request_id,
            NamespaceId=twin.id,
        )
    made, key, token = _new(of, asked, kind), f"{kind}:{name}:{vpc}".lower(), asked.get("CreatorRequestId")
    if twin is None and key not in of.running:
        of.tokens.pop(("CREATE_NAMESPACE", key, token or ""), None)  # what it once made is gone

    def effect() -> None:
        of.namespaces[made.id] = made
        put_tags(of, made.arn, asked.get("Tags") or [])

    return submit(
        of,
        "CREATE_NAMESPACE",
        targets={"NAMESPACE": made.id},
        namespace=made,
        effect=effect,
        key=key,
        token=token,
    )


def delete_namespace(of: Registry, asked: Params) -> Result:
    namespace = of.namespace(asked["Id"])
    if of.services_in(namespace):
        raise Refused(
            "ResourceInUse",
            "Namespace has associated services; delete the services before deleting the namespace",
        )

    def effect() -> None:
        of.namespaces.pop(namespace.id, None)
        of.tags.pop(namespace.arn, None)

    return _operate(of, "DELETE_NAMESPACE", namespace, effect)


def update_namespace(of: Registry, asked: Params) -> Result:
    namespace, change = of.namespace(asked["Id"]), asked["Namespace"]
    check_lengths(change)
    soa = change.get("Properties", {}).get("DnsProperties", {}).get("SOA", {})

    def effect() -> None:
        namespace.description = change.get("Description", namespace.description)
        namespace.soa_ttl = soa.get("TTL", namespace.soa_ttl)

    return _operate(of, "UPDATE_NAMESPACE", namespace, effect)


def get_namespace(of: Registry, asked: Params) -> Result:
    namespace = of.namespace(asked["Id"])
    return {"Namespace": _describe(of, namespace) | {"CreatorRequestId": namespace.creator_request_id}}


def list_namespaces(of: Registry, asked: Params) -> Result:
    found, token = filtered_page(of, of.namespaces.values(), lambda one: one.id, asked, _passes)
    return {"Namespaces": [_describe(of, one) for one in found], "NextToken": token}


def _operate(of: Registry, kind: str, namespace: Namespace, effect: Callable[[], None]) -> Result:
    return submit(of, kind, targets={"NAMESPACE": namespace.id}, namespace=namespace, effect=effect)


def _collide(one: Namespace, kind: str, name: str, vpc: str | None) -> bool:
    """A VPC can have any number of private namespaces, but each name once."""
    return one.type == kind and one.name.lower() == name.lower() and one.vpc == vpc


def _new(of: Registry, asked: Params, kind: str) -> Namespace:
    identity, name = random_id("ns-", 16), asked["Name"]
    dns = asked.get("Properties", {}).get("DnsProperties", {})
    reused = any(one.http_name == name for one in of.namespaces.values())
    zone_signs = string.ascii_uppercase + string.digits
    return Namespace(
        id=identity,
        arn=of.arn("namespace", identity),
        name=name,
        type=kind,
        http_name=f"{name}-{identity[-8:]}" if reused else name,
        creator_request_id=asked.get("CreatorRequestId") or random_id("", 32),
        description=asked.get("Description"),
        vpc=asked.get("Vpc"),
        zone_id=None if kind == "HTTP" else "Z" + "".join(mock_random.choices(zone_signs, k=20)),
        soa_ttl=dns.get("SOA", {}).get("TTL", _DEFAULT_SOA_TTL),
    )


def _describe(of: Registry, namespace: Namespace) -> Result:
    dns = (
        {"HostedZoneId": namespace.zone_id, "SOA": {"TTL": namespace.soa_ttl}}
        if namespace.is_dns
        else {"SOA": {}}
    )
    return {
        "Id": namespace.id,
        "Arn": namespace.arn,
        "ResourceOwner": ACCOUNT,
        "Name": namespace.name,
        "Type": namespace.type,
        "Description": namespace.description,
        "ServiceCount": len(of.services_in(namespace)),
        "Properties": {"DnsProperties": dns, "HttpProperties": {"HttpName": namespace.http_name}},
        "CreateDate": namespace.created,
    }


def _passes(namespace: Namespace, wanted: Params) -> bool:
    values = {
        "TYPE": namespace.type,
        "NAME": namespace.name,
        "HTTP_NAME": namespace.http_name,
        "RESOURCE_OWNER": "SELF",
    }
    if wanted["Name"] not in values:
        raise invalid(f"Invalid filter name: {wanted['Name']}")
    return matches(values[wanted["Name"]], wanted["Values"], wanted)
