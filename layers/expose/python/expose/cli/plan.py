"""`expose plan`: what would be changed now, by the planner that the functions run, with nothing changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.text import Text

from expose.cli import stackwide
from expose.cli.output import SIGNS, plain, print_json, show
from expose.cli.stack import DEFAULT, Json, Region, Stack, stories, story_of
from expose.cli.story import Step, Story, Told
from expose.cli.trouble import NOT_AS_ASKED, Trouble

OneOrAll = Annotated[
    str | None,
    typer.Argument(
        metavar="[CLUSTER/SERVICE]",
        help="The ECS service, such as granja/conejo, or its ARN.",
        show_default=False,
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every exposure that the ledger knows.")]
Parameter = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        metavar="KEY=VALUE",
        help="As if this parameter of the stack had this value; may be said several times.",
    ),
]


def plan(
    target: OneOrAll = None,
    every: All = False,
    parameter: Parameter = None,
    stack: Stack = DEFAULT,
    region: Region = None,
    as_json: Json = False,
) -> None:
    """What would be changed now: + made, ~ changed, - removed. Nothing is changed.

    Exit status 0 if there is nothing to do, 1 if there is, or if something stands in the way; with --all, which reads the
    ledger, 1 if anything would change or be refused that is not so yet.
    """
    parameters = _parameters(parameter or [])
    if bool(target) == every:
        raise Trouble("expected CLUSTER/SERVICE, or --all for every exposure")
    if target is None:
        stackwide.tell(stories(stack, region, parameters), parameters, as_json=as_json)
        return
    told = story_of(target, stack, region, parameters)
    if as_json:
        print_json(_document(told))
    else:
        show(*drawn(told), wrap=False)
    if not told.as_asked:
        raise typer.Exit(NOT_AS_ASKED)


def _parameters(said: list[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for each in said:
        name, equals, value = each.partition("=")
        if not equals or not name or name in parameters:
            problem = (
                "it is there twice" if name in parameters else "expected one such as AllowedNames=system.com"
            )
            raise Trouble(f"--parameter {each}: {problem}")
        parameters[name] = value
    return parameters


def drawn(told: Story) -> Iterator[Text]:
    for note in told.notes:
        yield Text(note.message)
    for each in told.tags:
        if each.steps or each.obstacles:
            yield from _of_tag(each)
    counts = Counter(step.change for each in told.tags for step in each.steps if not step.withheld)
    made = ", ".join(f"{counts[verb]} to {verb}" for verb in ("create", "update", "delete") if counts[verb])
    kept = sum(step.withheld for each in told.tags for step in each.steps)
    made = ", ".join(filter(None, (made, f"{kept} kept back" if kept else "")))
    opening = (each for each in told.tags if any(step.change in {"create", "update"} for step in each.steps))
    held_up = any(found.kind != "Waiting" for each in opening for found in each.obstacles)
    after = ", once what stands in the way is gone" if made and held_up else ""
    yield Text(f"{told.label}: {made or 'nothing to do'}{after}", style="bold")


def shortened(key: str, task: str) -> str:
    """With no more of a task's id than people compare."""
    return key.replace(task, task[:12]) if task else key


def without_tag(message: str, each: Told) -> str:
    """A message that stands below its tag need not repeat it."""
    return message.removeprefix(f"{each.tag} = {each.value!r}: ")


def _of_tag(each: Told) -> Iterator[Text]:
    yield Text.assemble((each.tag, "bold"), f" = {each.value}")
    if each.follows:
        yield Text(f"  followed instead, as it could be carried out before: {each.follows}", style="dim")
    yield from (_line(step) for step in each.steps)
    for obstacle in each.obstacles:
        style = "yellow" if obstacle.kind == "Waiting" else "red"
        yield Text(f"  ! {without_tag(obstacle.message, each)}", style=style)


def _line(step: Step) -> Text:
    sign, colour = SIGNS[step.change]
    after = "is gone" if step.change == "forget" else "kept back" if step.withheld else ""
    line = Text.assemble("  ", (f"{sign} {step.kind} ", colour), shortened(step.key, step.task))
    line.append(f"  {step.address}" if step.address else "", "cyan")
    line.append(f"  ({after})" if after else "", "dim")
    return line


def _document(told: Story) -> dict[str, object]:
    return {
        "service": told.service,
        "changes": [{"tag": each.tag, **plain(step)} for each in told.tags for step in each.steps],
        "obstacles": [
            *({"tag": "", **plain(note)} for note in told.notes),
            *({"tag": each.tag, **plain(found)} for each in told.tags for found in each.obstacles),
        ],
    }
