"""How load balancers and target groups may be called."""

from __future__ import annotations

import re

from farm.aws.elb.model import invalid

_LONGEST = 32
_SIGNS = re.compile(r"[A-Za-z0-9-]+")


def check_name(kind: str, name: str) -> None:
    """`kind` is what it names, as the message has it."""
    if len(name) > _LONGEST:
        raise invalid(f"{kind} name '{name}' cannot be longer than '{_LONGEST}' characters")
    if not _SIGNS.fullmatch(name):
        raise invalid(
            f"{kind} name '{name}' can only contain characters that are alphanumeric characters or hyphens(-)"
        )
    if name.startswith("-") or name.endswith("-"):
        raise invalid(f"{kind} name '{name}' cannot begin or end with '-'")


def check_balancer_name(name: str) -> None:
    check_name("Load balancer", name)
    if name.startswith("internal-"):
        raise invalid(f"Load balancer name '{name}' cannot begin with 'internal-'")
