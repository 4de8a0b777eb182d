"""Lambda: who may invoke a function is said in the function's own policy, and conditions may ask about whom (F§7)."""

from __future__ import annotations

from farm.permissions.need import Need, Params, arn


def needs(operation: str, params: Params) -> list[Need]:
    name = params.get("FunctionName", "")
    action = "InvokeFunction" if operation == "Invoke" else operation
    if not name:
        return [Need(f"lambda:{action}")]
    keys = {"lambda:Principal": [params["Principal"]]} if "Principal" in params else {}
    return [Need(f"lambda:{action}", _arn(name), keys)]


def _arn(name: str) -> str:
    """Of a function given by its name, its ARN, or its account and name."""
    return arn("lambda", name if name.startswith("arn:") else f"function:{name.rpartition('function:')[2]}")
