"""Which ports of an interface the internet reaches, and from where."""

from __future__ import annotations

from expose.audit.network import Interface, Network
from expose.model import Opening


def openings(interface: Interface, network: Network) -> tuple[Opening, ...]:
    raise NotImplementedError
