"""What the functions have in common: the ledger and what stands on it, how tags are read, decided and carried out.

`bootstrap` adds to it what each function does.
"""

from __future__ import annotations

import time
from functools import cached_property

from expose.apply import Applier
from expose.asks import Reader
from expose.aws import Clients
from expose.current import Current
from expose.deciding import Deciding
from expose.ecs import Source
from expose.exposing import Exposing
from expose.ledger import Ledger
from expose.mechanisms import MECHANISMS
from expose.memories import Memories
from expose.names import Names
from expose.outbox import Outbox
from expose.reported import Reported
from expose.resources import Adapters, Placement, adapters
from expose.settings import Settings
from expose.shared import Shared
from expose.telemetry import Telemetry
from expose.trail import Trail


def now() -> float:
    return time.time()


class Core:
    """Made when first asked for."""

    def __init__(self, settings: Settings, clients: Clients) -> None:
        self.settings = settings
        self.telemetry = Telemetry()
        self._clients = clients
        self._ledger = Ledger(clients, settings.table)
        self._names = Names(clients, settings.table)
        self._shared = Shared(clients, settings.table, now)
        self._source = Source(clients)
        self.deadline = clients.deadline
        self._outbox = Outbox(
            self._clients,
            work_queue=settings.work_queue,
            withdraw_queue=settings.withdraw_queue,
            later_queue=settings.later_queue,
            telemetry=self.telemetry,
            clock=now,
        )

    @cached_property
    def _reader(self) -> Reader:
        return Reader(MECHANISMS, prefix=self.settings.prefix, policy=self.settings.policy, clock=now)

    @cached_property
    def _adapters(self) -> Adapters:
        settings = self.settings
        return adapters(
            self._clients,
            self._ledger,
            self._names,
            self._shared,
            stack=settings.stack,
            placement=Placement(
                settings.subnets, settings.security_groups, settings.link_groups, settings.links
            ),
            standing=settings.limits.standing,
        )

    @cached_property
    def _deciding(self) -> Deciding:
        return Deciding(
            mechanisms=MECHANISMS,
            finders=self._adapters.finders,
            limits=self.settings.limits,
            stack=self.settings.stack,
            empty_after=self.settings.empty_after,
            clock=now,
        )

    @cached_property
    def _exposing(self) -> Exposing:
        current = Current(self._adapters, now)
        return Exposing(deciding=self._deciding, current=current, applier=self._applier, clock=now)

    @cached_property
    def _applier(self) -> Applier:
        return Applier(self._adapters, self._ledger, self._shared, grace=self.settings.grace, clock=now)

    @cached_property
    def _memories(self) -> Memories:
        return Memories(ledger=self._ledger, trail=self.trail, clock=now)

    @cached_property
    def trail(self) -> Trail:
        return Trail(self._clients, self.settings.trail_table, days=self.settings.trail_days)

    @cached_property
    def reported(self) -> Reported:
        return Reported(
            self._clients,
            self.settings.table,
            trail=self.trail,
            outbox=self._outbox,
            telemetry=self.telemetry,
            clock=now,
        )
