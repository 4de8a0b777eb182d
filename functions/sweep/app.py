"""sweep: every minute, what no event told is found and queued."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from expose.bootstrap import parts


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    part = parts()
    try:
        part.sweep.run()
    finally:
        part.telemetry.flush()
