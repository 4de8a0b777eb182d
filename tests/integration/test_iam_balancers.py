"""What Reconcile's role may do to load balancers that are there: the tags in AWS decide (F§7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from farm import seed
from farm.deploy import deploy
from farm.gate import GATE
from farm.iam import Iam
from farm.timeline import Timeline

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
OURS = [{"Key": "ecs-expose:owner", "Value": "ecs-expose/granja/conejo/expose:lb"}]
ANSWER = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]


@pytest.fixture
def elb(timeline: Timeline) -> Any:
    Iam(deploy(TEMPLATE, {"AllowedLoadBalancers": "granja-*"}).roles).enforce()
    return boto3.client("elbv2", "eu-west-1")


def listener(elb: Any, name: str) -> str:
    """Of an ALB that somebody made."""
    GATE.acting = "user"
    network = seed.network(boto3.client("ec2", "eu-west-1"))
    made = elb.create_load_balancer(Name=name, Subnets=network.public, Scheme="internal")["LoadBalancers"][0]
    asked = {"Protocol": "HTTP", "Port": 80, "DefaultActions": ANSWER}
    listeners = elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], **asked)["Listeners"]
    return str(listeners[0]["ListenerArn"])


def rule(elb: Any, on: str, caller: str, *, priority: int, **more: Any) -> str:
    GATE.acting = caller
    conditions = [{"Field": "path-pattern", "Values": [f"/{priority}"]}]
    made = elb.create_rule(ListenerArn=on, Priority=priority, Conditions=conditions, Actions=ANSWER, **more)
    return str(made["Rules"][0]["RuleArn"])


def test_the_product_deletes_the_rules_that_bear_its_mark_and_no_other(elb: Any) -> None:
    on = listener(elb, "granja-alb")
    ours = rule(elb, on, "reconcile", priority=1, Tags=OURS)
    theirs = rule(elb, on, "user", priority=2)
    GATE.acting = "reconcile"

    elb.delete_rule(RuleArn=ours)
    with pytest.raises(ClientError, match="AccessDenied"):
        elb.delete_rule(RuleArn=theirs)

    left = [each["RuleArn"] for each in elb.describe_rules(ListenerArn=on)["Rules"] if not each["IsDefault"]]
    assert left == [theirs]


def test_the_product_makes_no_rule_where_the_stack_does_not_allow_it(elb: Any) -> None:
    on = listener(elb, "corral-alb")

    with pytest.raises(ClientError, match="AccessDenied"):
        rule(elb, on, "reconcile", priority=1, Tags=OURS)


def test_the_product_makes_no_load_balancer_where_the_stack_does_not_say_so(elb: Any) -> None:
    GATE.acting = "reconcile"

    with pytest.raises(ClientError, match="AccessDenied"):
        elb.create_load_balancer(Name="expose-0a1b", Scheme="internal", Subnets=["subnet-1"], Tags=OURS)
