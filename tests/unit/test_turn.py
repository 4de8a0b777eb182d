"""One sweep at a time, though they are started each minute and may die."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from moto import mock_aws

from expose.aws import Clients
from expose.turn import Turn
from tests.unit.tables import TABLE, items, table


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clients() -> Iterator[Clients]:
    with mock_aws():
        yield table()


def test_the_second_waits_until_the_first_is_through(clients: Clients) -> None:
    first, second = (Turn(clients, TABLE, clock=Clock()) for _ in range(2))

    assert first.is_mine()
    assert not second.is_mine()
    second.give_back()  # what it does not hold
    assert first.is_mine()
    first.give_back()
    assert items(clients) == 0
    assert second.is_mine()


def test_one_that_goes_on_for_long_keeps_it(clients: Clients) -> None:
    clock = Clock()
    first, second = (Turn(clients, TABLE, clock=clock) for _ in range(2))
    for _ in range(10):
        assert first.is_mine()
        assert not second.is_mine()
        clock.now += 60


def test_one_that_died_is_succeeded(clients: Clients) -> None:
    clock = Clock()
    dead, second = (Turn(clients, TABLE, clock=clock) for _ in range(2))
    assert dead.is_mine()
    clock.now += 91

    assert second.is_mine()
    assert not dead.is_mine()  # it only hung
