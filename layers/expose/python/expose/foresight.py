"""What following an exposure would come to now: what carrying out a plan begins with, as a value for people to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from expose.asks import Ask, Attempt
from expose.current import Current
from expose.deciding import Deciding
from expose.model import Identity, Resource, Service
from expose.plan import Plan, doors, plan, recorded
from expose.policy import POLICIES, withdrawal
from expose.records import Record
from expose.refusals import NotYet, Refused


@dataclass(frozen=True, slots=True)
class Foresight:
    """Of one ask. `record` owns what AWS says is there as well, `current` has its fingerprints.

    `attempt` is what would be brought about, None where nothing can be decided; `refused`, `failed` and `waiting` are
    the first of each that stands in the way. `plan` is what would be done, `withheld` what the policy keeps back.
    """

    ask: Ask
    record: Record
    current: Mapping[Identity, str]
    attempt: Attempt | None = None
    desired: Sequence[Resource] = ()
    plan: Plan = field(default_factory=Plan)
    withheld: Plan = field(default_factory=Plan)
    refused: Refused | None = None
    failed: Exception | None = None
    waiting: NotYet | None = None

    def planning(self, wanted: Plan, alive: Collection[str]) -> Foresight:
        """With what the policy lets be done of a plan, and what it keeps back."""
        permitted = POLICIES[self.ask.policy](wanted, alive)
        return replace(self, plan=permitted, withheld=wanted.without(permitted))


class Foreseeing:
    """As `Exposing` follows an exposure, with nothing changed in AWS or in the ledger."""

    def __init__(self, deciding: Deciding, current: Current) -> None:
        self.deciding = deciding
        self._current = current

    def foresee(self, ask: Ask, service: Service, *, none_ready_for: float, afresh: bool) -> Foresight:
        """`afresh` reads what is there; else it is what the ledger says."""
        record, current = ask.record, recorded(ask.record.owned)
        if afresh:
            record, read, _ = self._current.read(record, self.deciding.mark(record), service)
            current = dict(read)
        shut = Plan() if self.deciding.opens(ask) else doors(record.owned)
        gone = {each.owned.identity for each in POLICIES[ask.policy](shut, service.alive).closings}
        owned = {identity: entry for identity, entry in record.by_identity.items() if identity not in gone}
        there = {identity: seen for identity, seen in current.items() if identity not in gone}
        seen = Foresight(ask, record, current, refused=ask.refusal, failed=ask.failure)
        seen = self._decided(seen, service, none_ready_for)
        wanted = withdrawal(owned.values(), service.alive)
        if seen.attempt is not None:
            wanted = plan(seen.desired, there, owned)
            if not seen.attempt.now and seen.attempt.exposure and seen.failed and not seen.refused:
                wanted = Plan(wanted.openings)
        return seen.planning(wanted.after(shut), service.alive)

    def _decided(self, seen: Foresight, service: Service, none_ready_for: float) -> Foresight:
        """With what would be brought about, if that can be said, and what stands in the way."""
        refusal = seen.refused
        for attempt in seen.ask.attempts:
            try:
                decision = self.deciding.decide(seen.ask, attempt, service, seen.record, none_ready_for)
            except Refused as refused:
                seen, refusal = replace(seen, refused=seen.refused or refused), refused
                continue
            except NotYet as reason:
                seen, refusal = replace(seen, waiting=seen.waiting or reason), None
                continue
            told = decision.told(seen.refused)
            return replace(seen, attempt=attempt, desired=decision.desired, refused=told)
        if refusal and refusal.takes_back:
            told = (seen.refused or refusal).taking_back(refusal)
            return replace(seen, attempt=Attempt(None), refused=told)
        return seen
