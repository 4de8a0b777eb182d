"""`expose explain`: the answer to "why can I not reach it", from the tag over each resource to each task."""

from __future__ import annotations

import time
from collections.abc import Iterator

import typer
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from expose.cli.obstacles import Obstacle
from expose.cli.output import COLOURS, SIGNS, grid, iso, plain, print_json, show, span
from expose.cli.plan import shortened, without_tag
from expose.cli.stack import DEFAULT, Json, Region, Stack, Target, story_of
from expose.cli.story import Piece, Reading, Running, Step, Story, Told
from expose.cli.trouble import NOT_AS_ASKED
from expose.refusals import Status

_WELL = frozenset({"there", "being checked"})


def explain(target: Target, stack: Stack = DEFAULT, region: Region = None, as_json: Json = False) -> None:
    """Why a service is reachable, or is not.

    Each tag, how it was read, what it makes, what of it is there, what is missing and why; and each task. Exit status 0
    if all is as the tags ask and reachable, 1 if not.
    """
    told = story_of(target, stack, region)
    if as_json:
        print_json(_document(told))
    else:
        show(*drawn(told))
    if not told.as_asked or any(each.hints for each in told.tags):
        raise typer.Exit(NOT_AS_ASKED)


def drawn(told: Story) -> Iterator[RenderableType]:
    ready = sum(task.ready for task in told.tasks)
    yield Text.assemble(
        (told.label, "bold"), f"   tasks: {told.wanted} wanted, {len(told.tasks)} there, {ready} ready"
    )
    for note in told.notes:
        yield Padding(_coloured(note), (0, 0, 0, 2))
    for each in told.tags:
        yield Text()
        since = f" for {span(time.time() - each.since)}" if each.since else ""
        state = (
            Text(f"{each.status}{since}", COLOURS.get(each.status, ""))
            if each.status
            else Text("not seen yet")
        )
        yield Text.assemble((each.tag, "bold"), f" = {each.value}   ", state)
        yield Padding(_facts(each), (0, 0, 0, 2))
    if told.tasks:
        yield Text()
        yield _tasks(told)


def _facts(each: Told) -> Table:
    table = grid(show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("why", _answer(each))
    for obstacle in (*each.obstacles[1:], *each.hints):
        table.add_row("", _coloured(obstacle, each))
    if each.follows:
        table.add_row("follows", f"{each.follows}, which could be carried out before")
    if each.reading:
        table.add_row("read as", _read(each.reading))
        if each.reading.defaults:
            table.add_row("", Text(f"left to default: {' '.join(each.reading.defaults)}", "dim"))
    if each.policy != "sync":
        table.add_row("policy", each.policy)
    if each.pieces:
        table.add_row("in AWS", _pieces(each))
    return table


def _answer(each: Told) -> Text:
    """The one sentence for whoever reads no further."""
    if each.obstacles:
        return _coloured(each.obstacles[0], each)
    if each.steps:
        return Text("changes are on their way: + to make, ~ to change, - to remove", "yellow")
    if each.status is not Status.ACTIVE:
        return Text(each.message or "nothing stands in the way", "yellow")
    where = f": {'  '.join(each.addresses)}" if each.addresses else ""
    return Text(f"as asked, {each.message}{where}", "green")


def _coloured(obstacle: Obstacle, each: Told | None = None) -> Text:
    said = without_tag(obstacle.message, each) if each else obstacle.message
    return Text(said, "yellow" if obstacle.kind == "Waiting" else "red")


def _read(reading: Reading) -> str:
    options = (f"{name}={_word(value)}" for name, value in sorted(reading.options.items()))
    return " ".join((reading.mechanism, _word(reading.target), *options))


def _word(value: object) -> str:
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)


def _pieces(each: Told) -> Table:
    """A line for each resource, with a sign where something is to be done to it."""
    steps = {(step.kind, step.key): step for step in each.steps}
    table = grid(show_header=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for piece in each.pieces:
        colour = "green" if piece.state in _WELL and not piece.trouble else "yellow"
        table.add_row(_sign(steps.get((piece.kind, piece.key))), Text(piece.state, colour), _named(piece))
    return table


def _sign(step: Step | None) -> Text:
    if step is None:
        return Text()
    sign, colour = SIGNS[step.change]
    return Text(f"({sign})" if step.withheld else sign, "dim" if step.withheld else colour)


def _named(piece: Piece) -> Text:
    if piece.task:
        named = Text.assemble((f"{piece.kind} ", "bold"), "of task ", shortened(piece.task, piece.task))
    else:
        named = Text.assemble((f"{piece.kind} ", "bold"), piece.key)
    arn = piece.aws_id.startswith("arn:")
    known = piece.address or (piece.aws_id.rpartition(":")[2] if arn else piece.aws_id)
    if known and known != piece.key:
        named.append(f"  {known}", "cyan")
    asked = (
        ""
        if piece.task
        else " ".join(f"{k}={_word(plain(v))}" for k, v in (piece.desired or {}).items() if v)
    )
    if asked:
        named.append(f"\n{asked}", "dim")
    if piece.trouble:
        named.append(f"\n{piece.trouble}", "yellow")
    return named


def _tasks(told: Story) -> Table:
    seen = any(task.open is not None and _public(task) for task in told.tasks)
    table = grid("Task", "State", "Private", "Public", *(["Internet gets in"] if seen else []), "Exposed")
    for task in told.tasks:
        exposed = "\n".join(f"{tag} {said}" for tag, said in task.exposed.items())
        state = Text(task.said, "green" if task.ready else "yellow")
        let_in = ["\n".join(task.open or ()) or "nowhere"] if seen else []
        table.add_row(task.id[:12], state, task.private_ipv4, _public(task) or "-", *let_in, exposed)
    return table


def _public(task: Running) -> str:
    return "\n".join(filter(None, (task.public_ipv4, task.ipv6)))


def _document(told: Story) -> dict[str, object]:
    tags = [{**plain(each), "since": iso(each.since)} for each in told.tags]
    return {**plain(told), "tags": tags}
