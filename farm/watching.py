"""Lambda's watch over a worker process: it is killed when it has had its time, or holds more memory than it may."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

from farm.functions import Function, FunctionError

_LOOK = 0.1  # seconds


class Watch:
    """Over one invocation, for as long as a `with` lasts. `ended` says why it ended the process, if it did."""

    def __init__(self, process: subprocess.Popen[str], function: Function) -> None:
        self.ended: FunctionError | None = None
        self._process = process
        self._function = function
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look_on(self) -> None:
        end = time.monotonic() + self._function.timeout
        while not self._over.wait(min(_LOOK, max(0.0, end - time.monotonic()))):
            if time.monotonic() >= end:
                text = f"Task timed out after {self._function.timeout:.2f} seconds"
                self._end(FunctionError("Sandbox.Timedout", text))
                return
            if resident(self._process.pid) > self._function.memory:
                self._end(FunctionError("Runtime.ExitError", "Runtime exited with error: signal: killed"))
                return

    def _end(self, why: FunctionError) -> None:
        self.ended = why
        self._process.kill()


def resident(pid: int) -> float:
    """The megabytes of memory that a process holds; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
