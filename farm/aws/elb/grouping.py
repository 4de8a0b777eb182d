"""Target groups: made once under a name, changed, and deleted only when nobody forwards to them (F§4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from moto.elbv2.exceptions import LoadBalancerNotFoundError, TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup

from farm.aws import clock
from farm.aws.elb.health import statuses
from farm.aws.elb.model import Params, invalid, refused, state_of, users
from farm.aws.elb.names import check_name

_NETWORK = frozenset({"TCP", "UDP", "TLS", "TCP_UDP"})
_DELAY = "deregistration_delay.timeout_seconds"
_BOUNDS = {
    "health_check_interval_seconds": ("Health check interval", 5, 300),
    "health_check_timeout_seconds": ("Health check timeout", 2, 120),
    "healthy_threshold_count": ("Healthy threshold count", 2, 10),
    "unhealthy_threshold_count": ("Unhealthy threshold count", 2, 10),
}
_CHANGES = {
    "HealthCheckProtocol": "health_check_protocol",
    "HealthCheckPort": "health_check_port",
    "HealthCheckPath": "health_check_path",
    "HealthCheckIntervalSeconds": "health_check_interval_seconds",
    "HealthCheckTimeoutSeconds": "health_check_timeout_seconds",
    "HealthyThresholdCount": "healthy_threshold_count",
    "UnhealthyThresholdCount": "unhealthy_threshold_count",
    "Matcher": "matcher",
}
_SETTINGS = ("vpc_id", "protocol", "protocol_version", "port", "target_type", *_CHANGES.values())
"""What makes two groups of one name the same."""

_moto_create = ELBv2Backend.create_target_group
_moto_modify_attributes = ELBv2Backend.modify_target_group_attributes


def create_target_group(self: ELBv2Backend, name: str, **asked: Any) -> FakeTargetGroup:
    """The same once more is no error: it gives the group that there is, with the tags that it has."""
    check_name("Target group", name)
    tags = asked.pop("tags", None)
    twin = next((one for one in self.target_groups.values() if one.name == name), None)
    made = _made_apart(self, name, asked)
    if twin:
        if _settings(twin) != _settings(made):
            raise refused(
                "DuplicateTargetGroupName",
                f"A target group with the same name '{name}' exists, but with different settings",
            )
        return twin
    if len(self.target_groups) >= state_of(self).settings.most_groups:
        raise refused("TooManyTargetGroups", "The maximum number of target groups has been reached")
    self.target_groups[made.arn] = made
    self.tagging_service.tag_resource(made.arn, tags)
    return made


def modify_target_group(self: ELBv2Backend, arn: str, asked: Params) -> FakeTargetGroup:
    """Only what is given changes, and nothing if any of it is refused."""
    group = _group(self, arn)
    changes = {attribute: asked[name] for name, attribute in _CHANGES.items() if asked.get(name) is not None}
    _check({**_settings(group), **changes})
    vars(group).update(changes)
    return group


def modify_attributes(self: ELBv2Backend, target_group_arn: str, attributes: dict[str, Any]) -> None:
    group, rest = _group(self, target_group_arn), {**attributes}
    delay = str(rest.pop(_DELAY, "0"))
    if not delay.isdigit() or int(delay) > 3600:
        raise invalid(f"'{_DELAY}' value '{delay}' must be between '0-3600' inclusive")
    _moto_modify_attributes(self, target_group_arn, rest)
    group.attributes.update(attributes)


def delete_target_group(self: ELBv2Backend, target_group_arn: str) -> FakeTargetGroup:
    group, state = _group(self, target_group_arn), state_of(self)
    released = state.released.get(group.arn, float("-inf"))
    if users(group) or clock.now() < released + state.settings.releasing:
        raise refused(
            "ResourceInUse", f"Target group '{group.arn}' is currently in use by a listener or a rule"
        )
    del self.target_groups[group.arn]
    self.tagging_service.delete_all_tags_for_resource(group.arn)
    return group


def describe_target_groups(
    self: ELBv2Backend,
    load_balancer_arn: str | None,
    target_group_arns: Sequence[str] | None,
    names: Sequence[str] | None,
) -> list[FakeTargetGroup]:
    if sum(map(bool, (load_balancer_arn, target_group_arns, names))) > 1:
        raise invalid(
            "Target group names, target group ARNs, and a load balancer ARN cannot be specified at the same time"
        )
    if load_balancer_arn and load_balancer_arn not in self.load_balancers:
        raise LoadBalancerNotFoundError
    present = sorted(self.target_groups.values(), key=lambda one: str(one.name))
    if load_balancer_arn:
        return [one for one in present if load_balancer_arn in users(one)]
    if not target_group_arns and not names:
        return present
    wanted = {*(target_group_arns or ()), *(names or ())}
    found = [one for one in present if one.arn in wanted or one.name in wanted]
    if wanted - {one.arn for one in found} - {one.name for one in found}:
        raise TargetGroupNotFoundError
    return found


def _made_apart(of: ELBv2Backend, name: str, asked: Params) -> FakeTargetGroup:
    """What moto makes of it, with AWS's defaults, but not yet among the others."""
    others, of.target_groups = of.target_groups, {}
    try:
        made = _moto_create(of, name, **{**asked, **_defaults(asked)})
    finally:
        of.target_groups = others
    _check(_settings(made))
    return made


def _defaults(asked: Params) -> Params:
    """Those that moto does not know."""
    if asked.get("protocol_version") == "GRPC":
        defaults: Params = {"healthcheck_path": "/AWS.ALB/healthcheck", "matcher": {"GrpcCode": "12"}}
    elif asked.get("protocol") in _NETWORK and asked.get("healthcheck_protocol") in {"HTTP", "HTTPS"}:
        path, matcher = "/", {"HttpCode": "200-399"}
        defaults = {"healthcheck_path": path, "matcher": matcher, "healthcheck_timeout_seconds": 6}
    else:
        defaults = {}
    return {key: value for key, value in defaults.items() if asked.get(key) is None}


def _settings(group: FakeTargetGroup) -> Params:
    found = {name: getattr(group, name, None) for name in _SETTINGS}
    return {name: str(value) if isinstance(value, int) else value for name, value in found.items()}


def _check(settings: Params) -> None:
    for name, (words, low, high) in _BOUNDS.items():
        if not low <= int(settings[name]) <= high:
            raise invalid(f"{words} '{settings[name]}' must be between '{low}' and '{high}'")
    interval, timeout = (int(settings[f"health_check_{one}_seconds"]) for one in ("interval", "timeout"))
    if timeout > interval or (timeout == interval and settings["protocol"] not in _NETWORK):
        raise invalid(f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'")
    path = settings["health_check_path"]
    if path and not (path.startswith("/") and len(path) <= 1024):
        raise invalid(f"Health check path '{path}' must start with '/' and have at most 1024 characters")
    _check_matchers((settings["matcher"] or {}).values())


def _check_matchers(matchers: Iterable[str]) -> None:
    for matcher in matchers:
        try:
            statuses(matcher)
        except ValueError as error:
            raise invalid(f"Health check matcher '{matcher}' is not valid") from error


def _group(of: ELBv2Backend, arn: str) -> FakeTargetGroup:
    if found := of.target_groups.get(arn):
        return found
    raise TargetGroupNotFoundError
