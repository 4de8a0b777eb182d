"""Where the requests of an `lb` exposure come in: rules and listeners, ours and those of others, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from expose.mechanisms import MECHANISMS
from expose.model import Identity, Resource, Service
from expose.policy import Limits
from expose.refusals import Invalid, Refused, Status
from tests.unit.values import LISTED, around, balancer, exposure, listener, service, site, task

LB = MECHANISMS["lb"]
TAG = "expose:lb"
IN_VPC = service(task(1), subnets=("subnet-1",))
MADE = replace(LISTED, create_load_balancers="any")
ALB, NLB = balancer(), balancer("granja-nlb", "network")
KEY = "application/internal/vpc-1"


def desired(
    value: str,
    answer: Any,
    limits: Limits = MADE,
    of: Service = IN_VPC,
    held: Mapping[str, str] | None = None,
) -> Sequence[Resource]:
    """`held` are the ARNs of certificates by the first label of their names."""
    asked = exposure(value, TAG)
    return LB.desired(asked, of, around(asked, of, answer, limits, **(held or {})))


def one(resources: Sequence[Resource], kind: str) -> Resource:
    (found,) = [each for each in resources if each.identity.kind == kind]
    return found


def front(value: str, answer: Any = ALB, **held: str) -> Resource:
    kind = "elb.network-listener" if answer.get("type") == "network" or "TCP" in value else "elb.rule"
    return one(desired(value, answer, held=held), kind)


def claim(value: str, answer: Any = ALB) -> Resource:
    return one(desired(value, answer), "claim")


def refusal(value: str, answer: Any, code: str, **more: Any) -> str:
    with pytest.raises(Refused) as refused:
        desired(value, answer, **more)
    assert refused.value.code == code
    assert refused.value.message.startswith(f"{TAG} = {value!r}: ")
    assert refused.value.status is (Status.INVALID if isinstance(refused.value, Invalid) else Status.BLOCKED)
    return refused.value.message


# the load balancers of others


def test_a_rule_goes_into_the_named_listener() -> None:
    rule = front("granja-alb:81 host=a.com", balancer(listeners=[listener(80), listener(81)]))

    assert rule.refs["listener"] == "arn:listener/81"
    assert rule.address == "granja-alb.elb.amazonaws.com"
    assert not rule.shared


def test_a_network_load_balancer_gets_a_listener_of_its_own() -> None:
    found = front("granja-nlb:5432", NLB)

    assert found.identity == Identity("elb.network-listener", "granja-nlb/5432/TCP")
    assert found.spec == {
        "port": 5432, "protocol": "TCP", "certificate": "", "weight": 1, "group": "granja-nlb/vpc-1/ip/TCP"
    }  # fmt: skip
    assert found.refs["balancer"] == NLB["arn"]


@pytest.mark.parametrize(
    ("value", "answer", "code", "advice"),
    [
        ("granja-alb", None, "NoLoadBalancer", "no load balancer is named granja-alb: create it, or say internal"),
        ("granja-alb scheme=internet-facing", ALB, "WrongScheme", "is internal, and scheme=internet-facing asks"),
        ("granja-alb", balancer(listeners=[listener(80), listener(81)]), "SeveralListeners",
         "at 80, 81: say which, such as granja-alb:80"),
        ("granja-alb:443", ALB, "NoListener", "has no listener at port 443; it has: 80. Create it"),
        ("granja-alb", balancer(listeners=[]), "NoListener", "has no listener; it has: none"),
        ("granja-alb certificate=a.com", ALB, "WrongOption", "certificate= means nothing for a listener that has"),
        ("granja-alb protocol=TCP", ALB, "WrongOption", "protocol= means nothing for an Application Load Balancer"),
        ("granja-alb protocol=GRPC", ALB, "NoHttps", "GRPC needs an HTTPS listener: name one, such as port 443"),
        ("granja-nlb", NLB, "NoListenerPort", "needs a port of its own: say granja-nlb:5432"),
        ("granja-nlb:80 host=a.com", NLB, "WrongOption", "host= means nothing for a Network Load Balancer"),
        ("granja-nlb:80 path=/a", NLB, "WrongOption", "path= means nothing for a Network Load Balancer"),
        ("granja-nlb:80 methods=GET", NLB, "WrongOption", "methods= means nothing for a Network Load Balancer"),
        ("granja-nlb:80 protocol=HTTP", NLB, "WrongOption", "which speaks TCP, UDP, TLS or TCP_UDP: remove it"),
        ("granja-nlb:80 certificate=a.com", NLB, "WrongOption", "nothing for a listener without TLS: remove it"),
        ("granja-nlb:80 protocol=TLS", NLB, "NoCertificate", "TLS needs a certificate: say certificate=NAME"),
        ("granja-nlb:80 protocol=TLS certificate=a.com", NLB, "NoCertificate", "no issued certificate for a.com"),
        ("granja-nlb:80 matcher=200", NLB, "WrongOption", "that only connects; say health=/path as well"),
    ],
)  # fmt: skip
def test_what_a_named_load_balancer_cannot_do_is_refused_with_what_to_do(
    value: str, answer: Any, code: str, advice: str
) -> None:
    assert advice in refusal(value, answer, code)


def test_a_gateway_load_balancer_is_neither() -> None:
    with pytest.raises(Refused):
        desired("granja-gw", balancer("granja-gw", "gateway", listeners=[listener(6081, "GENEVE")]))


def test_grpc_goes_through_a_listener_that_speaks_https() -> None:
    assert front("granja-alb protocol=GRPC", balancer(listeners=[listener(443, "HTTPS")]))


def test_tls_ends_at_the_named_network_load_balancer() -> None:
    resources = desired("granja-nlb:443 protocol=TLS certificate=a.com", NLB, held={"a": "arn:cert/a"})

    assert one(resources, "elb.network-listener").spec["certificate"] == "arn:cert/a"
    assert one(resources, "elb.group").spec["protocol"] == "TCP"  # what goes on behind it


def test_another_certificate_changes_the_listener() -> None:
    value = "granja-nlb:443 protocol=TLS certificate={}.com"
    first, second = (
        front(value.format("a"), NLB, a="arn:cert/a"),
        front(value.format("b"), NLB, b="arn:cert/b"),
    )

    assert (first.identity, first.fingerprint) != (second.identity, second.fingerprint)


# load balancers of our own


@pytest.mark.parametrize("scheme", ["internal", "internet-facing"])
@pytest.mark.parametrize(("protocol", "kind"), [("", "application"), (" protocol=TCP", "network")])
def test_the_vpcs_shared_load_balancer_is_part_of_what_is_desired(
    scheme: str, protocol: str, kind: str
) -> None:
    resources = desired(f"{scheme}:80{protocol}", site(groups=["sg-1", "sg-2"]))
    made = one(resources, "elb.balancer")

    assert made.identity.key == f"{kind}/{scheme}/vpc-1"
    assert made.spec == {"type": kind, "scheme": scheme}
    assert made.refs == {"subnets": "subnet-1 subnet-2", "groups": "sg-1 sg-2"}
    assert made.shared
    assert one(resources, "elb.group").refs == {"vpc": "vpc-1"}


def test_the_shared_alb_listens_at_80_unless_said() -> None:
    for value, port in [("internal", 80), ("internal:8080", 8080)]:
        resources = desired(value, site())
        found = one(resources, "elb.listener")
        assert found.identity.key == f"{KEY}/{port}/HTTP"
        assert found.shared
        assert one(resources, "elb.rule").refs["listener"] == found.identity


def test_443_is_https_with_every_certificate_that_the_hosts_need() -> None:
    resources = desired(
        "internal:443 host=a.com+b.com+c.com", site(), held={"a": "arn:1", "b": "arn:2", "c": "arn:1"}
    )
    found = one(resources, "elb.listener")
    held = [each for each in resources if each.identity.kind == "elb.certificate"]

    assert found.identity.key == f"{KEY}/443/HTTPS"
    assert found.refs["certificate"] == "arn:1"
    assert [each.spec["certificate"] for each in held] == ["arn:1", "arn:2"]
    assert all(each.shared and each.refs == {"listener": found.identity} for each in held)


def test_a_certificate_may_be_named() -> None:
    for value in ("internal:443 certificate=x.com host=a.com", "internal:8443 certificate=x.com"):
        resources = desired(value, site(), held={"x": "arn:x"})
        assert one(resources, "elb.certificate").spec == {"certificate": "arn:x"}
        assert one(resources, "elb.listener").spec["protocol"] == "HTTPS"


@pytest.mark.parametrize(
    ("value", "answer", "code", "advice"),
    [
        ("internal scheme=internet-facing", site(), "WrongScheme", "choose one of these"),
        ("internal:443", site(), "NoCertificate", "say host=NAME or certificate=NAME"),
        ("internal:443 host=a.com", site(), "NoCertificate", "request one there, or say certificate=NAME"),
        ("internal protocol=GRPC", site(), "NoHttps", "such as port 443"),
        ("internal protocol=TCP", site(), "NoListenerPort", "say internal:5432"),
        ("internal", site(subnets=["subnet-1"]), "NoSubnets", "needs subnets in 2 zones or more"),
        ("internet-facing", site(subnets=["subnet-1"]), "NoSubnets", "public subnets (with a route to an internet"),
        ("internal:80 protocol=TCP", site(subnets=[]), "NoSubnets", "1 zones or more, and vpc-1 has them in 0"),
    ],
)  # fmt: skip
def test_what_a_load_balancer_of_our_own_cannot_be_is_refused_with_what_to_do(
    value: str, answer: Any, code: str, advice: str
) -> None:
    assert advice in refusal(value, answer, code)


def test_a_network_load_balancer_may_stand_in_one_zone() -> None:
    assert desired("internal:80 protocol=TCP", site(subnets=["subnet-1"]))


@pytest.mark.parametrize(
    ("create", "scheme", "may"),
    [
        ("no", "internal", False), ("no", "internet-facing", False), ("any", "internal", True),
        ("any", "internet-facing", True), ("internal", "internal", True), ("internal", "internet-facing", False),
        ("internet-facing", "internal", False), ("internet-facing", "internet-facing", True),
    ],
)  # fmt: skip
def test_the_stack_says_which_load_balancers_are_made(create: str, scheme: str, *, may: bool) -> None:
    limits = Limits(create_load_balancers=create)
    desired(
        scheme, site(balancer="arn:ours", subnets=[]), limits
    )  # one that is there may be used in any case
    if may:
        assert desired(scheme, site(), limits)
    else:
        said = refusal(scheme, site(), "NoLoadBalancer", limits=limits)
        assert f"no shared {scheme} load balancer in vpc-1" in said
        assert "parameter CreateLoadBalancers" in said


def test_without_a_network_of_its_own_a_service_has_to_name_a_load_balancer() -> None:
    """Bridge and host mode: nothing tells the VPC."""
    said = refusal("internal", site(), "NoVpc", of=service(task(1)))

    assert "name a load balancer" in said


# what the stack allows


@pytest.mark.parametrize("of", ["application", "network"])
def test_a_shared_load_balancer_has_one_name_only_so_that_nothing_is_claimed_twice(of: str) -> None:
    answer = balancer("expose-0a1b", of, owner="corral")

    assert "say internal, with a port" in refusal("expose-0a1b:80", answer, "NameTaken")


@pytest.mark.parametrize(
    ("value", "answer", "token", "parameter", "limits"),
    [
        ("internal", site(), "internal", "AllowedLoadBalancers", Limits(load_balancers=("granja-*",))),
        ("internet-facing:81", site(), "internet-facing", "AllowedLoadBalancers", Limits(load_balancers=("internal",))),
        ("granja-alb:80", ALB, "granja-alb", "AllowedLoadBalancers", Limits(load_balancers=("internal", "Granja-*"))),
        ("tg/granja-alb", ALB, "tg/granja-alb", "AllowedLoadBalancers", Limits(load_balancers=("granja-*",))),
        ("granja-alb host=a.com", ALB, "a.com", "AllowedNames", replace(LISTED, names=("b.com",))),
        ("granja-alb host=a.b.com+a.com", ALB, "a.com", "AllowedNames", replace(LISTED, names=("b.com",))),
    ],
)  # fmt: skip
def test_what_the_stack_does_not_allow_is_refused_with_whom_to_ask(
    value: str, answer: Any, token: str, parameter: str, limits: Limits
) -> None:
    said = refusal(value, answer, "NotAllowed", limits=limits)

    assert f"{token!r} is not allowed here: expected one of " in said
    assert f"parameter {parameter}" in said


@pytest.mark.parametrize("pattern", ["*", "granja-alb", "granja-*", "gr?nja-alb"])
def test_a_load_balancer_that_fits_a_pattern_may_be_used(pattern: str) -> None:
    assert desired("granja-alb", ALB, Limits(load_balancers=("internal", pattern)))
