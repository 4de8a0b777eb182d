"""Bad input to `expose:lb`: told with the tag, what is wrong and what to do, and nothing that works is changed by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from farm.aws import elb
from farm.balancers.routing import Request
from farm.farm import Farm
from farm.gate import GATE, Fault
from tests.integration.balanced import (
    TAG,
    answers,
    assert_follows_a_rotation,
    follows,
    foreign,
    kinds,
    put_behind,
)
from tests.integration.world import LISTED, become, logged, status

INVALID, BLOCKED, FAILED = "Invalid", "Blocked", "Failed"
GOOD = "main:80 host=animales.com path=/good"
ASKED = Request("animales.com", "/good/1")


def nothing(farm: Farm) -> None:
    """Nothing else has to be so."""


def held_by_gallina(farm: Farm) -> None:
    put_behind(farm, "main path=/a", "gallina", 1)


def port_held_by_gallina(farm: Farm) -> None:
    put_behind(farm, "net:5432", "gallina", 1)


def group_held(farm: Farm) -> None:
    farm.create_target_group("lent")
    farm.tag("conejo", {"expose:lb:first": "tg/lent"})
    become(farm, "Active", tag="expose:lb:first")


def rule_of_somebody(farm: Farm) -> None:
    farm.elb.create_rule(
        ListenerArn=farm.listener_arn("main", 80),
        Priority=77,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a", "/a/*"]}}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
    )


def listener_of_somebody(farm: Farm) -> None:
    farm.create_listener("net", 5432, "TCP", group=farm.create_target_group("theirs", protocol="TCP"))


def two_listeners(farm: Farm) -> None:
    farm.create_listener("main", 8080, "HTTP")


def instance_group(farm: Farm) -> None:
    farm.create_target_group("machines", type="instance")


def other_vpc(farm: Farm) -> None:
    vpc = farm.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    farm.elb.create_target_group(
        Name="far", TargetType="instance", Protocol="HTTP", Port=80, VpcId=vpc
    )  # fmt: skip


def kept_by_ecs(farm: Farm) -> None:
    group = farm.create_target_group("native")
    balancer = {"targetGroupArn": group, "containerName": "web", "containerPort": 8080}
    farm.create_listener("main", 81, "HTTP", group=group)
    farm.ecs.update_service(cluster="granja", service="conejo", loadBalancers=[balancer])
    farm.run_for(30)


def no_balancers(farm: Farm) -> None:
    elb.settings().most_balancers = len(elb.balancers())


def no_rules(farm: Farm) -> None:
    elb.settings().most_rules = 1


def no_groups(farm: Farm) -> None:
    elb.settings().most_groups = len(elb.groups())


def no_listeners(farm: Farm) -> None:
    elb.settings().most_listeners = 0


def no_groups_on_balancer(farm: Farm) -> None:
    elb.settings().most_groups_per_balancer = 1


def refused_by_elb(farm: Farm) -> None:
    GATE.faults.append(Fault("error", code="AccessDenied", operation="CreateTargetGroup"))


@dataclass(frozen=True)
class Bad:
    """A bad `value` of a second tag, beside one that works."""

    code: str
    value: str
    says: tuple[str, ...]
    status: str = INVALID
    given: Callable[[Farm], object] = nothing
    parameters: Mapping[str, str] = field(default_factory=dict)


def unreadable(value: str, *says: str) -> Bad:
    return Bad("UnreadableTag", value, (*says, "for example expose:lb"))


def blocked(code: str, value: str, *says: str, **more: Any) -> Bad:
    return Bad(code, value, says, BLOCKED, **more)


MAY = {"CreateLoadBalancers": "any"}

BAD = {
    "no target": unreadable("path=/a", "target is missing"),
    "strange target": unreadable("main_alb path=/a", "'main_alb'", "internal, internet-facing", "tg/"),
    "arn": unreadable("arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/a/b", "name of a load balancer"),
    "listener port too large": unreadable("main:70000", "70000", "65535"),
    "unknown option": unreadable("main hots=a.com", "'hots'", "host"),
    "unknown protocol": unreadable("main protocol=FTP", "protocol=FTP", "GRPC", "TCP_UDP"),
    "path without slash": unreadable("main path=api", "path=api", "/api"),
    "wild path": unreadable("main path=/a+b@", "b@", "a path such as /api"),
    "host is no name": unreadable("main host=-.com", "host=-.com"),
    "interval too short": unreadable("main interval=1", "interval=1", "from 5 to 300"),
    "weight too large": unreadable("main weight=1000", "weight=1000", "from 0 to 999"),
    "drain too long": unreadable("main drain=3601", "drain=3601", "from 0 to 3600"),
    "matcher no codes": unreadable("main matcher=OK", "matcher=OK", "200-299"),
    "replace is neither": unreadable("main replace=maybe", "replace=maybe", "no, yes"),
    "too many conditions": Bad("TooManyConditions", "main host=a.com path=/a+/b+/c", ("5 values", "these are 7", "several tags")),
    "no such load balancer": blocked("NoLoadBalancer", "maim path=/a", "maim", "create it", "internal"),
    "not an allowed load balancer": blocked(
        "NotAllowed", "net:5432", "'net'", "main, tg/lent-*", "AllowedLoadBalancers",
        parameters={"AllowedLoadBalancers": "main,tg/lent-*"},
    ),
    "not an allowed group": blocked(
        "NotAllowed", "tg/machines", "'tg/machines'", "AllowedLoadBalancers", parameters={"AllowedLoadBalancers": "main,m*"}
    ),
    "not an allowed host": blocked(
        "NotAllowed", "main host=a.falsa.com", "'a.falsa.com'", "animales.com", "AllowedNames",
        parameters={"AllowedNames": "animales.com"},
    ),
    "not an allowed lack of a host": blocked(
        "NotAllowed", "main path=/a", "without host=", "AllowedNames", parameters={"AllowedNames": "animales.com"}
    ),
    "none may be made": blocked("NoLoadBalancer", "internal path=/a", "no shared internal", "CreateLoadBalancers"),
    "only the other scheme may be made": blocked(
        "NoLoadBalancer", "internet-facing path=/a", "internet-facing", "CreateLoadBalancers",
        parameters={"CreateLoadBalancers": "internal"},
    ),
    "no subnets to make it in": blocked(
        "NoSubnets", "internal path=/a", "2 zones", "LoadBalancerSubnets",
        parameters=MAY | {"LoadBalancerSubnets": "subnet-0123456789abcdef0"},
    ),
    "no such listener": blocked("NoListener", "main:8443 path=/a", "8443", "it has: 80"),
    "several listeners": blocked("SeveralListeners", "main path=/a", "at 80, 8080", "main:", given=two_listeners),
    "other scheme": blocked("WrongScheme", "main path=/a scheme=internet-facing", "internal", "scheme=internet-facing"),
    "conditions without an ALB": Bad("WrongOption", "net:5432 host=a.com", ("host=", "no rules", "remove it")),
    "paths without an ALB": Bad("WrongOption", "net:5432 path=/a", ("path=", "no rules")),
    "NLB without port": Bad("NoListenerPort", "net", ("port of its own", "net:5432")),
    "TCP on an ALB": Bad("WrongOption", "main protocol=TCP path=/a", ("protocol=", "HTTP, HTTPS or GRPC")),
    "HTTP on an NLB": Bad("WrongOption", "net:80 protocol=HTTP", ("protocol=", "TCP, UDP, TLS")),
    "GRPC without HTTPS": blocked("NoHttps", "main protocol=GRPC path=/a", "HTTPS listener"),
    "TLS without certificate": Bad("NoCertificate", "net:443 protocol=TLS", ("certificate=NAME",)),
    "certificate that is not there": blocked(
        "NoCertificate", "net:443 protocol=TLS certificate=a.com", "a.com", "ACM", "request one"
    ),
    "host without certificate": blocked(
        "NoCertificate", "internal:443 host=a.com", "a.com", "ACM", parameters=MAY
    ),
    "443 and nothing to say which": Bad(
        "NoCertificate", "internal:443 path=/a", ("host=NAME", "certificate=NAME"), parameters=MAY
    ),
    "option for a group of others": Bad("WrongOption", "tg/machines host=a.com", ("host=", "remove it"), given=instance_group),
    "no such group": blocked("NoTargetGroup", "tg/nowhere", "nowhere", "create it"),
    "group of the wrong type": blocked("WrongTargetType", "tg/machines", "instance", "ip", given=instance_group),
    "group of another VPC and type": blocked("WrongTargetType", "tg/far", "far", "instance", given=other_vpc),
    "group that ECS keeps": blocked("KeptByEcs", "tg/native", "native", "ECS itself", given=kept_by_ecs),
    "group of another tag": blocked("NameTaken", "tg/lent", "granja/conejo/expose:lb:first", given=group_held),
    "held by another service": blocked("NameTaken", "main path=/a", "path=/a on main:80", "granja/gallina", given=held_by_gallina),
    "held by another tag of the same": blocked("NameTaken", GOOD, "granja/conejo/expose:lb"),
    "NLB port of another service": blocked("NameTaken", "net:5432", "port 5432 of net", "granja/gallina", given=port_held_by_gallina),
    "rule of somebody": blocked("RuleTaken", "main path=/a", "priority 77", "another host or path", given=rule_of_somebody),
    "NLB port of somebody": blocked("PortTaken", "net:5432", "5432", "another port", given=listener_of_somebody),
    "no more balancers": blocked(
        "QuotaReached", "internal path=/a", "load balancers in this Region", "Service Quotas", given=no_balancers, parameters=MAY
    ),
    "no more rules": blocked("QuotaReached", "main path=/a", "rules on the load balancer", given=no_rules),
    "no more groups": blocked("QuotaReached", "main path=/a", "target groups in this Region", given=no_groups),
    "no more groups there": blocked("QuotaReached", "main path=/a", "target groups on the load balancer", given=no_groups_on_balancer),
    "no more listeners": blocked("QuotaReached", "net:5432", "listeners on the load balancer", given=no_listeners),
    "port that is none": blocked("NoPort", "main path=/a container=db", "container=db", "web:8080"),
    "refused by AWS": Bad("AccessDenied", "main path=/a", ("AccessDenied", "CreateTargetGroup"), FAILED, given=refused_by_elb),
}  # fmt: skip


ALONE = {name: bad for name, bad in BAD.items() if bad.given is not nothing or bad.parameters}
TOGETHER = {name: bad for name, bad in BAD.items() if name not in ALONE}


def assert_told(farm: Farm, tag: str, bad: Bad) -> None:
    refusal = become(farm, bad.status, tag=tag)
    assert refusal["code"] == bad.code
    for said in (tag, *bad.says):
        assert said in refusal["message"]
    kind = "Exposure Failed" if bad.status == FAILED else "Exposure Blocked"
    told = [
        (each["tag"], each["code"], each["message"])
        for each in (event["detail"] for event in farm.published(kind))
    ]
    assert (tag, bad.code, refusal["message"]) in told
    assert f'"code":"{bad.code}"' in logged(farm)


def assert_works(farm: Farm) -> None:
    assert_follows_a_rotation(farm)
    assert answers(farm, "main", request=ASKED, count=4).answered == {"conejo": 4}


@pytest.mark.parametrize("bad", ALONE.values(), ids=ALONE)
def test_bad_input_is_told_and_changes_nothing_that_works(bad: Bad) -> None:
    tag = f"{TAG}:bad"
    with Farm.virtual(parameters={**LISTED, "GraceSeconds": "0", **bad.parameters}) as farm:
        farm.create_balancer("main")
        farm.create_balancer("net", type="network")
        put_behind(farm, GOOD)
        bad.given(farm)
        others = foreign(farm)
        farm.tag("conejo", {tag: bad.value})
        assert_told(farm, tag, bad)
        assert foreign(farm) == others
        assert_works(farm)
        assert status(farm, tag=tag)["code"] == bad.code
        farm.untag("conejo", tag)
        become(farm, "", tag=tag)
        assert follows(farm)


def test_all_kinds_of_bad_input_at_once_on_one_service_are_told_and_change_nothing_that_works() -> None:
    tags = {f"{TAG}:{number}": bad for number, bad in enumerate(TOGETHER.values())}
    with Farm.virtual(parameters=LISTED) as farm:
        farm.create_balancer("main")
        farm.create_balancer("net", type="network")
        put_behind(farm, GOOD)
        others, ours = foreign(farm), kinds(farm)
        farm.tag("conejo", {tag: bad.value for tag, bad in tags.items()})
        for tag, bad in tags.items():
            assert_told(farm, tag, bad)
        assert (foreign(farm), kinds(farm)) == (others, ours)
        assert_works(farm)
        farm.untag("conejo", *tags)
        for tag in tags:
            become(farm, "", tag=tag)
        assert follows(farm)


CHANGED = {
    "no such load balancer": (BLOCKED, "maim path=/good"),
    "unreadable": (INVALID, "main path=good"),
    "a rule of somebody": (BLOCKED, "main path=/a"),
    "a port of somebody": (BLOCKED, "net:5432"),
}


@pytest.mark.parametrize(("standing", "value"), CHANGED.values(), ids=CHANGED)
def test_what_a_tag_made_before_it_became_bad_stays_and_is_kept_up(standing: str, value: str) -> None:
    with Farm.virtual(parameters=LISTED) as farm:
        farm.create_balancer("main")
        farm.create_balancer("net", type="network")
        rule_of_somebody(farm)
        listener_of_somebody(farm)
        put_behind(farm, GOOD)
        with farm.traffic("main", request=ASKED) as traffic:
            farm.tag("conejo", {TAG: value})
            become(farm, standing, tag=TAG)
            farm.run_for(20)
        assert traffic.lost == []
        assert_follows_a_rotation(farm)
        farm.tag("conejo", {TAG: "main path=/better"})
        become(farm, "Active", tag=TAG)
        assert answers(farm, "main", request=Request(path="/better"), count=4).answered == {"conejo": 4}


CURED: dict[str, tuple[str, Callable[[Farm], object], Callable[[Farm], object]]] = {
    "the load balancer appears": ("late path=/a", nothing, lambda farm: farm.create_balancer("late")),
    "the rule in the way goes": (
        "main path=/a", rule_of_somebody, lambda farm: farm.elb.delete_rule(RuleArn=farm.rules("main")[0]["RuleArn"]),
    ),
    "the listener in the way goes": (
        "net:5432", listener_of_somebody, lambda farm: farm.elb.delete_listener(ListenerArn=farm.listener_arn("net", 5432)),
    ),
    "the certificate is issued": (
        "net:443 protocol=TLS certificate=a.com", nothing, lambda farm: farm.request_certificate("a.com"),
    ),
    "the group appears": ("tg/lent", nothing, lambda farm: farm.create_target_group("lent")),
    "the quota is raised": ("main path=/a", no_groups, lambda farm: setattr(elb.settings(), "most_groups", 100)),
    "its holder leaves": ("main path=/a", held_by_gallina, lambda farm: farm.untag("gallina", TAG)),
}  # fmt: skip


@pytest.mark.parametrize(("value", "given", "cure"), CURED.values(), ids=CURED)
def test_when_the_cause_goes_away_the_exposure_becomes_active_by_itself(
    value: str, given: Callable[[Farm], object], cure: Callable[[Farm], object]
) -> None:
    with Farm.virtual(parameters=LISTED) as farm:
        farm.create_balancer("main")
        farm.create_balancer("net", type="network")
        given(farm)
        farm.create_service("conejo", 1, tags={TAG: value})
        become(farm, "Blocked", tag=TAG)
        cure(farm)
        become(farm, "Active", tag=TAG, limit=200)
