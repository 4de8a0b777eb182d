"""Elastic Load Balancing made right: targets that start, are checked and drain, and what AWS refuses (F§4).

moto keeps its models and most of its front; what they do is here, and what they lack lives on them. `settings()` is
what tests and the farm turn. A data plane reads `balancers`, `addresses`, `listeners`, `rules`, `forwards` and
`targets`, and says through `settings().probe` what a health check finds.
"""

from __future__ import annotations

from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer, FakeTargetGroup
from moto.elbv2.responses import ELBV2Response

from farm.aws.elb import balancing, calls, grouping, listening, registering, ruling, tags
from farm.aws.elb.health import Check, Finding, Probe
from farm.aws.elb.model import (
    Settings,
    addresses,
    balancers,
    forwards,
    group,
    groups,
    listeners,
    rules,
    settings,
    users,
)
from farm.aws.elb.registering import Target, targets

__all__ = [
    "Check",
    "Finding",
    "Probe",
    "Settings",
    "Target",
    "addresses",
    "balancers",
    "forwards",
    "group",
    "groups",
    "listeners",
    "mend",
    "rules",
    "settings",
    "targets",
    "users",
]

_ACTS = (
    balancing.create_load_balancer,
    balancing.delete_load_balancer,
    balancing.describe_load_balancers,
    balancing.set_subnets,
    grouping.create_target_group,
    grouping.delete_target_group,
    grouping.describe_target_groups,
    listening.create_listener,
    listening.modify_listener,
    listening.delete_listener,
    listening.describe_listeners,
    ruling.create_rule,
    ruling.modify_rule,
    ruling.delete_rule,
    ruling.describe_rules,
    ruling.set_rule_priorities,
    registering.register_targets,
    registering.deregister_targets,
    registering.describe_target_health,
    tags.add_tags,
    tags.describe_tags,
)
_CALLS = (
    calls.describe_load_balancers,
    calls.describe_listeners,
    calls.describe_rules,
    calls.describe_target_groups,
    calls.modify_target_group,
)


def mend() -> None:
    """Put moto's Elastic Load Balancing right."""
    for act in _ACTS:
        setattr(ELBv2Backend, act.__name__, act)
    for call in _CALLS:
        setattr(ELBV2Response, call.__name__, call)
    ELBv2Backend.modify_target_group_attributes = grouping.modify_attributes
    FakeTargetGroup.deregister_terminated_instances = registering.forget_instances
    FakeTargetGroup.load_balancer_arns = property(users, lambda *_: None)  # moto would only let it grow
    FakeLoadBalancer.activate = lambda _: None  # looking makes nothing ready
