"""`expose` as its user types it, on the farm's time; and the proof, each time, that it has changed nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from expose.cli import app
from farm.aws import clock
from farm.farm import Farm

READS = ("BatchGet", "Describe", "Get", "List", "Query", "Scan", "Discover")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    said: str
    complained: str

    @property
    def document(self) -> Any:
        return json.loads(self.said)

    @property
    def words(self) -> str:
        """Without the ends of lines, which stand where there was no more room."""
        return " ".join(self.said.split())


def expose(farm: Farm, *arguments: str, columns: int = 100) -> Answer:
    before, ledger = len(farm.calls()), farm.ledger()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", clock.now)
        patch.setenv("COLUMNS", str(columns))
        done = CliRunner().invoke(app, arguments)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    wrote = [call for call in farm.calls()[before:] if not call.operation.startswith(READS)]
    assert wrote == [], wrote
    assert farm.ledger() == ledger, "the ledger was written"
    return Answer(done.exit_code, done.stdout, done.stderr)


def told(farm: Farm, service: str, tag: str = "expose:dns") -> tuple[int, dict[str, Any]]:
    """The exit status of `explain`, and what it says of one tag."""
    answer = expose(farm, "explain", f"granja/{service}", "--json")
    return answer.status, next(each for each in answer.document["tags"] if each["tag"] == tag)


def codes(obstacles: list[dict[str, str]]) -> list[str]:
    return [each["code"] for each in obstacles]
