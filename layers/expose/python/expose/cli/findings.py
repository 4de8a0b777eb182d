"""`expose findings`: what the audit has found open at public addresses, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from expose.audit.findings import GRADES
from expose.cli.output import ago, grid, iso, print_json, show
from expose.cli.stack import DEFAULT, Json, Region, Stack, parts_of
from expose.cli.trouble import NOT_AS_ASKED, Trouble
from expose.reported import Case

_SERIOUS = GRADES[:2]
_COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}

Grade = Annotated[
    str, typer.Option("--grade", metavar="GRADE", help=f"At least this grade: {', '.join(GRADES)}.")
]


def findings(
    grade: Grade = "low", stack: Stack = DEFAULT, region: Region = None, as_json: Json = False
) -> None:
    """What is open at public addresses, and was not asked for; the worst first.

    Exit status 1 if any is of grade high or critical.
    """
    if grade not in GRADES:
        raise Trouble(f"--grade {grade!r}: expected one of {', '.join(GRADES)}")
    wanted = GRADES[: GRADES.index(grade) + 1]
    everything = parts_of(stack, region).reported.everything()
    cases = [case for subject in everything.values() for case in subject.cases]
    shown = sorted((case for case in cases if case.finding.grade in wanted), key=_order)
    if as_json:
        print_json([{**case.told(), "since": iso(case.since)} for case in shown])
    else:
        show(drawn(shown, hidden=len(cases) - len(shown)))
    if any(case.finding.grade in _SERIOUS for case in cases):
        raise typer.Exit(NOT_AS_ASKED)


def drawn(cases: Sequence[Case], *, hidden: int) -> RenderableType:
    if not cases:
        return Text(f"Nothing found{f', but for {hidden} of lower grades' if hidden else ''}.")
    table = grid("Grade", "Of", "Since", "Finding")
    for case in cases:
        finding = case.finding
        said = Text(finding.message)
        if case.addresses:
            said.append("\n" + "  ".join(case.addresses), "cyan")
        of = finding.service.rpartition(":service/")[2]
        table.add_row(Text(finding.grade, _COLOURS.get(finding.grade, "")), of, ago(case.since), said)
    return table


def _order(case: Case) -> tuple[int, str, str]:
    return GRADES.index(case.finding.grade), case.finding.service, case.finding.id
