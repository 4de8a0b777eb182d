"""What leaves the functions besides changes: messages to the queues, and events for whoever listens.

The work queue is FIFO with the service as message group, so one worker at a time looks at a service. What is gone goes
to a queue of its own first, where it waits behind no work of its service. The later queue is how the functions wait.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from expose.aws import AwsError, Clients, chunks, code
from expose.model import digest
from expose.telemetry import Telemetry
from expose.verdict import Announcement
from expose.work import Work, dump

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

ACTIONS = frozenset({"events:PutEvents", "sqs:SendMessage"})

_LONGEST = 900  # seconds that SQS can delay a message; whoever waits longer is found by the sweep

_TRIES = 2  # to send a message, beside the SDK's own


class Unsent(Exception):  # noqa: N818 - it names what happened to the messages
    """Some messages, or events, were not taken."""


class Outbox:
    def __init__(
        self,
        clients: Clients,
        *,
        work_queue: str,
        withdraw_queue: str,
        later_queue: str,
        telemetry: Telemetry,
        clock: Callable[[], float],
    ) -> None:
        self._clients = clients
        self._work_queue = work_queue
        self._withdraw_queue = withdraw_queue
        self._later_queue = later_queue
        self._telemetry = telemetry
        self._clock = clock

    def now(self, work: Work, once: str) -> None:
        """Queue work. `once` is a name under which it is queued only once within five minutes."""
        self._clients.sqs.send_message(
            QueueUrl=self._queue(work),
            MessageBody=dump(work),
            MessageGroupId=digest(work.service),
            MessageDeduplicationId=once,
        )

    def all_now(self, works: Iterable[Work], once: str) -> None:
        """Queue many. What is not taken at once is tried a second time; raise `Unsent` where some were not taken then,
        after all others were.
        """
        by_queue: dict[str, list[Work]] = {}
        for work in works:
            by_queue.setdefault(self._queue(work), []).append(work)
        unsent = [
            problem
            for queue, each in by_queue.items()
            for chunk in chunks(each, 10)
            for problem in self._unsent(queue, chunk, once)
        ]
        if unsent:
            raise Unsent(f"{len(unsent)} messages were not taken, the first of them for {unsent[0]}")

    def _queue(self, work: Work) -> str:
        return self._withdraw_queue if work.gone and not work.withdrawn else self._work_queue

    def _unsent(self, queue: str, works: Sequence[Work], once: str) -> list[str]:
        """Of up to ten, the services whose messages were not taken, with the reason."""
        left, why = works, ""
        for _ in range(_TRIES):
            left, why = self._sent(queue, left, once) if left else ([], "")
        return [f"{work.service} ({why})" for work in left]

    def _sent(self, queue: str, works: Sequence[Work], once: str) -> tuple[Sequence[Work], str]:
        """Those of up to ten that were not taken, and why."""
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(number),
                "MessageBody": dump(work),
                "MessageGroupId": digest(work.service),
                "MessageDeduplicationId": f"{once}-{digest(work.service)}",
            }
            for number, work in enumerate(works)
        ]
        try:
            answer = self._clients.sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        except AwsError as error:
            return works, code(error)
        failed = answer.get("Failed", [])
        return [works[int(each["Id"])] for each in failed], ", ".join(
            sorted({each["Code"] for each in failed})
        )

    def later(self, work: Work, *, seconds: float, once: str = "") -> None:
        """Queue work to come back in `seconds`. With `once`, those of the same name become one when they do."""
        self._clients.sqs.send_message(
            QueueUrl=self._later_queue,
            MessageBody=dump(work, once),
            DelaySeconds=min(int(max(seconds, 0)) + 1, _LONGEST),  # whole seconds, and never too early
        )

    def gathered(self, work: Work, *, window: float) -> None:
        """Queue work so that all of one service within `window` seconds becomes one, once the window is over."""
        number = int(self._clock() // window) + 1
        self.later(
            work,
            seconds=number * window - self._clock(),
            once=f"{digest(work.service)}-{number}-{work.depth}",
        )

    def tell(self, announcements: Iterable[Announcement]) -> bool:
        """Tell whoever listens, if EventBridge lets it; whether it did."""
        try:
            self.publish(announcements)
        except (*AwsError, Unsent) as trouble:
            self._telemetry.warn(f"could not tell the event bus, which is tried again later: {trouble}")
            return False
        return True

    def publish(self, announcements: Iterable[Announcement]) -> None:
        """Tell whoever listens. Raise `Unsent` where EventBridge did not take all of them."""
        for chunk in chunks(announcements, 10):
            answer = self._clients.events.put_events(
                Entries=[
                    {
                        "Source": "ecs-expose",
                        "DetailType": each.kind,
                        "Detail": json.dumps(each.detail),
                        "Resources": [each.detail["service"]],
                    }
                    for each in chunk
                ]
            )
            if answer["FailedEntryCount"]:
                first = next(entry for entry in answer["Entries"] if "ErrorCode" in entry)
                raise Unsent(
                    f"EventBridge did not take {answer['FailedEntryCount']} of {len(chunk)} events: "
                    f"{first.get('ErrorCode')}: {first.get('ErrorMessage')}"
                )
