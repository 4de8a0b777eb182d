"""What an `expose:lb` tag is aimed at: its target in its parts, and what follows for what has to be known of AWS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expose.mechanisms.lb.grammar import NETWORK, SCHEMES
from expose.model import Exposure


@dataclass(frozen=True, slots=True)
class Aim:
    """A tag's target in its parts. `name` is what an allow-list is asked about."""

    name: str
    port: int = 0
    scheme: str = ""
    is_group: bool = False


def aim(exposure: Exposure) -> Aim:
    if exposure.target.startswith("tg/"):
        return Aim(exposure.target, is_group=True)
    name, _, port = exposure.target.partition(":")
    return Aim(name, int(port or 0), name if name in SCHEMES else "")


def kind(exposure: Exposure) -> str:
    """AWS's type of the load balancer of our own that a protocol needs."""
    return "network" if exposure.options.get("protocol") in NETWORK else "application"


def certified(exposure: Exposure) -> Sequence[str]:
    """The names that a listener of our own must have a certificate for."""
    if "certificate" in exposure.options:
        return (exposure.options["certificate"],)
    target = aim(exposure)
    is_https = kind(exposure) == "application" and target.scheme and target.port == 443
    return tuple(exposure.options.get("host", ())) if is_https else ()
