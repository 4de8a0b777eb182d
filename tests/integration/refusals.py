"""How contract tests say that AWS refuses something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str) -> Iterator[dict[str, Any]]:
    """The call inside is refused with this code; what else the answer holds is there afterwards."""
    answer: dict[str, Any] = {}
    with pytest.raises(ClientError) as caught:
        yield answer
    answer |= caught.value.response
    assert answer["Error"]["Code"] == code
