"""How our instances can be told from those of others: they take no tags, but attributes."""

from __future__ import annotations

OWNER_ATTRIBUTE = "EXPOSE_OWNER"
