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
from expose.current import Current
from expose.deadline import PATIENT, Patience
from expose.deciding import Deciding
from expose.ecs import Source
from expose.exposing import Exposing
from expose.foresight import Foreseeing
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
from expose.withdraw import Withdrawer
from expose.worker import Worker


class Parts:
    """Everything, made when first asked for."""

    def __init__(self, settings: Settings, clients: Clients) -> None:
        self.settings = settings
        self.telemetry = Telemetry()
        self._clients = clients
        self._ledger = Ledger(clients, settings.table)
        self._names = Names(clients, settings.table)
        self._shared = Shared(clients, settings.table)
        self._source = Source(clients)
        self.deadline = clients.deadline
        self._outbox = Outbox(
            self._clients,
            work_queue=settings.work_queue,
            withdraw_queue=settings.withdraw_queue,
            later_queue=settings.later_queue,
            telemetry=self.telemetry,
            clock=_now,
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
    def _reader(self) -> Reader:
        return Reader(MECHANISMS, prefix=self.settings.prefix, policy=self.settings.policy, clock=_now)

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
        current = Current(self._adapters, _now)
        return Exposing(deciding=self._deciding, current=current, applier=self._applier, clock=_now)

    @cached_property
    def _applier(self) -> Applier:
        return Applier(self._adapters, self._ledger, self._shared, grace=self.settings.grace, clock=_now)

    @cached_property
    def _memories(self) -> Memories:
        return Memories(ledger=self._ledger, trail=self.trail, clock=_now)

    @cached_property
    def withdrawer(self) -> Withdrawer:
        return Withdrawer(
            ledger=self._ledger,
            memories=self._memories,
            reader=self._reader,
            deciding=self._deciding,
            applier=self._applier,
            outbox=self._outbox,
            telemetry=self.telemetry,
            clock=_now,
        )

    @cached_property
    def worker(self) -> Worker:
        return Worker(
            controller=self._controller,
            deadline=self.deadline,
            outbox=self._outbox,
            telemetry=self.telemetry,
            clock=_now,
        )

    @cached_property
    def _controller(self) -> Controller:
        settings = self.settings
        return Controller(
            source=self._source,
            ledger=self._ledger,
            memories=self._memories,
            exposing=self._exposing,
            replacer=Replacer(
                source=self._source,
                ledger=self._ledger,
                outbox=self._outbox,
                telemetry=self.telemetry,
                clock=_now,
            ),
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
            foreseeing=Foreseeing(self._deciding, Current(self._adapters, _now)),
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
def _clients(_credentials: str, patience: Patience) -> Clients:
    return Clients(patience=patience)


@cache
def _parts(settings: Settings, credentials: str, patience: Patience) -> Parts:
    return Parts(settings, _clients(credentials, patience))


def parts(patience: Patience = PATIENT) -> Parts:
    """For the environment as it is now; credentials that change make new clients."""
    return _parts(Settings.read(os.environ), os.environ.get("AWS_ACCESS_KEY_ID", ""), patience)
