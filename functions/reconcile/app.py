"""reconcile: a batch of work, in; each service in it looked at once. What fails comes again and holds up no other.

Work that was received before was in the hands of a worker that died: it is put off before anything else, lest it kill
this one as well.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes import SQSEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from expose.bootstrap import parts
from expose.work import Fold, Received


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    part = parts()
    part.deadline.begin(context.get_remaining_time_in_millis() / 1000)
    folded = Fold(
        Received(record.body, int(record.attributes.approximate_receive_count))
        for record in SQSEvent(event).records
    )
    for suspect in folded.suspects():
        part.worker.put_off(suspect)

    def reconcile(record: SQSRecord) -> None:
        """The first message of a service does the work of all; one that is no work raises, and ends as a dead letter."""
        if work := folded.take(record.body):
            part.worker.reconcile(work)

    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    processor.raise_on_entire_batch_failure = False
    try:
        return process_partial_response(event, reconcile, processor, context)
    finally:
        part.telemetry.flush()
