"""template.yaml lets Reconcile do to load balancers what the stack's parameters allow, and no more.

Asked of the farm's evaluator, with ARNs as AWS makes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.unit.stack import Stack, permitted, placed

ELB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"
OURS = {"aws:ResourceTag/ecs-expose:owner": ["granja-stack/granja/conejo/expose:lb"]}
THEIRS = {"aws:ResourceTag/team": ["granja"]}
ANOTHER_STACK = {"aws:ResourceTag/ecs-expose:owner": ["granja-stack-2/granja/conejo/expose:lb"]}
MARK = [{"Key": "ecs-expose:owner", "Value": "granja-stack"}]

SHARED, THEIR_ALB, THEIR_NLB = "app/expose-internal/1", "app/granja-alb/1", "net/granja-nlb/1"


def allowed(
    where: Stack, operation: str, *, tags: Mapping[str, Sequence[str]] | None = None, **params: Any
) -> bool:
    return permitted(where, "elbv2", operation, tags=tags, **params)


@pytest.mark.parametrize(
    ("listed", "name", "expected"),
    [
        ("internal,internet-facing", THEIR_ALB, False),
        ("*", THEIR_ALB, True),
        ("granja-*", THEIR_ALB, True),
        ("corral,granja-a?b", THEIR_ALB, True),
        ("granja", THEIR_ALB, False),
        ("tg/granja-alb", THEIR_ALB, False),
        ("granja-alb", "app/granja-alb-2/1", False),
        ("internal", SHARED, True),
    ],
)
def test_rules_are_created_on_allowed_balancers_and_shared_ones(
    listed: str, name: str, *, expected: bool
) -> None:
    on = f"{ELB}listener/{name}/2"
    assert allowed(placed(AllowedLoadBalancers=listed), "CreateRule", ListenerArn=on, Tags=MARK) is expected


@pytest.mark.parametrize(
    ("creating", "name", "expected"),
    [
        ("no", THEIR_NLB, True),
        ("no", "net/corral/1", False),
        ("no", THEIR_ALB, False),
        ("any", THEIR_ALB, False),
        ("no", SHARED, False),
        ("internal", SHARED, True),
        ("internal", "net/expose-internal/1", True),
    ],
)
def test_listeners_are_created_on_allowed_nlbs_and_on_what_was_created(
    creating: str, name: str, *, expected: bool
) -> None:
    where = placed(AllowedLoadBalancers="granja-*", CreateLoadBalancers=creating)
    call: dict[str, Any] = {"LoadBalancerArn": f"{ELB}loadbalancer/{name}", "Protocol": "TCP", "Port": 80}

    assert allowed(where, "CreateListener", **call) is expected
    assert allowed(where, "CreateListener", **call, Tags=MARK) is expected


@pytest.mark.parametrize(
    ("operation", "member", "arn"),
    [
        ("ModifyRule", "RuleArn", f"listener-rule/{THEIR_ALB}/2/3"),
        ("DeleteRule", "RuleArn", f"listener-rule/{THEIR_ALB}/2/3"),
        ("ModifyListener", "ListenerArn", f"listener/{THEIR_NLB}/2"),
        ("DeleteListener", "ListenerArn", f"listener/{THEIR_NLB}/2"),
        ("ModifyListener", "ListenerArn", f"listener/{SHARED}/2"),
        ("DeleteListener", "ListenerArn", f"listener/{SHARED}/2"),
        ("AddListenerCertificates", "ListenerArn", f"listener/{SHARED}/2"),
        ("RemoveListenerCertificates", "ListenerArn", f"listener/{SHARED}/2"),
        ("DeleteLoadBalancer", "LoadBalancerArn", f"loadbalancer/{SHARED}"),
    ],
)
def test_only_what_bears_this_stack_s_mark_is_changed_or_deleted(
    operation: str, member: str, arn: str
) -> None:
    where = placed(CreateLoadBalancers="any")
    call: dict[str, Any] = {member: ELB + arn}

    assert allowed(where, operation, tags=OURS, **call)
    assert not allowed(where, operation, tags=THEIRS, **call)
    assert not allowed(where, operation, tags=ANOTHER_STACK, **call)


def test_what_a_narrower_list_no_longer_allows_can_still_be_withdrawn() -> None:
    where = placed(AllowedLoadBalancers="elsewhere")

    assert allowed(where, "DeleteRule", tags=OURS, RuleArn=f"{ELB}listener-rule/{THEIR_ALB}/2/3")
    assert allowed(where, "DeleteListener", tags=OURS, ListenerArn=f"{ELB}listener/{THEIR_NLB}/2")
    assert allowed(where, "DeregisterTargets", TargetGroupArn=f"{ELB}targetgroup/conejo/1")


@pytest.mark.parametrize("operation", ["ModifyListener", "DeleteListener", "AddListenerCertificates"])
def test_a_named_alb_s_listeners_are_its_owner_s(operation: str) -> None:
    where = placed(CreateLoadBalancers="any")

    assert not allowed(where, operation, tags=OURS, ListenerArn=f"{ELB}listener/{THEIR_ALB}/2")


@pytest.mark.parametrize(
    ("listed", "group", "expected"),
    [
        ("*", "conejo", True),
        ("tg/conejo", "conejo", True),
        ("granja-alb,tg/con*", "conejo", True),
        ("tg/conejo", "conejo-blue", False),
        ("internal,granja-*", "conejo", False),
        ("internal", "expose-0a1b", True),
        ("internal,internet-facing", "conejo", False),
    ],
)
def test_targets_are_registered_in_our_groups_and_in_allowed_ones(
    listed: str, group: str, *, expected: bool
) -> None:
    arn = f"{ELB}targetgroup/{group}/1"
    assert allowed(placed(AllowedLoadBalancers=listed), "RegisterTargets", TargetGroupArn=arn) is expected


@pytest.mark.parametrize(
    "operation", ["ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup"]
)
def test_target_groups_are_kept_if_they_are_named_as_ours(operation: str) -> None:
    assert allowed(placed(), operation, TargetGroupArn=f"{ELB}targetgroup/expose-0a1b/1")
    assert not allowed(placed(), operation, TargetGroupArn=f"{ELB}targetgroup/conejo/1")


@pytest.mark.parametrize("kind", ["application", "network"])
@pytest.mark.parametrize(
    ("creating", "schemes"),
    [
        ("no", []),
        ("internal", ["internal"]),
        ("internet-facing", ["internet-facing"]),
        ("any", ["internal", "internet-facing"]),
    ],
)
def test_load_balancers_are_created_of_the_chosen_scheme_only(
    creating: str, schemes: list[str], kind: str
) -> None:
    where = placed(CreateLoadBalancers=creating)
    may = [
        scheme
        for scheme in ("internal", "internet-facing")
        if allowed(where, "CreateLoadBalancer", Name="expose-0a1b", Scheme=scheme, Type=kind, Tags=MARK)
    ]

    assert may == schemes
    assert not allowed(where, "CreateLoadBalancer", Name="granja", Scheme=creating, Type=kind, Tags=MARK)


def test_the_mark_is_put_on_what_is_being_created_and_nothing_else_is_tagged() -> None:
    where = placed(CreateLoadBalancers="any")
    other = [*MARK, {"Key": "team", "Value": "granja"}]

    assert allowed(where, "CreateTargetGroup", Name="expose-0a1b", Tags=MARK)
    assert not allowed(where, "CreateTargetGroup", Name="expose-0a1b", Tags=other)
    assert not allowed(where, "AddTags", ResourceArns=[f"{ELB}targetgroup/expose-0a1b/1"], Tags=MARK)


def test_another_region_is_none_of_its_business() -> None:
    elsewhere = {"aws:RequestedRegion": ["us-east-1"]}
    on = f"{ELB}listener/{THEIR_ALB}/2".replace("eu-west-1", "us-east-1")

    assert not allowed(placed(), "CreateRule", tags=elsewhere, ListenerArn=on)
