"""What Lambda puts around a handler: the module loaded from its file, and the context object."""

from __future__ import annotations

import importlib.util
import itertools
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Handler = Callable[[Any, "Context"], Any]

_loads = itertools.count()


@dataclass(slots=True)
class Context:
    """Lambda's context object, as far as anybody uses it."""

    function_name: str
    memory_limit_in_mb: int
    invoked_function_arn: str
    timeout: float
    now: Callable[[], float] = time.time
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    log_stream_name: str = "farm"
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = self.now() + self.timeout

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self.deadline - self.now()) * 1000))


def load(module_path: Path, handler: str) -> Handler:
    """The handler of a freshly loaded module, under a name of its own: every function's file is called app.py.

    What the product keeps for the life of a process is forgotten too, but for its clients, which take long to make.
    """
    if product := sys.modules.get("expose.bootstrap"):
        vars(product)["_parts"].cache_clear()
    name = f"farm_function_{next(_loads)}_{module_path.parent.name}"
    spec = importlib.util.spec_from_file_location(name, module_path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{module_path} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    found: Handler = getattr(module, handler.rpartition(".")[2])
    return found
