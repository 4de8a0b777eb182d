"""Exposures that share one thing, each a worker that applies what it wants, may die, and comes back: see `interleaving`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from random import Random

from botocore.exceptions import BotoCoreError, ClientError

from expose.apply import Applier
from expose.ledger import Ledger
from expose.model import Identity, Owned, Resource
from expose.outcome import Outcome
from expose.plan import plan, recorded
from expose.records import Record
from expose.resources import Adapters, Ids, Made, Settled
from expose.shared import Shared
from tests.unit.interleaving import Choose, InMemory, Interleaver, Killed, World

THING = Identity("thing", "one")
HIDDEN = 360.0  # seconds until SQS shows a message again whose worker has died
TIMEOUT = 60.0  # seconds for which a function runs at most
FOREVER = 1e12
_FAILED_AGAIN = 5.0


class Things:
    """The adapter. Where they are `slow`, their ids are known only when the operation has ended."""

    def __init__(self, world: World, *, slow: bool) -> None:
        self._world = world
        self._slow = slow

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry in owned:
            if entry.aws_id and self._world.is_there(entry.aws_id):
                yield Owned(entry.identity, entry.fingerprint, entry.aws_id, shared=True)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        key = resource.identity.key
        aws_id = next(iter(self._world.listed(key)), "") or self._world.create(key)
        return Made("", operation=f"make {aws_id}") if self._slow else Made(aws_id)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return next(iter(self._world.listed(owned.identity.key)), "")

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        self._world.delete(aws_id)
        return "remove" if self._slow else ""

    def settle(self, running: Iterable[Owned], ids: Mapping[Identity, str]) -> Mapping[Identity, Settled]:
        return {
            each.identity: Settled(each.aws_id or each.operation.removeprefix("make ")) for each in running
        }


class Sharer:
    """One exposure. `wants` the thing or not; `due` is when it is looked at next, and `fresh` whether all is read then."""

    def __init__(self, play: Play, name: str, *, wants: bool) -> None:
        self.mark = f"corral/granja/{name}/expose:lb"
        self.wants = wants
        self.due = 0.0
        self.fresh = False
        self.verify_at = FOREVER
        self.began = 0.0
        self.doomed = False
        self.outcome: Outcome | None = None
        self.service = f"arn:aws:ecs:eu-west-1:123456789012:service/granja/{name}"
        self._play = play

    @property
    def record(self) -> Record:
        found = self._play.records.get(self.service)
        return found or Record(self.service, "expose:lb")

    @property
    def calm(self) -> bool:
        """Whether nothing is left to do."""
        outcome = self.outcome
        stuck = not outcome or outcome.waiting or outcome.failed or outcome.refused or outcome.lingering
        return not stuck and bool(self.record.owned) is self.wants

    def attempt(self) -> None:
        """What one message brings about; dead workers' messages come back."""
        self.began, self.outcome = self._play.world.now, None
        if self.verify_at <= self.began:
            self.fresh, self.verify_at = True, FOREVER
        try:
            self._apply()
        except Killed:
            self.due = self.began + HIDDEN
        except (ClientError, BotoCoreError):
            self.due = self._play.world.now + _FAILED_AGAIN
        finally:
            self.began, self.doomed = 0.0, False

    def _apply(self) -> None:
        play = self._play
        record, _ = play.applier.settle(self.record, ())
        there = [each for each in record.owned if not self.fresh or each.aws_id in play.world.seen()]
        current = recorded(there)
        desired = [Resource(THING, spec={"a": 1}, shared=True)] if self.wants else []
        changes = plan(desired, current, record.by_identity)
        outcome = play.applier.apply(record, changes, mark=self.mark, alive=())
        play.records[self.service] = outcome.record
        self.outcome, self.fresh = outcome, bool(outcome.failed)
        self.due = play.world.now + self._pause(outcome)
        if outcome.verify_at:
            self.verify_at = outcome.verify_at
        self.due = min(self.due, self.verify_at)

    def _pause(self, outcome: Outcome) -> float:
        if outcome.waiting:
            return outcome.waiting.seconds
        if outcome.failed:
            return _FAILED_AGAIN
        return 60.0 if outcome.lingering else FOREVER


class Play:
    """The sharers, and the world that they share."""

    def __init__(self, choose: Choose, *, slow: bool = False, lag: float = 0.0, grace: float = 0.0) -> None:
        self._interleaver = Interleaver(choose)
        self.world = World(self._before)
        self.world.lag = lag
        self.world.in_use = lambda: any("used_by" in item for item in self.clients.items.values())
        self.clients = InMemory(self.world)
        self.records: dict[str, Record] = {}
        self.things = Things(self.world, slow=slow)
        self.standing = ""
        adapters = Adapters(
            kinds={"thing": self.things},
            operations={"thing": self.things},
            finders={},
            standing=lambda _: self.standing,
        )
        clock: Callable[[], float] = lambda: self.world.now  # noqa: E731 - it closes over `self`
        shared = Shared(self.clients, "ledger", clock)
        self.applier = Applier(adapters, _Records(self), shared, grace=grace, clock=clock)
        self.sharers: dict[str, Sharer] = {}
        self._living: set[str] = set()

    def sharer(self, name: str, *, wants: bool = True) -> Sharer:
        self.sharers[name] = Sharer(self, name, wants=wants)
        return self.sharers[name]

    @property
    def acting(self) -> str:
        """The name of the one that goes on."""
        return self._interleaver.name

    def changes_its_mind(self, name: str) -> Play:
        """Seen at once, but by a worker that has died."""
        sharer = self.sharers[name]
        sharer.wants, sharer.due = False, self.world.now if sharer.due == FOREVER else sharer.due
        return self

    def run(self, jobs: Mapping[str, Callable[[], None]]) -> None:
        self._interleaver.run(jobs)

    def together(self, *names: str) -> None:
        """One attempt of each, in the order that is chosen."""
        self.run({name: self.sharers[name].attempt for name in names})

    def at_random(self, seed: Random) -> None:
        """All of them, as it comes: tags that come and go, time that passes, functions that run into their timeout."""
        self._living = {*self.sharers}
        lives = {name: partial(self._live, name, seed) for name in self.sharers}
        self.run({**lives, "time": partial(self._pass_time, seed)})

    def _live(self, name: str, seed: Random) -> None:
        try:
            self._change_minds(self.sharers[name], seed)
        finally:
            self._living.remove(name)

    def _change_minds(self, sharer: Sharer, seed: Random) -> None:
        for _ in range(seed.randint(2, 5)):
            sharer.wants, sharer.due = seed.random() < 0.6, max(self.world.now, sharer.due)
            for _ in range(seed.randint(1, 6)):
                while self.world.now < sharer.due < FOREVER:
                    self._interleaver.pause()
                sharer.fresh |= seed.random() < 0.2
                sharer.attempt()

    def _pass_time(self, seed: Random) -> None:
        """Little while anybody is at work, else until the next one is."""
        while self._living:
            self._interleaver.pause()
            busy = any(each.began for each in self.sharers.values())
            left = min(each.due for each in self.sharers.values()) - self.world.now
            self.world.pass_time(seed.choice([0, 0.1, 1, 10]) if busy else min(max(1.0, left), HIDDEN))
            for each in self.sharers.values():
                each.doomed = bool(each.began) and self.world.now > each.began + TIMEOUT

    def settle(self, limit: float = 10_000.0) -> None:
        """Let time pass until nobody has anything to do, one attempt at a time."""
        end = self.world.now + limit
        while self.world.now < end:
            next_one = min(self.sharers.values(), key=lambda each: each.due)
            if next_one.due > end:
                break
            self.world.pass_time(max(0.0, next_one.due - self.world.now))
            next_one.attempt()

    def verify(self) -> None:
        """Long after, everything is read again."""
        for _ in range(3):
            self.world.pass_time(1000.0)
            for each in self.sharers.values():
                each.fresh, each.due = True, self.world.now
            self.settle()

    def assert_right(self) -> None:
        """One thing where anybody wants it, which all have; nothing at all where nobody does. And there were never two."""
        assert self.world.most <= 1, "two were made"
        users = [each for each in self.sharers.values() if each.wants]
        assert len(self.world.things) == bool(users), self.world.things
        for each in self.sharers.values():
            ids = {owned.aws_id for owned in each.record.owned}
            assert ids == ({*self.world.things} if each.wants else set()), each.mark
            assert each.calm, (each.mark, each.outcome)
        kept = [key for key in self.clients.items if key[0].startswith("SHARED#")]
        assert len(kept) == bool(users), self.clients.items

    def assert_nothing_leaks(self) -> None:
        for each in self.sharers.values():
            each.wants, each.due = False, self.world.now
        self.settle()
        self.assert_right()

    def _before(self) -> None:
        self._interleaver.pause()
        if (acting := self.sharers.get(self.acting)) and acting.doomed:
            raise Killed


class _Records(Ledger):
    """The claims are saved before anything is made; what a dead worker has not saved is lost."""

    def __init__(self, play: Play) -> None:
        self._play = play

    def save_record(self, record: Record, *, expires: float = 0.0) -> Record:
        self._play.records[record.service] = record
        return record


def firsts(choices: Sequence[str]) -> Choose:
    """Chooses these, one after the other, then whoever comes first."""
    left = list(choices)

    def choose(running: Sequence[str]) -> str:
        while left:
            if (chosen := left.pop(0)) in running:
                return chosen
        return running[0]

    return choose
