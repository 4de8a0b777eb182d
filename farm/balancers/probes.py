"""The health checks' requests: real ones to real tasks, or a look at who would answer.

`knock` is called from the timeline's thread, without a lock, and never takes longer than a second. A task speaks plain
HTTP whatever a check's protocol says; to gRPC it is a server that does not know the method.
"""

from __future__ import annotations

import http.client
import socket

from farm.aws.elb.health import Check, Finding
from farm.tasks import Directory

_LONGEST = 10.0
_GRPC_UNIMPLEMENTED = 12


def knock(directory: Directory, check: Check) -> Finding:
    """Ask the task at the check's address. One that is known never to answer is not waited for."""
    if look(directory, check) == "timeout":
        return "timeout"
    try:
        with socket.create_connection(
            (check.address, check.port), min(check.timeout, _LONGEST)
        ) as connection:
            return "connected" if check.protocol == "TCP" else _found(check, _status(connection, check))
    except TimeoutError:
        return "timeout"
    except (OSError, http.client.HTTPException):
        return "refused"


def look(directory: Directory, check: Check) -> Finding:
    """What the check would find."""
    answer = directory.ask(check.address, check.port)
    if answer is None:
        return "refused"
    if check.protocol == "TCP":
        return "connected"
    return "timeout" if answer.status == "hang" else _found(check, answer.status)


def _status(connection: socket.socket, check: Check) -> int:
    asked = http.client.HTTPConnection(check.address, check.port)
    asked.sock = connection
    asked.request("GET", check.path, headers={"User-Agent": "ELB-HealthChecker/2.0", "Connection": "close"})
    return asked.getresponse().status


def _found(check: Check, status: int) -> Finding:
    return _GRPC_UNIMPLEMENTED if check.protocol == "GRPC" and status == 200 else status
