"""Chance on virtual time: botocore's too, its tokens and its pauses between attempts, follows from the farm's seed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """The same draws and ids for the same seed, in whatever process."""
    ids, state, uuid4 = random.Random(seed), random.getstate(), uuid.uuid4
    random.seed(seed)
    uuid.uuid4 = lambda: uuid.UUID(int=ids.getrandbits(128), version=4)
    try:
        yield
    finally:
        uuid.uuid4 = uuid4
        random.setstate(state)
