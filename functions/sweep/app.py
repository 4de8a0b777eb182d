"""sweep: every minute, what no event told is found and queued."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from expose.bootstrap import parts

_TO_END = 30.0  # seconds of the function's time in which no part of the sweep begins any more


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    part = parts()
    try:
        part.sweep.run(seconds=context.get_remaining_time_in_millis() / 1000 - _TO_END)
    finally:
        part.telemetry.flush()
