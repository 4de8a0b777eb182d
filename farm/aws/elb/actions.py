"""What a listener or a rule does with a request: above all, which groups it may forward to, and with what weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from moto.elbv2.models import ELBv2Backend, FakeAction, FakeListener, FakeLoadBalancer, FakeTargetGroup

from farm.aws.elb.model import Params, forwards, invalid, refused, state_of, users

_MOST_GROUPS = 5
_MOST_WEIGHT = 999
_ROUTING = frozenset({"forward", "redirect", "fixed-response"})
_FITTING = {
    "HTTP": {"HTTP", "HTTPS"},
    "HTTPS": {"HTTP", "HTTPS"},
    "TCP": {"TCP", "TCP_UDP"},
    "TLS": {"TCP", "TLS"},
    "UDP": {"UDP", "TCP_UDP"},
    "TCP_UDP": {"TCP_UDP"},
}


def actions(
    of: ELBv2Backend, balancer: FakeLoadBalancer, protocol: str, asked: Sequence[Params]
) -> list[FakeAction]:
    """The actions as they will be shown, for a listener of this protocol. Refused if AWS would not have them."""
    made = [FakeAction(_shown(action)) for action in asked]
    of._validate_actions(made)  # their types, and whether the groups exist
    if [action.type in _ROUTING for action in made] != [False] * (len(made) - 1) + [True]:
        raise invalid(
            "The actions must have exactly one action of type forward, redirect or fixed-response, at the end"
        )
    if balancer.type == "network":
        _check_network(of, made)
    for action in made:
        _check_weights(action)
    for arn in forwards(made):
        _check_group(of.target_groups[arn], balancer, protocol)
    _check_quota(of, balancer, forwards(made))
    return made


def _shown(asked: Params) -> Params:
    """A forward is shown in full; a single group is named beside it as well."""
    if asked.get("Type") != "forward":
        return dict(asked)
    config = asked.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or [{"TargetGroupArn": asked.get("TargetGroupArn") or ""}]
    if "TargetGroupArn" in asked and [one["TargetGroupArn"] for one in groups] != [asked["TargetGroupArn"]]:
        raise invalid("You cannot specify both a target group ARN and a forward configuration that differs")
    shown = [{"Weight": 1, **one} for one in groups]
    alone = {"TargetGroupArn": shown[0]["TargetGroupArn"]} if len(shown) == 1 else {}
    sticky = config.get("TargetGroupStickinessConfig") or {"Enabled": False}
    forward = {"TargetGroups": shown, "TargetGroupStickinessConfig": sticky}
    return {**asked, **alone, "ForwardConfig": forward}


def _check_network(of: ELBv2Backend, made: Sequence[FakeAction]) -> None:
    if any(action.type != "forward" for action in made):
        raise refused(
            "InvalidLoadBalancerAction", "A Network Load Balancer listener supports only forward actions"
        )
    if len(forwards(made)) > 1 and not state_of(of).settings.weighted_network:
        raise invalid("A forward action of a Network Load Balancer must have exactly one target group")


def _check_weights(action: FakeAction) -> None:
    if action.type != "forward":
        return
    groups = action.data["ForwardConfig"]["TargetGroups"]
    if len(groups) > _MOST_GROUPS:
        raise invalid(f"A forward action can have at most '{_MOST_GROUPS}' target groups")
    if len({one["TargetGroupArn"] for one in groups}) < len(groups):
        raise invalid("A forward action cannot name a target group twice")
    for one in groups:
        if not 0 <= int(one["Weight"]) <= _MOST_WEIGHT:
            raise invalid(f"Weight '{one['Weight']}' must be between '0' and '{_MOST_WEIGHT}'")


def _check_group(group: FakeTargetGroup, balancer: FakeLoadBalancer, protocol: str) -> None:
    if group.protocol not in _FITTING[protocol]:
        raise refused(
            "IncompatibleProtocols",
            f"The protocol '{group.protocol}' of target group '{group.arn}' is not compatible with the listener "
            f"protocol '{protocol}'",
        )
    if group.vpc_id != balancer.vpc_id:
        raise refused(
            "InvalidConfigurationRequest",
            f"The following target groups are not in the same VPC as load balancer '{balancer.arn}': {group.arn}",
        )
    if set(users(group)) - {balancer.arn}:
        raise refused(
            "TargetGroupAssociationLimit",
            f"The following target groups cannot be associated with more than one load balancer: {group.arn}",
        )


def _check_quota(of: ELBv2Backend, balancer: FakeLoadBalancer, wanted: Iterable[str]) -> None:
    state = state_of(of)
    present = {arn for arn, owners in state.users.items() if balancer.arn in owners}
    if (
        balancer.type == "application"
        and len(present.union(wanted)) > state.settings.most_groups_per_balancer
    ):
        raise refused(
            "TooManyUniqueTargetGroupsPerLoadBalancer",
            "The maximum number of unique target groups per load balancer has been reached",
        )


def same(listener: FakeListener, made: Sequence[FakeAction]) -> bool:
    """Whether these are what the listener does already."""
    return [action.data for action in listener.default_actions] == [action.data for action in made]
