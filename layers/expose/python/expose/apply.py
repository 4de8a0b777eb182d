"""Carrying out a plan for one exposure: claim, open, close, record.

What is about to be created stands in the ledger first, and leaves it only after it is seen gone; so a crash between
any two calls leaks nothing, and the next pass goes on from there. The new way in is open before the old one closes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from expose.aws import AwsError
from expose.ledger import Ledger
from expose.model import Identity, InTheWay, NotYet, Owned, Refused, Resource, ids_of, resolve
from expose.outcome import Outcome
from expose.plan import Create, Delete, Forget, Plan, Update
from expose.policy import stopped
from expose.records import CLOCKS_DIFFER, Record
from expose.resources import Adapters, Made

_SETTLES = 3.0  # seconds that an operation of AWS usually takes
_HURRIED = 1.0  # the same, where the outcome stands in the way of a withdrawal
_MEANWHILE = 5.0  # seconds after which what waits for another resource is tried again


class Applier:
    def __init__(
        self, adapters: Adapters, ledger: Ledger, *, grace: float, clock: Callable[[], float]
    ) -> None:
        self._adapters = adapters
        self._ledger = ledger
        self._grace = grace
        self._clock = clock

    def settle(self, record: Record, alive: Collection[str]) -> tuple[Record, str]:
        """Take in how running operations ended. Also the error of one that failed; its change will be made again.

        Nobody is asked before the time that was set for it, however often the service is looked at meanwhile; but for
        what was opened for a task that is to stop, which cannot be closed before.
        """
        due = self._clock() >= record.look_at - CLOCKS_DIFFER
        asked = [entry for entry in record.owned if entry.operation and (due or _overtaken(entry, alive))]
        entries = record.by_identity
        error = ""
        for kind in sorted({entry.identity.kind for entry in asked}):
            running = [entry for entry in asked if entry.identity.kind == kind]
            settled = self._adapters.operations[kind].settle(running, ids_of(entries))
            for identity, ended in settled.items():
                entry = replace(entries[identity], operation="", leaving=False)
                error = error or ended.error
                if ended.error:  # it may have happened or not, as after a lost answer
                    entries[identity] = replace(entry, fingerprint="")
                elif entries[identity].leaving:
                    self._gone(entries, entry)
                else:
                    self._made(entries, entry, Made(ended.aws_id))
        return record.owning(entries), error

    def apply(
        self, record: Record, plan: Plan, *, mark: str, alive: Collection[str], serving: Collection[str] = ()
    ) -> Outcome:
        """Carry out `plan`. `alive` are the tasks that are not to stop: what belongs to others closes at once.

        Anything else that closes waits until all that should replace it is open. So does the very last address, for
        as long as its task, though it is to stop, is still `serving`.
        """
        outcome = Outcome(self._claim(record, plan))
        entries = outcome.record.by_identity
        for opening in plan.openings:
            if outcome.refused is None:
                self._try(opening, entries, outcome, mark)
        outcome.opening |= any(entry.operation and not entry.leaving for entry in entries.values())
        for closing in plan.closings:
            entry = closing.owned
            if outcome.opening and entry.task in serving and _last_address(entry, entries):
                outcome.wait(
                    NotYet("the last address stays until its successor is published", seconds=_SETTLES)
                )
            elif stopped(entry, alive) or not outcome.unfinished:
                self._try(closing, entries, outcome, mark)
        for entry in entries.values():
            if entry.operation:
                pause = _HURRIED if _overtaken(entry, alive) else _settles(entry, self._clock())
                outcome.wait(NotYet("AWS is still working on it", seconds=pause))
        outcome.record = outcome.record.owning(entries)
        return outcome

    def _claim(self, record: Record, plan: Plan) -> Record:
        entries = record.by_identity
        for change in plan.openings:
            entries.setdefault(change.resource.identity, _claimed(change.resource, self._clock()))
        if len(entries) == len(record.owned):
            return record
        return self._ledger.save_record(record.owning(entries))

    def _try(
        self,
        change: Create | Update | Delete | Forget,
        entries: dict[Identity, Owned],
        outcome: Outcome,
        mark: str,
    ) -> None:
        try:
            self._change(change, entries, outcome, mark)
            outcome.changes += 1
        except NotYet as reason:
            outcome.wait(reason)
            on_its_way = not isinstance(reason, InTheWay | _Behind)
            outcome.opening |= on_its_way and isinstance(change, Create | Update)
        except Refused as refusal:
            outcome.refused = outcome.refused or refusal
        except AwsError as error:
            outcome.failed = outcome.failed or error

    def _change(
        self,
        change: Create | Update | Delete | Forget,
        entries: dict[Identity, Owned],
        outcome: Outcome,
        mark: str,
    ) -> None:
        match change:
            case Create(resource):
                outcome.unopened.add(resource.identity)
                self._create(entries, resource, mark, outcome.unopened)
                outcome.unopened.remove(resource.identity)
            case Update(resource, entry):
                ids = resolve(resource.refs, entries)
                made = self._adapters.kinds[resource.identity.kind].update(resource, entry.aws_id, ids)
                self._made(entries, _claimed(resource, self._clock()), made)
            case Delete(entry):
                self._delete(entries, entry, mark, 0.0 if outcome.record.closed else self._grace)
            case Forget(entry):
                self._gone(entries, entry)

    def _create(
        self, entries: dict[Identity, Owned], resource: Resource, mark: str, unopened: Collection[Identity]
    ) -> None:
        for parent in resource.parents:
            if (
                parent in unopened
                or parent not in entries
                or not entries[parent].aws_id
                or entries[parent].leaving
            ):
                raise _Behind(f"waiting for {parent}", seconds=_MEANWHILE)
        made = Made(self._ledger.join(resource.identity, mark) if resource.shared else "")
        if not made.aws_id:
            adapter = self._adapters.kinds[resource.identity.kind]
            made = adapter.create(resource, resolve(resource.refs, entries), mark)
        self._made(entries, _claimed(resource, self._clock()), made)

    def _delete(self, entries: dict[Identity, Owned], entry: Owned, mark: str, grace: float) -> None:
        for child in entries.values():
            if entry.identity in child.parents:
                raise _Behind(f"waiting for {child.identity} to go", seconds=_MEANWHILE)
        if entry.shared and not self._last(entries, entry, mark, grace):
            del entries[entry.identity]
            return
        aws_id = self._locate(entries, entry.identity, mark)
        try:
            adapter = self._adapters.kinds[entry.identity.kind]
            operation = adapter.delete(entry, aws_id, resolve(entry.refs, entries), mark) if aws_id else ""
        except NotYet:
            if entry.shared:
                self._ledger.reopen(entry.identity)
            raise
        if operation:
            entries[entry.identity] = replace(entry, operation=operation, leaving=True, since=self._clock())
        else:
            self._gone(entries, entry)

    def _locate(self, entries: dict[Identity, Owned], identity: Identity, mark: str) -> str:
        """The id of what is owned, looked for in AWS where it was claimed and the answer to its making was lost."""
        entry = entries[identity]
        if not entry.aws_id:
            for parent in entry.parents:
                if parent in entries:
                    self._locate(entries, parent, mark)
            ids = resolve(entry.refs, entries)
            entry = replace(entry, aws_id=self._adapters.kinds[identity.kind].locate(entry, ids, mark))
            entries[identity] = entry
        return entry.aws_id

    def _last(self, entries: dict[Identity, Owned], entry: Owned, mark: str, grace: float) -> bool:
        """Whether a shared resource is ours to remove: nobody else uses it, and has not for the grace period."""
        now = self._clock()
        empty_since = self._ledger.leave(entry.identity, mark, now=now)
        if empty_since is None:
            return False
        if (left := empty_since + grace - now) > 0:
            entries[entry.identity] = replace(entry, leaving=True)  # who wants it again has to join again
            raise NotYet(
                f"{entry.identity} is kept for {left:.0f} s, in case somebody needs it again", seconds=left
            )
        return self._ledger.close(entry.identity)

    def _made(self, entries: dict[Identity, Owned], entry: Owned, made: Made) -> None:
        aws_id = made.aws_id or entry.aws_id
        entries[entry.identity] = replace(entry, aws_id=aws_id, operation=made.operation, since=self._clock())
        if entry.shared and aws_id:
            self._ledger.made(entry.identity, aws_id)

    def _gone(self, entries: dict[Identity, Owned], entry: Owned) -> None:
        if entry.shared:
            self._ledger.drop(entry.identity)
        del entries[entry.identity]


class _Behind(NotYet):
    """It waits for another resource, which says itself what it waits for."""


def _claimed(resource: Resource, now: float) -> Owned:
    return Owned(
        identity=resource.identity,
        fingerprint=resource.fingerprint,
        refs=resource.refs,
        task=resource.task,
        address=resource.address,
        shared=resource.shared,
        since=now,
    )


def _overtaken(entry: Owned, alive: Collection[str]) -> bool:
    """Whether something is still being opened for a task that is to stop."""
    return bool(entry.operation) and not entry.leaving and stopped(entry, alive)


def _settles(entry: Owned, now: float) -> float:
    """Seconds until it is worth asking how an operation came out: 3 after its start, then 6, 12 and so on."""
    pause = _SETTLES
    while entry.since + pause <= now:
        pause *= 2
    return entry.since + pause - now


def _last_address(entry: Owned, entries: Mapping[Identity, Owned]) -> bool:
    """Whether no other address is surely published."""
    others = (each for each in entries.values() if each.address and each.identity != entry.identity)
    return not any(each.aws_id and not each.operation for each in others)
