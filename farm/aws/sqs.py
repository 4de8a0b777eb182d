"""SQS as AWS has it: FIFO order, deduplication that remembers, queues on the farm's time.

Moto's own delivery to Lambda is off; `farm.lambdas` polls the queues instead and is woken by `watch`.
"""

from __future__ import annotations

import copy
import functools
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.core.utils import camelcase_to_underscores
from moto.sqs import models
from moto.sqs.exceptions import ReceiptHandleIsInvalid

from farm.aws import ONE_AT_A_TIME, clock

DEDUPLICATION_WINDOW = 300.0
_FIRST_SEQUENCE_NUMBER = 18_849_496_460_467_696_128

Watcher = Callable[[float], object]


def mend() -> None:
    """Patch moto's queues in place."""
    models.unix_time = clock.now
    models.unix_time_millis = _now_millis
    models.Message.visible = property(lambda message: _now_millis() >= message.visible_at)
    models.Queue.attributes = property(_Attributes)
    models.Queue.add_message = _add_message
    models.Queue.delete_message = _delete_message
    models.SQSBackend.receive_message = _receive_message
    models.SQSBackend.change_message_visibility = _telling(models.SQSBackend.change_message_visibility)


def watch(queue: models.Queue, watcher: Watcher) -> None:
    """Call `watcher(at)` whenever a message of this queue will be there to receive from `at` on."""
    vars(queue).setdefault("watchers", []).append(watcher)


class _Attributes(Mapping[str, Any]):
    """A queue's attributes, each worked out only when it is asked for: counting a long queue takes long."""

    def __init__(self, queue: models.Queue) -> None:
        self._queue = queue

    def __getitem__(self, name: str) -> Any:
        if name not in self._names():
            raise KeyError(name)
        value = getattr(self._queue, _field(name))
        if name == "RedrivePolicy" and value:
            return models.json.dumps(value)
        return str(value).lower() if isinstance(value, bool) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        queue = self._queue
        names: list[str] = list(queue.BASE_ATTRIBUTES)
        names += queue.FIFO_ATTRIBUTES if queue.fifo_queue else []
        names += queue.KMS_ATTRIBUTES if queue.kms_master_key_id else []
        return names


@functools.cache
def _field(attribute: str) -> str:
    return str(camelcase_to_underscores(attribute))


def _add_message(queue: models.Queue, message: models.Message) -> None:
    if queue.fifo_queue and _is_duplicate(queue, message):
        return
    if queue.fifo_queue:
        count = vars(queue).setdefault("sequence", itertools.count(_FIRST_SEQUENCE_NUMBER, 256))
        message.sequence_number = str(next(count))
    queue._messages.append(message)
    _there_at(queue, message.delayed_until)


def _is_duplicate(queue: models.Queue, message: models.Message) -> bool:
    """AWS answers as if it had been sent, with the first one's id, for five minutes, deleted meanwhile or not."""
    seen: dict[tuple[str, str], tuple[float, models.Message]] = vars(queue).setdefault("seen", {})
    for key in [key for key, (until, _) in seen.items() if until <= clock.now()]:
        del seen[key]
    group = message.group_id if queue.deduplication_scope == "messageGroup" else ""
    _, first = seen.setdefault(
        (group, message.deduplication_id), (clock.now() + DEDUPLICATION_WINDOW, message)
    )
    if first is message:
        return False
    message.id, message.sequence_number = first.id, first.sequence_number
    return True


def _receive_message(
    backend: models.SQSBackend,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[models.Message]:
    queue = backend.get_queue(queue_name)
    end = time.monotonic() + int(wait_seconds_timeout)
    while True:
        with ONE_AT_A_TIME:
            taken = _take(queue, int(count), int(visibility_timeout or 0))
        # On virtual time nobody else can send while we wait
        if taken or clock.is_virtual() or time.monotonic() >= end:
            break
        time.sleep(0.05)
    for message in taken:
        models._filter_message_attributes(message, message_attribute_names or [])
    return taken


def _take(queue: models.Queue, count: int, visibility_timeout: int) -> list[models.Message]:
    """Up to `count` messages, in order; a group with a message in flight stays closed on a FIFO queue."""
    now = _now_millis()
    in_flight = {m.group_id for m in queue._messages if m.visible_at > now} if queue.fifo_queue else set()
    taken: list[models.Message] = []
    for message in list(queue._messages):
        if len(taken) == count:
            break
        if message.visible_at > now or message.delayed_until > now or message.group_id in in_flight:
            continue
        if message.sent_timestamp + queue.message_retention_period * 1000 <= now:
            queue._messages.remove(message)
        elif _is_spent(queue, message):
            _move(message, queue, queue.dead_letter_queue)
        else:
            message.mark_received(visibility_timeout=visibility_timeout)
            _handles(queue)[message.receipt_handle] = message
            _there_at(queue, message.visible_at)
            taken.append(copy.deepcopy(message))
    return taken


def _is_spent(queue: models.Queue, message: models.Message) -> bool:
    policy = queue.redrive_policy
    return bool(
        queue.dead_letter_queue and policy and message.approximate_receive_count >= policy["maxReceiveCount"]
    )


def _move(message: models.Message, queue: models.Queue, dead_letters: models.Queue) -> None:
    """To the dead-letter queue, as it is: with its id, its count, its age, and never taken for a duplicate."""
    queue._messages.remove(message)
    dead_letters._messages.append(message)
    _there_at(dead_letters, 0)


def _delete_message(queue: models.Queue, receipt_handle: str) -> None:
    if receipt_handle in queue.deleted_messages:
        return
    message = _handles(queue).pop(receipt_handle, None)
    if message is None:
        raise ReceiptHandleIsInvalid
    if message in queue._messages:
        queue._messages.remove(message)
    queue.deleted_messages.update(message.all_receipt_handles)
    _there_at(queue, 0)  # the rest of its group may go on


def _telling(change: Callable[..., None]) -> Callable[..., None]:
    def change_message_visibility(
        backend: models.SQSBackend, queue_name: str, receipt_handle: str, visibility_timeout: int
    ) -> None:
        change(backend, queue_name, receipt_handle, visibility_timeout)
        _there_at(backend.get_queue(queue_name), _now_millis() + int(visibility_timeout) * 1000)

    return change_message_visibility


def _handles(queue: models.Queue) -> dict[str, models.Message]:
    handles: dict[str, models.Message] = vars(queue).setdefault("handles", {})
    return handles


def _there_at(queue: models.Queue, at_millis: float) -> None:
    for watcher in vars(queue).get("watchers", ()):
        watcher(max(at_millis / 1000, clock.now()))


def _now_millis() -> float:
    return clock.now() * 1000
