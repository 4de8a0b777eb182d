"""`expose plan --all`: what would become of every exposure, now or with other parameters of the stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import typer
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from expose.cli.obstacles import Obstacle
from expose.cli.output import SIGNS, plain, print_json, show
from expose.cli.story import Step, Story, Told
from expose.cli.trouble import NOT_AS_ASKED
from expose.refusals import Status

_STAYS, _WITHDRAWN = "stays as it is", "would be withdrawn"
_WRONG = frozenset({Status.INVALID, Status.BLOCKED, Status.FAILED})
_NAMED = 3  # addresses that are listed of many


def tell(stories: Sequence[Story], parameters: Mapping[str, str], *, as_json: bool) -> None:
    if as_json:
        print_json(_document(stories, parameters))
    else:
        show(*drawn(stories, parameters))
    if any(fate(each) != _STAYS for told in stories for each in told.tags):
        raise typer.Exit(NOT_AS_ASKED)


def fate(each: Told) -> str:
    """What would become of an exposure."""
    steps = [step for step in each.steps if not step.withheld]
    if not steps:
        return "is kept back" if each.steps else "would be refused" if _refused_anew(each) else _STAYS
    if all(step.change in {"delete", "forget"} for step in steps):
        return _WITHDRAWN if all(piece.desired is None for piece in each.pieces) else "would be cut back"
    return "would be made" if all(step.change == "create" for step in each.steps) else "would be changed"


def drawn(stories: Sequence[Story], parameters: Mapping[str, str]) -> Iterator[RenderableType]:
    for told in stories:
        concerned = [each for each in told.tags if fate(each) != _STAYS]
        if concerned:
            yield Text(told.label, "bold")
            yield from (Padding(Text(note.message), (0, 0, 0, 2)) for note in told.notes)
        for each in concerned:
            yield from _of_tag(each)
    yield Text(verdict(stories, parameters), "bold")


def verdict(stories: Sequence[Story], parameters: Mapping[str, str]) -> str:
    fates = Counter(fate(each) for told in stories for each in told.tags)
    total, stay = fates.total(), fates.pop(_STAYS, 0)
    said = [f"{count} {what}" for what, count in sorted(fates.items(), key=lambda each: -each[1])]
    said += [f"{stay} stay as they are" if stay > 1 else f"{stay} stays as it is"] if stay else []
    if not total:
        said = ["nothing is exposed"]
    of = f"of {total} exposures " if total > 1 else ""
    having = (
        f"with {', '.join(f'{name}={value}' for name, value in parameters.items())}: " if parameters else ""
    )
    line = f"{having}{of}{', '.join(said)}"
    return f"{line[0].upper()}{line[1:]}"


def _refused_anew(each: Told) -> bool:
    return any(found.kind in _WRONG and found.code != each.code for found in each.obstacles)


def _of_tag(each: Told) -> Iterator[RenderableType]:
    yield Padding(Text.assemble((each.tag, "cyan"), f" = {each.value}"), (0, 0, 0, 2))
    yield Padding(Text(fate(each), "bold"), (0, 0, 0, 4))
    if each.follows:
        yield Padding(Text(f"followed instead: {each.follows}", "dim"), (0, 0, 0, 4))
    for _, alike in groupby(
        each.steps, lambda step: (step.change, step.kind, step.withheld, bool(step.task))
    ):
        yield from _lines(list(alike))
    for found in each.obstacles:
        yield Padding(Text(_said(found, each), "red" if found.kind in _WRONG else "yellow"), (0, 0, 0, 4))


def _lines(alike: Sequence[Step]) -> Iterator[RenderableType]:
    """Of steps of one kind: those for tasks in one line."""
    sign, colour = SIGNS[alike[0].change]
    kept = "  (kept back)" if alike[0].withheld else ""
    if not alike[0].task:
        words = [f"{sign} {step.kind} {step.key}" for step in alike]
    else:
        addresses = [step.address for step in alike if step.address]
        more = f" and {len(addresses) - _NAMED} more" if len(addresses) > _NAMED else ""
        words = [f"{sign} {len(alike)} {alike[0].kind}  {'  '.join(addresses[:_NAMED])}{more}".rstrip()]
    yield from (Padding(Text(f"{word}{kept}", colour), (0, 0, 0, 4)) for word in words)


def _said(found: Obstacle, each: Told) -> str:
    return f"! {found.code}: {found.message.removeprefix(f'{each.tag} = {each.value!r}: ')}"


def _document(stories: Sequence[Story], parameters: Mapping[str, str]) -> dict[str, object]:
    return {
        "parameters": dict(parameters),
        "exposures": [
            {
                "service": told.service,
                "tag": each.tag,
                "value": each.value,
                "fate": fate(each),
                "changes": [plain(step) for step in each.steps],
                "obstacles": [plain(found) for found in (*told.notes, *each.obstacles)],
            }
            for told in stories
            for each in told.tags
        ],
        "fates": Counter(fate(each) for told in stories for each in told.tags),
    }
