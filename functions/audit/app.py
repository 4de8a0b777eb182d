"""audit: every few minutes, which ports of public tasks are open to whom, and what of that nobody declared."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from expose.bootstrap import parts


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    part = parts()
    try:
        part.auditor.run()
    finally:
        part.telemetry.flush()
