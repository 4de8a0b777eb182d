"""The demo, as its user runs it: what it says, how it ends, and what its parts count."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from farm.balancers.traffic import Lost, Traffic
from farm.demo.load import Load
from farm.demo.reading import Reading
from farm.demo.watch import Life, Sample, Window
from tests.e2e.shell import eventually

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "farm", "demo", "--fast")
CHAPTERS = (
    "Two services are tagged",
    "Who answers there?",
    "A rolling deployment",
    "A task dies without warning",
    "A change that nobody hears of",
    "A bad tag",
    "Three go behind load balancers",
    "Who answers behind them?",
    "A deployment under traffic",
    "An API for a private service",
    "A deployment behind the API",
    "Versions come and go",
    "Public addresses, in a list",
    "What else is open",
    "A record left behind",
    "The tags are removed",
    "The stack is deleted",
)


@contextmanager
def started() -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'layers/expose/python'}{os.pathsep}{ROOT}"}
    with subprocess.Popen(
        COMMAND, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as demo:
        try:
            yield demo
        finally:
            demo.kill()


def table_of(output: str) -> list[str]:
    return output.partition("Observed")[2].splitlines()


def assert_plain(output: str) -> None:
    """Without a terminal: text, and no wider than eighty columns."""
    assert "\x1b" not in output
    assert "\r" not in output
    assert max(map(len, output.splitlines())) <= 80


@pytest.mark.slow
def test_the_demo_goes_as_expected_and_says_so_in_a_table() -> None:
    with started() as demo:
        output, _ = demo.communicate(timeout=900)
    table = table_of(output)
    assert demo.returncode == 0, output
    assert "Traceback" not in output
    assert f"All {len(CHAPTERS)} chapters went as expected" in table[-1]
    assert_plain(output)
    for chapter in CHAPTERS:
        row = next(line for line in table if chapter in line)
        account, books = row.split()[-2:]
        assert account.isdigit()
        assert books.isdigit()
    assert sum(line.startswith("✓") for line in table) >= 2 * len(CHAPTERS)
    assert not [line for line in table if line.startswith("✗")]


@pytest.mark.slow
def test_ctrl_c_ends_the_demo_cleanly() -> None:
    with started() as demo:
        assert demo.stdout
        for line in demo.stdout:
            if CHAPTERS[0] in line:
                break
        demo.send_signal(signal.SIGINT)
        output, _ = demo.communicate(timeout=300)
    assert demo.returncode == 130, output
    assert "Traceback" not in output


OLD = Life("old", "conejo", 0.0, "127.30.0.1", running_at=1.0, told_at=5.0, stopped_at=8.0)
NEW = Life("new", "conejo", 3.0, "127.30.0.2", running_at=4.0)


def seen(*answers: tuple[float, str]) -> Window:
    samples = tuple(Sample(at, at + 0.01, frozenset(text.split())) for at, text in answers)
    return Window(0.0, (OLD, NEW), samples)


def test_an_answer_is_wrong_from_when_its_task_has_stopped() -> None:
    assert seen((2.0, "127.30.0.1"), (7.9, "127.30.0.1")).wrong == 0
    assert seen((8.1, "127.30.0.1 127.30.0.2")).wrong == 1


def test_an_answer_with_the_address_of_nobody_is_wrong() -> None:
    assert seen((2.0, "127.30.0.9")).wrong == 1


def test_an_empty_answer_is_counted_as_empty() -> None:
    window = seen((2.0, "127.30.0.1"), (5.0, ""), (6.0, "127.30.0.2"))
    assert (window.empty, window.wrong) == (1, 0)


def test_delays_are_counted_to_the_first_and_to_the_last_answer() -> None:
    window = seen(
        (2.0, "127.30.0.1"), (4.5, "127.30.0.1 127.30.0.2"), (6.0, "127.30.0.1"), (7.0, "127.30.0.2")
    )
    assert window.to_publish() == pytest.approx(1.01)
    assert window.to_withdraw() == pytest.approx(1.01)
    assert window.to_stop() == pytest.approx(3.0)


class Requests(Traffic):
    """Those that a test says were answered or lost."""

    def __enter__(self) -> Requests:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def come(self, task: str, count: int) -> None:
        for _ in range(count):
            self._answer("conejo", task)


def test_a_load_tells_what_was_lost_and_why() -> None:
    requests = Requests()
    requests.come("old", 7)
    assert Load(requests, tuple).lost == "0 of 7"
    requests.lost += [Lost(1.0, "503"), Lost(1.1, "reset"), Lost(1.2, "503")]
    assert Load(requests, tuple).lost == "3 of 10 (2 503, 1 reset)"


def test_a_load_sees_which_tasks_answer_moment_by_moment() -> None:
    requests = Requests()
    with Load(requests, lambda: [OLD, NEW]) as load:
        for task in ("old", "new"):
            requests.come(task, 1)
            eventually(
                lambda one=frozenset({task}): one in {sample.addresses for sample in load.window().samples}
            )
        eventually(lambda: load.window().empty > 0)
    window = load.window()
    assert [life.address for life in window.lives] == ["old", "new"]
    assert list(dict.fromkeys(sample.addresses for sample in window.samples if sample.addresses)) == [
        {"old"},
        {"new"},
    ]
    assert window.empty > 0


def test_a_reader_sees_who_is_in_a_list_though_the_task_has_stopped() -> None:
    held = frozenset({"127.30.0.1"})
    gone = Life("old", "abeja", 0.0, "127.30.0.1", running_at=1.0, told_at=2.0, stopped_at=3.0)
    with Reading(lambda: held, lambda: [gone]) as reading:
        eventually(lambda: reading.window().wrong > 0)
        held = frozenset()
        eventually(lambda: reading.window().empty > 0)
    window = reading.window()
    assert window.wrong > 0
    assert window.empty > 0
    assert window.wrong + window.empty == len(window.samples)
