"""What leaves the functions besides changes: messages to the two queues, and events for whoever listens.

The work queue is FIFO with the service as message group, so one worker at a time looks at a service. The later queue
is how the functions wait.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from expose.aws import AwsError, Clients, chunks, code
from expose.model import digest
from expose.verdict import Announcement
from expose.work import Work, dump

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

ACTIONS = frozenset({"events:PutEvents", "sqs:SendMessage"})

_LONGEST = 900  # seconds that SQS can delay a message; whoever waits longer is found by the sweep

_TRIES = 2  # to send a message, beside the SDK's own


class Unsent(Exception):  # noqa: N818 - it names what happened to the messages
    """Some messages were not taken."""


class Outbox:
    def __init__(
        self, clients: Clients, *, work_queue: str, later_queue: str, clock: Callable[[], float]
    ) -> None:
        self._clients = clients
        self._work_queue = work_queue
        self._later_queue = later_queue
        self._clock = clock

    def now(self, work: Work, once: str) -> None:
        """Queue work. `once` is a name under which it is queued only once within five minutes."""
        self._clients.sqs.send_message(
            QueueUrl=self._work_queue,
            MessageBody=dump(work),
            MessageGroupId=digest(work.service),
            MessageDeduplicationId=once,
        )

    def all_now(self, works: Iterable[Work], once: str) -> None:
        """Queue many. What is not taken at once is tried a second time; raise `Unsent` where some were not taken then,
        after all others were.
        """
        unsent: list[str] = []
        for chunk in chunks(works, 10):
            left = chunk
            for _ in range(_TRIES):
                left, why = self._sent(left, once) if left else ([], "")
            unsent += [f"{work.service} ({why})" for work in left]
        if unsent:
            raise Unsent(f"{len(unsent)} messages were not taken, the first of them for {unsent[0]}")

    def _sent(self, works: Sequence[Work], once: str) -> tuple[list[Work], str]:
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
            answer = self._clients.sqs.send_message_batch(QueueUrl=self._work_queue, Entries=entries)
        except AwsError as error:
            return list(works), code(error)
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

    def publish(self, announcements: Iterable[Announcement]) -> None:
        for chunk in chunks(announcements, 10):
            self._clients.events.put_events(
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
