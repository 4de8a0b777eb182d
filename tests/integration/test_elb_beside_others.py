"""The ELB adapters beside what others have: nothing of theirs is touched, and what cannot be had is refused in words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from adapting import ADDRESSES, Adapting, beside_others

from expose.model import Identity, Owned, Resource
from expose.refusals import NotYet, Refused
from expose.resources import Placement
from expose.resources.elb.mark import OWNER_TAG
from farm.aws import elb
from farm.farm import Farm


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(deploy=False) as farm:
        yield farm


@pytest.fixture
def its(farm: Farm) -> Adapting:
    return beside_others(farm)


def refusal(its: Adapting, value: str, code: str) -> str:
    with pytest.raises(Refused) as refused:
        its.apply(value)
    assert refused.value.code == code
    return refused.value.message


# what others have


def test_a_rule_that_somebody_else_has_is_refused_and_left(its: Adapting) -> None:
    listener = its.farm.listener_arn("granja-alb", 80)
    theirs = its.farm.create_target_group("theirs")
    its.farm.elb.create_rule(
        ListenerArn=listener,
        Priority=3,
        Conditions=[
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*", "/api"]}},
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["A.example.com"]}},
        ],
        Actions=[{"Type": "forward", "TargetGroupArn": theirs}],
    )
    before = its.farm.rules("granja-alb")

    said = refusal(its, "granja-alb:80 host=a.example.com path=/api", "RuleTaken")
    assert "with priority 3" in said
    assert "choose another host or path, or remove that rule" in said
    assert its.farm.rules("granja-alb") == before
    Adapting(its.farm, tag="expose:lb:b", clients=its.clients).apply(
        "granja-alb:80 host=a.example.com path=/apiary"
    )


def test_a_rule_finds_its_priority_around_those_of_others(its: Adapting) -> None:
    tags = {
        "a": "granja-alb:80",
        "b": "granja-alb:80 host=a.example.com",
        "c": "granja-alb:80 host=a.example.com path=/api",
    }
    for label, value in tags.items():
        Adapting(its.farm, tag=f"expose:lb:{label}", clients=its.clients).apply(value)
    rules = [rule for rule in its.farm.rules("granja-alb") if not rule["IsDefault"]]

    assert [len(rule["Conditions"]) for rule in rules] == [2, 1, 1]
    assert [rule["Conditions"][0]["Field"] for rule in rules[1:]] == ["host-header", "path-pattern"]
    assert all(10_000 <= int(rule["Priority"]) < 50_000 for rule in rules)


def test_a_port_that_somebody_else_has_is_refused_and_left(its: Adapting) -> None:
    group = its.farm.create_target_group("theirs", protocol="TCP")
    its.farm.create_listener("granja-nlb", 5432, "TCP", group=group)

    said = refusal(its, "granja-nlb:5432", "PortTaken")
    assert "at port 5432" in said
    assert "choose another port, or remove that listener" in said
    (listener,) = its.farm.elb.describe_listeners(LoadBalancerArn=its.farm.balancer_arn("granja-nlb"))[
        "Listeners"
    ]
    assert listener["DefaultActions"][0]["TargetGroupArn"] == group


def test_a_group_of_our_name_that_is_not_ours_is_refused(its: Adapting) -> None:
    its.apply("granja-alb:80")
    arn = its.one("elb.group").aws_id
    its.farm.elb.remove_tags(ResourceArns=[arn], TagKeys=[OWNER_TAG])
    changed = next(
        each for each in its.desired("granja-alb:80 health=/up") if each.identity.kind == "elb.group"
    )

    with pytest.raises(Refused) as refused:
        its.adapters.kinds["elb.group"].create(changed, its.ids(changed.refs), its.mark)
    assert refused.value.code == "NameTaken"
    assert "delete it" in refused.value.message


def test_a_listener_of_ours_that_speaks_another_protocol_is_not_taken_for_the_one_meant(
    its: Adapting,
) -> None:
    its.apply("internal:8443 certificate=www.animales.com")
    other = Adapting(its.farm, tag="expose:lb:b", clients=its.clients)

    with pytest.raises((Refused, NotYet)):
        other.apply("internal:8443 host=a.example.com")


@pytest.mark.parametrize(
    ("turned", "value", "what"),
    [
        ({"most_groups": 1}, "granja-alb:80", "target groups in this Region"),
        ({"most_rules": 0}, "granja-alb:80", "rules on the load balancer"),
        ({"most_listeners": 0}, "granja-nlb:80", "listeners on the load balancer"),
        ({"most_listeners": 0}, "internal", "listeners on the load balancer"),
        ({"most_balancers": 2}, "internal", "load balancers in this Region"),
        ({"most_groups_per_balancer": 0}, "granja-alb:80", "target groups on the load balancer"),
    ],
)
def test_a_quota_that_is_reached_is_said(
    its: Adapting, turned: dict[str, int], value: str, what: str
) -> None:
    for name, most in turned.items():
        setattr(elb.settings(), name, most)

    said = refusal(its, value, "QuotaReached")
    assert f"AWS allows no more {what}: remove some, or ask for more in Service Quotas" in said


# targets


@pytest.mark.parametrize(("value", "others"), [("granja-alb:80", True), ("tg/conejo-blue", False)])
def test_targets_of_our_own_group_are_all_ours_and_in_those_of_others_only_what_we_know(
    its: Adapting, value: str, *, others: bool
) -> None:
    its.apply(value)
    group = "conejo-blue" if value.startswith("tg/") else its.one("elb.group").aws_id
    its.farm.register(group, ("127.20.128.99", 80))

    keys = {owned.identity.key.rpartition("/")[2] for owned in its.read("elb.target")}
    assert keys == {f"{address}:8080" for address in ADDRESSES} | ({"127.20.128.99:80"} if others else set())


def test_a_draining_target_is_gone_and_its_address_is_not_forced(its: Adapting) -> None:
    """F§4.1."""
    its.apply("granja-alb:80 drain=30")
    its.farm.run_for(5)
    its.apply("granja-alb:80 drain=30", its.service(ADDRESSES[0]))
    left = [owned.aws_id for owned in its.read("elb.target")]
    assert left == [f"{ADDRESSES[0]}:8080"]

    with pytest.raises(NotYet, match="still drains for an earlier task"):
        its.apply("granja-alb:80 drain=30")
    its.farm.run_for(31)
    its.apply("granja-alb:80 drain=30")
    assert len(list(its.read("elb.target"))) == 2


def test_an_address_that_elb_refuses_does_not_keep_the_others_out(its: Adapting) -> None:
    its.apply("granja-alb:80", its.service(ADDRESSES[0]))
    group = its.one("elb.group")
    good, bad = (_target(group.identity, address) for address in (ADDRESSES[1], "203.0.113.9"))
    results = its.adapters.batches["elb.target"].create_many([bad, good], {"group": group.aws_id}, its.mark)

    refused = results[bad.identity]
    assert isinstance(refused, Refused)
    assert refused.code == "InvalidTarget"
    assert "203.0.113.9:8080" in refused.message
    assert not isinstance(results[good.identity], Refused | NotYet)
    assert set(its.farm.targets(group.aws_id)) == {(address, 8080) for address in ADDRESSES}


def test_an_address_outside_the_vpc_is_registered_for_all_zones_and_read_back_so(its: Adapting) -> None:
    of = its.service("10.9.8.7", ADDRESSES[0])
    its.apply("granja-alb:80", of)

    assert str(its.plan(its.desired("granja-alb:80", of))) == ""


def _target(group: Identity, address: str) -> Resource:
    return Resource(
        Identity("elb.target", f"{group.key}/{address}:8080"),
        {"id": address, "port": 8080, "zone": ""},
        {"group": group},
    )


# where load balancers of our own stand


@pytest.mark.parametrize("scheme", ["internal", "internet-facing"])
def test_a_load_balancer_stands_in_one_subnet_of_each_zone_that_fits_its_scheme(
    its: Adapting, scheme: str
) -> None:
    its.apply(scheme)
    (balancer,) = its.farm.elb.describe_load_balancers(LoadBalancerArns=[its.one("elb.balancer").aws_id])[
        "LoadBalancers"
    ]
    network = its.farm.network

    wanted = network.private if scheme == "internal" else network.public
    assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == set(wanted)
    assert balancer["Scheme"] == scheme


def test_the_stack_may_choose_subnets_and_security_groups(farm: Farm) -> None:
    network = farm.network
    placed = Placement((*network.public, "subnet-elsewhere"), (network.balancer_group, "sg-elsewhere"))
    its = Adapting(farm, placement=placed)
    its.apply("internal")
    (balancer,) = farm.elb.describe_load_balancers()["LoadBalancers"]

    assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == set(network.public)
    assert balancer["SecurityGroups"] == [network.balancer_group]


def test_too_few_zones_are_refused(farm: Farm) -> None:
    its = Adapting(farm, placement=Placement(farm.network.private[:1]))

    assert "has them in 1" in refusal(its, "internal", "NoSubnets")
    its.apply("internal:80 protocol=TCP")


# certificates


def test_certificates_are_chosen_by_name_the_one_made_for_just_it_first(its: Adapting) -> None:
    exact = its.farm.request_certificate("www.animales.com")
    its.farm.run_for(1)
    find = its.adapters.finders["acm.certificate"].find

    assert find("www.animales.com") == exact
    assert find("api.animales.com") not in {"", exact}
    assert find("a.b.animales.com") == find("animales.com") == ""
    assert find("www.campo.com") == find("campo.com") != ""


def test_a_certificate_whose_listener_was_never_made_is_let_go_of(its: Adapting) -> None:
    """Its listener was refused: it is claimed, has no listener, and nothing is to be removed."""
    resource = next(
        each
        for each in its.desired("internal:443 host=www.animales.com")
        if each.identity.kind == "elb.certificate"
    )
    claimed = Owned(resource.identity, refs=resource.refs, shared=True)
    adapter = its.adapters.kinds["elb.certificate"]

    aws_id = adapter.locate(claimed, {}, its.mark)
    assert not aws_id or not adapter.delete(claimed, aws_id, {}, its.mark)


# structure of our own that others use too


def test_a_balancer_or_listener_that_others_still_use_is_not_removed(its: Adapting) -> None:
    its.apply("internal")
    others = Adapting(its.farm, tag="expose:lb:b", clients=its.clients)
    others.apply("internal path=/b")

    for kind, what in (("elb.listener", "still has rules"), ("elb.balancer", "still has listeners")):
        owned = its.one(kind)
        with pytest.raises(NotYet, match=what):
            its.adapters.kinds[kind].delete(owned, owned.aws_id, its.ids(owned.refs), its.mark)


def test_a_balancer_of_our_name_that_is_not_ours_is_not_taken_over(its: Adapting) -> None:
    its.apply("internal")
    arn = its.one("elb.balancer").aws_id
    its.farm.elb.remove_tags(ResourceArns=[arn], TagKeys=[OWNER_TAG])
    other = Adapting(its.farm, tag="expose:lb:b", clients=its.clients)

    with pytest.raises(Refused):
        other.apply("internal path=/b")
