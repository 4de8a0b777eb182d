"""`expose status`: every exposure that the ledger knows, how it stands, where it is reachable, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from expose.cli.output import COLOURS, ago, grid, iso, print_json, show
from expose.cli.stack import DEFAULT, Json, Region, Stack, parts_of, split
from expose.cli.trouble import NOT_AS_ASKED
from expose.records import Record
from expose.refusals import Status

_WRONG = frozenset({Status.INVALID, Status.BLOCKED, Status.FAILED})

OptionalTarget = Annotated[
    str | None, typer.Argument(metavar="[CLUSTER/SERVICE]", help="Only this ECS service.", show_default=False)
]


def status(
    target: OptionalTarget = None, stack: Stack = DEFAULT, region: Region = None, as_json: Json = False
) -> None:
    """Every exposure: its state, since when, where it is reachable. Exit status 1 if any is Invalid, Blocked or Failed."""
    inspector = parts_of(stack, region).inspector
    records = inspector.records()
    if target:
        arn = inspector.find(*split(target))
        records = [record for record in records if record.service == arn]
    if as_json:
        print_json([_document(record) for record in records])
    else:
        show(drawn(records, of=target or ""))
    if any(record.status in _WRONG for record in records):
        raise typer.Exit(NOT_AS_ASKED)


def drawn(records: Sequence[Record], *, of: str = "") -> RenderableType:
    if not records:
        more = f"`expose explain {of}` tells why" if of else "tag an ECS service and look again in a minute"
        return Text(f"{of or 'Nothing'} is not exposed: {more}." if of else f"Nothing is exposed: {more}.")
    table = grid("Exposure", "State", "Since", "")
    told = ""
    for record in records:
        if (label := _label(record)) != told:
            table.add_row(Text(label, "bold"))
        _add(table, record)
        told = label
    return table


def _add(table: Table, record: Record) -> None:
    wrong = record.status is not Status.ACTIVE or bool(record.code)
    message = record.message.removeprefix(f"{record.tag} = {record.value!r}: ")
    said = Text(f"{record.code}: {message}" if record.code else message, style="" if wrong else "dim")
    where = Text("\n" + "  ".join(record.addresses)) if record.addresses else Text()
    exposure = Padding(Text.assemble((record.tag, "cyan"), "\n", record.value), (0, 0, 0, 2))
    table.add_row(
        exposure, Text(record.status, COLOURS.get(record.status, "")), ago(record.status_since), said + where
    )


def _label(record: Record) -> str:
    """CLUSTER/SERVICE, as people say it."""
    return record.service.rpartition(":service/")[2]


def _document(record: Record) -> dict[str, object]:
    return {
        "service": record.service,
        "tag": record.tag,
        "value": record.value,
        "status": record.status,
        "since": iso(record.status_since),
        "code": record.code,
        "message": record.message,
        "addresses": record.addresses,
        "verified_at": iso(record.verified_at),
    }
