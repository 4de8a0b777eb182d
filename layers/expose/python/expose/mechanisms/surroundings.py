"""What a mechanism may know besides the exposure and its service: asked for beforehand, answered by the adapters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from expose.arn import ServiceArn
from expose.model import digest
from expose.policy import Limits

_LABEL = 80  # characters of CLUSTER/SERVICE that a mark has room for


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question about AWS that the adapter of `kind` answers with a JSON value."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`mark` is written on what is made for this exposure, so that it can be told from what others made."""

    limits: Limits
    mark: str
    found: Mapping[Lookup, Any] = field(default_factory=dict)

    @property
    def stack(self) -> str:
        """The name of this stack, with which every mark begins."""
        return self.mark.partition("/")[0]


def bearer(stack: str, service: ServiceArn) -> str:
    """What every mark of a service begins with, to be read by people unless its name is too long."""
    return f"{stack}/{service.label if len(service.label) <= _LABEL else digest(service.label)}"
