"""Operations: accepted at once, done later, and not always done. What Cloud Map promises is only that it will try.

`submit` answers with an operation that runs on the timeline; its effect comes with SUCCESS, or not at all (F§3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from farm.aws import ACCOUNT, later
from farm.aws.cloudmap.model import (
    Failure,
    Namespace,
    Operation,
    Params,
    Refused,
    Registry,
    Result,
    invalid,
    now,
    random_id,
    registry,
)
from farm.aws.cloudmap.paging import filtered_page, matches

_FILTERS = frozenset({"NAMESPACE_ID", "SERVICE_ID", "STATUS", "TYPE", "UPDATE_DATE"})


def submit(
    of: Registry,
    kind: str,
    *,
    targets: Mapping[str, str],
    namespace: Namespace,
    effect: Callable[[], None],
    key: str = "",
    token: str | None = None,
) -> Result:
    """Start an operation on what `targets` (or a `key`) name. Raises DuplicateRequest while another works on the same.

    A request token that was used before gives the operation that it started then, unless that one failed.
    """
    key = key or "/".join(targets.values())
    old = of.operations.get(of.tokens.get((kind, key, token or ""), ""))
    if old and old.status != "FAIL":
        return {"OperationId": old.id}
    check_idle(of, key)
    operation = Operation(random_id("", 32) + random_id("-", 8), kind, dict(targets))
    of.operations[operation.id] = operation
    of.running[key] = operation.id
    if token:
        of.tokens[kind, key, token] = operation.id
    failure = of.settings.judge(kind, namespace) or _next_failure(of, kind)

    def end() -> None:
        of.running.pop(key, None)
        _end(operation, failure, effect)
        of.settings.changed()

    _run(of, operation, end)
    return {"OperationId": operation.id}


def check_idle(of: Registry, key: str) -> None:
    if busy := of.running.get(key):
        message = f"Another operation of type {of.operations[busy].type} is in progress."
        raise Refused("DuplicateRequest", message, DuplicateOperationId=busy)


def fail_next(code: str, message: str = "", *, kind: str | None = None, times: int = 1) -> None:
    """Make the next operations (of one type, if named) end in FAIL with this code and without effect."""
    registry().failures.extend([Failure(code, message, kind)] * times)


def get_operation(of: Registry, asked: Params) -> Result:
    operation = of.operations.get(asked["OperationId"])
    if operation is None:
        raise Refused("OperationNotFound", f"Operation with ID {asked['OperationId']} not found.")
    return {
        "Operation": {
            "Id": operation.id,
            "OwnerAccount": ACCOUNT,
            "Type": operation.type,
            "Status": operation.status,
            "ErrorCode": operation.error_code,
            "ErrorMessage": operation.error_message,
            "CreateDate": operation.created,
            "UpdateDate": operation.updated,
            "Targets": operation.targets,
        }
    }


def list_operations(of: Registry, asked: Params) -> Result:
    if unknown := {one["Name"] for one in asked.get("Filters", [])} - _FILTERS:
        raise invalid(f"Invalid filter name: {', '.join(sorted(unknown))}")
    found, token = filtered_page(of, of.operations.values(), lambda one: one.id, asked, _operation_passes)
    return {"Operations": [{"Id": one.id, "Status": one.status} for one in found], "NextToken": token}


def _operation_passes(operation: Operation, wanted: Params) -> bool:
    values = [
        value.replace("SUCCEED", "SUCCESS") for value in wanted["Values"]
    ]  # both are in the documentation
    match wanted["Name"]:
        case "UPDATE_DATE":
            first, last = (_seconds(value) for value in values)
            return first <= operation.updated.timestamp() <= last
        case "STATUS":
            return matches(operation.status, values, wanted)
        case "TYPE":
            return matches(operation.type, values, wanted)
        case name:
            return matches(operation.targets.get(name.removesuffix("_ID"), ""), values, wanted)


def _seconds(value: str) -> float:
    """A date as Unix time; both seconds and milliseconds are in use."""
    number = float(value)
    return number / 1000 if number > 1e11 else number


def _next_failure(of: Registry, kind: str) -> Failure | None:
    found = next((one for one in of.failures if one.type in {None, kind}), None)
    if found:
        of.failures.remove(found)
    return found


def _run(of: Registry, operation: Operation, end: Callable[[], None]) -> None:
    duration = of.settings.operation_seconds
    later(duration / 3, lambda: _move(operation, "PENDING"))
    later(duration, end)


def _end(operation: Operation, failure: Failure | None, effect: Callable[[], None]) -> None:
    if failure:
        operation.error_code, operation.error_message = failure.code, failure.message or failure.code
        _move(operation, "FAIL")
    else:
        effect()
        _move(operation, "SUCCESS")


def _move(operation: Operation, status: str) -> None:
    operation.status, operation.updated = status, now()
