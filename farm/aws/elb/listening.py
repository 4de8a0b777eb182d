"""Listeners: a port and a protocol that fit the load balancer, certificates where there is TLS (F§4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moto.acm.models import CertificateNotFound, acm_backends
from moto.elbv2.exceptions import ELBClientError, ListenerNotFoundError, LoadBalancerNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeLoadBalancer

from farm.aws.elb.actions import actions as checked_actions
from farm.aws.elb.actions import same
from farm.aws.elb.model import Params, invalid, random_hex, refused, state_of
from farm.aws.elb.registering import follow_users

_SECURE = frozenset({"HTTPS", "TLS"})
_PORTS = range(1, 65536)


def create_listener(
    self: ELBv2Backend,
    load_balancer_arn: str,
    protocol: str,
    port: str | int,
    ssl_policy: str,
    certificate: str | None,
    actions: Sequence[Params],
    alpn_policy: list[str] | None = None,
    tags: list[dict[str, str]] | None = None,
) -> FakeListener:
    """The same once more is no error: it gives the listener that there is."""
    balancer = self.load_balancers.get(load_balancer_arn)
    if balancer is None:
        raise LoadBalancerNotFoundError
    number = _port(self, balancer, port, protocol)
    made = checked_actions(self, balancer, protocol, actions)
    _check_certificates(self, protocol, [certificate] if certificate else [])
    if twin := _at(balancer, number):
        if (twin.protocol, twin.certificate) == (protocol, certificate) and same(twin, made):
            return twin
        raise _taken(balancer)
    if len(balancer.listeners) >= state_of(self).settings.most_listeners:
        raise refused("TooManyListeners", "The maximum number of listeners has been reached")
    arn = f"{balancer.arn.replace(':loadbalancer/', ':listener/')}/{random_hex(16)}"
    policy = ssl_policy if protocol in _SECURE else None
    listener = FakeListener(balancer.arn, arn, protocol, number, policy, certificate, made, alpn_policy)
    _name_default_rule(listener)
    balancer.listeners[arn] = listener
    self.tagging_service.tag_resource(arn, tags)
    follow_certificates(self, listener, [])
    follow_users(self)
    return listener


def modify_listener(
    self: ELBv2Backend,
    arn: str,
    port: str | int | None = None,
    protocol: str | None = None,
    ssl_policy: str | None = None,
    certificates: Sequence[Params] | None = None,
    actions: Sequence[Params] | None = None,
) -> FakeListener:
    """Only what is given changes, and nothing if any of it is refused."""
    listener = listener_of(self, arn)
    balancer = self.load_balancers[listener.load_balancer_arn]
    then = protocol or listener.protocol
    number = _port(self, balancer, port or listener.port, then)
    if _at(balancer, number) not in {None, listener}:
        raise _taken(balancer)
    made = checked_actions(
        self, balancer, then, actions or [action.data for action in listener.default_actions]
    )
    before = list(listener.certificates)
    wanted = [one["CertificateArn"] for one in certificates or []] or (before if then in _SECURE else [])
    _check_certificates(self, then, wanted)
    listener.port, listener.protocol, listener.ssl_policy = number, then, ssl_policy or listener.ssl_policy
    listener.certificates, listener.certificate = wanted, next(iter(wanted), None)
    listener.default_actions = next(iter(listener._default_rule.values())).actions = made
    follow_certificates(self, listener, before)
    follow_users(self)
    return listener


def delete_listener(self: ELBv2Backend, listener_arn: str) -> FakeListener:
    listener = listener_of(self, listener_arn)
    del self.load_balancers[listener.load_balancer_arn].listeners[listener_arn]
    forget(self, listener)
    follow_users(self)
    return listener


def describe_listeners(
    self: ELBv2Backend, load_balancer_arn: str | None, listener_arns: list[str]
) -> list[FakeListener]:
    if not load_balancer_arn:
        return [listener_of(self, arn) for arn in dict.fromkeys(listener_arns)]
    if load_balancer_arn not in self.load_balancers:
        raise LoadBalancerNotFoundError
    return list(self.load_balancers[load_balancer_arn].listeners.values())


def listener_of(of: ELBv2Backend, arn: str) -> FakeListener:
    for balancer in of.load_balancers.values():
        if found := balancer.listeners.get(arn):
            return found
    raise ListenerNotFoundError


def forget(of: ELBv2Backend, listener: FakeListener) -> None:
    """The listener is gone, and with it its rules: their tags as well, and its hold on certificates."""
    for arn in (listener.arn, *listener.rules):
        of.tagging_service.delete_all_tags_for_resource(arn)
    before, listener.certificates = listener.certificates, []
    follow_certificates(of, listener, before)


def follow_certificates(of: ELBv2Backend, listener: FakeListener, before: Sequence[str]) -> None:
    """A certificate knows who uses it."""
    known = acm_backends[of.account_id][of.region_name]._certificates
    for arn in {*before, *listener.certificates} & known.keys():
        users = [one for one in known[arn].in_use_by if one != listener.load_balancer_arn]
        known[arn].in_use_by = users + [listener.load_balancer_arn] * (arn in listener.certificates)


def _name_default_rule(listener: FakeListener) -> None:
    """Moto names it after its place in memory, and keeps it under a key that nobody can find."""
    rule = next(iter(listener._default_rule.values()))
    rule.arn = f"{listener.arn.replace(':listener/', ':listener-rule/')}/{random_hex(16)}"
    listener._default_rule = {rule.arn: rule}


def _port(of: ELBv2Backend, balancer: FakeLoadBalancer, port: Any, protocol: str) -> int:
    of._validate_port_and_protocol(balancer.type, port, protocol)
    if int(port) not in _PORTS:
        raise invalid(f"Listener port '{port}' must be between '1' and '65535'")
    return int(port)


def _at(balancer: FakeLoadBalancer, port: int) -> FakeListener | None:
    return next((one for one in balancer.listeners.values() if one.port == port), None)


def _taken(balancer: FakeLoadBalancer) -> ELBClientError:
    words = f"A listener already exists on this port for this load balancer '{balancer.arn}'"
    return refused("DuplicateListener", words)


def _check_certificates(of: ELBv2Backend, protocol: str, arns: Sequence[str]) -> None:
    if protocol not in _SECURE:
        if arns:
            raise invalid(f"A certificate cannot be specified for {protocol} listeners")
        return
    if not arns:
        raise invalid(f"A certificate must be specified for {protocol} listeners")
    for arn in arns:
        _check_certificate(of, arn)


def _check_certificate(of: ELBv2Backend, arn: str) -> None:
    if ":iam:" in arn and of._certificate_exists(arn):
        return
    try:
        certificate = acm_backends[of.account_id][of.region_name].get_certificate(arn)
    except CertificateNotFound as error:
        raise refused("CertificateNotFound", f"Certificate '{arn}' not found") from error
    if certificate.status != "ISSUED":
        raise refused("UnsupportedCertificate", f"The certificate '{arn}' must be issued before it is used")
