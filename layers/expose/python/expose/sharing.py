"""One exposure's dealings with what others use as well: join it or make it, leave it or remove it.

Whoever finds it not yet made makes it, alone; whoever leaves it last removes it. What AWS did not answer is looked for
before anybody makes it again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from expose.common import Common
from expose.model import Identity, Owned, Resource
from expose.outcome import Outcome
from expose.refusals import Gone, Lingering, NotYet
from expose.resources import Adapters, Ids, Made
from expose.shared import Shared


class Sharing:
    """`entries` are those of the exposure with this `mark`, `outcome` is what comes of its changes."""

    def __init__(
        self,
        adapters: Adapters,
        shared: Shared,
        entries: dict[Identity, Owned],
        outcome: Outcome,
        *,
        locate: Callable[[Identity], str],
        mark: str,
        clock: Callable[[], float],
    ) -> None:
        self._adapters = adapters
        self._shared = shared
        self._entries = entries
        self._outcome = outcome
        self._locate = locate
        self._mark = mark
        self._clock = clock

    def create(self, resource: Resource, ids: Ids) -> Made:
        """Join it, and make it where it is not there. Raise `NotYet` where another is at that."""
        identity, adapter = resource.identity, self._adapters.kinds[resource.identity.kind]
        common = self._shared.join(identity, self._mark)
        if common.aws_id and self._is_there(identity, common):
            return Made(common.aws_id, address=common.address)
        claimed = Owned.of(resource, since=self._clock())
        if common.unanswered and (found := adapter.locate(claimed, ids, self._mark)):
            self._shared.made(identity, found)
            with suppress(Gone):
                return self.update(resource, found, ids)
        with self._shared.making(identity, self._mark):
            made = adapter.create(resource, ids, self._mark)
        if made.aws_id:
            self._shared.made(identity, made.aws_id, made.address)
        return made

    def update(self, resource: Resource, aws_id: str, ids: Ids) -> Made:
        """Raise `Gone` where it has to be made anew."""
        try:
            made = self._adapters.kinds[resource.identity.kind].update(resource, aws_id, ids, self._mark)
        except Gone:
            if resource.shared:
                self._shared.gone(resource.identity, aws_id)
            raise
        if resource.shared and (made.address or made.aws_id != aws_id):
            self._shared.changed(resource.identity, aws_id, made.aws_id, made.address)
        return made

    def leave(self, entry: Owned) -> Common:
        """Who wants it again has to join again. What may have been made, by whomever, is looked for."""
        identity = entry.identity
        common = self._shared.leave(identity, self._mark)
        self._entries[identity] = replace(entry, aws_id=common.aws_id or entry.aws_id, leaving=True)
        if common.unanswered and not common.in_use and (found := self._locate(identity)):
            self._shared.made(identity, found)
        return common

    def may_go(self, identity: Identity, common: Common, grace: float) -> bool:
        """Whether it is to be removed, which only this exposure does then; False where somebody uses it.

        Raise `NotYet` while it is kept for who may want it again, and `Lingering` where the stack leaves it standing: then
        it is the next one's who wants it.
        """
        if common.in_use:
            return False
        if (parameter := self._adapters.standing(identity)) and self._locate(identity):
            del self._entries[identity]
            raise Lingering(
                "LeftStanding",
                f"{identity} is left standing, though nobody uses it any more, because the stack's {parameter} is `no`: "
                "delete it yourself, or let it stand for whoever needs it next",
            )
        if (left := common.empty_since + grace - self._clock()) > 0:
            raise NotYet(
                f"{identity} is kept for {left:.0f} s, in case somebody needs it again", seconds=left
            )
        return self._shared.close(identity, self._mark)

    def _is_there(self, identity: Identity, common: Common) -> bool:
        """What somebody has begun to remove may be gone, or may go: then all is read again."""
        if not common.unsure_until:
            return True
        entries = self._entries | {identity: replace(self._entries[identity], aws_id=common.aws_id)}
        seen = self._adapters.kinds[identity.kind].read(list(entries.values()), self._mark)
        if not any(each.identity == identity for each in seen):
            self._shared.gone(identity, common.aws_id)
            return False
        self._outcome.verify_at = max(self._outcome.verify_at, common.unsure_until)
        return True
