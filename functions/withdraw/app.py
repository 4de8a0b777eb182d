"""withdraw: what is gone is withdrawn at once, by itself; then its service is passed on to be reconciled."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes import SQSEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from expose.bootstrap import parts
from expose.deadline import HURRIED
from expose.work import Fold, Received


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    part = parts(HURRIED)
    part.deadline.begin(context.get_remaining_time_in_millis() / 1000)
    folded = Fold(
        Received(record.body, int(record.attributes.approximate_receive_count))
        for record in SQSEvent(event).records
    )
    for suspect in folded.suspects():
        part.withdrawer.put_off(suspect)

    def withdraw(record: SQSRecord) -> None:
        if work := folded.take(record.body):
            part.withdrawer.withdraw(work)

    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    processor.raise_on_entire_batch_failure = False
    try:
        return process_partial_response(event, withdraw, processor, context)
    finally:
        part.telemetry.flush()
