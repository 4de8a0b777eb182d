"""Access logs: a line for each request, in the stage's own form, in its log group (F§5.4). Best effort, as on AWS."""

from __future__ import annotations

import re
from collections.abc import Mapping

from moto.logs.models import logs_backends

from farm.aws import ACCOUNT, ONE_AT_A_TIME, REGION
from farm.aws.apigateway.deployed import AccessLogs
from farm.gateway.model import Entry

_VARIABLE = re.compile(r"\$context\.([A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*)*)")
_UNKNOWN = "-"


def line(form: str, context: Mapping[str, str]) -> str:
    """What there is nothing to say of is a dash."""
    return _VARIABLE.sub(lambda found: context.get(found[1]) or _UNKNOWN, form)


def write(to: AccessLogs, context: Mapping[str, str], entry: Entry, integrated: bool) -> None:
    """`integrated` is whether a backend answered. Without the log group there is no log."""
    said = {**context, "status": str(entry.status), "error.message": entry.reason}
    if integrated:
        said |= {"integrationStatus": str(entry.status), "integration.status": str(entry.status)}
    name = to.destination.partition(":log-group:")[2].removesuffix(":*")
    with ONE_AT_A_TIME:
        group = logs_backends[ACCOUNT][REGION].groups.get(name)
        if group is None:
            return
        stream = f"{entry.api}_{entry.stage}".replace("$", "")
        if stream not in group.streams:
            group.create_log_stream(stream)
        event = {"timestamp": int(entry.at * 1000), "message": line(to.format, said)}
        group.put_log_events(stream, [event])  # past moto's backend, which goes by the wall clock
