"""The one place where things are wired: clients, clock and environment come in here and nowhere else.

Each function asks for its part. Parts are kept for as long as the settings stay the same, which in Lambda is for the
life of the process.
"""

from __future__ import annotations

import os
import time
from functools import cache, cached_property

from expose.apply import Applier
from expose.asks import Reader
from expose.auditor import Auditor
from expose.aws import Clients
from expose.census import Census
from expose.cleanup import Cleanup
from expose.controller import Controller
from expose.deciding import Deciding
from expose.ecs import Source
from expose.exposing import Exposing
from expose.guard import Guard
from expose.inspecting import Inspector
from expose.ledger import Ledger
from expose.mechanisms import MECHANISMS
from expose.membership import Membership
from expose.memories import Memories
from expose.names import Names
from expose.networks import Networks
from expose.notifier import Notifier
from expose.orphans import Orphans
from expose.outbox import Outbox
from expose.replacing import Replacer
from expose.reported import Reported
from expose.resources import Adapters, Marked, Placement, adapters
from expose.settings import Settings
from expose.shared import Shared
from expose.sweep import Finders, Sweep
from expose.tagged import Tagged
from expose.telemetry import Telemetry
from expose.trail import Trail
from expose.turn import Turn


class Parts:
    """Everything, made when first asked for."""

    def __init__(self, settings: Settings, clients: Clients) -> None:
        self.settings = settings
        self.telemetry = Telemetry()
        self._clients = clients
        self._ledger = Ledger(self._clients, settings.table)
        self._outbox = Outbox(
            self._clients, work_queue=settings.work_queue, later_queue=settings.later_queue, clock=_now
        )

    @cached_property
    def notifier(self) -> Notifier:
        return Notifier(
            ledger=self._ledger,
            outbox=self._outbox,
            telemetry=self.telemetry,
            limits=self.settings.limits,
            window=self.settings.window,
            clock=_now,
        )

    @cached_property
    def _source(self) -> Source:
        return Source(self._clients)

    @cached_property
    def _names(self) -> Names:
        return Names(self._clients, self.settings.table)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(MECHANISMS, prefix=self.settings.prefix, policy=self.settings.policy, clock=_now)

    @cached_property
    def _shared(self) -> Shared:
        return Shared(self._clients, self.settings.table)

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
        )

    @cached_property
    def _deciding(self) -> Deciding:
        return Deciding(
            mechanisms=MECHANISMS,
            finders=self._adapters.finders,
            limits=self.settings.limits,
            stack=self.settings.stack,
            empty_after=self.settings.empty_after,
            clock=_now,
        )

    @cached_property
    def _exposing(self) -> Exposing:
        applier = Applier(self._adapters, self._ledger, self._shared, grace=self.settings.grace, clock=_now)
        return Exposing(deciding=self._deciding, adapters=self._adapters, applier=applier, clock=_now)

    @cached_property
    def controller(self) -> Controller:
        settings = self.settings
        return Controller(
            source=self._source,
            ledger=self._ledger,
            memories=Memories(ledger=self._ledger, trail=self.trail, clock=_now),
            exposing=self._exposing,
            replacer=Replacer(source=self._source, ledger=self._ledger, telemetry=self.telemetry, clock=_now),
            outbox=self._outbox,
            telemetry=self.telemetry,
            reader=self._reader,
            limits=settings.limits,
            clock=_now,
        )

    @cached_property
    def inspector(self) -> Inspector:
        return Inspector(
            clients=self._clients,
            source=self._source,
            ledger=self._ledger,
            names=self._names,
            exposing=self._exposing,
            reader=self._reader,
            limits=self.settings.limits,
            prefix=self.settings.prefix,
            clock=_now,
        )

    @cached_property
    def sweep(self) -> Sweep:
        return Sweep(
            ledger=self._ledger,
            guard=self._guard,
            finders=Finders(
                Tagged(self._clients, prefix=self.settings.prefix, clock=_now),
                Membership(self._source, clock=_now),
                self._orphans,
            ),
            outbox=self._outbox,
            telemetry=self.telemetry,
            limits=self.settings.limits,
            verify_minutes=self.settings.verify_minutes,
            turn=lambda: Turn(self._clients, self.settings.table, clock=_now),
            clock=_now,
        )

    @cached_property
    def _orphans(self) -> Orphans:
        return Orphans(
            marked=Marked(self._clients),
            ledger=self._ledger,
            reported=self.reported,
            mark=self._deciding.mark,
            stack=self.settings.stack,
            prefix=self.settings.prefix,
            clock=_now,
        )

    @cached_property
    def auditor(self) -> Auditor:
        settings = self.settings
        return Auditor(
            ledger=self._ledger,
            networks=Networks(self._clients),
            reported=self.reported,
            outbox=self._outbox,
            telemetry=self.telemetry,
            census=Census(self._clients, self._source, settings.limits) if settings.audit_all else None,
            account=settings.account,
            prefix=settings.prefix,
            zones=settings.guard_zones,
            clock=_now,
        )

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
            clock=_now,
        )

    @cached_property
    def _guard(self) -> Guard:
        return Guard(
            clients=self._clients,
            networks=Networks(self._clients),
            source=self._source,
            trail=self.trail,
            reported=self.reported,
            telemetry=self.telemetry,
            account=self.settings.account,
            zones=self.settings.guard_zones,
            clock=_now,
        )

    @cached_property
    def cleanup(self) -> Cleanup:
        return Cleanup(ledger=self._ledger, outbox=self._outbox, clock=_now, sleep=time.sleep)


def _now() -> float:
    return time.time()


@cache
def _clients(_credentials: str) -> Clients:
    return Clients()


@cache
def _parts(settings: Settings, credentials: str) -> Parts:
    return Parts(settings, _clients(credentials))


def parts() -> Parts:
    """For the environment as it is now; credentials that change make new clients."""
    return _parts(Settings.read(os.environ), os.environ.get("AWS_ACCESS_KEY_ID", ""))
