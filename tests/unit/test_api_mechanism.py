"""The `api` mechanism: from a tag and the tasks to claims, an API, a link, a backend and routes that are guarded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from expose.mechanisms import MECHANISMS, Lookup, Surroundings
from expose.model import Identity, Resource, Service
from expose.refusals import Refused
from tests.unit.values import LISTED, exposure, service, task

API = MECHANISMS["api"]
TAG = "expose:api"
TASKS = service(task(1), task(2), subnets=("subnet-1", "subnet-2"))
LISTENER = {"arn": "arn:listener/80", "host": "a.com"}
ANSWERS: dict[str, Any] = {
    "ec2.link": {"given": "", "link": "vpc-1/1a2b", "subnets": ["subnet-1", "subnet-2"], "groups": ["sg-1"]},
    "apigw.domain": {"ours": False, "address": "d-1.execute-api"},
    "apigw.api": {"stage": "$default", "address": "a1b2c3.execute-api", "ours": False},
    "lb.listener": [LISTENER],
}


def desired(value: str, of: Service = TASKS, answers: Any = ANSWERS, **apis: Any) -> Sequence[Resource]:
    asked, limits = exposure(value, TAG), replace(LISTED, apis=replace(LISTED.apis, **apis))
    found: dict[Lookup, Any] = {each: answers.get(each.kind) for each in API.lookups(asked, of, limits)}
    return API.desired(asked, of, Surroundings(limits, f"corral/granja/conejo/{TAG}", found))


def named(resources: Sequence[Resource], kind: str) -> list[Resource]:
    return [each for each in resources if each.identity.kind == kind]


def refusal(value: str, **more: Any) -> str:
    with pytest.raises(Refused) as refused:
        desired(value, **more)
    assert refused.value.message.startswith(f"{TAG} = {value!r}: ")
    return refused.value.code


VALUES = [
    "/orders auth=iam",
    "/ auth=iam strip=yes rate=5",
    "a.com/orders auth=jwt issuer=https://i.com audience=a scopes=s methods=GET+PUT rate=5",
    "a.com/orders auth=lambda function=f stage=beta burst=3",
    "/orders auth=iam api=a1b2c3",
    "/orders auth=iam via=lb",
    "rest/shop/v1/orders auth=iam",
    "rest/shop auth=cognito pool=eu-west-1_Ab12 scopes=a methods=GET+PUT strip=yes",
]


@pytest.mark.parametrize("value", VALUES)
def test_every_resource_comes_after_those_that_it_refers_to_and_the_claims_come_first(value: str) -> None:
    resources = desired(value)
    assert resources[0].identity.kind == "claim"
    seen: set[Identity] = set()
    for each in resources:
        assert set(each.parents) <= seen
        assert each.identity not in seen
        seen.add(each.identity)


@pytest.mark.parametrize("value", VALUES)
def test_every_route_has_a_claim_and_its_authorisation(value: str) -> None:
    routes = [*named(desired(value), "apigw.route"), *named(desired(value), "rest.route")]
    assert routes
    for route in routes:
        assert route.spec["authorization"] in {"AWS_IAM", "JWT", "CUSTOM", "COGNITO_USER_POOLS"}
        assert bool(route.spec["authorizer"]) == ("authorizer" in route.refs)
        assert route.refs["claim"] in {each.identity for each in named(desired(value), "claim")}


def test_a_link_that_is_given_is_used_and_none_is_made() -> None:
    resources = desired("/orders auth=iam", answers=ANSWERS | {"ec2.link": {"given": "a1b2c3"}})

    assert not named(resources, "apigw.link")
    assert {each.refs["link"] for each in named(resources, "apigw.integration")} == {"a1b2c3"}


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ("/orders auth=iam", ["ANY /orders", "ANY /orders/{proxy+}"]),
        ("/ auth=iam", ["ANY /", "ANY /{proxy+}"]),
        ("a.com auth=iam", ["ANY /", "ANY /{proxy+}"]),
        ("/a/b auth=iam methods=GET", ["GET /a/b", "GET /a/b/{proxy+}"]),
    ],
)
def test_a_path_is_itself_and_what_is_below_it(value: str, keys: list[str]) -> None:
    assert [each.spec["key"] for each in named(desired(value), "apigw.route")] == keys


def test_with_cors_preflights_are_left_to_api_gateway() -> None:
    keys = [each.spec["key"] for each in named(desired("/a auth=iam", cors=("*",)), "apigw.route")]
    assert len(keys) == 12
    assert not [key for key in keys if key.startswith(("ANY", "OPTIONS"))]


def test_a_rotation_is_a_matter_of_instances_only() -> None:
    before = desired("/orders auth=iam rate=5")
    after = desired("/orders auth=iam rate=5", service(task(3), subnets=TASKS.subnets))
    changed = {each.identity.kind for each in (*before, *after) if each not in before or each not in after}
    assert changed == {"cloudmap.instance"}


def test_an_instance_is_a_private_address_and_a_port() -> None:
    (one, _) = named(desired("/orders auth=iam"), "cloudmap.instance")
    assert one.spec["AWS_INSTANCE_IPV4"] == task(1).private_ipv4
    assert one.spec["AWS_INSTANCE_PORT"] == "8080"


def test_who_may_take_over_is_one_service_of_the_cluster() -> None:
    (claim,) = named(desired("/orders auth=iam to=gallina"), "claim")
    assert claim.spec["heir"] == "corral/granja/gallina"
    assert "heir" not in named(desired("/orders auth=iam"), "claim")[0].spec


@pytest.mark.parametrize(
    ("value", "more", "code"),
    [
        ("/a", {}, "NoAuth"),
        ("/a auth=none", {}, "NotAllowed"),
        ("a.com/a auth=iam", {"answers": ANSWERS | {"apigw.domain": None}}, "NoDomain"),
        ("/a auth=iam api=a1b2c3", {"answers": ANSWERS | {"apigw.api": None}}, "NoApi"),
        ("/a auth=iam api=a1b2c3", {"allowed": ("b*",)}, "NotAllowed"),
        ("a.com/a auth=iam api=a1b2c3", {}, "WrongOption"),
        ("/a auth=iam api=a1b2c3 stage=b", {}, "WrongOption"),
        ("/a auth=iam via=registry", {}, "NoRegistry"),
        ("/a auth=iam via=lb", {"answers": ANSWERS | {"lb.listener": [LISTENER, LISTENER | {"host": "b.com"}]}}, "SeveralListeners"),
        ("/a auth=iam", {"of": service(task(1))}, "NoVpc"),
        ("/a auth=iam", {"of": service(task(1, private_ipv4=""), subnets=("subnet-1",))}, "NoPrivateAddress"),
    ],
)  # fmt: skip
def test_what_may_not_be_had_is_refused(value: str, more: dict[str, Any], code: str) -> None:
    assert refusal(value, **more) == code


def test_a_listener_that_is_not_there_yet_is_asked_for_again() -> None:
    """What is refused is looked up afresh after a while; what only waits would go on with the answer that it had."""
    assert refusal("/a auth=iam via=lb", answers=ANSWERS | {"lb.listener": []}) == "NoListener"


@pytest.mark.parametrize(("more", "code"), [({"ours": True}, "WrongApi"), ({"stage": ""}, "NoStage")])
def test_an_api_that_is_ours_or_deploys_nothing_is_not_to_be_named(more: dict[str, Any], code: str) -> None:
    api = ANSWERS["apigw.api"] | more
    assert refusal("/a auth=iam api=a1b2c3", answers=ANSWERS | {"apigw.api": api}) == code


def test_two_exposures_never_make_the_same_route_under_two_claims() -> None:
    """One for any method, and one for some, of a path are the same path."""
    one = {each.identity for each in named(desired("/a auth=iam"), "claim")}
    other = {each.identity for each in named(desired("/a auth=iam methods=GET"), "claim")}
    assert one & other


def test_what_belongs_to_an_api_is_another_thing_in_another_api() -> None:
    """Else a tag that moves to another host would be taken to have it already."""
    kinds = {"apigw.throttle", "apigw.route", "apigw.integration", "apigw.authorizer", "claim"}
    terms = "auth=jwt issuer=https://i.com audience=a rate=5"
    one, other = (
        {each.identity for each in desired(f"{host}/a {terms}") if each.identity.kind in kinds}
        for host in ("a.com", "b.com")
    )
    assert not one & other
