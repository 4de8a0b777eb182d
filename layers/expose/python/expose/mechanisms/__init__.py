"""The mechanisms, each one way in: a pure function from an exposure and its service's tasks to resources.

To add one, write its file and add its line to `MECHANISMS`. A mechanism

- must bring a `grammar` that reads its tags;
- must name in `lookups` what it has to know of AWS before it can decide, and decide from the answers alone;
- must list each resource after those that it refers to, and the claim of a name before all that carry the name;
- must raise `Refused` where the owner has to act, and `NotYet` where waiting helps; `Partly` where that is so of some
  of it only;
- may not read AWS, the clock or the environment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from expose.mechanisms import api, dns, ip, lb
from expose.mechanisms.surroundings import Lookup, Surroundings
from expose.model import Exposure, Resource, Service
from expose.policy import Detail, Limits, Ready, Replacing
from expose.tags import Grammar

__all__ = ["MECHANISMS", "Lookup", "Mechanism", "Surroundings"]


class Mechanism(Protocol):
    """What a mechanism's file holds. `ready` says which tasks it lets in, `detail` how much has to be known of
    them, `replacing` whether those found sick are to be replaced. `opens` says whether a tag's value, as far as it can be
    read, lets everybody pass, and may: without that nothing `open` is ever made or left.
    """

    @property
    def grammar(self) -> Grammar: ...

    def lookups(self, exposure: Exposure, service: Service, limits: Limits) -> Sequence[Lookup]: ...

    @property
    def ready(self) -> Ready: ...

    def detail(self, exposure: Exposure, surroundings: Surroundings) -> Detail: ...

    def replacing(self, exposure: Exposure, service: Service) -> Replacing | None: ...

    def opens(self, value: str, limits: Limits) -> bool: ...

    def desired(
        self, exposure: Exposure, service: Service, surroundings: Surroundings
    ) -> Sequence[Resource]: ...


MECHANISMS: Mapping[str, Mechanism] = {
    "api": api,
    "dns": dns,
    "ip": ip,
    "lb": lb,
}
