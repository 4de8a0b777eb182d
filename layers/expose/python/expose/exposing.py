"""One exposure, from its tag to AWS: look up, decide, read what is there, plan, apply, judge how it stands.

A tag that asks for something new is tried first. Where that is refused, what the tag asked for before goes on being
followed: bad input changes nothing that works.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from expose.apply import Applier, Outcome
from expose.asks import Ask
from expose.aws import AwsError
from expose.mechanisms import Lookup, Mechanism, Surroundings
from expose.model import Exposure, Identity, NotYet, Refused, Resource, Service, ServiceArn, digest
from expose.plan import Delete, Plan, plan, recorded
from expose.policy import POLICIES, Limits, to_publish
from expose.records import Record
from expose.resources import Adapters

_LISTING_LAG = 60.0  # seconds for which what was just made counts as there although a list lacks it (F§3.2)


class Exposing:
    def __init__(
        self,
        *,
        mechanisms: Mapping[str, Mechanism],
        adapters: Adapters,
        applier: Applier,
        limits: Limits,
        stack: str,
        empty_after: float,
        clock: Callable[[], float],
    ) -> None:
        self._mechanisms = mechanisms
        self._adapters = adapters
        self._applier = applier
        self._limits = limits
        self._stack = stack
        self._empty_after = empty_after
        self._clock = clock

    def look_up(self, ask: Ask, service: Service) -> Ask:
        """The ask with the answers to its mechanism's questions, asked anew only where nothing is to be relied on."""
        if ask.exposure is None:
            return ask
        if not ask.fresh:
            return replace(ask, found=ask.record.found)
        try:
            self._limits.check(ask.exposure)
            lookups = self._mechanisms[ask.exposure.mechanism].lookups(ask.exposure, service, self._limits)
            return replace(
                ask, found={each: self._adapters.finders[each.kind].find(each.key) for each in lookups}
            )
        except Refused as refusal:
            return replace(ask, refusal=refusal)
        except AwsError as failure:
            return replace(ask, failure=failure)

    def wants_public(self, ask: Ask) -> bool:
        return any(exposure is not None and self._public(exposure, found) for exposure, found in ask.attempts)

    def follow(
        self, ask: Ask, service: Service, *, serving: Collection[str], none_ready_for: float
    ) -> Outcome:
        """Bring one exposure to what its tag asks for, as far as that goes now.

        `serving` are tasks that are to stop and may still serve: no tasks of the service, but better than no address.
        """
        record, error = self._applier.settle(ask.record)
        record, current = self._read(record, ask) if ask.fresh else (record, recorded(record.owned))
        refusal, outcome = ask.refusal, Outcome(record)
        for exposure, found in ask.attempts:
            try:
                desired = self._desired(exposure, found, service, record, none_ready_for)
            except Refused as refused:
                refusal = refusal or refused
                continue
            except NotYet as reason:
                outcome.wait(reason)
                continue
            wanted = plan(desired, current, outcome.record.by_identity)
            outcome = self._apply(ask, wanted, outcome, service, serving)
            if outcome.refused is None:
                if exposure is not None:
                    outcome.record = replace(outcome.record, good=exposure.value, found=found)
                break
            refusal, current = refusal or outcome.refused, recorded(outcome.record.owned)
        else:
            outcome = self._withdraw_stopped(ask, outcome, service, serving)
        outcome.refused = refusal
        outcome.failed = outcome.failed or ask.failure or (OperationFailed(error) if error else None)
        return outcome

    def mark(self, ask: Ask) -> str:
        """Whose something is, to be read by people too; 200 printable characters at most, as tags and attributes need."""
        arn = ServiceArn.parse(ask.record.service)
        text = f"{self._stack}/{arn.label}/{ask.record.tag}"
        return (
            text
            if len(text) <= 200 and text.isascii() and " " not in text
            else f"{self._stack}/{digest(text)}"
        )

    def _withdraw_stopped(
        self, ask: Ask, outcome: Outcome, service: Service, serving: Collection[str]
    ) -> Outcome:
        """Nothing can be decided, but a stopped task's address goes in any case."""
        alive = {task.id for task in service.tasks}
        gone = [
            each
            for each in outcome.record.owned
            if each.task and each.task not in alive and not each.operation
        ]
        wanted = Plan(closings=tuple(Delete(each) for each in gone))
        return self._apply(ask, wanted, outcome, service, serving)

    def _apply(
        self, ask: Ask, wanted: Plan, outcome: Outcome, service: Service, serving: Collection[str]
    ) -> Outcome:
        permitted = POLICIES[ask.policy](wanted)
        alive = frozenset(task.id for task in service.tasks)
        applied = self._applier.apply(
            outcome.record, permitted, mark=self.mark(ask), alive=alive, serving=serving
        )
        applied.changes += outcome.changes
        applied.withheld = str(wanted) if wanted != permitted else ""
        if outcome.waiting:
            applied.wait(outcome.waiting)
        return applied

    def _desired(
        self,
        exposure: Exposure | None,
        found: Mapping[Lookup, Any],
        service: Service,
        record: Record,
        none_ready_for: float,
    ) -> Sequence[Resource]:
        if exposure is None or not service.active:
            return ()
        tasks = to_publish(
            service, published=record.tasks, none_ready_for=none_ready_for, empty_after=self._empty_after
        )
        surroundings = Surroundings(self._limits, self.mark(Ask(record)), found)
        return self._mechanisms[exposure.mechanism].desired(
            exposure, replace(service, tasks=tasks), surroundings
        )

    def _read(self, record: Record, ask: Ask) -> tuple[Record, Mapping[Identity, str]]:
        """What AWS says is there. What carries our mark and was forgotten is ours again."""
        seen = {
            each.identity: each
            for adapter in self._adapters.kinds.values()
            for each in adapter.read(record.owned, self.mark(ask))
        }
        recent = [each for each in record.owned if self._clock() - each.since < _LISTING_LAG]
        current = recorded(recent) | {identity: each.fingerprint for identity, each in seen.items()}
        return record.owning(seen | record.by_identity), current

    def _public(self, exposure: Exposure, found: Mapping[Lookup, Any]) -> bool:
        try:
            surroundings = Surroundings(self._limits, "", found)
            return self._mechanisms[exposure.mechanism].wants_public(exposure, surroundings)
        except Refused:
            return False  # it is refused again, and reported, where it is carried out


class OperationFailed(Exception):  # noqa: N818 - it names what happened in AWS, after it had accepted the change
    """An operation that AWS had accepted came to nothing."""
