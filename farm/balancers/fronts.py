"""What the control plane says there is to serve: the one place here that reads moto's models.

On a farm on the clock, whoever calls holds `ONE_AT_A_TIME`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from farm import dns
from farm.aws import elb
from farm.balancers.routing import Listener, Rule

_TTL = 60
_DATAGRAMS = {"UDP", "TCP_UDP", "QUIC", "TCP_QUIC"}
_DEFAULT_IDLE = 60


@dataclass(frozen=True, slots=True)
class Front:
    """One listener of one active balancer, and where it is to be reached."""

    balancer: str
    arn: str
    dns_name: str
    is_application: bool
    addresses: tuple[str, ...]
    listener: str
    protocol: str
    port: int
    certificate: str
    idle: float
    """Seconds that a target may take to answer."""

    @property
    def is_secure(self) -> bool:
        return self.protocol in {"HTTPS", "TLS"}

    @property
    def is_datagram(self) -> bool:
        """Of which nothing is carried; TCP_UDP is carried by half."""
        return self.protocol in _DATAGRAMS - {"TCP_UDP"}


def fronts() -> list[Front]:
    """The listeners of all balancers that are active."""
    return [
        _front(balancer, listener)
        for balancer in elb.balancers()
        if balancer.state == "active"
        for listener in balancer.listeners.values()
    ]


def listener(front: Front) -> Listener | None:
    """A listener's rules as they are now; None if it is gone."""
    for balancer in elb.balancers():
        if balancer.arn == front.arn and (found := balancer.listeners.get(front.listener)):
            return rules_of(found)
    return None


def targets(group: str) -> list[elb.Target]:
    """Of the group with this ARN; none if it is gone."""
    return next((elb.targets(found) for found in elb.groups() if found.arn == group), [])


def named(balancer: str, port: int) -> Listener:
    """The listener at a port of the active balancer with this name, DNS name or ARN. LookupError if there is none."""
    for known in elb.balancers():
        if balancer in {known.name, known.dns_name, known.arn} and known.state == "active":
            for each in known.listeners.values():
                if int(each.port) == port:
                    return rules_of(each)
    raise LookupError(f"{balancer}: no load balancer of this name is active and listens at {port}")


def rules_of(found: Any) -> Listener:
    """The rules of a listener of moto's."""
    rules = [
        Rule(() if rule.is_default else rule.conditions, rule.actions[-1].data) for rule in elb.rules(found)
    ]
    return Listener(found.protocol, int(found.port), rules)


def zones() -> list[dns.Zone]:
    """The names of all balancers, as the name servers of AWS have them; none without a balancer."""
    records = {
        (dns.plain(balancer.dns_name), "A"): dns.RecordSet(_TTL, tuple(elb.addresses(balancer)))
        for balancer in elb.balancers()
    }
    return [dns.Zone("amazonaws.com", records, negative_ttl=_TTL)] if records else []


def _front(balancer: Any, listener: Any) -> Front:
    return Front(
        balancer=balancer.name,
        arn=balancer.arn,
        dns_name=balancer.dns_name,
        is_application=balancer.type == "application",
        addresses=tuple(elb.addresses(balancer)),
        listener=listener.arn,
        protocol=listener.protocol,
        port=int(listener.port),
        certificate=(listener.certificates or [""])[0] or "",
        idle=float(balancer.attrs.get("idle_timeout.timeout_seconds") or _DEFAULT_IDLE),
    )
