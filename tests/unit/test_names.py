"""Names: the first to claim one has it, unless all who want it share it."""

from __future__ import annotations

import pytest

from expose.aws import Clients
from expose.names import Names
from expose.refusals import Refused
from farm.timeline import Timeline
from tests.unit.tables import TABLE, items, table

NAME = "lb/granja-alb:80/a.com||"
CONEJO, CABRA, OVEJA = (f"corral/granja/{name}/expose:lb" for name in ("conejo", "cabra", "oveja"))


@pytest.fixture
def clients(timeline: Timeline) -> Clients:
    return table()


@pytest.fixture
def names(clients: Clients) -> Names:
    return Names(clients, TABLE)


def claim(names: Names, mark: str, *, together: bool = False) -> None:
    names.claim(NAME, mark, said="host=a.com on granja-alb:80", together=together)


def refusal(names: Names, mark: str, *, together: bool = False) -> str:
    before = names.holders(NAME)
    with pytest.raises(Refused) as refused:
        claim(names, mark, together=together)
    assert refused.value.code == "NameTaken"
    assert refused.value.message.startswith("host=a.com on granja-alb:80 is held by ")
    assert names.holders(NAME) == before
    return refused.value.message


@pytest.mark.parametrize("together", [True, False])
def test_a_name_is_claimed_repeated_and_released(names: Names, clients: Clients, *, together: bool) -> None:
    assert names.holders(NAME) == set()
    for _ in range(2):
        claim(names, CONEJO, together=together)
        assert names.holders(NAME) == {CONEJO}
    for _ in range(2):
        names.release(NAME, CONEJO)
        assert names.holders(NAME) == set()
    assert items(clients) == 0


def test_the_first_has_it_until_it_lets_go(names: Names) -> None:
    claim(names, CONEJO)
    said = refusal(names, CABRA)
    assert CONEJO in said
    assert "choose another name, or remove it there" in said
    assert "weight=" not in said

    names.release(NAME, CONEJO)
    claim(names, CABRA)
    assert names.holders(NAME) == {CABRA}


def test_who_says_so_shares_it(names: Names, clients: Clients) -> None:
    for mark in (CONEJO, CABRA, OVEJA, CABRA):
        claim(names, mark, together=True)
    assert names.holders(NAME) == {CONEJO, CABRA, OVEJA}

    for mark, left in [(CABRA, {CONEJO, OVEJA}), (CABRA, {CONEJO, OVEJA}), (CONEJO, {OVEJA}), (OVEJA, set())]:
        names.release(NAME, mark)
        assert names.holders(NAME) == left
    assert items(clients) == 0


def test_who_has_it_alone_shares_with_nobody_and_both_are_told_how_they_might(names: Names) -> None:
    claim(names, CONEJO)

    said = refusal(names, CABRA, together=True)
    assert CONEJO in said
    assert "say weight= on both to share it" in said


def test_what_several_share_nobody_has_alone(names: Names) -> None:
    claim(names, CONEJO, together=True)
    claim(names, CABRA, together=True)

    for mark, others in [(OVEJA, f"{CABRA} and {CONEJO}"), (CONEJO, f"by {CABRA}:")]:
        said = refusal(names, mark)
        assert others in said
        assert "say weight= on both" in said


def test_who_could_join_the_only_one_that_shares_is_told_so(names: Names) -> None:
    claim(names, CONEJO, together=True)

    assert "say weight= on both" in refusal(names, CABRA)


def test_one_may_change_from_alone_to_together_and_back(names: Names, clients: Clients) -> None:
    claim(names, CONEJO)
    claim(names, CONEJO, together=True)
    claim(names, CABRA, together=True)
    assert names.holders(NAME) == {CONEJO, CABRA}

    names.release(NAME, CABRA)
    claim(names, CONEJO)
    assert names.holders(NAME) == {CONEJO}
    refusal(names, CABRA, together=True)
    names.release(NAME, CONEJO)
    assert items(clients) == 0


def test_nobody_releases_what_is_anothers(names: Names) -> None:
    claim(names, CONEJO)
    names.release(NAME, CABRA)
    assert names.holders(NAME) == {CONEJO}

    claim(names, CONEJO, together=True)
    names.release(NAME, CABRA)
    assert names.holders(NAME) == {CONEJO}
    names.release("lb/another", CONEJO)
    assert names.holders(NAME) == {CONEJO}


def test_the_heir_takes_over_and_nobody_else(names: Names, clients: Clients) -> None:
    heir = CABRA.rpartition("/")[0]
    names.claim(NAME, CONEJO, said="host=a.com on granja-alb:80", heir=heir)
    refusal(names, OVEJA)
    assert names.holders(NAME) == {CONEJO}

    claim(names, CABRA)
    assert names.holders(NAME) == {CABRA}
    refusal(names, CONEJO)  # it has no heir any more
    names.release(NAME, CONEJO)
    assert names.holders(NAME) == {CABRA}
    names.release(NAME, CABRA)
    assert items(clients) == 0


def test_an_heir_is_taken_back(names: Names) -> None:
    names.claim(NAME, CONEJO, said="host=a.com on granja-alb:80", heir=CABRA.rpartition("/")[0])
    claim(names, CONEJO)
    refusal(names, CABRA)


def test_an_heir_is_a_service_not_the_beginning_of_its_name(names: Names) -> None:
    names.claim(NAME, CONEJO, said="host=a.com on granja-alb:80", heir="corral/granja/cab")
    refusal(names, CABRA)
