"""Rules of an application load balancer: tried by priority, each with a condition at least, the default last (F§4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.elbv2.exceptions import (
    DuplicatePriorityError,
    InvalidDescribeRulesRequest,
    InvalidModifyRuleArgumentsError,
    RuleNotFoundError,
)
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeListenerRule, FakeRule

from farm.aws.elb.actions import actions as checked_actions
from farm.aws.elb.conditions import conditions as checked_conditions
from farm.aws.elb.listening import listener_of
from farm.aws.elb.model import Params, invalid, random_hex, refused, rules, state_of
from farm.aws.elb.registering import follow_users

_PRIORITIES = range(1, 50_001)


def create_rule(
    self: ELBv2Backend,
    listener_arn: str,
    conditions: Sequence[Params],
    priority: Any,
    actions: Sequence[Params],
    tags: list[dict[str, str]] | None = None,
) -> FakeListenerRule:
    listener = listener_of(self, listener_arn)
    balancer = self.load_balancers[listener.load_balancer_arn]
    if balancer.type != "application":
        raise refused(
            "InvalidConfigurationRequest", "Rules are supported only for Application Load Balancers"
        )
    number = _priority(priority)
    wanted = checked_conditions(self, conditions)
    made = checked_actions(self, balancer, listener.protocol, actions)
    _check_free(listener, number)
    present = sum(len(one._non_default_rules) for one in balancer.listeners.values())
    if present >= state_of(self).settings.most_rules:
        raise refused("TooManyRules", "The maximum number of rules has been reached")
    arn = f"{listener_arn.replace(':listener/', ':listener-rule/')}/{random_hex(16)}"
    rule = FakeListenerRule(listener_arn, arn, wanted, number, made)
    listener._non_default_rules[arn] = rule
    self.tagging_service.tag_resource(arn, tags)
    follow_users(self)
    return rule


def modify_rule(
    self: ELBv2Backend, rule_arn: str, conditions: Sequence[Params], actions: Sequence[Params]
) -> FakeRule:
    """What is given replaces what was there, wholly; what is not stays."""
    if not conditions and not actions:
        raise InvalidModifyRuleArgumentsError
    listener, rule = _own(self, rule_arn, "modified")
    balancer = self.load_balancers[listener.load_balancer_arn]
    wanted = checked_conditions(self, conditions) if conditions else rule.conditions
    made = checked_actions(self, balancer, listener.protocol, actions) if actions else rule.actions
    rule.conditions, rule.actions = wanted, made
    follow_users(self)
    return rule


def delete_rule(self: ELBv2Backend, arn: str) -> None:
    listener, _ = _own(self, arn, "deleted")
    listener.remove_rule(arn)
    self.tagging_service.delete_all_tags_for_resource(arn)
    follow_users(self)


def describe_rules(
    self: ELBv2Backend, listener_arn: str | None, rule_arns: list[str] | None
) -> list[FakeRule]:
    if bool(listener_arn) == bool(rule_arns):
        raise InvalidDescribeRulesRequest("You must specify either listener rule ARNs or a listener ARN")
    if listener_arn:
        return rules(listener_of(self, listener_arn))
    return [_found(self, arn)[1] for arn in rule_arns or []]


def set_rule_priorities(self: ELBv2Backend, rule_priorities: Sequence[Mapping[str, Any]]) -> list[FakeRule]:
    """All of them or none; rules may swap places."""
    wanted = {one["RuleArn"]: _priority(one["Priority"]) for one in rule_priorities}
    if len(set(wanted.values())) < len(rule_priorities):
        raise DuplicatePriorityError(str(rule_priorities[0]["Priority"]))
    found = [_own(self, arn, "re-prioritized") for arn in wanted]
    for listener, rule in found:
        _check_free(listener, wanted[rule.arn], but=wanted.keys())
    for _, rule in found:
        rule.priority = wanted[rule.arn]
    state_of(self).settings.changed()
    return [rule for _, rule in found]


def _found(of: ELBv2Backend, arn: str) -> tuple[FakeListener, FakeRule]:
    for balancer in of.load_balancers.values():
        for listener in balancer.listeners.values():
            if rule := listener.rules.get(arn):
                return listener, rule
    raise RuleNotFoundError("One or more rules not found")


def _own(of: ELBv2Backend, arn: str, done: str) -> tuple[FakeListener, FakeRule]:
    """The rule that somebody made; the default one belongs to its listener."""
    listener, rule = _found(of, arn)
    if rule.is_default:
        raise refused("OperationNotPermitted", f"Default rule '{arn}' cannot be {done}")
    return listener, rule


def _priority(asked: Any) -> int:
    if int(asked) not in _PRIORITIES:
        raise invalid(f"Priority '{asked}' must be between '1' and '50000'")
    return int(asked)


def _check_free(listener: FakeListener, priority: int, but: Any = ()) -> None:
    if any(one.priority == priority and one.arn not in but for one in listener.rules.values()):
        raise refused("PriorityInUse", f"Priority '{priority}' is currently in use")
