"""Cloud Map's lists: pages first, filters after, so that a page may be empty and still not be the last (F§3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from farm.aws.cloudmap.model import Params, Registry, invalid
from farm.aws.paging import BadTokenError, page

T = TypeVar("T")


def one_page(
    of: Registry, items: Iterable[T], key: Callable[[T], str], asked: Params, most: int = 100
) -> tuple[list[T], str | None]:
    size = asked.get("MaxResults")
    if size is not None and not 1 <= size <= most:
        raise invalid(f"MaxResults must be between 1 and {most}.")
    try:
        return page(items, key, size or of.settings.page, asked.get("NextToken"))
    except BadTokenError as error:
        raise invalid("Invalid NextToken.") from error


def filtered_page(
    of: Registry,
    items: Iterable[T],
    key: Callable[[T], str],
    asked: Params,
    passes: Callable[[T, Params], bool],
) -> tuple[list[T], str | None]:
    found, token = one_page(of, items, key, asked)
    filters = asked.get("Filters", [])
    return [one for one in found if all(passes(one, wanted) for wanted in filters)], token


def matches(value: str, values: Sequence[str], wanted: Params) -> bool:
    if wanted.get("Condition", "EQ") == "BEGINS_WITH":
        return value.startswith(tuple(values))
    return value in values
