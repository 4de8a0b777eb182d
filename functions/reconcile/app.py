"""reconcile: a batch of work, in; each service in it looked at once. What fails comes again and holds up no other."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes import SQSEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from expose.bootstrap import parts
from expose.work import Fold


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    part = parts()
    folded = Fold(record.body for record in SQSEvent(event).records)

    def reconcile(record: SQSRecord) -> None:
        """The first message of a service does the work of all; one that is no work raises, and ends as a dead letter."""
        if work := folded.take(record.body):
            part.controller.reconcile(work)

    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    processor.raise_on_entire_batch_failure = False
    try:
        return process_partial_response(event, reconcile, processor, context)
    finally:
        part.telemetry.flush()
