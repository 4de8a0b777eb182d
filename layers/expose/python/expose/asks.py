"""What each tag of a service asks for now, put beside what the ledger remembers of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from expose.mechanisms import Lookup, Mechanism
from expose.model import Exposure, Service
from expose.policy import POLICIES
from expose.records import Record
from expose.refusals import Invalid, Refused
from expose.tags import asking, policy_of, read_one
from expose.work import Depth


@dataclass(frozen=True, slots=True)
class Attempt:
    """What to bring about, with what is known of its surroundings. `exposure` is None where that is nothing at all."""

    exposure: Exposure | None
    found: Mapping[Lookup, Any] = field(default_factory=dict)
    now: bool = True
    """Whether the tag says so now, not when it could last be carried out."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What one tag asks for now, beside what the ledger remembers of it.

    `said` is its value as it stands there, empty where it is gone. `exposure` is None where the tag is gone, or cannot be
    read, which `refusal` tells. `before` is what the tag asked for when that could last be carried out. `fresh` says
    that nothing remembered is to be relied on.
    """

    record: Record
    said: str = ""
    exposure: Exposure | None = None
    before: Exposure | None = None
    refusal: Refused | None = None
    failure: Exception | None = None
    fresh: bool = False
    policy: str = "sync"

    @property
    def attempts(self) -> list[Attempt]:
        """What to bring about; the second only where the first cannot be, or not yet."""
        if self.exposure is None and self.refusal is None:
            return [Attempt(None)]
        now = Attempt(self.exposure, self.record.found)
        before = Attempt(self.before, self.record.good_found, now=False)
        return [
            *([now] if not self.refusal and not self.failure else []),
            *(
                [before]
                if self.before
                and (
                    self.refusal or self.failure or before.found != now.found or self.before != self.exposure
                )
                else []
            ),
        ]


class Reader:
    def __init__(
        self, mechanisms: Mapping[str, Mechanism], *, prefix: str, policy: str, clock: Callable[[], float]
    ) -> None:
        self._grammars = {name: mechanism.grammar for name, mechanism in mechanisms.items()}
        self.prefix = prefix
        self._policy = policy
        self._clock = clock

    def policy(self, service: Service) -> str:
        """What the service's own tag says, else the stack; `sync` where that cannot be read."""
        try:
            return policy_of(service.tags, prefix=self.prefix, default=self._policy, known=POLICIES)
        except Invalid:
            return "sync"

    def read(self, service: Service, records: Sequence[Record], depth: Depth) -> Iterator[Ask]:
        tags = asking(service.tags, prefix=self.prefix) if service.active else {}
        remembered = {record.tag: record for record in records}
        unknown = {record.tag for record in records if record.unreadable}
        for tag in sorted({*tags, *remembered} - unknown):
            record = remembered.get(tag) or Record(str(service.arn), tag)
            yield self._ask(record, service, tags.get(tag), depth)

    def _ask(self, record: Record, service: Service, value: str | None, depth: Depth) -> Ask:
        retry = bool(record.retry_at and record.retry_at <= self._clock())
        changed = not record.version or (value is not None and value != record.value)
        ask = Ask(record, fresh=depth is Depth.FULL or retry or changed)
        if record.closed:
            return ask
        ask = replace(ask, record=record if value is None else _changed(record, value), said=value or "")
        try:
            ask = replace(ask, policy=self._policy_of(service))
        except Invalid as refusal:
            before = self._before(record, service) if value else None
            return replace(ask, policy=self._policy, refusal=refusal, before=before)
        if value is None:
            return ask
        ask = replace(ask, before=self._before(record, service))
        try:
            return replace(ask, exposure=read_one(service.arn, record.tag, value, self._grammars))
        except Invalid as refusal:
            return replace(ask, refusal=refusal)

    def _policy_of(self, service: Service) -> str:
        """Raise `Invalid` for one that does not exist; of a service that is gone nobody can put it right any more."""
        try:
            return policy_of(service.tags, prefix=self.prefix, default=self._policy, known=POLICIES)
        except Invalid:
            if service.active:
                raise
            return self._policy

    def _before(self, record: Record, service: Service) -> Exposure | None:
        try:
            return read_one(service.arn, record.tag, record.good, self._grammars) if record.good else None
        except Invalid:  # readable once, before the grammar changed
            return None


def _changed(record: Record, value: str) -> Record:
    """With what the tag says now; what says something new is tried at once."""
    return record if value == record.value else replace(record, value=value, attempts=0, retry_at=0.0)
