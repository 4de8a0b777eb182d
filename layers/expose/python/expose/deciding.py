"""Deciding: what a tag's mechanism has to know, and what it wants to be there, given the tasks that may be published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from expose.arn import ServiceArn
from expose.asks import Ask, Attempt
from expose.aws import AwsError
from expose.mechanisms import Mechanism, Surroundings
from expose.mechanisms.surroundings import bearer
from expose.model import Exposure, Resource, Service, digest
from expose.policy import Detail, Limits, Replacing, to_publish
from expose.records import Record
from expose.refusals import Partly, Refused
from expose.resources import Finder

_TAG = 40  # characters of a tag's key that a mark has room for


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be there; `partly` says why that is not all that was asked for, `shut` that what would be open to
    everybody is left out of it, because the tag or the stack does not say so any more.
    """

    desired: Sequence[Resource] = ()
    partly: Partly | None = None
    shut: bool = False

    def told(self, refused: Refused | None) -> Refused | None:
        """What stands in the way, where that was refused before."""
        if refused and self.shut:
            return refused.and_also("what the tag opened to everybody before is closed meanwhile")
        return refused or self.partly


class Deciding:
    def __init__(
        self,
        *,
        mechanisms: Mapping[str, Mechanism],
        finders: Mapping[str, Finder],
        limits: Limits,
        stack: str,
        empty_after: float,
        clock: Callable[[], float],
    ) -> None:
        self._mechanisms = mechanisms
        self._finders = finders
        self._limits = limits
        self._stack = stack
        self.empty_after = empty_after
        self._clock = clock

    @property
    def limits(self) -> str:
        """The digest of what the stack allows."""
        return self._limits.digest

    def look_up(self, ask: Ask, service: Service) -> Ask:
        """The ask with the answers to its mechanism's questions; asked again where nothing is to be relied on."""
        if ask.exposure is None:
            return ask
        try:
            self._limits.check_mechanism(ask.exposure)
            lookups = self._mechanisms[ask.exposure.mechanism].lookups(ask.exposure, service, self._limits)
            known = {} if ask.fresh else ask.record.found
            found = {
                each: known[each] if each in known else self._finders[each.kind].find(each.key)
                for each in lookups
            }
        except Refused as refusal:
            return replace(ask, refusal=refusal)
        except AwsError as failure:
            return replace(ask, failure=failure)
        return replace(ask, record=replace(ask.record, found=found))

    def detail(self, ask: Ask) -> Detail:
        """How much has to be known of each task."""
        return max((self._needed(attempt) for attempt in ask.attempts), default=Detail.PRIVATE)

    def opens(self, ask: Ask) -> bool:
        """Whether the tag says now that everybody may pass, and the stack lets it: whatever else is wrong with it."""
        mechanism = self._mechanisms.get(ask.record.tag.split(":")[1])
        return mechanism is not None and mechanism.opens(ask.said, self._limits)

    def decide(
        self, ask: Ask, attempt: Attempt, service: Service, record: Record, none_ready_for: float
    ) -> Decision:
        """Raise `Refused` or `NotYet` where it cannot be said what is to be there."""
        if attempt.exposure is None or not service.active:
            return Decision()
        try:
            decision = Decision(self._desired(attempt, attempt.exposure, service, record, none_ready_for))
        except Partly as partly:
            decision = Decision(partly.desired, partly)
        if self.opens(ask) or not any(each.open for each in decision.desired):
            return decision
        return replace(decision, desired=[each for each in decision.desired if not each.open], shut=True)

    def _desired(
        self, attempt: Attempt, exposure: Exposure, service: Service, record: Record, none_ready_for: float
    ) -> Sequence[Resource]:
        self._limits.check_mechanism(exposure)
        mechanism = self._mechanisms[exposure.mechanism]
        tasks = to_publish(
            service,
            mechanism.ready,
            published=record.tasks,
            none_ready_for=none_ready_for,
            empty_after=self.empty_after,
        )
        surroundings = Surroundings(self._limits, self.mark(record), attempt.found)
        known = replace(service, tasks=tasks, read_at=self._clock())
        return mechanism.desired(exposure, known, surroundings)

    def replacing(self, ask: Ask, service: Service) -> Replacing | None:
        """Whether the tag wants sick tasks replaced."""
        if ask.exposure is None or ask.policy != "sync":
            return None
        return self._mechanisms[ask.exposure.mechanism].replacing(ask.exposure, service)

    def mark(self, record: Record) -> str:
        """Whose something is, to be read by people too where that fits into a tag and an attribute."""
        whose = bearer(self._stack, ServiceArn.parse(record.service))
        readable = len(record.tag) <= _TAG and record.tag.isascii() and not {" ", "/"} & {*record.tag}
        return f"{whose}/{record.tag if readable else digest(record.tag)}"

    def _needed(self, attempt: Attempt) -> Detail:
        if attempt.exposure is None:
            return Detail.PRIVATE
        try:
            surroundings = Surroundings(self._limits, "", attempt.found)
            return self._mechanisms[attempt.exposure.mechanism].detail(attempt.exposure, surroundings)
        except Refused:
            return Detail.PRIVATE  # it is refused again, and reported, where it is carried out
