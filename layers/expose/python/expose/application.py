"""One plan being carried out: each change made through its adapter, and the ledger's entries kept in step.

What stands in the way of a change becomes part of the outcome, and the next change goes on, as far as it may without
the one before. Neighbours of one kind that AWS takes in one call go in one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace

from expose.aws import AwsError
from expose.model import MAKING, Identity, Owned, Resource, resolve
from expose.outcome import Outcome
from expose.plan import Change, Create, Delete, Forget, Update, batches, subject
from expose.policy import is_last, stopped
from expose.records import Record
from expose.refusals import Behind, Gone, InTheWay, Lingering, NoRoom, NotYet, Refused
from expose.resources import Adapters, Batch, Ids, Made
from expose.shared import Shared
from expose.sharing import Sharing

_SUCCESSOR = 1.0  # seconds after which it is looked whether the successor of the last way in is ready
_SAVED_EVERY = 5.0  # seconds between two savings of what was done so far
_MEANWHILE = 5.0  # seconds after which what waits for another resource is tried again


class Application:
    """`entries` are the ledger's, changed as the world is."""

    def __init__(
        self,
        record: Record,
        adapters: Adapters,
        shared: Shared,
        *,
        mark: str,
        grace: float,
        save: Callable[[Record], Record],
        clock: Callable[[], float],
    ) -> None:
        self.outcome = Outcome(record)
        self.entries = record.by_identity
        self._adapters = adapters
        self._sizes = {kind: batch.size for kind, batch in adapters.batches.items()}
        self._shared = shared
        self._mark = mark
        self._grace = grace
        self._save = save
        self._clock = clock
        self._saved_at = clock()
        self._full: Refused | None = None
        self._sharing = Sharing(
            adapters, shared, self.entries, self.outcome, locate=self._locate, mark=mark, clock=clock
        )

    def open(self, changes: Sequence[Create | Update]) -> None:
        """Make and change, until one is refused: what comes after it hangs on it."""
        for batch in batches(changes, self._sizes):
            if self.outcome.refused is None:
                self._attempt(batch)
        self.outcome.opening |= any(entry.operation and not entry.leaving for entry in self.entries.values())

    def close(
        self, changes: Sequence[Delete | Forget], *, alive: Collection[str], serving: Sequence[str]
    ) -> None:
        """What is opened again afterwards may find the room that it lacked; where nothing is to go, it never will."""
        if self._full and not changes:
            self.outcome.refused = self.outcome.refused or self._full
        for batch in batches(list(self._may_close(changes, alive, serving)), self._sizes):
            self._attempt(batch)

    def _may_close(
        self, changes: Iterable[Delete | Forget], alive: Collection[str], serving: Sequence[str]
    ) -> Iterator[Delete | Forget]:
        """What may not wait; the rest once all that replaces it is open. The very last way in
        stays for as long as its task, though it is to stop, is still `serving` and its successor is not ready.
        """
        staying, turn = dict(self.entries), {task: at for at, task in enumerate(serving)}
        for change in sorted(
            changes, key=lambda each: (not each.owned.task, turn.get(each.owned.task, -1))
        ):  # the last to stop stays
            entry = change.owned
            if self.outcome.opening and entry.task in serving and is_last(entry, staying.values()):
                self.outcome.wait(
                    NotYet("the last way in stays until its successor is open", seconds=_SUCCESSOR)
                )
            elif change.at_once or stopped(entry, alive) or not self.outcome.unfinished:
                staying.pop(entry.identity, None)
                yield change

    def _attempt(self, changes: Sequence[Change]) -> None:
        """Save from time to time what was done: a worker that dies is not to have worked in vain.

        What is not among the entries any more, another worker has withdrawn meanwhile.
        """
        if self._clock() - self._saved_at >= _SAVED_EVERY:
            self.outcome.record = self._save(self.outcome.record.owning(self.entries))
            self.entries = self.outcome.record.by_identity
            self._saved_at = self._clock()
        changes = [change for change in changes if subject(change).identity in self.entries]
        try:
            if changes:
                self._carry_out(changes)
        except (NotYet, Refused) as reason:
            self._stands_in_the_way(reason, opens=isinstance(changes[0], Create | Update))
        except AwsError as error:
            self.outcome.failed = self.outcome.failed or error

    def _carry_out(self, changes: Sequence[Change]) -> None:
        """Neighbours of one kind and one sort."""
        first = changes[0]
        batch = self._adapters.batches.get(subject(first).identity.kind)
        if isinstance(first, Forget):
            self._forget([change.owned for change in changes if isinstance(change, Forget)], batch)
        elif isinstance(first, Delete) and batch:
            self._delete_many([change.owned for change in changes if isinstance(change, Delete)], batch)
        elif isinstance(first, Delete):
            self._delete(first.owned, 0.0 if self.outcome.record.closed else self._grace)
        elif isinstance(first, Update) and not batch:
            self._update(first)
            return
        else:
            self._open([change.resource for change in changes if isinstance(change, Create | Update)], batch)
            return
        self.outcome.changes += len(changes)

    def _open(self, resources: Sequence[Resource], batch: Batch | None) -> None:
        first = resources[0]
        self.outcome.unopened.update(resource.identity for resource in resources)
        self._disown_what_is_gone(resources)
        self._check_parents(first)
        ids = resolve(first.refs, self.entries)
        results = (
            batch.create_many(resources, ids, self._mark)
            if batch
            else {first.identity: self._create(first, ids)}
        )
        for resource in resources:
            result = results[resource.identity]
            if isinstance(result, Made):
                self._made(Owned.of(resource, since=self._clock()), result)
                self.outcome.unopened.remove(resource.identity)
                self.outcome.changes += 1
            else:
                self._stands_in_the_way(result, opens=True)

    def _disown_what_is_gone(self, resources: Sequence[Resource]) -> None:
        """What was made, and has to be made again, is remembered as missing until it is there."""
        for resource in resources:
            entry = self.entries[resource.identity]
            if entry.aws_id and not entry.leaving:
                if entry.shared:
                    self._shared.lost(entry.identity, entry.aws_id)
                self.entries[entry.identity] = replace(entry, aws_id="")

    def _stands_in_the_way(self, reason: NotYet | Refused, *, opens: bool) -> None:
        if isinstance(reason, Lingering):
            self.outcome.lingering = self.outcome.lingering or reason
            return
        if isinstance(reason, Refused):
            self.outcome.refused = self.outcome.refused or reason
            return
        if isinstance(reason, NoRoom):
            self._full = Refused("QuotaReached", reason.message)
        self.outcome.wait(reason)
        self.outcome.opening |= opens and not isinstance(reason, InTheWay | Behind)

    def _create(self, resource: Resource, ids: Ids) -> Made:
        if resource.shared:
            return self._sharing.create(resource, ids)
        return self._adapters.kinds[resource.identity.kind].create(resource, ids, self._mark)

    def _check_parents(self, resource: Resource) -> None:
        for parent in resource.parents:
            entry = self.entries.get(parent)
            made = entry is not None and entry.aws_id and not entry.leaving and entry.operation != MAKING
            if parent in self.outcome.unopened or not made:
                raise Behind(f"waiting for {parent}", seconds=_MEANWHILE)

    def _update(self, change: Update) -> None:
        resource = change.resource
        self._check_parents(resource)
        ids = resolve(resource.refs, self.entries)
        try:
            made = self._sharing.update(resource, change.owned.aws_id, ids)
        except Gone:
            self._open([resource], None)
        else:
            self._made(Owned.of(resource, since=self._clock()), made)
            self.outcome.changes += 1

    def _forget(self, owned: Sequence[Owned], batch: Batch | None) -> None:
        """They are gone from AWS; what is left of them is in the ledger."""
        for entry in owned:
            self._gone(entry.identity) if batch else self._delete(entry, 0.0)

    def _delete(self, entry: Owned, grace: float) -> None:
        """The grace period of what is shared begins at once; but it is let go of only after what hangs on it."""
        identity = entry.identity
        common = self._sharing.leave(entry) if entry.shared else None
        for child in self.entries.values():
            if identity in child.parents and not entry.open:  # a door waits for nothing
                behind = Behind(f"waiting for {child.identity} to go", seconds=_MEANWHILE)
                raise self.outcome.lingering or behind
        if common and not self._sharing.may_go(identity, common, grace):
            del self.entries[identity]
            return
        with self._shared.removal(identity) if common else nullcontext():
            aws_id = self._locate(identity)
            ids = resolve(entry.refs, self.entries)
            adapter = self._adapters.kinds[identity.kind]
            operation = adapter.delete(entry, aws_id, ids, self._mark) if aws_id else ""
        if operation:
            self.entries[identity] = replace(
                self.entries[identity], operation=operation, leaving=True, since=self._clock()
            )
        else:
            self._gone(identity)

    def _locate(self, identity: Identity) -> str:
        """The id of what is owned, looked for in AWS where it was claimed and the answer to its making was lost."""
        entry = self.entries[identity]
        if not entry.aws_id:
            self._locate_parents(entry)
            ids = resolve(entry.refs, self.entries)
            found = self._adapters.kinds[identity.kind].locate(entry, ids, self._mark)
            entry = self.entries[identity] = replace(entry, aws_id=found)
        return entry.aws_id

    def _locate_parents(self, entry: Owned) -> None:
        for parent in entry.parents:
            if parent in self.entries:
                self._locate(parent)

    def _delete_many(self, owned: Sequence[Owned], batch: Batch) -> None:
        self._locate_parents(owned[0])
        ids = resolve(owned[0].refs, self.entries)
        if ids.keys() == owned[0].refs.keys():  # else nothing can have been made in it
            batch.delete_many(owned, ids)
        for entry in owned:
            self._gone(entry.identity)

    def _made(self, entry: Owned, made: Made) -> None:
        aws_id, address = made.aws_id or entry.aws_id, made.address or entry.address
        self.entries[entry.identity] = replace(
            entry, aws_id=aws_id, operation=made.operation, address=address, since=self._clock()
        )

    def _gone(self, identity: Identity) -> None:
        if (entry := self.entries[identity]).shared:
            self._shared.drop(identity, entry.aws_id)
        del self.entries[identity]
