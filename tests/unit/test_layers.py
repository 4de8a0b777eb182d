"""The layers point one way, deciding is pure, every module says what it is for, and importing costs no more than it must."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from expose.mechanisms import MECHANISMS

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers/expose/python"
MODULES = sorted((LAYER / "expose").rglob("*.py"))
FUNCTIONS = sorted((ROOT / "functions").rglob("*.py"))
HELPERS = {
    "__init__",
    "declared",
    "members",
    "namespaces",
    "ports",
    "surroundings",
}  # what the mechanisms share

PURE = ["model", "traffic", "tags", "plan", "policy", "events", "mechanisms"]


@cache
def imported(*modules: str) -> set[str]:
    """All that is loaded once these are, in a process that has no environment: a client would ask for its Region."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import sys, {', '.join(modules)}; print(*sys.modules)"],
        env={"PYTHONPATH": str(LAYER), "AWS_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_the_layers_point_one_way() -> None:
    """The contracts stand in pyproject.toml, each with a sentence for a name."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        env={"PYTHONPATH": f"{LAYER}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kept, 0 broken" in done.stdout


def test_deciding_loads_nothing_of_aws() -> None:
    """Stricter than the contract: not through others either."""
    loaded = imported(*(f"expose.{module}" for module in PURE))

    assert "expose.mechanisms.dns" in loaded
    assert not loaded & {"boto3", "botocore", "aws_lambda_powertools", "farm", "moto"}


def test_importing_makes_no_client_and_reads_no_environment() -> None:
    assert "expose.controller" in imported("expose.bootstrap")


@pytest.mark.parametrize("heavy", ["pydantic", "aws_xray_sdk"])
def test_what_is_slow_to_load_is_installed_here_but_not_loaded_by_the_functions(heavy: str) -> None:
    assert find_spec(heavy)
    assert heavy not in imported("expose.bootstrap")


@pytest.mark.parametrize("path", [*MODULES, *FUNCTIONS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for_and_is_short_enough_to_be_read(path: Path) -> None:
    text = path.read_text()
    docstring = ast.get_docstring(ast.parse(text))

    assert docstring
    assert len(docstring) > 40
    assert len(text.splitlines()) < 260


@pytest.mark.parametrize("path", [*MODULES, *FUNCTIONS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_function_is_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name != "adapters":  # the one map, a line for each kind
            assert (node.end_lineno or 0) - node.lineno < 45, node.name


def test_every_file_among_the_mechanisms_is_one_of_them_or_shared_by_them() -> None:
    files = {path.stem for path in (LAYER / "expose/mechanisms").iterdir() if path.name != "__pycache__"}

    assert files == {*MECHANISMS, *HELPERS}


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_is_its_own_file_and_keeps_the_protocol(name: str) -> None:
    mechanism = MECHANISMS[name]

    assert getattr(mechanism, "__name__", "") == f"expose.mechanisms.{name}"
    assert mechanism.grammar.example
    assert all(
        callable(getattr(mechanism, each))
        for each in ("lookups", "ready", "detail", "replacing", "opens", "desired")
    )


def test_nowhere_else_is_a_mechanism_known_by_name() -> None:
    """A mechanism owns everything about its kind: nobody else compares with its name. In its own files the same words
    may be those of its grammar.
    """
    for path in MODULES:
        own = LAYER / "expose/mechanisms"
        if any(own / name in {*path.parents, path.with_suffix("")} for name in MECHANISMS):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            compared = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
            words = {each.value for each in compared if isinstance(each, ast.Constant)}
            assert not words & set(MECHANISMS), path.name
