"""notify: events and the messages whose time has come, in; work for the queue, out."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from expose.bootstrap import parts


def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    part = parts()
    if "Records" not in event:
        return part.notifier.event(event)

    def come_back(record: SQSRecord) -> None:
        part.notifier.come_back(record.body, record.message_id)

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, come_back, processor, context)
