"""Many workers: functions on virtual time as Lambda runs them, side by side, in environments that know nothing of each other.

    with Farm.virtual(workers=Workers(seed=7)) as farm: ...

Whatever a handler asks of AWS, others may come first, before the effect and after it. Who does follows from the seed
alone: a race that one seed shows, it shows again. So a test of what two workers may do to each other is an ordinary one,
for many seeds:

    @pytest.mark.parametrize("seed", range(100))
    def test_two_first_users_of_an_api_make_one(seed):
        with Farm.virtual(workers=Workers(seed)) as farm:
            for name in ("conejo", "gallina"):
                farm.create_service(name, 1, tags={"expose:api": f"/{name} auth=iam"})
            farm.run_for(60)
            assert len(farm.client("apigatewayv2").get_apis()["Items"]) == 1

What happens between two calls of one handler happens in `run_until`, whose condition is looked at every time: promises
that hold at every instant are tested there. What goes wrong is planted as `farm.faults.Fault`; a handler that hangs, or
takes long, dies at its function's timeout, with its environment, and what it held stays hidden as on AWS.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from farm.aws import clock
from farm.copies import POOL, refill
from farm.faults import Crash
from farm.functions import THROTTLED, Function, FunctionError
from farm.guise import Guise, Lines
from farm.runtimes import Logs, answer, context_of, new_logs, timed_out
from farm.turns import Worker, current


@dataclass(frozen=True, slots=True)
class Workers:
    """How many there are is Lambda's affair; this is how they get in each other's way."""

    seed: int = 0
    latency: tuple[float, float] = (0.02, 0.1)
    """Seconds that a call takes, from and to."""
    stall: tuple[float, float, float] = (0.05, 0.2, 2.0)
    """The chance that whoever calls is held up before or after it, and for how many seconds, from and to."""
    fresh: float = 0.05
    """The chance that an invocation gets a new environment although an old one is free, which goes."""


class SideBySide:
    """Runs handlers here, each in a thread and with modules of its own, in turns that follow from the seed."""

    def __init__(self, workers: Workers) -> None:
        self.logs: Logs = new_logs()
        self._workers = workers
        self._random = random.Random(workers.seed)
        self._idle: dict[Function, list[_Environment]] = defaultdict(list)
        self._busy: Counter[Function] = Counter()
        self._at_work: list[Worker] = []
        refill()

    def launch(self, job: Callable[[], None]) -> None:
        """Begin a job, which may invoke functions, beside all others."""
        self._at_work = [worker for worker in self._at_work if not worker.done]
        self._at_work.append(Worker(job))

    def portion(self, batch_size: int) -> int:
        """How many messages a poll gets: SQS has them on many hosts, and Lambda polls with many pollers."""
        return self._random.choice((1, self._random.randint(1, batch_size)))

    def invoke(self, function: Function, event: Mapping[str, Any]) -> Any:
        worker = current()
        if worker is None:
            return self._from_outside(function, event)
        environment = self._take(function)
        sandbox = _Beside(worker, self._pause)
        deadline = clock.after(function.timeout, lambda: sandbox.kill(timed_out(function)))
        try:
            return environment.run(worker, sandbox, event)
        except Crash as crash:
            raise FunctionError(crash.kind, str(crash)) from crash
        finally:
            clock.cancel(deadline)
            self._busy[function] -= 1
            if environment.alive:
                self._idle[function].append(environment)
            else:
                environment.end()

    def close(self) -> None:
        """All that still run go no further."""
        for worker in self._at_work:
            worker.dismiss()
        for environments in self._idle.values():
            for environment in environments:
                environment.end()
        self._idle.clear()

    def _from_outside(self, function: Function, event: Mapping[str, Any]) -> Any:
        """As `aws lambda invoke` does it: time passes until there is a result."""
        outcome = _Outcome()
        self.launch(lambda: outcome.of(lambda: self.invoke(function, event)))
        clock.run_until(lambda: outcome.is_there, limit=function.timeout + 1)
        if outcome.error:
            raise outcome.error
        return outcome.result

    def _take(self, function: Function) -> _Environment:
        """One that is free or new, as long as the function's reserved concurrency has room."""
        if function.reserved is not None and self._busy[function] >= function.reserved:
            raise FunctionError(THROTTLED, "Rate Exceeded.")
        self._busy[function] += 1
        idle = self._idle[function]
        if not idle:
            return _Environment(function, Lines(self.logs[function.caller]))
        environment = idle.pop(self._random.randrange(len(idle)))
        if self._random.random() >= self._workers.fresh:
            return environment
        environment.end()
        return _Environment(function, Lines(self.logs[function.caller]))

    def _pause(self) -> float:
        chance, low, high = self._workers.stall
        if self._random.random() < chance:
            return self._random.uniform(low, high)
        return self._random.uniform(*self._workers.latency) / 2


class _Environment:
    """One execution environment of a function: modules and variables that outlive an invocation, until it ends."""

    def __init__(self, function: Function, lines: Lines) -> None:
        self.alive = True
        self._function = function
        with Guise(function.caller, function.environment, lines):
            self._copy = POOL.take(function.module_path, function.handler)
        self._guise = Guise(function.caller, function.environment, lines, modules=self._copy.modules)

    def run(self, worker: Worker, sandbox: _Beside, event: Mapping[str, Any]) -> Any:
        self._guise.sandbox = sandbox
        self.alive = False  # unless the handler answers, be it with an error
        with worker.wearing(self._guise):
            try:
                result = answer(lambda: self._copy.handler, event, context_of(self._function))
            except FunctionError:
                self.alive = True
                raise
        self.alive = True
        return result

    def end(self) -> None:
        POOL.give_back(self._copy, self._function.module_path, self._function.handler)


class _Beside:
    """The sandbox of one invocation beside others."""

    def __init__(self, worker: Worker, pause: Callable[[], float]) -> None:
        self._worker = worker
        self._pause = pause
        self._crash: Crash | None = None

    def pause(self) -> None:
        self.wait(self._pause())

    def wait(self, seconds: float) -> None:
        if self._crash:
            raise self._crash
        self._worker.wait(seconds)

    sleep = wait

    def die(self, crash: Crash) -> NoReturn:
        self._crash = crash
        raise crash

    def kill(self, crash: Crash) -> None:
        """From outside, while it waits."""
        self._crash = crash
        self._worker.interrupt(crash)


@dataclass(slots=True)
class _Outcome:
    """Of an invocation that somebody waits for."""

    is_there: bool = False
    result: Any = None
    error: FunctionError | None = None

    def of(self, invoke: Callable[[], Any]) -> None:
        try:
            self.result = invoke()
        except FunctionError as error:
            self.error = error
        self.is_there = True
