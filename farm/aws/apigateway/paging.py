"""API Gateway's lists: `Items` and the token for the rest; MaxResults is a number in a string."""

from __future__ import annotations

from collections.abc import Iterable

from farm.aws import paging
from farm.aws.apigateway.model import Gateway, Params, Result, invalid


def page(of: Gateway, items: Iterable[Result], identity: str, asked: Params) -> Result:
    """One page of what AWS shows, in the order of this member."""
    size = str(asked.get("MaxResults") or of.settings.page)
    if not size.isdigit() or int(size) < 1:
        raise invalid("Invalid value for MaxResults")
    try:
        some, token = paging.page(items, lambda one: str(one[identity]), int(size), asked.get("NextToken"))
    except paging.BadTokenError as error:
        raise invalid("Invalid pagination token") from error
    return {"Items": some, "NextToken": token} if token else {"Items": some}
