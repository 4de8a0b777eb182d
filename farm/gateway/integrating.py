"""Where a private integration leads: through its VPC Link to a task that Cloud Map knows, or to a listener (F§5.1).

The link must be AVAILABLE and in the VPC of what it leads to. Of Cloud Map's instances the healthy ones get their turns;
one without private address or port fails the request that it gets, and nobody tries another. To a task all is in the
clear, whatever TlsConfig says: the farm's tasks speak nothing else. To a listener TlsConfig is in earnest.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from cryptography import x509
from moto.ec2 import ec2_backends

from farm.aws import ACCOUNT, REGION, acm, apigateway, cloudmap
from farm.aws.apigateway import seen
from farm.aws.apigateway.deployed import Integration
from farm.aws.restapis import RestIntegration
from farm.balancers import fronts
from farm.balancers.fronts import Front
from farm.balancers.routing import Turns
from farm.gateway.refusing import broken, unavailable


@dataclass(frozen=True, slots=True)
class Instance:
    """What Cloud Map told of one instance; port 0 if it told of none."""

    address: str
    port: int


Destination = Instance | Front


class Integrations:
    """Remembers what Cloud Map told, and whose turn it is. Call with `ONE_AT_A_TIME` held."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._told: dict[str, tuple[float, list[Instance]]] = {}
        self._pick = Turns()

    def lead(self, integration: Integration | None, stale: float) -> Destination:
        """RefusedError if it leads nowhere. `stale` is for how many seconds Cloud Map is not asked again."""
        if integration is None:
            raise broken("the route has no integration")
        if integration.type != "HTTP_PROXY" or integration.link is None:
            raise unavailable("the farm carries private integrations only")
        link = next((one for one in seen.links() if one.id == integration.link), None)
        if link is None or link.status != "AVAILABLE":
            if link:
                apigateway.wake(link.id)
            raise unavailable(f"the VPC link is {link.status if link else 'gone'}")
        if integration.uri.startswith("arn:aws:servicediscovery:"):
            return self._instance(integration.uri, link, stale)
        return _front(integration, link)

    def _instance(self, uri: str, link: seen.Link, stale: float) -> Instance:
        heard, told = self._told.get(uri, (float("-inf"), []))
        if self._now() - heard >= stale:
            told = discovered(uri)
            self._told[uri] = (self._now(), told)
        if not told:
            raise unavailable("Cloud Map knows of no healthy instance")
        instance = told[self._pick(uri, [1] * len(told))]
        if not instance.address or not instance.port:
            raise unavailable("the instance has no address or no port")
        if not _is_within(instance.address, link.vpc):
            raise unavailable("the instance is not in the VPC of the link")
        return instance


def discovered(uri: str) -> list[Instance]:
    """The healthy instances of the service with this ARN; its query are attributes that they must have."""
    arn, _, query = uri.partition("?")
    service = cloudmap.registry().services.get(arn.rpartition("/")[2])
    wanted = dict(parse_qsl(query))
    return [
        Instance(
            one.attributes.get("AWS_INSTANCE_IPV4", ""), int(one.attributes.get("AWS_INSTANCE_PORT") or 0)
        )
        for one in (service.instances.values() if service else ())
        if one.healthy and wanted.items() <= one.attributes.items()
    ]


def _front(integration: Integration, link: seen.Link) -> Front:
    front = next((one for one in fronts.fronts() if _is_meant(one, integration)), None)
    if front is None or front.is_datagram:
        raise unavailable("the listener is not there")
    if not all(_is_within(address, link.vpc) for address in front.addresses):
        raise unavailable("the load balancer is not in the VPC of the link")
    name = integration.server_name
    if front.is_secure != bool(name):
        raise unavailable("one end of the hop speaks TLS, and the other does not")
    if name and not _speaks_for(front.certificate, name):
        raise unavailable(f"the listener's certificate is not for {name}")
    return front


def _is_meant(front: Front, integration: Integration) -> bool:
    """By the listener's ARN; by the load balancer's, where a REST API may give that, it is the one at the URI's port."""
    if isinstance(integration, RestIntegration) and integration.uri == front.arn:
        return front.port == integration.port
    return integration.uri == front.listener


def _is_within(address: str, vpc: str) -> bool:
    found = ec2_backends[ACCOUNT][REGION].vpcs.get(vpc)
    return found is not None and ipaddress.ip_address(address) in ipaddress.ip_network(found.cidr_block)


def _speaks_for(certificate: str, name: str) -> bool:
    try:
        read = x509.load_pem_x509_certificate(acm.material(certificate).certificate)
        names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (LookupError, ValueError, x509.ExtensionNotFound):
        return False
    known = names.get_values_for_type(x509.DNSName)
    return name in known or f"*.{name.partition('.')[2]}" in known
