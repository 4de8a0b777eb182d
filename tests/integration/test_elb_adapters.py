"""The ELB adapters against the farm's AWS: what is made is read back as it was meant, may be made again, and goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from adapting import STACK, Adapting, beside_others

from expose.model import Owned
from expose.resources.elb.mark import OWNER_TAG
from farm.farm import Farm
from tests.unit.tables import items

WAYS = (
    "granja-alb:80",
    "granja-alb:80 host=b.example.com+a.example.com path=/api methods=get weight=7 port=8080",
    "granja-alb:80 protocol=HTTPS health=/up interval=5 healthy=3 matcher=200-299+301 drain=7",
    "granja-alb:443 protocol=GRPC",
    "granja-nlb:5432",
    "granja-nlb:53 protocol=UDP weight=0",
    "granja-nlb:54 protocol=TCP_UDP health=/up",
    "granja-nlb:443 protocol=TLS certificate=www.animales.com",
    "internal host=conejo.animales.com path=/api",
    "internet-facing:443 host=www.animales.com+api.animales.com+www.campo.com",
    "internal:5432 protocol=TCP",
    "tg/conejo-blue port=8080",
)


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm.virtual(deploy=False) as farm:
        yield farm


@pytest.fixture
def its(farm: Farm) -> Adapting:
    return beside_others(farm)


def marks(its: Adapting, arn: str) -> list[str]:
    (described,) = its.farm.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return [tag["Value"] for tag in described["Tags"] if tag["Key"] == OWNER_TAG]


def everything(farm: Farm) -> dict[str, Any]:
    """All that there is in ELB, but for health."""
    balancers = farm.elb.describe_load_balancers()["LoadBalancers"]
    listeners: list[Any] = [
        {
            key: value for key, value in each.items() if key != "Certificates"
        }  # moto lists the added ones here too
        for balancer in balancers
        for each in farm.elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    ]
    rules = [
        rule
        for each in listeners
        if each["Protocol"].startswith("HTTP")
        for rule in farm.elb.describe_rules(ListenerArn=each["ListenerArn"])["Rules"]
    ]
    groups = [group["TargetGroupName"] for group in farm.elb.describe_target_groups()["TargetGroups"]]
    names = [balancer["LoadBalancerName"] for balancer in balancers]
    return {"balancers": names, "listeners": listeners, "rules": rules, "groups": groups}


# there and back


@pytest.mark.parametrize("value", WAYS)
def test_what_is_made_is_read_back_as_it_was_meant_and_goes_without_a_trace(
    its: Adapting, value: str
) -> None:
    before = everything(its.farm)
    made = its.apply(value)
    assert made.openings

    assert str(its.plan(its.desired(value))) == ""
    its.farm.run_for(200)  # balancers are active, targets are checked
    assert str(its.plan(its.desired(value))) == ""
    assert {each.identity for each in its.owned.values()} == its.current().keys()

    its.withdraw()
    its.farm.run_for(60)
    assert its.owned == {}
    assert everything(its.farm) == before
    assert items(its.clients) == 0


@pytest.mark.parametrize("value", WAYS)
def test_every_verb_may_be_repeated(its: Adapting, value: str) -> None:
    """As after a lost answer: the same thing is found again, and nothing is there twice."""
    its.apply(value)
    once, there = dict(its.owned), everything(its.farm)

    its.owned = {}
    its.apply(value)
    assert its.owned == once
    assert everything(its.farm) == there


@pytest.mark.parametrize("value", ["granja-alb:80", "granja-nlb:80", "internal", "internal:80 protocol=TCP"])
def test_deleting_may_be_repeated(its: Adapting, value: str) -> None:
    """As after a crash before the ledger was written."""
    its.apply(value)
    for entry in reversed(list(its.owned.values())):
        for _ in range(2):
            its.delete(entry)
    assert its.current() == {}


@pytest.mark.parametrize("value", ["granja-alb:80", "granja-nlb:80"])
def test_what_never_was_made_goes_although_its_load_balancer_has_gone(its: Adapting, value: str) -> None:
    """Somebody deletes their load balancer before our rule or listener could be made in it, and then the tag."""
    (front,) = [each for each in its.desired(value) if each.refs.get("group") and not each.task]
    claimed = Owned(front.identity, refs=front.refs)
    its.farm.elb.delete_load_balancer(LoadBalancerArn=its.farm.balancer_arn(value.partition(":")[0]))

    its.delete(claimed)


@pytest.mark.parametrize("value", WAYS)
def test_what_was_made_and_whose_answer_was_lost_is_found(its: Adapting, value: str) -> None:
    its.apply(value)
    for entry in its.owned.values():
        adapter = its.adapters.kinds[entry.identity.kind]
        lost = Owned(entry.identity, refs=entry.refs)
        assert adapter.locate(lost, its.ids(entry.refs), its.mark) == entry.aws_id


@pytest.mark.parametrize(
    ("before", "after", "openings", "closings"),
    [
        ("granja-alb:80", "granja-alb:80 weight=5", "~claim ~elb.rule", ""),
        ("granja-alb:80", "granja-alb:80 health=/up interval=20 drain=5", "~elb.group", ""),
        ("granja-alb:80", "granja-alb:80 protocol=HTTPS", "+elb.group ~elb.rule +elb.target +elb.target",
         "-elb.target -elb.target -elb.group"),
        ("granja-alb:80 path=/a", "granja-alb:80 path=/b", "+claim +elb.rule", "-elb.rule -claim"),
        ("granja-alb:80", "granja-alb:80 port=8080", "", ""),
        ("granja-nlb:80", "granja-nlb:80 weight=5", "~claim ~elb.network-listener", ""),
        ("granja-nlb:80", "granja-nlb:80 health=/up", "~elb.group", ""),
    ],
)  # fmt: skip
def test_a_change_of_the_tag_changes_no_more_than_it_must(
    its: Adapting, before: str, after: str, openings: str, closings: str
) -> None:
    its.apply(before)
    changes = its.apply(after)

    said = [
        str(change).replace(" ", "").partition("/")[0] for change in (*changes.openings, *changes.closings)
    ]
    assert said == [*openings.split(), *closings.split()]
    assert str(its.plan(its.desired(after))) == ""


@pytest.mark.parametrize(
    ("value", "kind"), [("granja-alb:80", "elb.group"), ("granja-alb:80", "elb.rule"), ("granja-nlb:80", "elb.network-listener"),
    ("internal", "elb.balancer"), ("internal:443 host=www.animales.com", "elb.listener")])  # fmt: skip
def test_what_is_made_carries_our_mark(its: Adapting, value: str, kind: str) -> None:
    its.apply(value)
    (mark,) = marks(its, its.one(kind).aws_id)

    assert mark == {"elb.group": its.mark}.get(kind, STACK) or mark.startswith(f"{STACK}/")
