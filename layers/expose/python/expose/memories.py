"""What is remembered of a service from one pass to the next, and beside it the trail of its tasks' public addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from expose.ledger import Ledger, Overtaken
from expose.model import Service
from expose.policy import ready
from expose.records import Memory, Stored
from expose.refusals import NotYet
from expose.trail import Trail
from expose.work import Work

_REMEMBER_STOPPED = (
    3600.0  # seconds after which no answer of ECS is so stale that a stopped task still runs in it
)
_TRIES = 5


class Memories:
    def __init__(self, *, ledger: Ledger, trail: Trail, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._trail = trail
        self._clock = clock

    def hear(self, memory: Memory, work: Work) -> Memory:
        """What the work itself tells: tasks that are to stop are no tasks of the service any more, for good. Those whose
        address is not held any more are not known any more: they are read afresh.
        """
        now = self._clock()
        stopped = dict.fromkeys(work.stopped, now) | _recent(memory.stopped, now)
        stopping = dict.fromkeys(work.stopping, now) | _recent(memory.stopping, now)
        stopping = {task: at for task, at in stopping.items() if task not in stopped}
        tasks = tuple(
            task
            for task in memory.service.tasks
            if task.id not in stopped | stopping and not {*task.public.values()} & {*work.astray}
        )
        return replace(
            memory, stopping=stopping, stopped=stopped, service=replace(memory.service, tasks=tasks)
        )

    def remember(self, before: Memory, memory: Memory) -> Memory:
        """The memory as saved, before anything is changed by it: what is published is always also remembered."""
        now = self._clock()
        memory = replace(memory, none_ready_since=idle_since(memory, memory.service, now))
        if not memory.service.read_at or (memory.version and _same(before, memory)):
            return memory  # what ECS has not said is nothing to remember
        self._trail.ends(before, memory, at=now)
        memory = self._save(memory)
        self._trail.begins(before, memory, at=now)
        return memory

    def _save(self, memory: Memory) -> Memory:
        """With what another worker has heard since it was read: that never reverts."""
        for _ in range(_TRIES):
            try:
                return self._ledger.save_memory(memory)
            except Overtaken:
                theirs, _records = self._ledger.load(str(memory.service.arn))
                memory = _taking_in(memory, theirs)
        raise NotYet(f"other workers keep writing the memory of {memory.service.arn}", seconds=1)

    def forget(self, memory: Memory) -> None:
        """Nothing of it is followed any more: what its tasks hold from now on is not known."""
        if memory.version or memory.unreadable:
            nothing = replace(memory, service=replace(memory.service, tasks=()))
            self._trail.ends(memory, nothing, at=self._clock())
            self._ledger.forget_memory(memory)


def idle_since(memory: Memory, service: Service, now: float) -> float:
    """Since when no task of the service, as it is now, has been ready; 0 while any is."""
    idle = not any(ready(task, service) for task in service.tasks)
    return (memory.none_ready_since or now) if idle else 0.0


def _taking_in(memory: Memory, theirs: Memory | None) -> Memory:
    if theirs is None:
        return replace(memory, version=0, stored=Stored())
    stopped = {**memory.stopped, **theirs.stopped}
    stopping = {
        task: at for task, at in {**memory.stopping, **theirs.stopping}.items() if task not in stopped
    }
    tasks = tuple(task for task in memory.service.tasks if task.id not in stopped | stopping)
    service = replace(memory.service, tasks=tasks)
    return replace(
        memory,
        service=service,
        stopped=stopped,
        stopping=stopping,
        version=theirs.version,
        stored=theirs.stored,
    )


def _recent(heard: Mapping[str, float], now: float) -> dict[str, float]:
    return {task: at for task, at in heard.items() if now - at < _REMEMBER_STOPPED}


def _same(memory: Memory, newer: Memory) -> bool:
    """Apart from when it was read."""
    return replace(newer, service=replace(newer.service, read_at=memory.service.read_at)) == memory
