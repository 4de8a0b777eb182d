"""One Lambda sandbox in a process of its own: `python -m farm.worker MODULE HANDLER`.

Once the handler is loaded, it says so with a first line, `{}`. Invocations come in on standard input and answers go out
on standard output, one JSON object a line each. Whatever the
function prints goes to standard error, which is its log.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from farm.sandbox import Context, Handler, load


def main(module_path: str, handler: str) -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    loaded = _loaded(Path(module_path), handler)
    answers.write("{}\n")  # ready
    answers.flush()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": loaded(request["event"], Context(**request["context"]))}
            text = json.dumps(answer)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is the invocation's answer
            text = json.dumps({"error": _described(error)})
        sys.stdout.flush()
        answers.write(text + "\n")
        answers.flush()


def _loaded(module_path: Path, handler: str) -> Handler:
    """The handler; one that cannot be loaded fails each of its invocations."""
    try:
        return load(module_path, handler)
    except Exception as error:  # noqa: BLE001 - whatever a module raises is its function's error
        broken = error

    def fail(*_: object) -> Any:
        raise broken

    return fail


def _described(error: Exception) -> dict[str, Any]:
    trace = traceback.format_exc()
    sys.stderr.write(trace)
    return {"kind": type(error).__name__, "message": str(error), "trace": trace}


if __name__ == "__main__":
    main(*sys.argv[1:3])
