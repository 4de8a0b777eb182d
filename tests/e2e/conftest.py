"""One farm for all tests of a module that only want to use it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.e2e.shell import Running, awake


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with awake("--pace", "fast") as running:
        yield running


# Who is started in the background ignores Ctrl-C, and so would all that is started here.
signal.signal(signal.SIGINT, signal.default_int_handler)
