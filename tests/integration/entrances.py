"""How tests of load balancers look at them from outside: groups, rules, and who answers."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from farm.aws import ONE_AT_A_TIME, elb
from farm.farm import Farm

CHECK = {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 4, "HealthyThresholdCount": 2}
NAME = "granja.example"


PATIENCE = 120.0
"""Seconds until a test gives up on what takes one or two: the machine may have other things to do."""


def eventually(reached: Callable[[], bool]) -> None:
    """Wait for it, for as long as it takes on a machine that is busy elsewhere."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def places(farm: Farm, service: str) -> list[tuple[str, int]]:
    return [(address, 8080) for address in farm.addresses(service, public=False)]


def group_of(farm: Farm, service: str, name: str, **more: Any) -> str:
    """A target group with the service's tasks, checked far more often than AWS would, so that tests are short."""
    arn = farm.create_target_group(name, **CHECK, **more)
    with ONE_AT_A_TIME:
        elb.group(arn).health_check_interval_seconds = 0.2
    farm.register(arn, *places(farm, service))
    return arn


def healthy(farm: Farm, *groups: str) -> None:
    eventually(lambda: {state for group in groups for state in farm.targets(group).values()} == {"healthy"})


def route(farm: Farm, balancer: str, path: str, *groups: tuple[str, int], priority: int = 10) -> str:
    config: Any = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups]}
    made = farm.elb.create_rule(
        ListenerArn=farm.listener_arn(balancer, 80),
        Priority=priority,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [path, f"{path}/*"]}}],
        Actions=[{"Type": "forward", "ForwardConfig": config}],
    )
    return made["Rules"][0]["RuleArn"]


def listening(farm: Farm, balancer: str, port: int = 80) -> None:
    eventually(lambda: bool(farm.doors(balancer, port)))


def get(
    farm: Farm, balancer: str, path: str = "/", port: int = 80, context: ssl.SSLContext | None = None
) -> Any:
    """What a task answers, or the balancer's own status."""
    address, bound = farm.reach(balancer, port)
    url = f"{'https' if context else 'http'}://{address}:{bound}{path}"
    asked = urllib.request.Request(url, data=None, headers={"Host": NAME})
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE, context=context) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
