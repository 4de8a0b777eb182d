"""What an integration may lead to: the form of its URI, and whether what it names is there (F§5.1)."""

from __future__ import annotations

import re

from farm.aws import cloudmap, elb
from farm.aws.apigateway.model import Gateway, Result, invalid

_FUNCTION = re.compile(
    r"arn:aws:(lambda:[^:]*:\d*:function:\S+|apigateway:[^:]*:lambda:path/\S+/invocations)"
)
_URL = re.compile(r"https?://\S+")


def check_backend(of: Gateway, shown: Result) -> None:
    uri = shown.get("IntegrationUri", "")
    if shown["IntegrationType"] == "AWS_PROXY":
        if not shown.get("IntegrationSubtype") and not _FUNCTION.fullmatch(uri):
            raise invalid("Integration uri should be a valid function ARN for integration of type AWS_PROXY")
    elif shown["ConnectionType"] == "VPC_LINK":
        _check_private(of, shown.get("ConnectionId", ""), uri)
    elif not _URL.fullmatch(uri):
        raise invalid("Invalid HTTP endpoint specified for URI")


def _check_private(of: Gateway, link: str, uri: str) -> None:
    found = of.links.get(link)
    if found is None or found.shown["VpcLinkStatus"] == "DELETING":
        raise invalid("ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK")
    if not _is_listener(of, uri) and not _is_cloud_map_service(of, uri):
        raise invalid(
            "For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN "
            "or a valid Cloud Map service ARN."
        )


def _is_listener(of: Gateway, uri: str) -> bool:
    return any(
        uri == listener.arn for balancer in elb.balancers(of.region) for listener in elb.listeners(balancer)
    )


def _is_cloud_map_service(of: Gateway, uri: str) -> bool:
    """Query parameters choose among its instances by their attributes."""
    arn = uri.partition("?")[0]
    return any(arn == service.arn for service in cloudmap.registry(of.region).services.values())
