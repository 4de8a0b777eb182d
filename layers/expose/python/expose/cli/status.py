"""`expose status`: every exposure that the ledger knows, how it stands, where it is reachable, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Row:
    """One exposure. Times are in seconds since the epoch, 0 where not known."""

    service: str
    label: str
    tag: str
    value: str
    status: Status
    since: float
    code: str
    message: str
    addresses: tuple[str, ...]
    verified_at: float


def status(
    target: OptionalTarget = None, stack: Stack = DEFAULT, region: Region = None, as_json: Json = False
) -> None:
    """Every exposure: its state, since when, where it is reachable. Exit status 1 if any is Invalid, Blocked or Failed."""
    inspector = parts_of(stack, region).inspector
    records = inspector.records()
    if target:
        arn = inspector.find(*split(target))
        records = [record for record in records if record.service == arn]
    rows = [_row(record) for record in records]
    if as_json:
        print_json([_document(row) for row in rows])
    else:
        show(drawn(rows, of=target or ""))
    if any(row.status in _WRONG for row in rows):
        raise typer.Exit(NOT_AS_ASKED)


def drawn(rows: Sequence[Row], *, of: str = "") -> RenderableType:
    if not rows:
        more = f"`expose explain {of}` tells why" if of else "tag an ECS service and look again in a minute"
        return Text(f"{of or 'Nothing'} is not exposed: {more}." if of else f"Nothing is exposed: {more}.")
    table = grid("Exposure", "State", "Since", "")
    told = ""
    for row in rows:
        if row.label != told:
            table.add_row(Text(row.label, "bold"))
        _add(table, row)
        told = row.label
    return table


def _add(table: Table, row: Row) -> None:
    wrong = row.status is not Status.ACTIVE or bool(row.code)
    message = row.message.removeprefix(f"{row.tag} = {row.value!r}: ")
    said = Text(f"{row.code}: {message}" if row.code else message, style="" if wrong else "dim")
    where = Text("\n" + "  ".join(row.addresses)) if row.addresses else Text()
    exposure = Padding(Text.assemble((row.tag, "cyan"), "\n", row.value), (0, 0, 0, 2))
    table.add_row(exposure, Text(row.status, COLOURS[row.status]), ago(row.since), said + where)


def _row(record: Record) -> Row:
    return Row(
        service=record.service,
        label=record.service.rpartition(":service/")[2],
        tag=record.tag,
        value=record.value,
        status=record.status,
        since=record.status_since,
        code=record.code,
        message=record.message,
        addresses=tuple(record.addresses),
        verified_at=record.verified_at,
    )


def _document(row: Row) -> dict[str, object]:
    return {
        "service": row.service,
        "tag": row.tag,
        "value": row.value,
        "status": row.status,
        "since": iso(row.since),
        "code": row.code,
        "message": row.message,
        "addresses": row.addresses,
        "verified_at": iso(row.verified_at),
    }
