"""Carrying out a plan for one exposure: claim, open, close, record. And taking in what AWS says of it afterwards.

What is about to be created stands in the ledger first, and leaves it only after it is seen gone; so a crash between
any two calls leaks nothing, and the next pass goes on from there. The new way in is open before the old one closes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from expose.application import Application
from expose.aws import AwsError
from expose.ledger import Ledger
from expose.model import Identity, Owned, ids_of
from expose.outcome import Outcome
from expose.plan import Create, Delete, Plan
from expose.policy import stopped
from expose.records import CLOCKS_DIFFER, Record
from expose.refusals import NotYet
from expose.resources import Adapters, Condition, Settled
from expose.shared import Shared

_SETTLES = 3.0  # seconds that an operation of AWS usually takes
_SETTLES_LATE = 15.0  # the same, between two looks at what takes minutes
_HURRIED = 1.0  # the same, where the outcome stands in the way of a withdrawal


class Applier:
    def __init__(
        self, adapters: Adapters, ledger: Ledger, shared: Shared, *, grace: float, clock: Callable[[], float]
    ) -> None:
        self._adapters = adapters
        self._ledger = ledger
        self._shared = shared
        self._grace = grace
        self._clock = clock

    def settle(self, record: Record, alive: Collection[str]) -> tuple[Record, str]:
        """Take in how running operations ended. Also the error of one that failed; its change will be made again.

        Nobody is asked before the time that was set for it, however often the service is looked at meanwhile; unless
        something is being opened for a task that is to stop, which cannot be closed before.
        """
        hurried = any(_overtaken(entry, alive) for entry in record.owned)
        due = hurried or self._clock() >= record.look_at - CLOCKS_DIFFER
        return self._settle(record, [entry for entry in record.owned if entry.operation and due])

    def withdraw(self, record: Record, plan: Plan, *, mark: str, alive: Collection[str]) -> Outcome:
        """Carry out the closings of `plan` and nothing else, as far as AWS lets it. What is being opened for the tasks of
        these is asked for first, because it cannot be closed before.
        """
        going = {change.owned.identity for change in plan.closings}
        failed: Exception | None = None
        try:
            opening = [entry for entry in record.owned if entry.identity in going and entry.busy]
            record, _ = self._settle(record, opening)
        except (*AwsError, NotYet) as trouble:
            failed = trouble
        entries = record.by_identity
        closings = [Delete(entries[each]) for each in going if each in entries and not entries[each].busy]
        outcome = self.apply(record, Plan(closings=tuple(closings)), mark=mark, alive=alive)
        outcome.failed = outcome.failed or failed
        return outcome

    def _settle(self, record: Record, asked: Sequence[Owned]) -> tuple[Record, str]:
        entries = record.by_identity
        error = ""
        for kind in sorted({entry.identity.kind for entry in asked}):
            running = [entry for entry in asked if entry.identity.kind == kind]
            settled = self._adapters.operations[kind].settle(running, ids_of(entries))
            for identity, ended in settled.items():
                error = error or ended.error
                self._ended(entries, entries[identity], ended)
        return record.owning(entries), error

    def examine(self, record: Record) -> Record:
        """Take in how healthy AWS finds what is owned, of those kinds whose health it watches."""
        entries = record.by_identity
        for kind, health in self._adapters.health.items():
            there = [
                each
                for each in entries.values()
                if each.identity.kind == kind and each.aws_id and not each.operation
            ]
            if there:
                for identity, condition in health.examine(there, ids_of(entries)).items():
                    entries[identity] = _in(entries[identity], condition, self._clock())
        return record.owning(entries)

    def watches(self, record: Record) -> bool:
        """Whether AWS finds out how healthy any of it is."""
        return any(each.identity.kind in self._adapters.health and each.aws_id for each in record.owned)

    def apply(
        self, record: Record, plan: Plan, *, mark: str, alive: Collection[str], serving: Sequence[str] = ()
    ) -> Outcome:
        """Carry out `plan`. `alive` are the tasks that are not to stop: what belongs to others closes at once."""
        application = Application(
            self._claim(record, plan),
            self._adapters,
            self._shared,
            mark=mark,
            grace=self._grace,
            save=self._ledger.save_record,
            clock=self._clock,
        )
        application.open(plan.openings)
        application.close(plan.closings, alive=alive, serving=serving)
        outcome, entries = application.outcome, application.entries
        for entry in entries.values():
            if entry.operation:
                pause = _HURRIED if _overtaken(entry, alive) else _settles(entry, self._clock())
                outcome.wait(NotYet("AWS is still working on it", seconds=pause))
        outcome.record = outcome.record.owning(entries)
        return outcome

    def _claim(self, record: Record, plan: Plan) -> Record:
        """Saved before anything is created, be it for the second time: what another worker has withdrawn meanwhile is
        not among the entries then.
        """
        entries = record.by_identity
        for change in plan.openings:
            entries.setdefault(change.resource.identity, Owned.of(change.resource, since=self._clock()))
        if not any(isinstance(change, Create) for change in plan.openings):
            return record
        return self._ledger.save_record(record.owning(entries))

    def _ended(self, entries: dict[Identity, Owned], entry: Owned, ended: Settled) -> None:
        settled = replace(entry, operation="", leaving=False)
        if ended.error:  # it may have happened or not, as after a lost answer
            entries[entry.identity] = replace(settled, fingerprint="")
        elif entry.leaving:
            del entries[entry.identity]
            if entry.shared:
                self._shared.drop(entry.identity)
        else:
            settled = replace(settled, aws_id=ended.aws_id or entry.aws_id, since=self._clock())
            entries[entry.identity] = _in(settled, ended.condition, self._clock())
            if entry.shared and settled.aws_id:
                self._shared.made(entry.identity, settled.aws_id, settled.address)


def _in(entry: Owned, condition: Condition, now: float) -> Owned:
    """The entry in the condition that AWS found it in."""
    sick_since = (entry.sick_since or now) if condition.sick else 0.0
    return replace(entry, trouble=condition.trouble, sick_since=sick_since)


def _overtaken(entry: Owned, alive: Collection[str]) -> bool:
    """Whether something is still being opened for a task that is to stop."""
    return entry.busy and not entry.leaving and stopped(entry, alive)


def _settles(entry: Owned, now: float) -> float:
    """Seconds until it is worth asking how an operation came out: 3 after its start, then 6, 12, and each 15 more."""
    pause = _SETTLES
    while entry.since + pause <= now:
        pause += min(pause, _SETTLES_LATE)
    return entry.since + pause - now
