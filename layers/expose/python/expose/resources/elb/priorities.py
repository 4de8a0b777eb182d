"""Where a rule stands among the others of its listener: in a band of our own, the more specific before the less. And
whether two have requests in common.

Pure, so that it can be tested without a load balancer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

BAND = range(10_000, 50_000)
_LONGEST = 128  # characters of a path pattern, and of a host (F§4.2)


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule looks at. A path pattern that ends with `/*` goes with the one without."""

    hosts: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()

    @property
    def rank(self) -> tuple[int, int, int]:
        """Less is more specific: a host before none, a longer path before a shorter one, methods before any."""
        longest = max((len(path.removesuffix("/*")) for path in self.paths), default=0)
        return (0 if self.hosts else 1, _LONGEST - longest, 0 if self.methods else 1)

    def overlaps(self, other: Match) -> bool:
        """Whether some request fits both. What is not looked at is anything."""
        return (
            _any_meet(self.hosts, other.hosts)
            and _any_meet(self.paths, other.paths)
            and (not self.methods or not other.methods or bool(self.methods & other.methods))
        )


def choose(match: Match, ours: Mapping[int, Match], taken: Collection[int]) -> int | None:
    """A free priority in the band after all that is more specific and before all that is less; None for none left.

    `ours` are the rules in the band. Ranks spread over the whole band, so that there is room between them.
    """
    first = max((at for at, other in ours.items() if other.rank < match.rank), default=BAND.start - 1) + 1
    last = min((at for at, other in ours.items() if other.rank > match.rank), default=BAND.stop) - 1
    if first > last:
        return None
    start = min(max(_place(match.rank), first), last)
    candidates = (*range(start, last + 1), *range(start - 1, first - 1, -1))
    return next((at for at in candidates if at not in taken), None)


def meet(one: str, other: str) -> bool:
    """Whether some text fits both patterns: `*` stands for any characters, `?` for any one."""
    below = [
        not other[at:].strip("*") for at in range(len(other) + 1)
    ]  # what fits nothing but the rest of `other`
    for char in reversed(one):
        row = [char == "*" and below[-1]]
        for at in reversed(range(len(other))):
            pair = {char, other[at]}
            fits = below[at] or row[-1] if "*" in pair else below[at + 1] and (len(pair) == 1 or "?" in pair)
            row.append(fits)
        below = row[::-1]
    return below[0]


def _any_meet(some: Collection[str], others: Collection[str]) -> bool:
    return not some or not others or any(meet(one, other) for one in some for other in others)


def _place(rank: tuple[int, int, int]) -> int:
    """The first priority of a rank's own share of the band."""
    number = (rank[0] * (_LONGEST + 1) + rank[1]) * 2 + rank[2]
    ranks = 2 * (_LONGEST + 1) * 2
    return BAND.start + number * (len(BAND) // ranks)
