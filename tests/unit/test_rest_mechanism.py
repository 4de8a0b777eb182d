"""REST APIs, from a tag to claims, an API, a tree of paths, a link and guarded routes to a listener."""

from __future__ import annotations

from typing import Any

import pytest

from expose.mechanisms import MECHANISMS, Lookup, Surroundings
from expose.model import Resource
from expose.policy import Limits
from expose.refusals import Refused
from tests.unit.test_api_mechanism import ANSWERS, TASKS, desired, exposure, named, refusal
from tests.unit.values import service, task

ARN = (
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/inner/50dc6c495c0c9188/f2f7dc8efc522ab2"
)
BEHIND = ANSWERS | {"lb.listener": [{"arn": ARN, "host": "shop.internal"}]}
GUARDED = "rest/shop/v1/orders auth=iam"


def rest(value: str = GUARDED, **more: Any) -> list[Resource]:
    return list(desired(value, **({"answers": BEHIND} | more)))


def test_a_path_is_a_tree_that_others_may_share_and_a_route_stands_on_its_last_two() -> None:
    paths = named(rest(), "rest.resource")

    assert [each.spec["part"] for each in paths] == ["", "v1", "orders", "{proxy+}"]
    assert all(each.shared for each in paths)
    assert [each.refs.get("parent") for each in paths] == [None, *(each.identity for each in paths[:-1])]
    (route,) = named(rest(), "rest.route")
    assert (route.refs["own"], route.refs["below"]) == (paths[2].identity, paths[3].identity)


def test_the_root_of_an_api_is_a_path_as_any_other() -> None:
    assert [each.spec["part"] for each in named(rest("rest/shop auth=iam"), "rest.resource")] == [
        "",
        "{proxy+}",
    ]


def test_it_leads_to_the_listener_by_the_name_that_its_rule_looks_for() -> None:
    (route,) = named(rest(), "rest.route")

    assert route.spec["target"] == ARN
    assert route.spec["uri"] == "http://shop.internal/v1/orders"


@pytest.mark.parametrize(
    ("more", "uri"),
    [
        ("strip=yes", "http://shop.internal"),
        ("tls=shop.animales.com", "https://shop.animales.com/v1/orders"),
    ],
)
def test_where_it_leads_is_as_the_tag_says(more: str, uri: str) -> None:
    assert named(rest(f"{GUARDED} {more}"), "rest.route")[0].spec["uri"] == uri


def test_a_parameter_says_whether_the_target_is_the_load_balancer() -> None:
    (route,) = named(rest(rest_target="load-balancer"), "rest.route")

    assert route.spec["target"] == (
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/inner/50dc6c495c0c9188"
    )


def test_a_listener_that_ecs_itself_keeps_is_used_where_the_service_has_no_lb_tag() -> None:
    kept = service(task(1), subnets=TASKS.subnets, native=("arn:targetgroup/1",))
    answers = BEHIND | {"lb.listener": [], "elb.native": [{"arn": ARN, "host": ""}]}

    (route,) = named(rest(of=kept, answers=answers), "rest.route")

    assert route.spec["target"] == ARN
    assert route.spec["uri"] == "http://conejo/v1/orders"


def test_a_listener_of_others_is_used_only_where_the_stack_names_its_load_balancer() -> None:
    """Other services are behind it, and a path of the tag's choice would lead to them."""
    kept = service(task(1), subnets=TASKS.subnets, native=("arn:targetgroup/1",))
    found = {Lookup("ec2.link", "subnet-1+subnet-2"): ANSWERS["ec2.link"]}
    found |= {Lookup("elb.native", "arn:targetgroup/1"): [{"arn": ARN, "host": ""}]}

    def desired_where(named: str) -> Any:
        around = Surroundings(Limits(load_balancers=(named,)), "corral/granja/conejo/expose:api", found)
        return MECHANISMS["api"].desired(exposure(GUARDED, "expose:api"), kept, around)

    assert desired_where("inner")
    with pytest.raises(Refused, match="'inner' is not allowed here") as refused:
        desired_where("other")
    assert refused.value.code == "NotAllowed"


def test_a_user_pool_guards_with_its_scopes() -> None:
    resources = rest("rest/shop/orders auth=cognito pool=eu-west-1_Ab12 scopes=read+write")

    (route,), (authorizer,) = named(resources, "rest.route"), named(resources, "rest.authorizer")
    assert authorizer.spec == {"pool": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Ab12"}
    assert route.spec["authorization"] == "COGNITO_USER_POOLS"
    assert route.spec["scopes"] == ["read", "write"]
    assert route.refs["authorizer"] == authorizer.identity


def test_each_method_is_a_route_and_a_claim_of_its_own() -> None:
    resources = rest(f"{GUARDED} methods=GET+PUT")

    assert [each.spec["method"] for each in named(resources, "rest.route")] == ["GET", "PUT"]
    assert len({each.refs["claim"] for each in named(resources, "rest.route")}) == 2


def test_one_listener_is_asked_for_even_where_the_tag_does_not_say_via() -> None:
    asked = MECHANISMS["api"].lookups(exposure(GUARDED, "expose:api"), TASKS, Limits())

    assert Lookup("lb.listener", str(TASKS.arn)) in asked


@pytest.mark.parametrize(
    ("value", "more", "code"),
    [
        ("rest/shop/orders", {}, "NoAuth"),
        ("rest/shop/orders auth=none", {}, "NotAllowed"),
        ("rest/shop/orders auth=jwt issuer=https://i.com audience=a", {}, "NoAuth"),
        ("rest/shop/orders auth=lambda function=f", {}, "NoAuth"),
        ("rest/shop/orders auth=cognito pool=eu-west-1_Ab12 client=3f9", {}, "WrongOption"),
        ("rest/shop/orders auth=iam via=cloudmap", {}, "WrongOption"),
        ("rest/shop/orders auth=iam rate=5", {}, "WrongOption"),
        ("rest/shop/orders auth=iam port=8080", {}, "WrongOption"),
        ("rest/shop/orders auth=iam api=a1b2c3", {}, "WrongOption"),
        ("rest/shop/orders auth=iam timeout=30", {}, "WrongOption"),
        ("rest/shop/orders auth=iam", {"answers": ANSWERS | {"lb.listener": []}}, "NoListener"),
    ],
)  # fmt: skip
def test_what_a_rest_api_does_not_have_is_refused(value: str, more: dict[str, Any], code: str) -> None:
    assert refusal(value, **more) == code
