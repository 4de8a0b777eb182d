"""Cloud Map: what its calls need, and what it does in its caller's name with Route 53 and EC2 (F§7)."""

from __future__ import annotations

from farm.aws import cloudmap
from farm.permissions.need import Need, Params, arn, ec2, named, tag_keys

_WITHOUT_RESOURCE = {
    "CreateHttpNamespace",
    "CreatePrivateDnsNamespace",
    "CreatePublicDnsNamespace",
    "DiscoverInstances",
    "GetOperation",
    "ListNamespaces",
    "ListOperations",
    "ListServices",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
}


def needs(operation: str, params: Params) -> list[Need]:
    action = f"servicediscovery:{operation}"
    tags = tag_keys(params)
    found = [Need("servicediscovery:TagResource", "*", tags)] if tags and operation != "TagResource" else []
    if operation in _WITHOUT_RESOURCE:
        return [Need(action, "*", tags), *found]
    if operation == "CreateService":
        namespace = named("servicediscovery", "namespace", params.get("NamespaceId", ""))
        keys = {"servicediscovery:NamespaceArn": [namespace], **tags}
        resources = [namespace, arn("servicediscovery", "service/*")]
        return [*(Need(action, resource, keys) for resource in resources), *found]
    if operation.endswith("Namespace"):
        return [Need(action, named("servicediscovery", "namespace", params.get("Id", "")))]
    service = named("servicediscovery", "service", params.get("ServiceId") or params.get("Id") or "")
    return [Need(action, service, {"servicediscovery:ServiceArn": [service]})]


def forwarded(operation: str, params: Params) -> list[Need]:
    """What is done in the caller's name, later: without it the operation fails, not the call."""
    if operation == "DeleteNamespace" and not _has_zone(params.get("Id", "")):
        return []
    if operation in _NAMESPACE_FORWARDS:
        return _NAMESPACE_FORWARDS[operation]
    record = _record(params.get("ServiceId") or params.get("Id") or "") if operation in _FORWARDS else None
    if record is None:
        return []
    zone, name = record
    keys = {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": [name],
        "route53:ChangeResourceRecordSetsActions": [
            "DELETE" if operation == "DeregisterInstance" else "UPSERT"
        ],
    }
    return [Need("route53:ChangeResourceRecordSets", zone, keys), *_FORWARDS[operation]]


_HEALTH_CHECKS = "arn:aws:route53:::healthcheck/*"
_ZONES = "arn:aws:route53:::hostedzone/*"
_READ_CHECK = Need("route53:GetHealthCheck", _HEALTH_CHECKS)
_CREATE_CHECK = Need("route53:CreateHealthCheck")
_UPDATE_CHECK = Need("route53:UpdateHealthCheck", _HEALTH_CHECKS)
_DELETE_CHECK = Need("route53:DeleteHealthCheck", _HEALTH_CHECKS)
_ZONE = [
    Need("route53:CreateHostedZone"),
    Need("route53:GetHostedZone", _ZONES),
    Need("route53:ListHostedZonesByName"),
]
_FORWARDS = {
    "RegisterInstance": [
        _READ_CHECK,
        _CREATE_CHECK,
        _UPDATE_CHECK,
        ec2("DescribeInstances"),
        *_ZONE[1:],
    ],
    "DeregisterInstance": [_READ_CHECK, _DELETE_CHECK, _UPDATE_CHECK],
    "UpdateService": [_READ_CHECK, _CREATE_CHECK, _UPDATE_CHECK, _DELETE_CHECK],
}
_NAMESPACE_FORWARDS = {
    "CreatePublicDnsNamespace": _ZONE,
    "CreatePrivateDnsNamespace": [*_ZONE, ec2("DescribeVpcs"), ec2("DescribeRegions")],
    "DeleteNamespace": [Need("route53:DeleteHostedZone", _ZONES)],
}


def _record(service_id: str) -> tuple[str, str] | None:
    """The hosted zone and the record name that a Cloud Map service stands for; None for one without DNS."""
    service = cloudmap.registry().services.get(service_id.rpartition("/")[2])
    if service is None or not service.namespace.is_dns or not service.records:
        return None
    zone = f"arn:aws:route53:::hostedzone/{service.namespace.zone_id}"
    return zone, f"{service.name}.{service.namespace.name}".lower()


def _has_zone(namespace_id: str) -> bool:
    namespace = cloudmap.registry().namespaces.get(namespace_id.rpartition("/")[2])
    return namespace is not None and namespace.is_dns
