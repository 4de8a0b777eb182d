"""What the tags of a service declare of a task's ports: what may be open without anybody being surprised."""

from __future__ import annotations

from collections.abc import Iterator

from expose.audit.findings import Declared
from expose.mechanisms import dns, ip
from expose.mechanisms.ports import endpoint
from expose.model import Service, Task
from expose.refusals import Refused
from expose.tags import asking, read_one


def declared(service: Service, task: Task, *, prefix: str) -> tuple[Declared, ...]:
    """The ports that `ip` tags name, and those that a name in DNS stands for: what else is open, nobody asked for."""
    return tuple({*ip.declared(service, task, prefix=prefix), *_named(service, task, prefix)})


def _named(service: Service, task: Task, prefix: str) -> Iterator[Declared]:
    definition = service.definitions[task.definition]
    for tag, value in asking(service.tags, prefix=prefix).items():
        try:
            exposure = read_one(service.arn, tag, value, {"dns": dns.grammar})
            ports = {endpoint(exposure, task, definition, required=False, family=family) for family in (4, 6)}
        except Refused:
            continue  # of another mechanism, or told by the exposure itself
        for port in ports - {0}:
            yield Declared("tcp", exposure.options.get("port", port), port)
