"""The life of one task, from PROVISIONING to STOPPED, and the events that ECS sends about it (F§1.2, F§1.3).

Each stage is an action on the timeline; what a stage brings with it is `farm.aws.ecs.tasks`'. A stop is decided first
(desiredStatus STOPPED while lastStatus is still RUNNING) and carried out later; a death comes without warning. Each
step makes an event: the task as DescribeTasks shows it, `version` included, but for what AWS spells differently there.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from moto.core.serialize import JSONSerializer, XFormedAttributePicker
from moto.core.utils import get_service_model

from farm.aws import ONE_AT_A_TIME
from farm.aws.ecs.model import Task
from farm.aws.ecs.tasks import has_health_check, retire_task, set_health, set_task, stop_timeout
from farm.bus import Bus, iso
from farm.pace import Pace
from farm.timeline import Timeline

_STARTING = {"PROVISIONING": "PENDING", "PENDING": "ACTIVATING", "ACTIVATING": "RUNNING"}
_STOPPING = {
    "PROVISIONING": "DEPROVISIONING",
    "PENDING": "DEPROVISIONING",
    "ACTIVATING": "DEACTIVATING",
    "RUNNING": "DEACTIVATING",
    "DEACTIVATING": "STOPPING",
    "STOPPING": "DEPROVISIONING",
    "DEPROVISIONING": "STOPPED",
}


class Lives:
    """Carries tasks through their stages. `changed` is told of every step, once its event is on the way."""

    def __init__(
        self, timeline: Timeline, bus: Bus, pace: Pace, changed: Callable[[Task], None], *, seed: int
    ) -> None:
        self.pace = pace
        self._timeline = timeline
        self._bus = bus
        self._changed = changed
        self._random = random.Random(seed)
        self._told: dict[str, int] = {}
        """The version of each task that the last event told of."""

    def attend(self, task: Task) -> None:
        """A task that the API has made or stopped goes its way from there; one that nobody touched already does."""
        if not task.version:
            set_task(task, "PROVISIONING")
        if task.version > self._told.get(task.id, 0):
            self._tell(task)
            self._go_on(task)

    def stop(self, task: Task, *, code: str, reason: str) -> None:
        """Decide that a task stops; it does so in its own time. Deciding twice changes nothing."""
        if task.desired_status == "RUNNING":
            self.attend(set_task(task, stop_code=code, stopped_reason=reason))

    def kill(self, task: Task, *, exit_code: int = 137) -> None:
        """The essential container is gone without warning."""
        if task.last_status != "STOPPED":
            self._tell(retire_task(task, exit_code=exit_code))

    def health(self, task: Task, status: str) -> None:
        """What the container health check found: no event says so (F§1.2)."""
        if task.last_status == task.desired_status == "RUNNING":
            set_health(task, status)
            self._changed(task)

    def _go_on(self, task: Task) -> None:
        """The next stage, in a while; unless by then something else has become of the task."""
        then = (task.last_status, task.desired_status)
        following = (_STARTING if task.desired_status == "RUNNING" else _STOPPING).get(task.last_status)
        if following is None:
            return

        def step() -> None:
            if then == (task.last_status, task.desired_status):
                self._tell(set_task(task, following))
                self._go_on(task)

        self._later(self._duration(task), step)

    def _duration(self, task: Task) -> float:
        """How long a task stays in the stage that it is in."""
        if task.desired_status == "STOPPED" and task.last_status in {*_STARTING, "RUNNING"}:
            return self.pace.decided
        if task.last_status == "STOPPING":
            return min(self.pace.stopping, stop_timeout(task))
        return float(getattr(self.pace, task.last_status.lower()))

    def _tell(self, task: Task) -> None:
        self._told[task.id] = task.version
        detail = {**described(task), "updatedAt": iso(self._timeline.now(), milliseconds=True)}
        self._bus.emit("aws.ecs", "ECS Task State Change", detail, [task.task_arn])
        if task.last_status == task.desired_status == "RUNNING" and has_health_check(task):
            self._later(self.pace.healthy, lambda: self._first_check(task))
        self._changed(task)

    def _first_check(self, task: Task) -> None:
        if task.health_status == "UNKNOWN":
            self.health(task, "HEALTHY")

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        def alone() -> None:
            with ONE_AT_A_TIME:
                action()

        uneven = 1 + self._random.uniform(-self.pace.uneven, self.pace.uneven)
        self._timeline.after(seconds * uneven, alone)


def described(task: Task) -> dict[str, Any]:
    """The task as an event shows it: times in ISO 8601, its interface called "eni", no tags (F§1.1, F§1.2)."""
    model = get_service_model("ecs").operation_model("DescribeTasks")
    serializer = JSONSerializer(operation_model=model, value_picker=XFormedAttributePicker())
    detail: dict[str, Any] = json.loads(serializer.serialize({"tasks": [task]})["body"])["tasks"][0]
    detail.pop("tags", None)
    for attachment in detail.get("attachments", []):
        if attachment["type"] == "ElasticNetworkInterface":
            attachment["type"] = "eni"
    return {key: _as_text(value) if key.endswith("At") else value for key, value in detail.items()}


def _as_text(seconds: float) -> str:
    return iso(seconds, milliseconds=True)
