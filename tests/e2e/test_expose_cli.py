"""`expose` as the project installs it, against a farm that is running."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.shell import ARN, CLEAN, NAME, Running, eventually

COMMAND = str(Path(sys.executable).with_name("expose"))


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment or CLEAN,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_it_is_installed_and_says_what_it_can() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("status", "explain", "plan", "whois", "findings"):
        assert f"\n  {command} " in done.stdout


def test_it_brings_completion() -> None:
    done = run("--show-completion", "bash")
    assert "_EXPOSE_COMPLETE=complete_bash" in done.stdout


def test_against_a_farm_with_what_a_user_exports(running: Running) -> None:
    environment = {**running.environment, "COLUMNS": "120"}
    running.aws("ecs", "tag-resource", "--resource-arn", ARN, "--tags", f"key=expose:dns,value={NAME}")
    eventually(lambda: len(running.dig()) == 4)
    try:
        done = run("status", "granja/conejo", "--json", environment=environment)
        assert (done.returncode, done.stderr) == (0, "")
        eventually(lambda: _addresses(environment) == running.dig())
        eventually(
            lambda: "expose:dns published" in run("explain", "granja/conejo", environment=environment).stdout
        )
    finally:
        running.aws("ecs", "untag-resource", "--resource-arn", ARN, "--tag-keys", "expose:dns")
    eventually(lambda: _addresses(environment) == [])


def _addresses(environment: dict[str, str]) -> list[str]:
    rows = json.loads(run("status", "granja/conejo", "--json", environment=environment).stdout)
    return [address for row in rows for address in row["addresses"]]
