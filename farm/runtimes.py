"""Two ways to run a function: in this process, for tests on virtual time, and in worker processes, for the living farm."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import threading
import time
import traceback
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from farm.aws import clock
from farm.functions import Function, FunctionError
from farm.gate import GATE, Crash
from farm.sandbox import Context, Handler, load

ROOT = Path(__file__).parents[1]
Logs = dict[str, deque[str]]


def _logs() -> Logs:
    return defaultdict(lambda: deque(maxlen=10_000))


class InProcess:
    """Runs handlers here, one at a time, as the function that they are: its environment, its caller, the farm's time.

    `logs` has what each function printed, by its caller name.
    """

    def __init__(self) -> None:
        self.logs: Logs = _logs()
        self._handlers: dict[Function, Handler] = {}

    def invoke(self, function: Function, event: Mapping[str, Any]) -> Any:
        context = Context(
            function.name, function.memory, function.arn, timeout=function.timeout, now=clock.now
        )
        with self._as(function):
            try:
                result = json.loads(
                    json.dumps(self._handler(function)(json.loads(json.dumps(event)), context))
                )
            except Crash as crash:
                del self._handlers[function]  # the sandbox died with all it remembered
                raise FunctionError("Runtime.ExitError", str(crash)) from crash
            except Exception as error:
                trace = traceback.format_exc()
                print(trace)
                raise FunctionError(type(error).__name__, str(error), trace) from error
        if clock.now() > context.deadline:
            raise FunctionError("Sandbox.Timedout", f"Task timed out after {function.timeout:.2f} seconds")
        return result

    def _handler(self, function: Function) -> Handler:
        if function not in self._handlers:
            self._handlers[function] = load(function.module_path, function.handler)
        return self._handlers[function]

    @contextlib.contextmanager
    def _as(self, function: Function) -> Iterator[None]:
        before, acting = dict(os.environ), GATE.acting
        os.environ.update(function.environment)
        GATE.acting = function.caller
        try:
            with _OUTPUT.to(self.logs[function.caller]), _farm_time():
                yield
        finally:
            GATE.acting = acting
            os.environ.clear()
            os.environ.update(before)


@contextlib.contextmanager
def _farm_time() -> Iterator[None]:
    """On virtual time, what a function takes for the time is the farm's, and what it sleeps the farm lives on."""
    if not clock.is_virtual():
        yield
        return
    before = time.time, time.sleep
    time.time, time.sleep = clock.now, lambda seconds: clock.sleep(float(seconds))
    try:
        yield
    finally:
        time.time, time.sleep = before


class _Output(io.TextIOBase):
    """Standard output while functions run. One object for good: loggers hold on to the stream that they began with."""

    def __init__(self) -> None:
        self._log: deque[str] = deque(maxlen=0)
        self._begun = ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        self._log.extend(line for line in lines if line)
        return len(text)

    @contextlib.contextmanager
    def to(self, log: deque[str]) -> Iterator[None]:
        before, self._log = self._log, log
        try:
            with contextlib.redirect_stdout(self), contextlib.redirect_stderr(self):
                yield
        finally:
            self._log = before


_OUTPUT = _Output()


class Subprocess:
    """Runs each function in up to `workers` processes of its own, which call the farm at `endpoint`."""

    def __init__(self, endpoint: str, *, workers: int = 2) -> None:
        self.logs: Logs = _logs()
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
        late = threading.Timer(function.timeout, self._process.kill)
        late.start()
        try:
            answer = self._exchange(json.dumps({"event": event, "context": context}) + "\n")
        finally:
            late.cancel()
        if not answer:
            raise FunctionError(
                "Runtime.ExitError", f"{function.name} died or took more than {function.timeout} s"
            )
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
