"""ECS that lives: services converge to what they ask for, by starting and stopping tasks as time goes by.

The API (`farm.aws.ecs`) takes wishes and shows what is; this is the scheduler behind it. It watches the calls that pass
the gate, and after any that matters, and after every step in a task's life, looks at the service again: `rollout`
decides, `life` carries it out, `deployments` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import ecs_backends

from farm.aws import ACCOUNT, ONE_AT_A_TIME, REGION
from farm.aws.ecs import shifting
from farm.aws.ecs.model import Task, now, tasks_of
from farm.aws.ecs.tasks import purge_task, service_of, start_task
from farm.bus import Bus
from farm.deployments import Books, Service, live, why_stopped, wish
from farm.gate import Call
from farm.life import Lives
from farm.pace import Pace
from farm.rollout import Step, done, next_step
from farm.timeline import Timeline

_KEEP_STOPPED = timedelta(hours=1)
"""Stopped tasks stay visible for at least an hour (F§1.3)."""


class Living:
    """The scheduler. What it does, it does on the timeline."""

    def __init__(self, timeline: Timeline, bus: Bus, pace: Pace, *, seed: int = 0) -> None:
        self.followers: list[Callable[[Task], None]] = []
        """Told of every step of every task."""
        self._timeline = timeline
        self._pace = pace
        self._lives = Lives(timeline, bus, pace, self._task_changed, seed=seed)
        self._books = Books(bus)
        self._due: set[str] = set()

    def observe(self, call: Call, result: Any) -> None:  # noqa: ARG002 - an observer's signature
        """What a call that passed the gate sets going."""
        if call.service != "ecs":
            return
        match call.operation:
            case "CreateService" | "UpdateService" | "DeleteService":
                self._look_soon(_named(call))
            case "RunTask" | "StartTask" | "StopTask":
                self._soon(0.0, self._attend_all)
            case "RegisterContainerInstance":
                self.host_came()

    def host_came(self) -> None:
        """There may be room now for tasks that had none."""
        for service in list(_backend().services.values()):
            self._look_soon(service)

    def task(self, task_id: str) -> Task:
        """The task with this id; KeyError if there is none."""
        return {task.id: task for task in _all_tasks()}[task_id]

    def kill(self, task_id: str, *, exit_code: int = 137) -> None:
        """The task dies without warning."""
        task = self.task(task_id)
        self._soon(0.0, lambda: self._lives.kill(task, exit_code=exit_code))

    def stop(self, task_id: str, *, code: str, reason: str) -> None:
        """AWS decides that a task stops: a Spot interruption, a host that goes."""
        task = self.task(task_id)
        self._soon(0.0, lambda: self._lives.stop(task, code=code, reason=reason))

    def shift(self, service: str, weight: float, stage: str = "PRODUCTION_TRAFFIC_SHIFT") -> None:
        """So much of production traffic goes to a service's new colour."""
        shifting.shift_traffic(_backend().services[service], weight, stage)

    def clean_up(self, service: str) -> None:
        """The old colour of a service may go."""
        found = _backend().services[service]
        shifting.clean_up(found)
        self._look_soon(found)

    def health(self, task_id: str, status: str) -> None:
        """The container health check changes its mind."""
        task = self.task(task_id)
        self._soon(0.0, lambda: self._lives.health(task, status))

    def steady(self) -> bool:
        """Whether every service has what it asks for and no task is on its way."""
        return not self._due and all(_is_steady(service) for service in list(_backend().services.values()))

    def _task_changed(self, task: Task) -> None:
        for follower in self.followers:
            follower(task)
        if service := service_of(task):
            self._look_soon(service)

    def _attend_all(self) -> None:
        for task in _all_tasks():
            self._lives.attend(task)

    def _look_soon(self, service: Service) -> None:
        key = f"{service.cluster_name}:{service.name}"
        if key not in self._due:
            self._due.add(key)
            self._soon(self._pace.schedule, lambda: self._look(key))

    def _look(self, key: str) -> None:
        """One turn of the scheduler for one service."""
        self._due.discard(key)
        service = _backend().services.get(key)
        if service is None:
            return
        alive = [task for task in tasks_of(service) if task.desired_status == "RUNNING"]
        if service.status != "ACTIVE":
            for task in alive:
                self._lives.stop(task, code="ServiceSchedulerInitiated", reason="Service was deleted")
        elif service.deployments:  # none: an external controller sees to the tasks
            self._converge(service, alive)

    def _converge(self, service: Service, alive: list[Task]) -> None:
        self._books.opened(service)
        wanted, lives = wish(service), [live(task) for task in alive]
        if step := next_step(wanted, lives):
            self._take(service, step, alive)
        elif done(wanted, lives):
            self._books.settled(service)

    def _take(self, service: Service, step: Step, alive: list[Task]) -> None:
        stopped = [task for task in alive if task.id in step.stop]
        for task in stopped:
            self._lives.stop(task, code="ServiceSchedulerInitiated", reason=why_stopped(service, task))
        self._books.moved(service, started=list(self._start(service, step.start)), stopped=stopped)

    def _start(self, service: Service, count: int) -> Iterator[Task]:
        _forget_long_stopped()
        for _ in range(count):
            try:
                task = start_task(service)
            except InvalidParameterException:  # nothing changes until a host comes or a task goes
                self._books.unplaced(service)
                return
            task.attachments[:0] = _native(service, task)
            self._lives.attend(task)
            yield task

    def _soon(self, seconds: float, action: Callable[[], None]) -> None:
        def alone() -> None:
            with ONE_AT_A_TIME:
                action()

        self._timeline.after(seconds, alone)


def _backend() -> Any:
    return ecs_backends[ACCOUNT][REGION]


def _all_tasks() -> list[Task]:
    return [task for tasks in list(_backend().tasks.values()) for task in list(tasks.values())]


def _named(call: Call) -> Service:
    """The service that a call is about, by whichever of its names was given."""
    cluster = call.params.get("cluster", "default").rpartition("/")[2]
    name = (call.params.get("serviceName") or call.params["service"]).rpartition("/")[2]
    return _backend().services[f"{cluster}:{name}"]


def _is_steady(service: Service) -> bool:
    tasks = [task for task in tasks_of(service) if task.last_status != "STOPPED"]
    if service.status != "ACTIVE" or not service.deployments:
        return not tasks
    return all(task.desired_status == "RUNNING" for task in tasks) and done(
        wish(service), [live(task) for task in tasks]
    )


def _native(service: Service, task: Task) -> list[dict[str, Any]]:
    """What ECS attaches for its own load balancing and discovery stands before the interface (F§1.2)."""
    kinds = {"elb": service.load_balancers, "sdi": service.service_registries}
    return [
        {"id": f"{kind}-{task.id}", "type": kind, "status": "ATTACHED", "details": []}
        for kind, used in kinds.items()
        if used
    ]


def _forget_long_stopped() -> None:
    for task in _all_tasks():
        if task.stopped_at and task.stopped_at < now() - _KEEP_STOPPED:
            purge_task(task)
