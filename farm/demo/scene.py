"""One chapter as it plays: what it can see and wait for, what it expects, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from farm import seed
from farm.demo.chart import LEAD, chart
from farm.demo.stage import Stage
from farm.demo.verdict import Check, Result, Timing
from farm.demo.watch import Life, Watch, Window
from farm.demo.world import UnmetError, World, until
from farm.gate import GATE, Call

DNS = "expose:dns"
LB = "expose:lb"
API = "expose:api"
IP = "expose:ip"
CONEJO, GALLINA = SERVICES = ("conejo", "gallina")
"""Those with a name."""
PATO = "pato"
FARMED = (*SERVICES, PATO)
CABRA, OVEJA = PRIVATE = ("cabra", "oveja")
"""Those without a public address."""
ABEJA, MULA = LISTED = ("abeja", "mula")
"""Those whose addresses are listed."""
COUNT = 4
FEW = 2
"""How many tasks those have."""
_TRAILING = 3.0  # seconds that a chapter waits for the last of its calls; a look much later is the next one's


def name_of(service: str) -> str:
    """The name that the service is to have."""
    return f"{service}.{seed.NAMESPACE}"


class Scene:
    """`patience` is for how many seconds it waits for anything. One in `haste` does not wait for the last of its calls."""

    def __init__(
        self, world: World, watch: Watch, stage: Stage, result: Result, *, patience: float, haste: bool
    ) -> None:
        self.world = world
        self.farm = world.farm
        self.balancing = world.balancing
        self.apis = world.apis
        self.lists = world.lists
        self.stage = stage
        self._watch = watch
        self._result = result
        self._patience = patience
        self.haste = haste
        self._began = time.time()
        self._calls = len(GATE.calls)
        self._said = len(self.farm.published())

    def expect(self, expected: str, observed: str, *, holds: bool) -> None:
        check = Check(expected, observed, holds)
        self._result.checks.append(check)
        self.stage.check(check)

    def expect_never_empty(self, service: str = CONEJO) -> None:
        self._expect_never("empty", service, lambda seen: seen.empty)

    def expect_never_wrong(self, service: str = CONEJO) -> None:
        self._expect_never("a stopped task", service, lambda seen: seen.wrong)

    def took(self, what: str, seconds: float, span: str) -> None:
        timing = Timing(what, seconds, span)
        self._result.timings.append(timing)
        self.stage.timing(timing)

    def wait(self, expected: str, reached: Callable[[], Any], seen: Callable[[], object]) -> None:
        """Wait for what the rest of the story stands on. Raises UnmetError with what was seen instead."""
        if not until(lambda: bool(reached()), limit=self._patience):
            raise UnmetError(f"{expected}: after {self._patience:g} s, {seen()}")

    def wait_published(self, service: str) -> None:
        """Until the name answers with just the addresses of the tasks that run and are to stay."""
        self.wait(
            f"{name_of(service)} answers with {COUNT} tasks",
            lambda: self._is_published(service),
            lambda: self.world.ask(name_of(service)) or "no answer",
        )

    def rest(self) -> None:
        """Until the functions have nothing in hand, so that what follows is not theirs from before."""
        until(self.world.at_rest, limit=self._patience, every=0.1)

    def answers(self, service: str) -> frozenset[str]:
        """What the name answers now, by a query of our own."""
        answer = self.world.ask(name_of(service))
        return answer.addresses if answer else frozenset()

    def exists(self, service: str) -> bool:
        """Whether the name does, by a query of our own."""
        answer = self.world.ask(name_of(service))
        return answer is None or answer.exists

    def seen(self, service: str) -> Window:
        """What was seen of a service since the scene began."""
        return self._watch.of(service, self._began)

    def said(self, kind: str, service: str) -> list[dict[str, Any]]:
        """What the product said of a service since the scene began."""
        return self.world.said(kind, service, self._said)

    def swept_at(self) -> float | None:
        """When a sweep made its first call since the scene began."""
        return next((call.at for call in self.world.calls(self._calls) if call.caller == "sweep"), None)

    def asked(self, service: str) -> list[Call]:
        """The functions' calls to an AWS service since the scene began."""
        return [call for call in self.world.calls(self._calls) if call.service == service]

    def victim(self) -> Life:
        """One of the tasks that the name answers with. Raises UnmetError."""
        answers = self.answers(CONEJO)
        for life in self.seen(CONEJO).lives:
            if life.address in answers:
                return life
        raise UnmetError(f"{name_of(CONEJO)} answers with no task")

    @contextmanager
    def film(self, service: str = CONEJO) -> Iterator[None]:
        """Show the strips of a service's tasks while something happens to them."""
        began = time.time()
        with self.film_of(lambda: self._watch.of(service, began - LEAD)):
            yield

    @contextmanager
    def film_of(self, seen: Callable[[], Window]) -> Iterator[None]:
        """Show the strips of the tasks that are seen."""
        with self.stage.film(lambda: chart(seen(), until=time.time())):
            yield
            self.stage.pause(1.0)

    def close(self) -> None:
        """Count the calls: once there are no more of them soon, or so far."""
        if not self.haste:
            until(self.world.at_rest, limit=_TRAILING, every=0.1)
        self._result.calls = self.world.counted(self._calls)

    def _expect_never(self, what: str, service: str, count: Callable[[Window], int]) -> None:
        """By every answer of the name since the scene began."""
        seen = self.seen(service)
        found, asked = count(seen), len(seen.samples)
        self.expect(f"{service} never {what}", f"{found} of {asked} answers", holds=asked > 0 and not found)

    def _is_published(self, service: str) -> bool:
        answers = self.answers(service)
        return len(answers) == COUNT and answers == self.world.tasks(service)
