"""What leaves the functions besides changes: messages to the two queues, and events for whoever listens.

The work queue is FIFO with the service as message group, so one worker at a time looks at a service. The later queue
is how the functions wait.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from expose.aws import Clients, chunks
from expose.model import Depth, Work, digest
from expose.verdict import Announcement

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

ACTIONS = frozenset({"events:PutEvents", "sqs:SendMessage"})

_LONGEST = 900  # seconds that SQS can delay a message; whoever waits longer is found by the sweep


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
        """Queue many. Raise `Unsent` where some were not taken."""
        for chunk in chunks(works, 10):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {
                    "Id": str(number),
                    "MessageBody": dump(work),
                    "MessageGroupId": digest(work.service),
                    "MessageDeduplicationId": f"{once}-{digest(work.service)}",
                }
                for number, work in enumerate(chunk)
            ]
            answer = self._clients.sqs.send_message_batch(QueueUrl=self._work_queue, Entries=entries)
            if answer.get("Failed"):
                raise Unsent(f"{len(answer['Failed'])} of {len(chunk)} messages were not taken")

    def later(self, work: Work, *, seconds: float, once: str = "") -> None:
        """Queue work to come back in `seconds`. With `once`, those of the same name become one when they do."""
        self._clients.sqs.send_message(
            QueueUrl=self._later_queue,
            MessageBody=dump(work, once),
            DelaySeconds=max(0, min(round(seconds + 0.5), _LONGEST)),
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


def dump(work: Work, once: str = "") -> str:
    return json.dumps(asdict(work) | ({"once": once} if once else {}))


def load(body: str) -> tuple[Work, str]:
    """The work, and the name under which it is to be queued only once. Raise `ValueError` for anything else."""
    try:
        data = json.loads(body)
        once = data.pop("once", "")
        tasks = {name: tuple(data.get(name, ())) for name in ("stopping", "stopped")}
        work = Work(**data | tasks | {"depth": Depth(data["depth"]), "since": float(data.get("since", 0.0))})
        if not isinstance(work.service, str) or not all(
            isinstance(task, str) for task in work.stopping + work.stopped
        ):
            raise TypeError
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a work message: {body[:200]}") from error
    return work, once


class Fold:
    """The work of a batch, one piece for each service."""

    def __init__(self, bodies: Iterable[str]) -> None:
        self._works: dict[str, Work] = {}
        for body in bodies:
            try:
                work, _ = load(body)
            except ValueError:
                continue  # it is refused when its own turn comes
            self._works[work.service] = (
                self._works[work.service].with_(work) if work.service in self._works else work
            )

    def take(self, body: str) -> Work | None:
        """All the work of the service that `body` is about, once. Raise `ValueError` for a body that is no work."""
        work, _ = load(body)
        return self._works.pop(work.service, None)
