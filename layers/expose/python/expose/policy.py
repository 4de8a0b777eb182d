"""What may be done: which tasks are ready, how an emptied name is held, what a policy and the allow-lists permit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from expose.model import Exposure, Refused, Service, Task
from expose.plan import Forget, Plan

POLICIES: Mapping[str, Callable[[Plan], Plan]] = {
    "sync": lambda plan: plan,
    "upsert-only": lambda plan: Plan(
        plan.openings, tuple(change for change in plan.closings if isinstance(change, Forget))
    ),
    "observe": lambda _: Plan(),
}


def ready(task: Task, service: Service) -> bool:
    """Running, and healthy where its task definition says how to tell."""
    definition = service.definitions.get(task.definition)
    return task.running and definition is not None and (task.healthy or not definition.health_checked)


def to_publish(
    service: Service, *, published: Collection[str], none_ready_for: float, empty_after: float
) -> tuple[Task, ...]:
    """The ready tasks; or, where a service that wants tasks has had none ready for less than `empty_after` seconds,
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
class Limits:
    """What a tag may ask for in this stack. `*` allows everything."""

    clusters: tuple[str, ...] = ("*",)
    mechanisms: tuple[str, ...] = ("*",)
    names: tuple[str, ...] = ("*",)
    create_namespaces: str = "no"

    def check(self, exposure: Exposure) -> None:
        """Raise `Refused` where the cluster or the mechanism is not allowed."""
        self._require("AllowedClusters", exposure.service.cluster, self.clusters, exposure)
        self._require("AllowedMechanisms", exposure.mechanism, self.mechanisms, exposure)

    def check_name(self, name: str, exposure: Exposure) -> None:
        """Raise `Refused` for a name that is neither one of the allowed suffixes nor below one."""
        if not any(suffix == "*" or f".{name}".endswith(f".{suffix.strip('.')}") for suffix in self.names):
            raise _not_allowed("AllowedNames", name, self.names, exposure)

    @staticmethod
    def _require(parameter: str, word: str, allowed: tuple[str, ...], exposure: Exposure) -> None:
        if not any(fnmatchcase(word, pattern) for pattern in allowed):
            raise _not_allowed(parameter, word, allowed, exposure)


def _not_allowed(parameter: str, word: str, allowed: tuple[str, ...], exposure: Exposure) -> Refused:
    return Refused(
        "NotAllowed",
        exposure.said(
            f"{word!r} is not allowed here: expected one of {', '.join(allowed)}; "
            f"ask whoever runs the stack to extend its parameter {parameter}"
        ),
    )
