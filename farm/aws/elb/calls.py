"""Calls whose front moto has wrong: those that list give pages, and a matcher is more than HTTP statuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import ListenerOrBalancerMissingError
from moto.elbv2.models import FakeRule
from moto.elbv2.responses import ELBV2Response

from farm.aws.elb.grouping import modify_target_group as modify_group
from farm.aws.elb.model import invalid, state_of
from farm.aws.paging import BadTokenError, page

_LARGEST_PAGE = 400


def describe_load_balancers(self: ELBV2Response) -> ActionResult:
    arns, names = self._get_param("LoadBalancerArns", []), self._get_param("Names", [])
    found = self.elbv2_backend.describe_load_balancers(arns, names)
    return _page(self, "LoadBalancers", found, lambda one: str(one.arn))


def describe_listeners(self: ELBV2Response) -> ActionResult:
    balancer, arns = self._get_param("LoadBalancerArn"), self._get_param("ListenerArns", [])
    if not balancer and not arns:
        raise ListenerOrBalancerMissingError
    found = self.elbv2_backend.describe_listeners(balancer, arns)
    return _page(self, "Listeners", found, lambda one: str(one.arn))


def describe_rules(self: ELBV2Response) -> ActionResult:
    found = self.elbv2_backend.describe_rules(self._get_param("ListenerArn"), self._get_param("RuleArns"))
    return _page(self, "Rules", found, _place)


def describe_target_groups(self: ELBV2Response) -> ActionResult:
    found = self.elbv2_backend.describe_target_groups(
        self._get_param("LoadBalancerArn"),
        self._get_param("TargetGroupArns", []),
        self._get_param("Names", []),
    )
    return _page(self, "TargetGroups", found, lambda one: f"{one.name}/{one.arn}")


def modify_target_group(self: ELBV2Response) -> ActionResult:
    asked = self._get_params()
    return ActionResult({"TargetGroups": [modify_group(self.elbv2_backend, asked["TargetGroupArn"], asked)]})


def _place(rule: FakeRule) -> str:
    """Sorts by priority, the default rules after all others."""
    return f"{rule.priority:>7}/{rule.arn}" if not rule.is_default else f"~/{rule.arn}"


def _page(self: ELBV2Response, name: str, found: Iterable[Any], place: Callable[[Any], str]) -> ActionResult:
    size = self._get_int_param("PageSize", state_of(self.elbv2_backend).settings.page)
    if not 1 <= size <= _LARGEST_PAGE:
        raise invalid(f"Page size '{size}' must be between '1' and '{_LARGEST_PAGE}'")
    try:
        some, following = page(found, place, size, self._get_param("Marker"))
    except BadTokenError as error:
        raise invalid("The marker is not valid") from error
    return ActionResult({name: some, "NextMarker": following})
