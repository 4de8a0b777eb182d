"""How what we made in Cloud Map can be told from what others made."""

from __future__ import annotations

OWNER_TAG = "ecs-expose:owner"
OWNER_ATTRIBUTE = "EXPOSE_OWNER"
