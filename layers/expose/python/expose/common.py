"""A shared resource as its item in the ledger says: a value, read by whoever joins, makes, leaves or removes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from expose.table import number_in

if TYPE_CHECKING:
    from expose.table import Item

LEASE = 150.0
"""Seconds for which a maker or a remover counts as alive: longer than its function runs, shorter than its message is hidden."""

PART = "part:"
"""What stands before the mark in the name of its part."""

_ANSWERS = 4.0  # seconds within which AWS usually answers: whoever is making it needs no help before


@dataclass(frozen=True, slots=True)
class Common:
    """`aws_id` is empty until it is made; `parts` are by mark.

    `unanswered` says that somebody has begun to make it and should have had an answer by now. `unsure_until` is set where
    a removal may have happened, and until when it may still happen.
    """

    aws_id: str = ""
    address: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    in_use: bool = False
    empty_since: float = 0.0
    unanswered: bool = False
    unsure_until: float = 0.0


def common(item: Item, now: float) -> Common:
    """As never made, and used by nobody, where there is no item."""
    began, removing = number_in(item, "making_since"), number_in(item, "removing_since")
    return Common(
        aws_id=item.get("aws_id", {}).get("S", ""),
        address=item.get("address", {}).get("S", ""),
        parts={key.removeprefix(PART): value["S"] for key, value in item.items() if key.startswith(PART)},
        in_use="used_by" in item,
        empty_since=number_in(item, "empty_since"),
        unanswered=bool(began) and now - began >= _ANSWERS,
        unsure_until=removing + LEASE if removing else 0.0,
    )
