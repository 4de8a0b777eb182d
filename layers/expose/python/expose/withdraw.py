"""Withdrawing what is gone, before and apart from everything else: stopped tasks, and addresses that nobody of ours holds.

It has a function and a queue of its own and asks nobody but the ledger, so that it waits behind no failing work of its
service, no refusal of ECS, no bug of another exposure and no worker that died. Then the work is passed on to the work
queue, where the service is reconciled.

The very last way in to a service that wants tasks stays for a few seconds: in these the reconciliation opens its
successor and closes it in one pass, so that the name is never empty. Whatever becomes of that, then it goes too. Only
the policy `observe` holds a withdrawal back, and then it is told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from expose.apply import Applier
from expose.asks import Reader
from expose.deciding import Deciding
from expose.ledger import Ledger
from expose.memories import Memories
from expose.model import Identity, Owned
from expose.outbox import Outbox
from expose.outcome import Outcome
from expose.plan import Delete, Plan
from expose.policy import POLICIES, SERVES_ON
from expose.records import Memory, Record
from expose.telemetry import Telemetry
from expose.verdict import stale_withdrawn
from expose.work import Depth, Work, WorkerDied

_SUCCESSOR = 5.0  # seconds for which the last way in waits for its successor
_UNANSWERED = 120.0  # seconds after which the worker that claimed something has surely ended
_AGAIN = (2.0, 60.0)  # seconds before what could not be withdrawn is tried again: at first, and at most


@dataclass(frozen=True, slots=True)
class _Gone:
    """What is to go: `tasks` by id and `addresses`, with the time after which nothing at them may stay."""

    tasks: Mapping[str, float]
    addresses: Mapping[str, float]

    def until(self, entry: Owned) -> float | None:
        """When an entry has to be gone at the latest; None where it may stay."""
        at = [self.addresses[each] for each in entry.address.split() if entry.task and each in self.addresses]
        return min([self.tasks[entry.task], *at] if entry.task in self.tasks else at, default=None)

    def among(self, entries: Iterable[Owned]) -> dict[Identity, float]:
        """Those that have to go, with the time of each."""
        times = {each.identity: self.until(each) for each in entries if not each.leaving}
        return {identity: until for identity, until in times.items() if until is not None}


class Withdrawer:
    def __init__(
        self,
        *,
        ledger: Ledger,
        memories: Memories,
        reader: Reader,
        deciding: Deciding,
        applier: Applier,
        outbox: Outbox,
        telemetry: Telemetry,
        clock: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._memories = memories
        self._reader = reader
        self._deciding = deciding
        self._applier = applier
        self._outbox = outbox
        self._telemetry = telemetry
        self._clock = clock

    def withdraw(self, work: Work) -> None:
        """Withdraw what is gone, and pass the work on. What could not go now comes back here, for as long as it takes."""
        try:
            rest = self._withdraw(work)
        except Exception as trouble:  # noqa: BLE001 - whatever it is, the address has to go: it comes back
            rest = self._troubled(work, trouble)
        if rest is not None:
            self._outbox.later(work.again(self._clock()), seconds=rest)
        if not work.attempts or self._ledger.met_another:
            depth = Depth.FULL if self._ledger.met_another else work.depth
            passed_on = replace(work, depth=depth, attempts=0, troubled_since=0.0, withdrawn=True)
            self._outbox.now(passed_on, once=f"withdrawn-{self._clock():.3f}")

    def put_off(self, work: Work) -> None:
        """Bring back what a worker died over as a new message: the queue's own retries would end."""
        self._outbox.later(work.again(self._clock()), seconds=self._troubled(work, WorkerDied()))

    def _withdraw(self, work: Work) -> float | None:
        """In how many seconds there is more to withdraw; None for nothing."""
        remembered, records = self._ledger.load_to_write(work.service)
        if remembered is None:  # nothing is published before it is remembered
            return None
        memory = self._memories.hear(remembered, work)
        gone = self._gone(memory, work)
        rests = [self._let_go(record, memory, gone, work) for record in records]
        self._memories.remember(remembered, memory)
        return min((rest for rest in rests if rest is not None), default=None)

    def _gone(self, memory: Memory, work: Work) -> _Gone:
        waits = memory.service.active and memory.service.wanted > 0
        successor, serves_on = (_SUCCESSOR, SERVES_ON) if waits else (0.0, 0.0)
        tasks = {task: at + successor for task, at in memory.stopped.items()}
        tasks |= {task: at + serves_on for task, at in memory.stopping.items()}
        return _Gone(tasks, dict.fromkeys(work.astray, (work.since or self._clock()) + successor))

    def _let_go(self, record: Record, memory: Memory, gone: _Gone, work: Work) -> float | None:
        """In how many seconds there is more to withdraw of one exposure."""
        try:
            return self._withdraw_from(record, memory, gone, work)
        except Exception as trouble:  # noqa: BLE001 - one exposure's must not stop the others
            return self._troubled(work, trouble)

    def _withdraw_from(self, record: Record, memory: Memory, gone: _Gone, work: Work) -> float | None:
        policy = self._reader.policy(memory.service)
        # what is held back anyhow is told at once
        at = math.inf if policy == "observe" else self._clock()
        going = list(_going(record, gone, now=at))
        wanted = Plan(closings=tuple(map(Delete, going)))
        alive = memory.service.alive - {entry.task for entry in going}
        permitted = POLICIES[policy](wanted, alive)
        outcome = self._applier.withdraw(record, permitted, mark=self._deciding.mark(record), alive=alive)
        entries = outcome.record.by_identity | _unanswered(going, now=self._clock())
        self._save(record, outcome.record.owning(entries), outcome, going, work)
        left = [] if policy == "observe" else gone.among(entries.values()).values()
        rest = self._troubled(work, outcome.failed) if outcome.failed else float(work.attempts)
        return max(min(left) - self._clock(), min(rest, _AGAIN[1])) if left else None

    def _save(
        self, before: Record, after: Record, outcome: Outcome, going: Sequence[Owned], work: Work
    ) -> None:
        reason = str(outcome.failed or outcome.waiting or "the policy is observe")
        told = stale_withdrawn(before, after, going, work.astray, reason=reason)
        if told:
            self._telemetry.warn(
                f"{after.tag}: {told.detail['message']}", service_arn=after.service, tag=after.tag
            )
            after = replace(after, astray=work.astray) if self._outbox.tell([told]) else after
        if after != before:
            self._ledger.save_record(after)

    def _troubled(self, work: Work, trouble: Exception) -> float:
        self._telemetry.troubled(work, trouble, now=self._clock())
        first, longest = _AGAIN
        return min(first * 2.0**work.attempts, longest)


def _going(record: Record, gone: _Gone, *, now: float) -> Iterator[Owned]:
    """What goes now: all that has to, but for the last way in while its successor may be on its way."""
    times = gone.among(record.owned)
    emptied = all(each.identity in times for each in record.owned if each.reachable)
    last = max(times, key=lambda identity: times[identity], default=None)
    for entry in record.owned:
        if entry.identity in times and not (emptied and entry.identity == last and now < times[last]):
            yield entry


def _unanswered(going: Iterable[Owned], *, now: float) -> dict[Identity, Owned]:
    """What another worker may be making at this moment: it is taken away, and stays claimed until that is over."""
    return {each.identity: each for each in going if not each.aws_id and now - each.since < _UNANSWERED}
