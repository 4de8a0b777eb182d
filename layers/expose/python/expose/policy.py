"""What may be done: which tasks are ready, how an emptied name is held, what a policy and the allow-lists permit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from fnmatch import fnmatchcase

from expose.model import Exposure, Owned, Service, Task, digest
from expose.plan import Delete, Forget, Plan
from expose.refusals import Refused

Policy = Callable[[Plan, Collection[str]], Plan]
"""What may be done of a plan, given the tasks that are not to stop."""


def sync(plan: Plan, _: Collection[str]) -> Plan:
    return plan


def upsert_only(plan: Plan, alive: Collection[str]) -> Plan:
    """Nothing is deleted but the address of a task that has stopped, for that belongs to somebody else already, and what
    lets everybody pass although nobody asks for it any more.
    """
    keep = (
        change
        for change in plan.closings
        if isinstance(change, Forget) or change.owned.open or stopped(change.owned, alive)
    )
    return Plan(plan.openings, tuple(keep))


def observe(_: Plan, __: Collection[str]) -> Plan:
    return Plan()


POLICIES: Mapping[str, Policy] = {"sync": sync, "upsert-only": upsert_only, "observe": observe}


def stopped(entry: Owned, alive: Collection[str]) -> bool:
    """Whether a resource is there for a task that is to stop, or has."""
    return bool(entry.task) and entry.task not in alive


def is_last(entry: Owned, staying: Iterable[Owned]) -> bool:
    """Whether no other task is surely reachable."""
    return not any(each.reachable for each in staying if each.identity != entry.identity)


def withdrawal(owned: Iterable[Owned], alive: Collection[str]) -> Plan:
    """Of what is there for tasks that are to stop, or have."""
    return Plan(closings=tuple(Delete(each) for each in owned if stopped(each, alive) and not each.busy))


SERVES_ON = 15.0
"""Seconds for which a task that is to stop may be taken to serve, where its successor is not yet there."""


Ready = Callable[[Task, Service], bool]
"""Whether a task may be reachable."""


def ready(task: Task, service: Service) -> bool:
    """Running, and healthy where its task definition says how to tell."""
    definition = service.definitions.get(task.definition)
    return runs(task, service) and definition is not None and (task.healthy or not definition.health_checked)


def runs(task: Task, service: Service) -> bool:
    """Running, and there for production traffic: enough where something else asks whether it is healthy."""
    return task.running and counts(task, service) and task.definition in service.definitions


def counts(task: Task, service: Service) -> bool:
    """Whether it is there for production traffic. One of which that is not known waits."""
    return service.serving is None or task.started_by in service.serving


def reverts(task: Task, service: Service) -> bool:
    """Whether what is known of it may change while it runs, without any event: its health, or in bridge mode its ports of
    the host, when a container is started again in place.
    """
    definition = service.definitions.get(task.definition)
    return definition is None or definition.health_checked or definition.network_mode == "bridge"


class Detail(IntEnum):
    """How much has to be known of each task: each degree with all before it."""

    PRIVATE = 0
    PUBLIC = 1  # its public addresses
    OPEN = 2  # and what the internet reaches there


@dataclass(frozen=True, slots=True)
class Replacing:
    """That a task found unhealthy for longer than `grace` seconds is to be stopped, so that ECS starts another."""

    grace: float


def to_publish(
    service: Service, ready: Ready, *, published: Collection[str], none_ready_for: float, empty_after: float
) -> tuple[Task, ...]:
    """The tasks that are `ready`; or, where a service that wants tasks has had none ready for less than `empty_after` seconds,
    those that were published and have not stopped: no surprise empties a name.

    Tasks that are stopping are not among the service's tasks at all, so their addresses are never held.
    """
    if not service.active:
        return ()
    able = tuple(task for task in service.tasks if ready(task, service))
    if able or not service.wanted or none_ready_for >= empty_after:
        return able
    return tuple(task for task in service.tasks if task.id in published)


@dataclass(frozen=True, slots=True)
class Apis:
    """What a stack says of the HTTP APIs: which existing ones a tag may name, whether routes may be open, and what goes
    for all that are made. `presets` are terms of authorisation by name, `logs` the ARN of the access logs' group,
    `certificate` and `zone` what custom domains are made with, `rest_target` whether a REST API is told the `listener` or the
    `load-balancer` that stands behind it: AWS's own sources disagree (F§5.5).
    """

    allowed: tuple[str, ...] = ("*",)
    open_routes: bool = False
    presets: Mapping[str, str] = field(default_factory=dict, hash=False)
    certificate: str = ""
    zone: str = ""
    cors: tuple[str, ...] = ()
    logs: str = ""
    closes_default: bool = False
    rest_target: str = "listener"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tag may ask for in this stack. `*` allows everything."""

    clusters: tuple[str, ...] = ("*",)
    mechanisms: tuple[str, ...] = ("*",)
    names: tuple[str, ...] = ("*",)
    create_namespaces: str = "no"
    load_balancers: tuple[str, ...] = ("*",)
    create_load_balancers: str = "no"
    apis: Apis = Apis()

    @property
    def digest(self) -> str:
        """What was decided under another one is to be decided anew."""
        return digest(repr(self))

    def allow_cluster(self, cluster: str) -> bool:
        return any(fnmatchcase(cluster, pattern) for pattern in self.clusters)

    def barred(self, cluster: str, whose: str) -> Refused | None:
        """Why the services of a cluster may not be followed; `whose` tags are refused."""
        if self.allow_cluster(cluster):
            return None
        return Refused("NotAllowed", f"{whose}: {not_allowed('AllowedClusters', cluster, self.clusters)}")

    def check_mechanism(self, exposure: Exposure) -> None:
        """Raise `Refused` for a mechanism that is not allowed."""
        if not any(fnmatchcase(exposure.mechanism, pattern) for pattern in self.mechanisms):
            problem = not_allowed("AllowedMechanisms", exposure.mechanism, self.mechanisms)
            raise Refused("NotAllowed", exposure.said(problem))

    def check_name(self, name: str, exposure: Exposure) -> None:
        """Raise `Refused` for a name that is neither one of the allowed suffixes nor below one."""
        if not any(suffix == "*" or f".{name}".endswith(f".{suffix.strip('.')}") for suffix in self.names):
            raise Refused("NotAllowed", exposure.said(not_allowed("AllowedNames", name, self.names)))

    def check_load_balancer(self, name: str, exposure: Exposure) -> None:
        """Raise `Refused` for `internal`, `internet-facing`, a load balancer or a `tg/NAME` that is not allowed."""
        if not any(_names(pattern, name) for pattern in self.load_balancers):
            problem = not_allowed("AllowedLoadBalancers", name, self.load_balancers)
            raise Refused("NotAllowed", exposure.said(problem))

    def creates_load_balancer(self, scheme: str) -> bool:
        """Whether a load balancer of this scheme may be created where there is none."""
        return self.create_load_balancers in {scheme, "any"}

    def check_api(self, name: str, exposure: Exposure) -> None:
        """Raise `Refused` for an existing API that a tag may not name."""
        if not any(fnmatchcase(name, pattern) for pattern in self.apis.allowed):
            raise Refused("NotAllowed", exposure.said(not_allowed("AllowedApis", name, self.apis.allowed)))

    def check_open(self, exposure: Exposure) -> None:
        """Raise `Refused` where no route may be open."""
        if not self.apis.open_routes:
            problem = "open routes are not allowed here: say who may pass, or ask whoever runs the stack for AllowOpenRoutes"
            raise Refused("NotAllowed", exposure.said(problem))


def _names(pattern: str, name: str) -> bool:
    """Whether a pattern fits. A target group only where the pattern says `tg/`: `*-alb` was not said of groups."""
    same_kind = pattern.startswith("tg/") == name.startswith("tg/")
    return pattern == "*" or (same_kind and fnmatchcase(name, pattern))


def not_allowed(parameter: str, word: str, allowed: tuple[str, ...]) -> str:
    return (
        f"{word!r} is not allowed here: expected one of {', '.join(allowed)}; "
        f"ask whoever runs the stack to extend its parameter {parameter}"
    )
