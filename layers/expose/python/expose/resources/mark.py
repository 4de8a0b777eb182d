"""How what we made in AWS can be told from what others made: one tag, whose value says for whom, wherever AWS takes tags."""

from __future__ import annotations

OWNER_TAG = "ecs-expose:owner"
