"""Several workers in one process, of which one runs at a time: before each call it is decided anew who goes on.

`Interleaver` runs them, `orders` names every order in which two of them can go on. `World` is what they call: things in
memory, and a DynamoDB in memory, with answers that are lost, effects that come late, and workers that die.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar

from botocore.exceptions import ClientError, ReadTimeoutError

from expose.aws import Clients

T = TypeVar("T")
Choose = Callable[[Sequence[str]], str]


class Killed(BaseException):
    """The worker's process ends here. Not an `Exception`: nothing in the product may catch it."""


class Interleaver:
    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self._current: _Worker | None = None
        self.name = ""
        """Of the one that goes on."""

    def run(self, jobs: Mapping[str, Callable[[], None]]) -> None:
        """All of them, until all have ended. Raise what the first of them raised."""
        workers = {name: _Worker(job) for name, job in jobs.items()}
        while running := sorted(name for name, each in workers.items() if not each.ended):
            self.name = self._choose(running)
            self._current = workers[self.name]
            self._current.go_on()
        self._current, self.name = None, ""
        for each in workers.values():
            if each.error:
                raise each.error

    def pause(self) -> None:
        """For a worker: let another go on, or oneself. Nothing outside of `run`."""
        if self._current and self._current.thread is threading.current_thread():
            self._current.pause()


class _Worker:
    def __init__(self, job: Callable[[], None]) -> None:
        self.ended = False
        self.error: BaseException | None = None
        self._job = job
        self._go, self._paused = threading.Semaphore(0), threading.Semaphore(0)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def go_on(self) -> None:
        self._go.release()
        self._paused.acquire()

    def pause(self) -> None:
        self._paused.release()
        self._go.acquire()

    def _run(self) -> None:
        self._go.acquire()
        try:
            self._job()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised again where all of them are run
            self.error = error
        finally:
            self.ended = True
            self._paused.release()


def orders(play: Callable[[Choose], None]) -> Iterator[Sequence[str]]:
    """Play in every order that there is, each once; yields the choices of each."""
    chosen: list[tuple[int, Sequence[str]]] = []
    while True:
        made: list[tuple[int, Sequence[str]]] = []

        def choose(running: Sequence[str], made: Any = made, chosen: Any = chosen) -> str:
            at = chosen[len(made)][0] if len(made) < len(chosen) else 0
            made.append((at, running))
            return running[at]

        play(choose)
        yield [running[at] for at, running in made]
        while made and made[-1][0] + 1 == len(made[-1][1]):
            made.pop()
        if not made:
            return
        at, running = made.pop()
        chosen = [*made, (at + 1, running)]


Fault = str
"""`refused`; without an answer: `lost` (it took effect), `silent` (it did not), `late` (it will); `dies`, `dies-late`."""


class World:
    """Things by id, each with its key and since when it is there. Reading them finds them `lag` seconds late. `fault` says
    what becomes of the next call.
    """

    def __init__(self, pause: Callable[[], None]) -> None:
        self.now = 1_800_000_000.0
        self.things: dict[str, tuple[str, float]] = {}
        self.lag = 0.0
        self.most = 0
        self.in_use: Callable[[], bool] = lambda: False
        self.calls: list[str] = []
        self.fault: Callable[[str], Fault] = lambda _: ""
        self._late: list[tuple[float, Callable[[], Any]]] = []
        self._comes_late = False
        self._number = 0
        self._pause = pause

    def seen(self) -> list[str]:
        """What is read finds: all that has been there for a while."""
        return [name for name, (_, since) in self.things.items() if since <= self.now - self.lag]

    def listed(self, key: str) -> list[str]:
        return self.call("list", lambda: [name for name in self.seen() if self.things[name][0] == key])

    def is_there(self, name: str) -> bool:
        return self.call("get", lambda: name in self.seen())

    def create(self, key: str) -> str:
        return self.call("create", lambda: self._create(key))

    def delete(self, name: str) -> None:
        self.call("delete", lambda: self._delete(name))

    def pass_time(self, seconds: float) -> None:
        """What comes late comes meanwhile."""
        self.now += seconds
        due = [effect for at, effect in self._late if at <= self.now]
        self._late = [(at, effect) for at, effect in self._late if at > self.now]
        self._comes_late = True
        for effect in due:
            effect()
        self._comes_late = False

    def call(self, name: str, effect: Callable[[], T]) -> T:
        self._pause()
        self.calls.append(name)
        fault = self.fault(name)
        if fault == "refused":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, name)
        if fault.endswith("late"):
            self._late.append((self.now + 100.0, effect))
        if fault.startswith("dies"):
            raise Killed
        if fault in {"silent", "late"}:
            raise ReadTimeoutError(endpoint_url="https://things")
        answer = effect()
        if fault == "lost":
            raise ReadTimeoutError(endpoint_url="https://things")
        return answer

    def _delete(self, name: str) -> None:
        assert self._comes_late or name not in self.things or not self.in_use(), (
            f"{name} is removed while it is used"
        )
        self.things.pop(name, None)

    def _create(self, key: str) -> str:
        self._number += 1
        self.things[f"{key}-{self._number}"] = (key, self.now)
        self.most = max(self.most, sum(its == key for its, _ in self.things.values()))
        return f"{key}-{self._number}"


class InMemory(Clients):
    """Clients whose DynamoDB is in memory: as much of it as conditional writes need."""

    def __init__(self, world: World) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self._world = world

    @property
    def dynamodb(self) -> Any:  # type: ignore[override]
        return self

    def get_item(self, *, Key: Any, **_: Any) -> Any:  # noqa: N803 - botocore's
        return self._world.call("GetItem", lambda: {"Item": deepcopy(self._item(Key))})

    def put_item(self, *, Item: Any, **asked: Any) -> Any:  # noqa: N803
        def put() -> None:
            self._check(self._item(Item), asked)
            self.items[_key(Item)] = Item

        return self._world.call("PutItem", put)

    def update_item(self, *, Key: Any, UpdateExpression: str, **asked: Any) -> Any:  # noqa: N803
        def update() -> Any:
            self._check(self._item(Key), asked)
            item = self.items.setdefault(_key(Key), dict(Key))
            for clause, *changes in _clauses(UpdateExpression):
                for change in changes:
                    _apply(item, clause, change, asked)
            return {"Attributes": deepcopy(item)}

        return self._world.call("UpdateItem", update)

    def delete_item(self, *, Key: Any, **asked: Any) -> Any:  # noqa: N803
        def delete() -> None:
            self._check(self._item(Key), asked)
            self.items.pop(_key(Key), None)

        return self._world.call("DeleteItem", delete)

    def _item(self, key: Any) -> dict[str, Any]:
        return self.items.get(_key(key), {})

    def _check(self, item: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
        condition, values = asked.get("ConditionExpression", ""), asked.get("ExpressionAttributeValues", {})
        if condition and not _holds(item, condition, values):
            error = {"Error": {"Code": "ConditionalCheckFailedException", "Message": condition}}
            raise ClientError(error, "UpdateItem")


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, plain),) = value.items()
    return float(plain) if kind == "N" else plain


def _holds(item: Mapping[str, Any], condition: str, values: Mapping[str, Any]) -> bool:
    compare = {"=": lambda a, b: a == b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b}

    def compared(match: re.Match[str]) -> str:
        name, sign, value = match.groups()
        return str(name in item and compare[sign](_plain(item[name]), _plain(values[value])))

    said = re.sub(r"attribute_not_exists\((\w+)\)", lambda match: str(match[1] not in item), condition)
    said = re.sub(r"attribute_exists\((\w+)\)", lambda match: str(match[1] in item), said)
    said = re.sub(r"(\w+) (=|<=|<) (:\w+)", compared, said)
    return bool(eval(said.replace("AND", "and").replace("OR", "or"), {"__builtins__": {}}))


def _clauses(expression: str) -> Iterator[Sequence[str]]:
    parts = re.split(r"\b(SET|REMOVE|ADD|DELETE) ", expression)[1:]
    for clause, changes in zip(parts[::2], parts[1::2], strict=True):
        yield clause, *re.split(r", (?![^(]*\))", changes.strip())


def _apply(item: dict[str, Any], clause: str, change: str, asked: Mapping[str, Any]) -> None:
    values = asked.get("ExpressionAttributeValues", {})
    name, *rest = change.split(" ")
    name = (asked.get("ExpressionAttributeNames") or {}).get(name, name)
    if clause == "REMOVE":
        item.pop(name, None)
    elif clause == "SET":
        unless = re.fullmatch(r"if_not_exists\((\w+), (:\w+)\)", " ".join(rest[1:]))
        item[name] = item.get(unless[1], values[unless[2]]) if unless else values[rest[1]]
    else:
        _add(item, name, values[rest[0]], away=clause == "DELETE")


def _add(item: dict[str, Any], name: str, value: Mapping[str, Any], *, away: bool) -> None:
    if "N" in value:
        item[name] = {"N": str(float(item.get(name, {"N": "0"})["N"]) + float(value["N"]))}
        return
    had, said = set(item.get(name, {"SS": []})["SS"]), set(value["SS"])
    left = had - said if away else had | said
    item.pop(name, None)
    if left:
        item[name] = {"SS": sorted(left)}
