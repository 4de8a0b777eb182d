"""How what we made in AWS can be told from what others made: one tag, whose value says for whom, wherever AWS takes tags."""

from __future__ import annotations

from expose.model import Identity, digest

OWNER_TAG = "ecs-expose:owner"


def owner(stack: str, identity: Identity) -> str:
    """What `OWNER_TAG` says of something that a stack's exposures share."""
    return f"{stack}/{digest(str(identity))}"
