"""One exposure, from what its tag asks for to AWS: read what is there, plan, apply.

A tag that asks for something new is tried first. Where that is refused, what the tag asked for before goes on being
followed: bad input changes nothing that works.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from expose.adopting import forgotten, inherited, left_behind
from expose.apply import Applier
from expose.asks import Ask, Attempt
from expose.aws import AwsError
from expose.deciding import Deciding
from expose.foresight import Foresight
from expose.model import Exposure, Identity, Resource, Service
from expose.outcome import Outcome
from expose.plan import Delete, Plan, plan, recorded
from expose.policy import POLICIES, stopped, withdrawal
from expose.published import stands_at
from expose.records import CLOCKS_DIFFER, Record
from expose.refusals import NotYet, Refused
from expose.resources import Adapters

_WATCHES = 60.0  # seconds between two looks at the health of what AWS watches
_WATCHES_SICK = 15.0  # the same, while any of it is unhealthy
_LISTING_LAG = 60.0  # seconds for which what was just made counts as there although a list lacks it (F§3.2)


class Exposing:
    def __init__(
        self, *, deciding: Deciding, adapters: Adapters, applier: Applier, clock: Callable[[], float]
    ) -> None:
        self.deciding = deciding
        self._adapters = adapters
        self._applier = applier
        self._clock = clock

    def follow(self, ask: Ask, service: Service, *, serving: Sequence[str], none_ready_for: float) -> Outcome:
        """Bring one exposure to what its tag asks for, as far as that goes now.

        `serving` are tasks that are to stop and may still serve, the first to stop first: no tasks of the service, but
        better than no address.
        """
        record, error = self._applier.settle(ask.record, service.alive)
        record, current, adopted = (
            self._read(record, ask, service) if ask.fresh else (record, recorded(record.owned), ())
        )
        failed = ask.failure or (OperationFailed(error) if error else None)
        outcome, decided = Outcome(record, refused=ask.refusal, failed=failed, adopted=adopted), False
        for attempt in ask.attempts:
            try:
                desired, partly = self.deciding.desired(attempt, service, outcome.record, none_ready_for)
            except Refused as refusal:
                outcome.refused = outcome.refused or refusal
                continue
            except NotYet as reason:
                outcome.wait(reason)
                continue
            decided = True
            outcome = self._bring_about(ask, attempt, desired, current, outcome, service, serving)
            whole = not outcome.unfinished
            outcome.refused = outcome.refused or partly
            if whole or partly:
                break
            current = recorded(outcome.record.owned)
        outcome = outcome if decided else self._withdraw_stopped(ask, outcome, service, serving)
        outcome = self._adopt(ask, outcome, service, serving)
        return self._watch(ask, outcome, service)

    def withdraw(self, ask: Ask, service: Service, addresses: Collection[str]) -> Outcome:
        """What stands at these addresses for tasks that are none of the service's, whatever the tag asks for."""
        record, failed = self._settled(ask, service)
        closings = tuple(
            change
            for change in withdrawal(record.owned, service.alive).closings
            if stands_at(change.owned, addresses)
        )
        outcome = self._apply(ask, Plan(closings=closings), record, service, ())
        outcome.failed = outcome.failed or failed
        return outcome

    def foresee(self, ask: Ask, service: Service, *, none_ready_for: float) -> Foresight:
        """What `follow` would come to, with all of it read afresh and nothing changed, in AWS or in the ledger."""
        record, current, _ = self._read(ask.record, ask, service)
        seen = Foresight(ask, record, current, refused=ask.refusal, failed=ask.failure)
        for attempt in ask.attempts:
            try:
                desired, partly = self.deciding.desired(attempt, service, record, none_ready_for)
            except Refused as refusal:
                seen = replace(seen, refused=seen.refused or refusal)
                continue
            except NotYet as reason:
                seen = replace(seen, waiting=seen.waiting or reason)
                continue
            seen = replace(seen, refused=seen.refused or partly)
            wanted = plan(desired, current, record.by_identity)
            if not attempt.now and seen.failed and not seen.refused:
                wanted = Plan(wanted.openings)
            return replace(seen, attempt=attempt, desired=desired).planning(wanted, service.alive)
        return seen.planning(withdrawal(record.owned, service.alive), service.alive)

    def _settled(self, ask: Ask, service: Service) -> tuple[Record, Exception | None]:
        """The record with what operations came to, or as it was where that could not be read."""
        try:
            record, error = self._applier.settle(ask.record, service.alive)
        except AwsError as failure:
            return ask.record, failure
        return record, OperationFailed(error) if error else None

    def _watch(self, ask: Ask, outcome: Outcome, service: Service) -> Outcome:
        """Ask how healthy its tasks are found, when it is time to; always where sick ones are to be replaced, else for
        as long as something is wrong.
        """
        record, now = outcome.record, self._clock()
        wanted = self.deciding.replacing(ask, service) is not None or any(
            each.trouble for each in record.owned
        )
        if wanted and (ask.fresh or record.watch_at <= now + CLOCKS_DIFFER):
            try:
                record = self._applier.examine(record)
            except AwsError as failure:
                outcome.failed = outcome.failed or failure
            pause = _WATCHES_SICK if any(each.sick_since for each in record.owned) else _WATCHES
            record = replace(record, watch_at=now + pause)
        outcome.record = replace(record, watch_at=record.watch_at if wanted else 0.0)
        return outcome

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
            found = inherited(ask.record, outcome.record, self._adapters, mark, service)
            settled = ask.fresh and not outcome.unfinished and not outcome.waiting
            beside = left_behind(outcome.record, self._adapters, mark) if settled else {}
        except AwsError as failure:
            outcome.failed = outcome.failed or failure
            return outcome
        if not (found := found | beside):
            return outcome
        record = outcome.record.owning(outcome.record.by_identity | found)
        closings = (
            each
            for each in reversed(found.values())
            if each.identity in beside or stopped(each, service.alive)
        )
        applied = self._apply(ask, Plan(closings=tuple(map(Delete, closings))), record, service, serving)
        return replace(applied.after(outcome), adopted=(*outcome.adopted, *map(str, found)))

    def _read(
        self, record: Record, ask: Ask, service: Service
    ) -> tuple[Record, Mapping[Identity, str], tuple[str, ...]]:
        """What AWS says is there, and what of it was forgotten: it carries our mark, and is ours again. What is only
        claimed stays so, for not all that is seen carries a mark.
        """
        seen = {
            each.identity: each
            for adapter in self._adapters.kinds.values()
            for each in adapter.read(record.owned, self.deciding.mark(ask.record))
        }
        recent = [each for each in record.owned if each.task and self._clock() - each.since < _LISTING_LAG]
        current = recorded(recent) | {identity: each.fingerprint for identity, each in seen.items()}
        adopted = forgotten(seen, record, service)
        return record.owning(adopted | record.by_identity), current, tuple(map(str, adopted))


def _about(exposure: Exposure, refusal: Refused) -> Refused:
    """The refusal with the tag in its text, for adapters do not know for whom they work."""
    if refusal.message.startswith(exposure.tag):
        return refusal
    return type(refusal)(refusal.code, exposure.said(refusal.message))


class OperationFailed(Exception):  # noqa: N818 - it names what happened in AWS, after it had accepted the change
    """An operation that AWS had accepted came to nothing."""
