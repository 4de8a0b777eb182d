"""Planning: what to create, update, delete and forget, from what is desired, current and owned.

A plan is data. It is false when there is nothing to do, it prints as people would read it, and its references are
unresolved, so it can be made and compared without AWS. Planning again right after applying gives an empty plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from expose.model import Identity, Owned, Resource


@dataclass(frozen=True, slots=True)
class Create:
    resource: Resource

    def __str__(self) -> str:
        return f"+ {self.resource.identity}"


@dataclass(frozen=True, slots=True)
class Update:
    resource: Resource
    owned: Owned

    def __str__(self) -> str:
        return f"~ {self.resource.identity}"


@dataclass(frozen=True, slots=True)
class Delete:
    """`at_once` does not wait for what is just being opened."""

    owned: Owned
    at_once: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"- {self.owned.identity}"


@dataclass(frozen=True, slots=True)
class Forget:
    """Ours once, and seen gone."""

    owned: Owned
    at_once: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"  {self.owned.identity} is gone"


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes in the order in which they are applied: the new way in opens before the old one closes."""

    openings: tuple[Create | Update, ...] = ()
    closings: tuple[Delete | Forget, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.openings or self.closings)

    def __str__(self) -> str:
        return "\n".join(str(change) for change in (*self.openings, *self.closings))

    def closing_at_once(self) -> Plan:
        """What is to go, without waiting for what is to come."""
        return Plan(closings=tuple(replace(each, at_once=True) for each in self.closings))

    def after(self, first: Plan) -> Plan:
        """Both, each change once."""
        return Plan(
            (*first.openings, *(each for each in self.openings if each not in first.openings)),
            (*first.closings, *(each for each in self.closings if each not in first.closings)),
        )

    def without(self, other: Plan) -> Plan:
        """The changes that are not in another plan."""
        return Plan(
            tuple(each for each in self.openings if each not in other.openings),
            tuple(each for each in self.closings if each not in other.closings),
        )


def plan(desired: Sequence[Resource], current: Mapping[Identity, str], owned: dict[Identity, Owned]) -> Plan:
    """Compare by identity, and specs by fingerprint.

    `desired` lists each resource after those that it refers to, and `owned` remembers that order, so creation
    follows the references and deletion goes against them. What is owned and still changing in AWS is left alone
    until it has settled.
    """
    wanted = {resource.identity: resource for resource in desired}
    return Plan(
        openings=tuple(_openings(wanted.values(), current, owned)),
        closings=tuple(_closings(reversed(owned.values()), current, wanted)),
    )


def doors(owned: Iterable[Owned]) -> Plan:
    """Close what lets everybody pass, before all else."""
    return Plan(
        closings=tuple(Delete(each) for each in reversed(tuple(owned)) if each.open)
    ).closing_at_once()


def recorded(owned: Iterable[Owned]) -> dict[Identity, str]:
    """Current, as far as the ledger knows: what was made. What is only claimed may be there or not."""
    return {entry.identity: entry.fingerprint for entry in owned if entry.aws_id}


Change = Create | Update | Delete | Forget


def subject(change: Change) -> Resource | Owned:
    return change.resource if isinstance(change, Create | Update) else change.owned


def batches(changes: Iterable[Change], sizes: Mapping[str, int]) -> Iterator[Sequence[Change]]:
    """Neighbours that can be made in one call: of one kind, with the same references, so many as `sizes` allows.

    What no size is given for goes alone. Creating and updating are the same thing to a batch.
    """
    batch: list[Change] = []
    for change in changes:
        if batch and (_sort(batch[0]) != _sort(change) or len(batch) >= sizes.get(_kind(change), 1)):
            yield batch
            batch = []
        batch.append(change)
    if batch:
        yield batch


def _kind(change: Change) -> str:
    return subject(change).identity.kind


def _sort(change: Change) -> tuple[bool, bool, str, Mapping[str, Identity | str]]:
    opens = isinstance(change, Create | Update)
    return opens, isinstance(change, Forget), _kind(change), subject(change).refs


def _openings(
    wanted: Iterable[Resource], current: Mapping[Identity, str], owned: Mapping[Identity, Owned]
) -> Iterator[Create | Update]:
    for resource in wanted:
        entry = owned.get(resource.identity)
        if entry is not None and entry.operation:
            continue
        if resource.identity not in current or (entry is not None and entry.leaving):
            yield Create(resource)
        elif entry is not None and (current[resource.identity], entry.task) != (
            resource.fingerprint,
            resource.task,
        ):
            yield Update(resource, entry)


def _closings(
    owned: Iterable[Owned], current: Mapping[Identity, str], wanted: Mapping[Identity, Resource]
) -> Iterator[Delete | Forget]:
    for entry in owned:
        if entry.identity in wanted or entry.busy:
            continue
        seen_gone = entry.aws_id and entry.identity not in current
        yield Forget(entry) if seen_gone else Delete(entry)
