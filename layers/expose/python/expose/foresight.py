"""What following an exposure would come to now: what carrying out a plan begins with, as a value for people to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from expose.asks import Ask, Attempt
from expose.model import Identity, Resource
from expose.plan import Plan
from expose.policy import POLICIES
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
