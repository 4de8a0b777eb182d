"""Lambda's event source mapping: polls a queue for a function, deletes what succeeded, leaves what failed to come back.

The pump sleeps until the queue says that there is, or will be, something to receive; an idle farm costs nothing.
"""

from __future__ import annotations

import functools
import logging
import math
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import Message, Queue, sqs_backends

from farm.aws import ACCOUNT, ONE_AT_A_TIME, REGION, clock, sqs
from farm.custom import DeploymentError
from farm.functions import FunctionError
from farm.iam import may

if TYPE_CHECKING:
    from farm.lambdas import Lambdas

_LOG = logging.getLogger(__name__)
_LATENCY = 0.05
_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


class Pump:
    """Polls for one mapping, while it is deployed."""

    def __init__(self, lambdas: Lambdas, name: str) -> None:
        self._lambdas = lambdas
        self._name = name
        self._source = lambdas.deployment.sources[name]
        self._function = lambdas.deployment.functions[self._source.function]
        self._queue = self._source.queue_arn.rpartition(":")[2]
        self._backend = sqs_backends[ACCOUNT][REGION]
        self._step = max(_LATENCY, self._source.window)
        self._lock = threading.Lock()
        self._due: set[int] = set()
        self._running = 0

    def start(self) -> None:
        """Begin to listen, unless the role forbids it."""
        for action in _ACTIONS:
            if not may(self._function.caller, action, self._source.queue_arn):
                raise DeploymentError(
                    f"{self._name}: the execution role of {self._function.logical_id} lacks {action} on {self._queue}"
                )
        sqs.watch(self._backend.get_queue(self._queue), self._wake)
        self._wake(clock.now())

    def _wake(self, at: float) -> None:
        """Poll at this time or a moment later, once for all who ask."""
        slot = math.ceil((at + self._step) / self._step)
        with self._lock:
            if slot in self._due:
                return
            self._due.add(slot)
        clock.after(slot * self._step - clock.now(), lambda: self._poll(slot))

    def _poll(self, slot: int) -> None:
        with self._lock:
            self._due.discard(slot)
        while batch := self._receive():
            self._lambdas.launch(functools.partial(self._run, batch))

    def _receive(self) -> list[Message]:
        with self._lock:
            if (
                self._running >= self._source.concurrency
                or self._name not in self._lambdas.deployment.sources
            ):
                return []
            self._running += 1
        batch: list[Message] = []
        try:
            with ONE_AT_A_TIME:
                queue: Queue = self._backend.get_queue(self._queue)
                size = self._lambdas.portion(self._source.batch_size)
                batch = self._backend.receive_message(self._queue, size, 0, queue.visibility_timeout, ["All"])
        except QueueDoesNotExist:
            _LOG.info("%s: its queue is gone", self._name)
        if not batch:
            self._end()
        return batch

    def _run(self, batch: Sequence[Message]) -> None:
        try:
            failed = self._failed(batch)
            with ONE_AT_A_TIME:
                for message in batch:
                    if message.id not in failed:
                        self._backend.get_queue(self._queue).delete_message(message.receipt_handle)
        except QueueDoesNotExist:
            _LOG.info("%s: its queue went while it worked", self._name)
        finally:
            self._end()
            self._wake(clock.now())

    def _end(self) -> None:
        with self._lock:
            self._running -= 1

    def _failed(self, batch: Sequence[Message]) -> set[str]:
        """The ids of the messages that must come back."""
        everything = {message.id for message in batch}
        try:
            answer = self._lambdas.run(
                self._function, {"Records": [self._record(message) for message in batch]}
            )
        except FunctionError:
            return everything
        return failures(answer, everything) if self._source.reports_failures else set()

    def _record(self, message: Message) -> dict[str, Any]:
        attributes = {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
            "SequenceNumber": message.sequence_number,
            "MessageGroupId": message.group_id,
            "MessageDeduplicationId": message.deduplication_id,
        }
        return {
            "messageId": message.id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": {name: value for name, value in attributes.items() if value is not None},
            "messageAttributes": {
                name: {_lower(key): value for key, value in attribute.items()}
                for name, attribute in message.message_attributes.items()
            },
            "md5OfBody": message.body_md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": self._source.queue_arn,
            "awsRegion": REGION,
        }


def failures(answer: Any, batch: set[str]) -> set[str]:
    """What a partial batch response says. Nothing reported is success; what cannot be understood fails everything."""
    if not answer:
        return set()
    if not isinstance(answer, Mapping) or not isinstance(answer.get("batchItemFailures") or [], list):
        return batch
    items = answer.get("batchItemFailures") or []
    reported = {str(item.get("itemIdentifier")) if isinstance(item, Mapping) else "" for item in items}
    return batch if reported - batch else reported


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
