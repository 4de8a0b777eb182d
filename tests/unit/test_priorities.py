"""Priorities of rules: in our band, the more specific before the less, around those of others."""

from __future__ import annotations

from random import Random

import pytest

from expose.resources.elb.priorities import BAND, Match, choose

SEEDS = range(60)


def match(host: str = "", path: str = "", method: str = "") -> Match:
    """As a tag makes it: a path with and without what is below it."""
    paths = {"/*"} if path == "/" else {path, f"{path}/*"}
    return Match(
        frozenset({host} - {""}), frozenset(paths if path else ()), frozenset({method} - {""})
    )  # fmt: skip


def some(random: Random) -> Match:
    path = "/" + "a" * random.choice([0, 1, 2, 3, 20, 125])
    return match(random.choice(["", "a.com", "b.com"]), random.choice(["", path]), random.choice(["", "GET"]))


def insert(matches: list[Match], foreign: dict[int, Match]) -> dict[int, Match]:
    """Each where `choose` says, on a listener with rules of others."""
    ours: dict[int, Match] = {}
    for each in matches:
        at = choose(each, ours, ours.keys() | foreign.keys())
        assert at is not None
        assert at in BAND
        assert at not in ours
        assert at not in foreign
        ours[at] = each
    return ours


@pytest.mark.parametrize("seed", SEEDS)
def test_the_more_specific_comes_first_in_whatever_order_they_were_made(seed: int) -> None:
    random = Random(seed)
    ours = insert([some(random) for _ in range(random.randrange(2, 120))], foreign={})

    ranks = [ours[at].rank for at in sorted(ours)]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_priorities_of_others_are_left_to_them(seed: int) -> None:
    random = Random(seed)
    wanted = [some(random) for _ in range(60)]
    places = [
        *insert(wanted, foreign={}),
        *random.sample(range(1, 50_001), 50),
    ]  # where we would go, and others
    ours = insert(wanted, foreign=dict.fromkeys(places, match()))

    assert [ours[at].rank for at in sorted(ours)] == sorted(each.rank for each in wanted)


@pytest.mark.parametrize("seed", range(10))
def test_what_goes_and_comes_again_still_finds_its_place(seed: int) -> None:
    random = Random(seed)
    ours: dict[int, Match] = {}
    for _ in range(300):
        if len(ours) > 80 or (ours and random.random() < 0.4):
            del ours[random.choice(sorted(ours))]
            continue
        new = some(random)
        at = choose(new, ours, ours.keys())
        assert at is not None
        ours[at] = new
        ranks = [ours[each].rank for each in sorted(ours)]
        assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (match("a.com"), match()),
        (match("a.com"), match(path="/a/long/path")),
        (match("a.com", "/api"), match("a.com")),
        (match("a.com", "/api"), match("a.com", "/")),
        (match(path="/api/v1"), match(path="/api")),
        (match(path="/api"), match(path="/")),
        (match(path="/api"), match(path="/", method="GET")),
        (match(path="/api", method="GET"), match(path="/api")),
        (match("a.com", "/api", "GET"), match("a.com", "/api")),
    ],
)
def test_a_host_a_longer_path_and_a_method_are_more_specific(first: Match, second: Match) -> None:
    assert first.rank < second.rank
    for one, other in ((first, second), (second, first)):
        ours = insert([one, other], foreign={})
        assert [ours[at] for at in sorted(ours)] == [first, second]


def test_a_path_and_what_is_below_it_are_one_path() -> None:
    assert match(path="/api").rank == Match(paths=frozenset({"/api"})).rank


def test_when_a_share_of_the_band_is_full_the_next_free_priority_is_taken() -> None:
    """More of one rank than its share, with the neighbours of both sides there already."""
    between = [match("a.com", "/aa") for _ in range(500)]
    ours = insert([match("a.com", "/aaa"), match("a.com", "/a"), *between[:70]], foreign={})
    assert [ours[at].rank for at in sorted(ours)] == sorted(each.rank for each in ours.values())

    crowd = insert([match("a.com") for _ in range(500)] + [match(), match("a.com", "/a")], foreign={})
    assert [crowd[at].rank for at in sorted(crowd)] == sorted(each.rank for each in crowd.values())


def test_there_is_none_where_the_band_is_full() -> None:
    everywhere = dict.fromkeys(BAND, match("a.com"))

    assert choose(match("a.com"), everywhere, everywhere.keys()) is None
    assert choose(match("a.com"), {}, BAND) is None


def test_there_is_none_where_neighbours_leave_no_room() -> None:
    ours = {20_000: match("a.com", "/api"), 20_001: match()}

    assert choose(match("a.com"), ours, ours.keys()) is None


def test_it_never_leaves_the_band() -> None:
    assert choose(match("a.com"), {BAND.start: match()}, {BAND.start}) is None


def test_it_is_never_before_what_is_more_specific() -> None:
    """A person has put them out of order."""
    ours = {20_000: match(), 30_000: match("a.com", "/api")}

    assert choose(match("a.com"), ours, ours.keys()) in {None, *range(30_001, BAND.stop)}
