"""REST APIs' lists: `items` and the position of the rest; the limit is 25 unless said, and 500 at most."""

from __future__ import annotations

from collections.abc import Iterable

from farm.aws import paging
from farm.aws.apigateway.model import Params, Result, invalid
from farm.aws.restapis.model import Rest

_MOST = 500


def page(of: Rest, items: Iterable[Result], asked: Params, identity: str = "id") -> Result:
    """One page of what AWS shows, in the order of this member."""
    size = asked.get("limit") or of.settings.page
    if size < 1:
        raise invalid("Invalid limit specified")
    try:
        some, token = paging.page(
            items, lambda one: str(one[identity]), min(size, _MOST), asked.get("position")
        )
    except paging.BadTokenError as error:
        raise invalid("Invalid position specified") from error
    return {"items": some, "position": token} if token else {"items": some}
