"""Rules behave as AWS's (F§4.2): conditions within bounds, priorities that are unique, forwards that fit, a default that stays."""

from __future__ import annotations

from typing import Any

import pytest
from balancing import NOT_FOUND, Balancing, api, forward, host, methods, path
from refusals import refused

from farm.aws import elb
from farm.timeline import Timeline


@pytest.fixture
def world(timeline: Timeline) -> Balancing:
    return Balancing(timeline)


@pytest.fixture
def listener(world: Balancing) -> str:
    return world.listener(world.balancer())


@pytest.fixture
def group(world: Balancing) -> str:
    return world.group()


def rules(listener: str, **asked: Any) -> list[Any]:
    return api.describe_rules(ListenerArn=listener, **asked)["Rules"]


# priorities


def test_rules_come_by_priority_and_the_default_last(world: Balancing, listener: str, group: str) -> None:
    """F§4.2: priorities are strings."""
    for priority in (300, 5, 10_000):
        world.rule(listener, group, priority)
    assert [rule["Priority"] for rule in rules(listener)] == ["5", "300", "10000", "default"]


def test_rules_come_in_pages(world: Balancing, listener: str, group: str) -> None:
    """F§4.2: in the same order, whatever happens in between."""
    made = [world.rule(listener, group, priority) for priority in (3, 1, 2)]
    first = api.describe_rules(ListenerArn=listener, PageSize=2)
    api.delete_rule(RuleArn=made[2])
    rest = api.describe_rules(ListenerArn=listener, PageSize=2, Marker=first["NextMarker"])
    assert [rule["Priority"] for rule in first["Rules"] + rest["Rules"]] == ["1", "2", "3", "default"]
    with refused("ValidationError"):
        rules(listener, PageSize=401)


def test_a_priority_is_given_once(world: Balancing, listener: str, group: str) -> None:
    """F§4.2, in AWS's words; another listener is another matter."""
    world.rule(listener, group, 10)
    with refused("PriorityInUse") as answer:
        world.rule(listener, group, 10)
    assert answer["Error"]["Message"] == "Priority '10' is currently in use"
    other = world.listener(elb.balancers()[0].arn, port=81)
    world.rule(other, group, 10)


def test_a_priority_has_bounds(world: Balancing, listener: str, group: str) -> None:
    """F§4.2."""
    world.rule(listener, group, 50_000)
    with refused("ValidationError"):
        world.rule(listener, group, 50_001)


def test_priorities_can_be_swapped(world: Balancing, listener: str, group: str) -> None:
    """F§4.2: SetRulePriorities is the only way."""
    one, other, third = (world.rule(listener, group, priority) for priority in (1, 2, 3))
    swap: Any = [{"RuleArn": one, "Priority": 2}, {"RuleArn": other, "Priority": 1}]
    api.set_rule_priorities(RulePriorities=swap)
    assert [rule["RuleArn"] for rule in rules(listener)][:3] == [other, one, third]
    with refused("PriorityInUse"):
        api.set_rule_priorities(RulePriorities=[{"RuleArn": one, "Priority": 3}])


# conditions


def test_hosts_and_paths_are_shown_both_ways(world: Balancing, listener: str, group: str) -> None:
    """The old form beside the new, whichever was given."""
    world.rule(
        listener, group, Conditions=[{"Field": "host-header", "Values": ["a.b"]}, path("/a"), methods("GET")]
    )
    assert rules(listener)[0]["Conditions"] == [
        {"Field": "host-header", "Values": ["a.b"], "HostHeaderConfig": {"Values": ["a.b"]}},
        {"Field": "path-pattern", "Values": ["/a"], "PathPatternConfig": {"Values": ["/a"]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
    ]


def test_five_values_are_the_most(world: Balancing, listener: str, group: str) -> None:
    """F§4.2: in all conditions together."""
    world.rule(listener, group, Conditions=[path("/a", "/b"), host("a.b", "b.c"), methods("GET")])
    with refused("ValidationError") as answer:
        world.rule(
            listener, group, 11, Conditions=[path("/a", "/b"), host("a.b", "b.c", "c.d"), methods("GET")]
        )
    assert answer["Error"]["Message"] == "A rule can only have '5' condition values and regex values"


@pytest.mark.parametrize(
    "conditions",
    [
        pytest.param([], id="none"),
        pytest.param([path()], id="no values"),
        pytest.param([path("/a"), path("/b")], id="two of a kind"),
        pytest.param([path("/*/*/*", "/*/*/*")], id="six wildcards"),
        pytest.param([host("localhost")], id="a host without a dot"),
        pytest.param([host("127.0.0.1")], id="a host that ends in a number"),
        pytest.param([host("a_b.c")], id="a host with other signs"),
        pytest.param([host("a" * 127 + ".b")], id="a host too long"),
        pytest.param([path("/a b")], id="a path with other signs"),
        pytest.param([path("/" + "a" * 128)], id="a path too long"),
        pytest.param([methods("get")], id="a method in small letters"),
    ],
)
def test_conditions_that_aws_refuses(
    world: Balancing, listener: str, group: str, conditions: list[Any]
) -> None:
    """F§4.2."""
    with refused("ValidationError"):
        world.rule(listener, group, Conditions=conditions)
    assert len(rules(listener)) == 1


@pytest.mark.parametrize(
    "condition", [path("/a.b/~c/$d/_e/-f/+g/&h/@i/:j/'k\"?*"), host("*.Granja.animales.co?")]
)
def test_conditions_that_aws_takes(world: Balancing, listener: str, group: str, condition: Any) -> None:
    """F§4.2."""
    world.rule(listener, group, Conditions=[condition])


# actions


def test_a_forward_is_shown_in_full(world: Balancing, listener: str, group: str) -> None:
    """However it was asked for; a group that is alone is named beside it."""
    world.rule(listener, group, Actions=[{"Type": "forward", "TargetGroupArn": group}])
    assert rules(listener)[0]["Actions"] == [
        {
            "Type": "forward",
            "TargetGroupArn": group,
            "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": group, "Weight": 1}],
                "TargetGroupStickinessConfig": {"Enabled": False},
            },
        }
    ]


def weighted(groups: list[str], weight: int = 1) -> Any:
    shares: Any = [{"TargetGroupArn": one, "Weight": weight} for one in groups]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}


def test_a_rule_forwards_to_five_groups_at_most(world: Balancing, listener: str) -> None:
    """F§4.2."""
    groups = [world.group(f"web-{number}") for number in range(6)]
    rule = world.rule(listener, "", Actions=[weighted(groups[:5], 999)])
    assert elb.forwards(elb.rules(elb.listeners(elb.balancers()[0])[0])[0].actions) == dict.fromkeys(
        groups[:5], 999
    )
    with refused("ValidationError"):
        api.modify_rule(RuleArn=rule, Actions=[weighted(groups)])
    with refused("ValidationError"):
        api.modify_rule(RuleArn=rule, Actions=[weighted(groups[:1], 1000)])
    assert len(elb.forwards(elb.rules(elb.listeners(elb.balancers()[0])[0])[0].actions)) == 5


def test_a_rule_needs_a_group_that_is_there_and_fits(world: Balancing, listener: str, group: str) -> None:
    """F§4.2."""
    with refused("TargetGroupNotFound"):
        world.rule(listener, group[:-1] + "x")
    with refused("IncompatibleProtocols"):
        world.rule(listener, world.group("raw", "TCP"))
    with refused("ValidationError"):
        world.rule(listener, group, Actions=[])
    with refused("ValidationError"):
        world.rule(listener, group, Actions=[forward(group), NOT_FOUND])


def test_a_group_belongs_to_one_balancer(world: Balancing, listener: str, group: str) -> None:
    """F§4.2: and knows which, for as long as somebody there forwards to it."""
    first, second = world.rule(listener, group, 1), world.rule(listener, group, 2)
    other = world.listener(world.balancer("other"))
    with refused("TargetGroupAssociationLimit"):
        world.rule(other, group)
    api.delete_rule(RuleArn=first)
    assert len(known(group)["LoadBalancerArns"]) == 1
    api.delete_rule(RuleArn=second)
    assert known(group)["LoadBalancerArns"] == []
    world.rule(other, group)


def known(group: str) -> Any:
    return api.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]


# rules


def test_changing_a_rule_replaces_what_is_given(world: Balancing, listener: str, group: str) -> None:
    """F§4.2: the rest stays, and so does the priority."""
    rule, other = world.rule(listener, group), world.group("other")
    api.modify_rule(RuleArn=rule, Actions=[forward(other)])
    api.modify_rule(RuleArn=rule, Conditions=[host("a.b")])
    found = rules(listener)[0]
    assert [one["Field"] for one in found["Conditions"]] == ["host-header"]
    assert (found["Actions"][0]["TargetGroupArn"], found["Priority"]) == (other, "10")
    api.delete_target_group(TargetGroupArn=group)


def test_the_default_rule_stays(listener: str) -> None:
    """F§4.2."""
    default = rules(listener)[-1]["RuleArn"]
    for call in (
        lambda: api.delete_rule(RuleArn=default),
        lambda: api.modify_rule(RuleArn=default, Actions=[NOT_FOUND]),
        lambda: api.set_rule_priorities(RulePriorities=[{"RuleArn": default, "Priority": 1}]),
    ):
        with refused("OperationNotPermitted"):
            call()


def test_a_rule_that_is_not_there(world: Balancing, listener: str, group: str) -> None:
    """F§4.2: an error even for who deletes it."""
    rule = world.rule(listener, group)
    api.delete_rule(RuleArn=rule)
    for call in (
        lambda: api.delete_rule(RuleArn=rule),
        lambda: api.modify_rule(RuleArn=rule, Conditions=[path("/b")]),
        lambda: api.describe_rules(RuleArns=[rule]),
        lambda: api.describe_tags(ResourceArns=[rule]),
    ):
        with refused("RuleNotFound"):
            call()
    with refused("ListenerNotFound"):
        world.rule(listener[:-1] + "x", group)


def test_a_balancer_has_only_so_many_rules(world: Balancing, listener: str, group: str) -> None:
    """F§4.2: in all its listeners together, default rules not counted."""
    elb.settings().most_rules = 2
    other = world.listener(elb.balancers()[0].arn, port=81)
    world.rule(listener, group)
    world.rule(other, group)
    with refused("TooManyRules"):
        world.rule(other, group, 11)


def test_a_balancer_has_only_so_many_groups(world: Balancing, listener: str, group: str) -> None:
    """F§4.2: a group that is there already does not count again."""
    elb.settings().most_groups_per_balancer = 1
    world.rule(listener, group)
    world.rule(listener, group, 11)
    with refused("TooManyUniqueTargetGroupsPerLoadBalancer"):
        world.rule(listener, world.group("other"), 12)


def test_only_an_application_balancer_has_rules(world: Balancing) -> None:
    """F§4.2."""
    group = world.group("raw", "TCP")
    listener = world.listener(world.balancer(kind="network"), group, protocol="TCP")
    with refused("InvalidConfigurationRequest"):
        world.rule(listener, group)


def test_rules_carry_tags_from_their_making_on(world: Balancing, listener: str, group: str) -> None:
    """F§4.2, and lose them with themselves; 20 resources can be asked for at a time."""
    rule = world.rule(listener, group, Tags=[{"Key": "owner", "Value": "me"}])
    api.add_tags(ResourceArns=[rule], Tags=[{"Key": f"{number}", "Value": ""} for number in range(49)])
    tags = api.describe_tags(ResourceArns=[rule, listener])["TagDescriptions"]
    assert [len(one["Tags"]) for one in tags] == [50, 0]
    with refused("TooManyTags"):
        api.add_tags(ResourceArns=[rule], Tags=[{"Key": "one more", "Value": ""}])
    with refused("ValidationError"):
        api.describe_tags(ResourceArns=[rule] * 21)
