"""How tests of `expose:lb` look at load balancing: what is ours there and whose, and whether targets are the tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from farm.balancers.routing import Request
from farm.balancers.traffic import Traffic
from farm.farm import Farm
from farm.gate import Call
from tests.integration.world import READS, become, kept

TAG = "expose:lb"
STACK = "ecs-expose"
OWNER = "ecs-expose:owner"
DRAINING = "draining"
MEMBERSHIP = {"RegisterTargets", "DeregisterTargets", "DescribeTargetHealth"}


def put_behind(farm: Farm, value: str, service: str = "conejo", count: int = 2, **more: Any) -> None:
    """Create a service with this tag, and let time pass until it is behind its load balancer."""
    farm.create_service(service, count, tags={TAG: value}, **more)
    become(farm, "Active", service, TAG)


def inventory(farm: Farm) -> dict[str, dict[str, Any]]:
    """All of load balancing by ARN: each thing as it is described, with its tags, and the targets of groups."""
    elb = farm.elb
    found: dict[str, Any] = {}
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        found[balancer["LoadBalancerArn"]] = {
            **balancer,
            "State": "",
        }  # an NLB of others may get ready meanwhile
        for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            found[listener["ListenerArn"]] = dict(listener)
            rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
            found |= {rule["RuleArn"]: dict(rule) for rule in rules if not rule["IsDefault"]}
    for group in elb.describe_target_groups()["TargetGroups"]:
        arn = group["TargetGroupArn"]
        attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        found[arn] = {**group, "attributes": attributes, "targets": sorted(staying(farm, arn))}
    for some in _chunks(sorted(found)):
        for each in elb.describe_tags(ResourceArns=some)["TagDescriptions"]:
            found[each["ResourceArn"]]["tags"] = {tag["Key"]: tag["Value"] for tag in each["Tags"]}
    return found


def owned(farm: Farm, kind: str = "") -> dict[str, dict[str, Any]]:
    """Of the inventory what bears the stack's mark; of one kind of ARN, such as `targetgroup`."""
    return {
        arn: each
        for arn, each in inventory(farm).items()
        if each["tags"].get(OWNER, "").partition("/")[0] == STACK and kind in {"", _kind(arn)}
    }


def kinds(farm: Farm) -> list[str]:
    """What there is of ours, a word each, sorted."""
    return sorted(map(_kind, owned(farm)))


def foreign(farm: Farm) -> dict[str, dict[str, Any]]:
    """What others have made, to be compared with what it was."""
    ours = owned(farm)
    return {arn: each for arn, each in inventory(farm).items() if arn not in ours}


def group_of(farm: Farm, service: str = "conejo", tag: str = TAG) -> str:
    """The ARN of the target group made for an exposure."""
    mark = f"{STACK}/granja/{service}/{tag}"
    (arn,) = [arn for arn, each in owned(farm, "targetgroup").items() if each["tags"][OWNER] == mark]
    return arn


def staying(farm: Farm, group: str) -> dict[tuple[str, int], str]:
    """The targets that do not drain, with their states."""
    return {target: state for target, state in farm.targets(group).items() if state != DRAINING}


def places(farm: Farm, service: str = "conejo", port: int = 8080) -> list[tuple[str, int]]:
    """Where the service's running tasks answer, sorted."""
    return [(address, port) for address in farm.addresses(service, public=False)]


def follows(farm: Farm, service: str = "conejo", group: str = "") -> bool:
    """Whether the targets are just the running tasks, and all healthy."""
    states = staying(farm, group or group_of(farm, service))
    return sorted(states) == places(farm, service) != [] and set(states.values()) == {"healthy"}


def assert_follows_a_rotation(farm: Farm, service: str = "conejo", group: str = "") -> None:
    group = group or group_of(farm, service)
    before = places(farm, service)
    farm.deploy_new_revision(service)
    farm.run_for(2)
    assert farm.run_until(lambda: farm.living.steady() and follows(farm, service, group), limit=90)
    assert not set(staying(farm, group)) & set(before)


def clean(farm: Farm) -> bool:
    """Whether nothing is left of the product's doings."""
    return not kept(farm) and not owned(farm)


def answers(
    farm: Farm, balancer: str, port: int = 80, request: Request | None = None, *, count: int = 40
) -> Traffic:
    """What comes of so many requests, four seconds long."""
    with farm.traffic(balancer, port, request, per_second=count / 4) as traffic:
        farm.run_for(4.01)
    return traffic


def asked_of_elb(farm: Farm, after: int = 0) -> list[Call]:
    """The product's calls to load balancing, from number `after` on."""
    return [call for call in farm.calls()[after:] if call.service == "elbv2" and call.caller != "user"]


def changes(farm: Farm, after: int = 0) -> list[Call]:
    return [call for call in asked_of_elb(farm, after) if not call.operation.startswith(READS)]


def weights(rule: Mapping[str, Any]) -> dict[str, int]:
    """By target group what a rule, or a listener, gives it."""
    actions = rule.get("Actions") or rule.get("DefaultActions") or []
    return {
        one["TargetGroupArn"]: one["Weight"]
        for action in actions
        for one in action.get("ForwardConfig", {}).get("TargetGroups", [])
    }


def _kind(arn: str) -> str:
    return arn.split(":")[5].split("/", maxsplit=1)[0]


def _chunks(arns: list[str]) -> Iterator[list[str]]:
    return (arns[at : at + 20] for at in range(0, len(arns), 20))
