"""What the product is compared with: the throw-away function that goes by `lastStatus` alone.

It registers a task when an event says RUNNING, and deregisters it when one says STOPPED. It never reads anything.
"""

from __future__ import annotations

from typing import Any

from farm.aws.ecs.model import Task
from farm.farm import Farm
from farm.seed import PORT
from farm.tasks import listeners

BALANCER = "naive"
_GROUP = "naive"
_DELAY = 0.2  # seconds until an event has arrived, as for the product
_CHECK: Any = {
    "HealthCheckIntervalSeconds": 10,
    "HealthCheckTimeoutSeconds": 5,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 2,
}  # the product's


class Follower:
    """Follows the tasks of a farm into a target group behind an ALB of its own."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self._group = farm.create_target_group(_GROUP, **_CHECK)
        farm.create_balancer(BALANCER, group=self._group)
        farm.living.followers.append(self._hear)

    def _hear(self, task: Task) -> None:
        act = {"RUNNING": self._farm.register, "STOPPED": self._farm.deregister}.get(task.last_status)
        places = [(each.address, PORT) for each in listeners(task)]
        if act and places and (task.last_status, task.desired_status) != ("RUNNING", "STOPPED"):
            self._farm.timeline.after(_DELAY, lambda: act(self._group, *places))
