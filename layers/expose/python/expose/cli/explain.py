"""`expose explain`: the answer to "why can I not reach it", from the tag over each resource to each task."""

from __future__ import annotations

import time
from collections.abc import Iterator

import typer
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from expose.cli.output import COLOURS, ago, grid, iso, plain, print_json, show
from expose.cli.plan import line
from expose.cli.stack import DEFAULT, Json, Region, Stack, Target, parts_of, split
from expose.cli.story import Piece, Reading, Running, Story, Told, story
from expose.cli.trouble import NOT_AS_ASKED
from expose.refusals import Status

_WELL = frozenset({"there", "being checked"})


def explain(target: Target, stack: Stack = DEFAULT, region: Region = None, as_json: Json = False) -> None:
    """Why a service is reachable, or is not: each tag, how it was read, what it makes, what is missing and why.

    Exit status 0 if all is as its tags ask, 1 if not.
    """
    parts = parts_of(stack, region)
    seen = parts.inspector.inspect(parts.inspector.find(*split(target)))
    told = story(seen, prefix=parts.settings.prefix, now=time.time())
    if as_json:
        print_json(_document(told))
    else:
        show(*drawn(told))
    if not told.as_asked:
        raise typer.Exit(NOT_AS_ASKED)


def drawn(told: Story) -> Iterator[RenderableType]:
    ready = sum(task.ready for task in told.tasks)
    yield Text.assemble(
        (told.label, "bold"), f"   {told.wanted} tasks wanted, {len(told.tasks)} there, {ready} ready"
    )
    for note in told.notes:
        yield _indented(Text(note.message, style="yellow" if note.kind == "Waiting" else "red"))
    for each in told.tags:
        yield Text()
        yield from _of_tag(each)
    if told.tasks:
        yield Text()
        yield _tasks(told)


def _of_tag(each: Told) -> Iterator[RenderableType]:
    since = f" ({ago(each.since)})" if each.since else ""
    state = (
        Text(f"{each.status}{since}", COLOURS[each.status]) if each.status else Text("not seen yet", "yellow")
    )
    yield Text.assemble((each.tag, "bold"), f" = {each.value}   ", state)
    yield _indented(Text.assemble(("why      ", "bold"), _answer(each)))
    for obstacle in each.obstacles[1:]:
        yield _indented(Text(obstacle.message), by=11)
    if each.follows:
        yield _labelled("follows ", f"{each.follows}, which could be carried out before")
    if each.reading:
        yield _labelled("read as", _read(each.reading))
    if each.policy != "sync":
        yield _labelled("policy", each.policy)
    if each.pieces:
        yield _labelled("makes", "")
        yield _indented(_pieces(each.pieces), by=4)
    if each.steps:
        yield _labelled("to do", "")
        for step in each.steps:
            yield _indented(line(step), by=2)


def _answer(each: Told) -> Text:
    """The one sentence for whoever reads no further."""
    if each.obstacles:
        first = each.obstacles[0]
        return Text(first.message, "yellow" if first.kind == "Waiting" else "red")
    if each.steps:
        return Text("changes are on their way, see below", "yellow")
    if each.status is not Status.ACTIVE:
        return Text(each.message or "nothing stands in the way", "yellow")
    where = f": {'  '.join(each.addresses)}" if each.addresses else ""
    return Text(f"as asked, {each.message}{where}", "green")


def _read(reading: Reading) -> str:
    target = "+".join(map(str, reading.target)) if isinstance(reading.target, list) else str(reading.target)
    options = " ".join(f"{name}={_word(value)}" for name, value in sorted(reading.options.items()))
    left = f"; by default: {', '.join(reading.defaults)}" if reading.defaults else ""
    return f"{reading.mechanism} {target} {options}".rstrip() + left


def _word(value: object) -> str:
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)


def _pieces(pieces: tuple[Piece, ...]) -> Table:
    table = grid(show_header=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for piece in pieces:
        colour = "green" if piece.state in _WELL and not piece.trouble else "yellow"
        name = Text.assemble((f"{piece.kind} ", "bold"), piece.key)
        asked = (
            ""
            if piece.task
            else " ".join(f"{key}={_word(plain(v))}" for key, v in (piece.desired or {}).items() if v)
        )
        if asked:
            name.append(f"\n{asked}", "dim")
        if piece.trouble:
            name.append(f"\n{piece.trouble}", "yellow")
        table.add_row(Text(piece.state, colour), name, Text(piece.address or piece.aws_id, "cyan"))
    return table


def _tasks(told: Story) -> Table:
    table = grid("Task", "State", "Private", "Public", "Exposed")
    for task in told.tasks:
        exposed = "\n".join(f"{tag} {said}" for tag, said in task.exposed.items())
        table.add_row(task.id[:12], _task_state(task), task.private_ipv4, _public(task), exposed)
    return table


def _task_state(task: Running) -> Text:
    return Text(task.said, "green" if task.ready else "yellow")


def _public(task: Running) -> str:
    return "\n".join(filter(None, (task.public_ipv4, task.ipv6))) or "-"


def _labelled(label: str, text: str) -> Padding:
    return _indented(Text.assemble((f"{label:8} ", "bold"), text))


def _indented(drawn: RenderableType, *, by: int = 2) -> Padding:
    return Padding(drawn, (0, 0, 0, by))


def _document(told: Story) -> dict[str, object]:
    document: dict[str, object] = plain(told)
    for each, tag in zip(told.tags, document["tags"], strict=True):  # type: ignore[call-overload]  # it is a list
        tag["since"] = iso(each.since)
    return document
