"""The adapters, one file for each service of AWS, and the one map that names them all.

To add a kind of resource, write its adapter and add its line to `adapters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from expose.aws import Clients
from expose.ledger import Ledger
from expose.resources import claims, cloudmap, network
from expose.resources.kind import Finder, Kind, Made, Operations, Settled

__all__ = ["Adapters", "Finder", "Kind", "Made", "Operations", "Settled", "adapters"]


@dataclass(frozen=True, slots=True)
class Adapters:
    """By kind: what changes it, what follows its operations, what answers look-ups for it."""

    kinds: Mapping[str, Kind]
    operations: Mapping[str, Operations]
    finders: Mapping[str, Finder]


def adapters(clients: Clients, ledger: Ledger, stack: str) -> Adapters:
    namespaces = cloudmap.Namespaces(clients, stack)
    operations = cloudmap.Operations(clients)
    return Adapters(
        kinds={
            "claim": claims.Claims(ledger),
            "cloudmap.namespace": namespaces,
            "cloudmap.service": cloudmap.Services(clients),
            "cloudmap.instance": cloudmap.Instances(clients),
        },
        operations={
            "cloudmap.namespace": operations,
            "cloudmap.service": operations,
            "cloudmap.instance": operations,
        },
        finders={
            "cloudmap.namespace": namespaces,
            "ec2.vpc": network.Vpcs(clients),
        },
    )
