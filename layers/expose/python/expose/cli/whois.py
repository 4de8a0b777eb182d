"""`expose whois`: which task of which service has a public address, or had it at some time, as the trail tells."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from expose.cli.output import grid, iso, local, print_json, show, span
from expose.cli.stack import DEFAULT, Json, Region, Stack, parts_of
from expose.cli.trouble import NOT_AS_ASKED, Trouble
from expose.trail import LINGERS, Holding

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="A public IPv4 or IPv6 address.")]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="Whose it was then: 2026-11-20 12:00, or any ISO 8601; local time where it names no zone.",
        show_default=False,
    ),
]


def whois(
    address: Address, at: At = None, stack: Stack = DEFAULT, region: Region = None, as_json: Json = False
) -> None:
    """Which task of which service has a public address, or had it at some time.

    Exit status 1 if it is, or was, nobody's that the trail knows; it goes back as far as the stack's parameter TrailDays.
    """
    when = _moment(at) if at else time.time()
    trail = parts_of(stack, region).trail
    try:
        known = trail.at(address)
    except ValueError as problem:
        raise Trouble(f"expected an IPv4 or IPv6 address, got {address!r}") from problem
    holders = [each for each in known if (each.covers(when) if at else not each.until)]
    if as_json:
        print_json(_document(address, when, holders, known))
    else:
        show(*drawn(address, when, holders, known, now=not at))
    if not holders:
        raise typer.Exit(NOT_AS_ASKED)


def drawn(
    address: str, when: float, holders: Sequence[Holding], known: Sequence[Holding], *, now: bool
) -> Iterator[RenderableType]:
    for each in holders:
        verb, ended = ("is", "") if now else ("was", f" until {local(each.until)}" if each.until else "")
        yield Text.assemble(
            f"{address} {verb} ",
            (_name(each), "bold green"),
            f"'s: task {each.task}, since {local(each.since)}{ended}",
        )
        if each.until and when > each.until:
            yield Text(_lingering(when - each.until), "yellow")
    if len(holders) > 1 and not now:
        yield Text(
            "One of them had it: the trail knows when a task was told to stop, not when its interface was gone."
        )
    if not holders:
        yield Text(
            f"{address} {'is' if now else 'was'} nobody's that the trail knows{'' if now else f', at {local(when)}'}."
        )
    others = [each for each in known if each not in holders]
    if others:
        yield Text("\nAt other times:" if holders else "\nAt other times it was:")
        yield _table(others)


def _lingering(after: float) -> str:
    return (
        f"It had been told to stop {span(after)} before. The address may stay a task's for {LINGERS / 60:.0f} minutes longer, "
        "and then be somebody else's."
    )


def _table(holdings: Sequence[Holding]) -> RenderableType:
    table = grid("Service", "Task", "Since", "Until")
    for each in holdings:
        table.add_row(
            _name(each), each.task[:12], local(each.since), local(each.until) if each.until else "now"
        )
    return table


def _name(holding: Holding) -> str:
    """As people say it: CLUSTER/SERVICE, or the group of a task that is of no service."""
    return holding.service.rpartition(":service/")[2]


def _moment(text: str) -> float:
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except ValueError as problem:
        raise Trouble(
            f"--at {text!r} is no time: expected one such as 2026-11-20, '2026-11-20 12:00' or 2026-11-20T12:00Z"
        ) from problem


def _document(
    address: str, when: float, holders: Sequence[Holding], known: Sequence[Holding]
) -> dict[str, object]:
    return {
        "address": address,
        "at": iso(when),
        "holders": [_holding(each, when) for each in holders],
        "others": [_holding(each, when) for each in known if each not in holders],
    }


def _holding(each: Holding, when: float) -> dict[str, object]:
    return {
        "service": each.service,
        "cluster": each.cluster,
        "task": each.task,
        "since": iso(each.since),
        "until": iso(each.until),
        "lingering": bool(each.until and each.until < when <= each.until + LINGERS),
    }
