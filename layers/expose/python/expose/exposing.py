"""One exposure, from what its tag asks for to AWS: read what is there, plan, apply.

A tag that asks for something new is tried first. Where that is refused, what the tag asked for before goes on being
followed: bad input changes nothing that works.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from expose.apply import Applier
from expose.asks import Ask, Attempt
from expose.aws import AwsError, throttled
from expose.current import Current
from expose.deciding import Deciding
from expose.model import Exposure, Identity, Resource, Service
from expose.outcome import Outcome
from expose.plan import Delete, Plan, doors, plan, recorded
from expose.policy import POLICIES, stopped, withdrawal
from expose.records import CLOCKS_DIFFER, Record
from expose.refusals import NotYet, Refused

_WATCHES = 60.0  # seconds between two looks at the health of what AWS watches
_WATCHES_SICK = 15.0  # the same, while any of it is unhealthy


class Exposing:
    def __init__(
        self, *, deciding: Deciding, current: Current, applier: Applier, clock: Callable[[], float]
    ) -> None:
        self.deciding = deciding
        self._current = current
        self._applier = applier
        self._clock = clock

    def follow(self, ask: Ask, service: Service, *, serving: Sequence[str], none_ready_for: float) -> Outcome:
        """Bring one exposure to what its tag asks for, as far as that goes now.

        `serving` are tasks that are to stop and may still serve, the first to stop first: no tasks of the service, but
        better than no address.
        """
        shut = self._shut(ask, ask.record, service)
        record, error = self._applier.settle(shut.record, service.alive)
        current: Mapping[Identity, str] = recorded(record.owned)
        adopted: tuple[str, ...] = ()
        if ask.fresh:
            record, current, adopted = self._current.read(record, self.deciding.mark(record), service)
            shut = self._shut(ask, record, service).after(shut)  # with those that only AWS knew of
            record, current = shut.record, _left(current, shut.record)
        failed = ask.failure or (OperationFailed(error) if error else None)
        outcome = Outcome(record, refused=ask.refusal, failed=failed, adopted=adopted)
        outcome = self._try(ask, current, outcome, service, serving, none_ready_for)
        outcome = self._adopt(ask, outcome, service, serving).after(shut)
        outcome.record = replace(outcome.record, limits=self.deciding.limits)
        return self._watch(ask, outcome, service)

    def _watch(self, ask: Ask, outcome: Outcome, service: Service) -> Outcome:
        """Ask how healthy its tasks are found, when it is time to: no event tells, and what was healthy may fall ill."""
        record, now = outcome.record, self._clock()
        wanted = self._applier.watches(record) and service.active
        if wanted and (ask.fresh or record.watch_at <= now + CLOCKS_DIFFER):
            try:
                record = self._applier.examine(record)
            except AwsError as failure:
                if not throttled(failure):  # or it is asked next time
                    outcome.failed = outcome.failed or failure
            pause = _WATCHES_SICK if any(each.sick_since for each in record.owned) else _WATCHES
            record = replace(record, watch_at=now + pause)
        outcome.record = replace(record, watch_at=record.watch_at if wanted else 0.0)
        return outcome

    def _shut(self, ask: Ask, record: Record, service: Service) -> Outcome:
        """Doors close on the first word. What lets everybody pass goes unless the tag says now that it may: before
        anything is asked of AWS that could refuse, fail or take its time, and whatever is decided afterwards.
        """
        wanted = Plan() if self.deciding.opens(ask) else doors(record.owned)
        return self._apply(ask, wanted, record, service, ()) if wanted else Outcome(record)

    def _try(
        self,
        ask: Ask,
        current: Mapping[Identity, str],
        outcome: Outcome,
        service: Service,
        serving: Sequence[str],
        none_ready_for: float,
    ) -> Outcome:
        """What the tag says now, and where that cannot be had what it said before, as far as the stack allows that still.
        Where it allows neither, all goes.
        """
        refusal, decision = ask.refusal, None
        for attempt in ask.attempts:
            try:
                decided = self.deciding.decide(ask, attempt, service, outcome.record, none_ready_for)
            except Refused as refused:
                outcome.refused = outcome.refused or (None if decision else refused)
                refusal = refused
                continue
            except NotYet as reason:
                outcome.wait(reason)
                refusal = None
                continue
            refusal, decision = None, decision or decided
            outcome = self._bring_about(ask, attempt, decided.desired, current, outcome, service, serving)
            whole = not outcome.unfinished
            outcome.refused = decided.told(outcome.refused)
            current = recorded(outcome.record.owned)
            if whole or decided.partly:
                break
        if refusal and refusal.takes_back:
            told = outcome.refused or (None if decision else refusal)
            outcome.refused = told and told.taking_back(refusal)
            kept = decision.desired if decision else ()
            wanted = plan(kept, current, outcome.record.by_identity)
            return self._take_back(ask, wanted.closing_at_once(), outcome, service)
        return outcome if decision else self._withdraw_stopped(ask, outcome, service, serving)

    def _bring_about(
        self,
        ask: Ask,
        attempt: Attempt,
        desired: Sequence[Resource],
        current: Mapping[Identity, str],
        earlier: Outcome,
        service: Service,
        serving: Sequence[str],
    ) -> Outcome:
        """One attempt. Beside what is just being opened, or will be tried again, nothing else is closed."""
        wanted = plan(desired, current, earlier.record.by_identity)
        if not attempt.now and not earlier.refused and earlier.unfinished:
            wanted = Plan(wanted.openings)
        outcome = self._apply(ask, wanted, earlier.record, service, serving)
        if outcome.refused and attempt.exposure:
            outcome.refused = _about(attempt.exposure, outcome.refused)
        if attempt.now and attempt.exposure and not outcome.unfinished:
            outcome.record = replace(outcome.record, good=attempt.exposure.value, good_found=attempt.found)
        return outcome.after(earlier)

    def _take_back(self, ask: Ask, wanted: Plan, outcome: Outcome, service: Service) -> Outcome:
        """The stack does not allow what the tag asked for before, so that goes, whatever becomes of what it asks for now. What
        has nothing left is no longer what could last be carried out.
        """
        outcome = self._apply(ask, wanted, outcome.record, service, ()).after(outcome)
        if not outcome.record.owned:
            outcome.record = replace(outcome.record, good="", good_found={})
        return outcome

    def _withdraw_stopped(
        self, ask: Ask, outcome: Outcome, service: Service, serving: Sequence[str]
    ) -> Outcome:
        """Nothing can be decided, but a stopped task's address goes in any case."""
        wanted = withdrawal(outcome.record.owned, service.alive)
        return self._apply(ask, wanted, outcome.record, service, serving).after(outcome)

    def _apply(
        self, ask: Ask, wanted: Plan, record: Record, service: Service, serving: Sequence[str]
    ) -> Outcome:
        alive = service.alive
        permitted = POLICIES[ask.policy](wanted, alive)
        applied = self._applier.apply(
            record, permitted, mark=self.deciding.mark(ask.record), alive=alive, serving=serving
        )
        applied.withheld = str(wanted) if wanted != permitted else ""
        return applied

    def _adopt(self, ask: Ask, outcome: Outcome, service: Service, serving: Sequence[str]) -> Outcome:
        """Take over what was there before us: in what has just been made, and, once all that is asked for is there, beside
        it. Of that, withdraw what nobody asks for.
        """
        mark = self.deciding.mark(ask.record)
        try:
            found = self._current.inherited(ask.record, outcome.record, mark, service)
            settled = ask.fresh and not outcome.unfinished and not outcome.waiting
            beside = self._current.left_behind(outcome.record, mark) if settled else {}
        except AwsError as failure:
            outcome.failed = outcome.failed or failure
            return outcome
        if not (found := {**found, **beside}):
            return outcome
        record = outcome.record.owning(outcome.record.by_identity | found)
        closings = (
            each
            for each in reversed(found.values())
            if each.identity in beside or stopped(each, service.alive)
        )
        applied = self._apply(ask, Plan(closings=tuple(map(Delete, closings))), record, service, serving)
        return replace(applied.after(outcome), adopted=(*outcome.adopted, *map(str, found)))


def _left(current: Mapping[Identity, str], record: Record) -> Mapping[Identity, str]:
    """What is still there of what was."""
    owned = record.by_identity
    return {identity: seen for identity, seen in current.items() if identity in owned}


def _about(exposure: Exposure, refusal: Refused) -> Refused:
    """The refusal with the tag in its text, for adapters do not know for whom they work."""
    if refusal.message.startswith(exposure.tag):
        return refusal
    return type(refusal)(refusal.code, exposure.said(refusal.message))


class OperationFailed(Exception):  # noqa: N818 - it names what happened in AWS, after it had accepted the change
    """An operation that AWS had accepted came to nothing."""
