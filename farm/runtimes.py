"""Two ways to run a function: in this process, for tests on virtual time, and in worker processes, for the living farm."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import traceback
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from farm.aws import clock
from farm.faults import Crash
from farm.functions import Function, FunctionError
from farm.guise import Guise, Lines
from farm.sandbox import Context, Handler, load
from farm.watching import Watch

ROOT = Path(__file__).parents[1]
Logs = dict[str, deque[str]]


def new_logs() -> Logs:
    """Empty ones, each of which forgets its oldest lines in time."""
    return defaultdict(lambda: deque(maxlen=10_000))


class InProcess:
    """Runs handlers here, one at a time, as the function that they are: its environment, its caller, the farm's time.

    `logs` has what each function printed, by its caller name.
    """

    def __init__(self) -> None:
        self.logs: Logs = new_logs()
        self._handlers: dict[Function, Handler] = {}

    def invoke(self, function: Function, event: Mapping[str, Any]) -> Any:
        sandbox = _Alone(function)
        lines = Lines(self.logs[function.caller])
        try:
            with Guise(function.caller, function.environment, lines, sandbox):
                result = answer(lambda: self._handler(function), event, sandbox.context)
                sandbox.pause()
        except Crash as crash:
            self._handlers.pop(function, None)  # the sandbox died with all it remembered
            raise FunctionError(crash.kind, str(crash)) from crash
        return result

    def _handler(self, function: Function) -> Handler:
        if function not in self._handlers:
            self._handlers[function] = load(function.module_path, function.handler)
        return self._handlers[function]


def context_of(function: Function) -> Context:
    """For one invocation that begins now."""
    return Context(function.name, function.memory, function.arn, timeout=function.timeout, now=clock.now)


def answer(handler: Callable[[], Handler], event: Mapping[str, Any], context: Context) -> Any:
    """What a handler answers, as JSON carries it. Raises `FunctionError`, and what ends a sandbox as it is."""
    try:
        return json.loads(json.dumps(handler()(json.loads(json.dumps(event)), context)))
    except Exception as error:
        trace = traceback.format_exc()
        print(trace)
        raise FunctionError(type(error).__name__, str(error), trace) from error


def timed_out(function: Function) -> Crash:
    """What becomes of a sandbox whose time is up."""
    return Crash(f"Task timed out after {function.timeout:.2f} seconds", "Sandbox.Timedout")


class _Alone:
    """The sandbox of an invocation beside which nothing happens but what falls due while it sleeps."""

    def __init__(self, function: Function) -> None:
        self.context = context_of(function)
        self._function = function
        self._crash: Crash | None = None

    def pause(self) -> None:
        if self._crash:
            raise self._crash
        if clock.now() > self.context.deadline:
            self.die(timed_out(self._function))

    def wait(self, seconds: float) -> None:
        self._within(seconds, clock.hold)

    def sleep(self, seconds: float) -> None:
        self._within(seconds, clock.sleep)

    def die(self, crash: Crash) -> NoReturn:
        self._crash = crash
        raise crash

    def _within(self, seconds: float, wait: Callable[[float], None]) -> None:
        self.pause()
        left = self.context.deadline - clock.now()
        wait(min(seconds, left))
        if seconds > left:
            self.die(timed_out(self._function))


class Subprocess:
    """Runs each function in up to `workers` processes of its own, which call the farm at `endpoint`."""

    def __init__(self, endpoint: str, *, workers: int = 2) -> None:
        self.logs: Logs = new_logs()
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._all: list[_Worker] = []
        self._idle: dict[Function, list[_Worker]] = defaultdict(list)
        self._room: dict[Function, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(workers))

    def invoke(self, function: Function, event: Mapping[str, Any]) -> Any:
        with self._lock:
            room = self._room[function]
        with room:
            worker = self._take(function)
            answer = worker.ask(event)  # one that fails here is not taken back
            with self._lock:
                self._idle[function].append(worker)
        if error := answer.get("error"):
            raise FunctionError(error["kind"], error["message"], error["trace"])
        return answer["result"]

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            for worker in self._all:
                worker.close()
            self._all.clear()
            self._idle.clear()

    def _take(self, function: Function) -> _Worker:
        with self._lock:
            if self._idle[function]:
                return self._idle[function].pop()
            worker = _Worker(function, self._endpoint, self.logs[function.caller])
            self._all.append(worker)
            return worker


class _Worker:
    def __init__(self, function: Function, endpoint: str, log: deque[str]) -> None:
        self._function = function
        self._ready = False
        path = os.pathsep.join(map(str, (ROOT / "layers/expose/python", ROOT)))
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - our own module, the template's own paths
            [sys.executable, "-m", "farm.worker", str(function.module_path), function.handler],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**kept, **function.environment, "AWS_ENDPOINT_URL": endpoint, "PYTHONPATH": path},
        )
        self._reader = threading.Thread(target=self._read_log, args=(log,), daemon=True)
        self._reader.start()

    def ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        function = self._function
        context = {
            "function_name": function.name,
            "memory_limit_in_mb": function.memory,
            "invoked_function_arn": function.arn,
            "timeout": function.timeout,
        }
        self._ready = self._ready or bool(self._exchange(""))  # loading costs the function none of its time
        with Watch(self._process, function) as watch:
            answer = self._exchange(json.dumps({"event": event, "context": context}) + "\n")
        if not answer:
            raise watch.ended or FunctionError("Runtime.ExitError", f"{function.name} has died")
        parsed: dict[str, Any] = json.loads(answer)
        return parsed

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join(timeout=1)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _exchange(self, line: str) -> str:
        if not self._process.stdin or not self._process.stdout:
            return ""
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
            return self._process.stdout.readline()
        except (OSError, ValueError):
            return ""

    def _read_log(self, log: deque[str]) -> None:
        with contextlib.suppress(ValueError, OSError):  # closed while reading: the worker was ended
            for line in self._process.stderr or ():
                log.append(line.rstrip("\n"))
