"""What Elastic Load Balancing knows, as far as moto's models do not hold it, and what the farm may turn.

Load balancers, listeners, rules and target groups are moto's objects; who uses which group, the targets, and the
settings are ours and live on them, so that moto's reset forgets all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from moto.ec2 import ec2_backends
from moto.ec2.models import EC2Backend
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import (
    ELBv2Backend,
    FakeAction,
    FakeListener,
    FakeLoadBalancer,
    FakeRule,
    FakeTargetGroup,
    elbv2_backends,
)
from moto.moto_api._internal import mock_random

from farm.aws import ACCOUNT, REGION
from farm.aws.elb.health import Probe, all_well

Params = dict[str, Any]


@dataclass(slots=True)
class Settings:
    """What tests and the farm may turn."""

    provisioning: float = 120.0
    """Seconds until a new load balancer is active."""
    registering: float = 2.0
    """Seconds until a registration takes effect."""
    draining: float | None = None
    """Seconds of draining, whatever the group says."""
    revive: bool = False
    """Whether registering a target that is draining brings it back; AWS says to wait (F§4.1)."""
    releasing: float = 0.0
    """Seconds for which a group still counts as in use after its last rule or listener went (F§4.2)."""
    weighted_network: bool = True
    """Whether a network load balancer's listener may forward to several groups (F§4.2: not everywhere)."""
    probe: Probe = all_well
    """Does a health check and says what it found. Called without any lock; must not block for long."""
    changed: Callable[[], object] = lambda: None
    """Told when load balancers, listeners or rules have changed."""
    page: int = 400
    """The page when none is asked for."""
    most_balancers: int = 50
    most_listeners: int = 50
    most_rules: int = 100
    """Of one load balancer, default rules not counted."""
    most_groups: int = 3000
    most_groups_per_balancer: int = 100
    most_targets: int = 1000
    """Of one group."""


@dataclass(slots=True)
class State:
    settings: Settings = field(default_factory=Settings)
    users: dict[str, set[str]] = field(default_factory=dict)
    """By target group the load balancers whose listeners or rules forward to it."""
    released: dict[str, float] = field(default_factory=dict)
    """When a group was last let go."""


def state_of(backend: ELBv2Backend) -> State:
    found: State = backend.__dict__.setdefault("farm_elb", State())
    return found


def backend(region: str = REGION) -> ELBv2Backend:
    return elbv2_backends[ACCOUNT][region]


def backend_of(group: FakeTargetGroup) -> ELBv2Backend:
    return elbv2_backends[group.account_id][group.region_name]


def ec2_of(of: ELBv2Backend) -> EC2Backend:
    return ec2_backends[of.account_id][of.region_name]


def settings(region: str = REGION) -> Settings:
    return state_of(backend(region)).settings


def refused(code: str, message: str) -> ELBClientError:
    """An error as AWS sends it: codes on the wire lack the `Exception` at their end."""
    return ELBClientError(code, message)


def invalid(message: str) -> ELBClientError:
    return refused("ValidationError", message)


def balancers(region: str = REGION) -> list[FakeLoadBalancer]:
    return list(backend(region).load_balancers.values())


def groups(region: str = REGION) -> list[FakeTargetGroup]:
    return list(backend(region).target_groups.values())


def group(arn: str, region: str = REGION) -> FakeTargetGroup:
    """The group with this ARN. KeyError if there is none."""
    return backend(region).target_groups[arn]


def listeners(balancer: FakeLoadBalancer) -> list[FakeListener]:
    return list(balancer.listeners.values())


def rules(listener: FakeListener) -> list[FakeRule]:
    """In the order in which they are tried: by priority, the default rule last."""
    return sorted(listener.rules.values(), key=lambda rule: (rule.is_default, rule.priority))


def forwards(actions: Iterable[FakeAction]) -> dict[str, int]:
    """The weight by target group to which these actions forward; empty if they do something else."""
    return {
        one["TargetGroupArn"]: one["Weight"]
        for action in actions
        if action.type == "forward"
        for one in action.data["ForwardConfig"]["TargetGroups"]
    }


def addresses(balancer: FakeLoadBalancer) -> list[str]:
    """Where it listens: one address per subnet, in their order."""
    return list(balancer.farm_addresses.values())


def users(group: FakeTargetGroup) -> list[str]:
    """The load balancers whose listeners or rules forward to the group: one at most, as AWS has it."""
    return sorted(state_of(backend_of(group)).users.get(group.arn, ()))


def find_users(of: ELBv2Backend) -> dict[str, set[str]]:
    """All groups that somebody forwards to, and who does."""
    found: dict[str, set[str]] = {}
    for balancer, arn in _uses(of):
        found.setdefault(arn, set()).add(balancer)
    return found


def _uses(of: ELBv2Backend) -> Iterator[tuple[str, str]]:
    for balancer in of.load_balancers.values():
        for listener in balancer.listeners.values():
            for rule in listener.rules.values():
                for arn in forwards(rule.actions):
                    yield balancer.arn, arn


def random_hex(size: int) -> str:
    return str(mock_random.get_random_hex(size))
