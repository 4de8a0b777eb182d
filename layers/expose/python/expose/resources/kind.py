"""What the controller needs of an adapter: the protocols that each kind of resource keeps.

Each verb may be repeated at any time, after a lost answer, a timeout or a crash, and must then do no harm and come to
the same end. `create` of what is there already must adopt it where the mark shows that it is ours and raise `Refused`
where it is not. An adapter may raise `NotYet` where waiting helps; any other error of AWS it lets pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from expose.model import Identity, Owned, Resource
from expose.refusals import NotYet, Refused

Ids = Mapping[str, str]  # the names of a resource's references, with the ids in AWS that they stand for


@dataclass(frozen=True, slots=True)
class Made:
    """A change that AWS has accepted. `operation` is set where it goes on after the answer, `address` where AWS says at
    which one it is reachable.
    """

    aws_id: str
    operation: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """What AWS says of something that is there: what is wrong with it, and whether that is its own health."""

    trouble: str = ""
    sick: bool = False


WELL = Condition()


@dataclass(frozen=True, slots=True)
class Settled:
    """How an operation ended. `error` is empty where it went well."""

    aws_id: str = ""
    error: str = ""
    condition: Condition = WELL


class Kind(Protocol):
    """One kind of resource in AWS."""

    def read(self, owned: Iterable[Owned], mark: str) -> Iterable[Owned]:
        """Those of this kind that are there: the owned ones, and others that carry the mark."""

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made: ...

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        """Raise `Gone` where it has to be made anew."""

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        """The id of one that may have been made, but whose answer was lost; empty where it is not there."""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        """The operation that goes on; empty where it is gone already."""


class Operations(Protocol):
    """For kinds whose changes go on after the answer."""

    def settle(self, running: Iterable[Owned], ids: Mapping[Identity, str]) -> Mapping[Identity, Settled]:
        """Those that have ended."""


class Batch(Protocol):
    """For kinds of which AWS takes many in one call. Those of a batch have the same references."""

    size: int

    def create_many(
        self, resources: Sequence[Resource], ids: Ids, mark: str
    ) -> Mapping[Identity, Made | NotYet | Refused]:
        """What came of each."""

    def delete_many(self, owned: Sequence[Owned], ids: Ids) -> None: ...


class Health(Protocol):
    """For kinds whose health AWS watches."""

    def examine(self, owned: Iterable[Owned], ids: Mapping[Identity, str]) -> Mapping[Identity, Condition]:
        """How those are of which AWS says anything."""


class Finder(Protocol):
    """Answers one kind of look-up with a JSON value."""

    def find(self, key: str) -> Any: ...
