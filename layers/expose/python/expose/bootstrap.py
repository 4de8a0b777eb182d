"""The one place where things are wired: clients, clock and environment come in here and nowhere else.

Each function asks for its part. Parts are kept for as long as the settings stay the same, which in Lambda is for the
life of the process.
"""

from __future__ import annotations

import os
import time
from functools import cache, cached_property

from expose.auditor import Auditor
from expose.aws import Clients
from expose.census import Census
from expose.cleanup import Cleanup
from expose.controller import Controller
from expose.current import Current
from expose.deadline import PATIENT, Patience
from expose.foresight import Foreseeing
from expose.guard import Guard
from expose.inspecting import Inspector
from expose.membership import Membership
from expose.networks import Networks
from expose.notifier import Notifier
from expose.orphans import Orphans
from expose.replacing import Replacer
from expose.resources import Marked
from expose.settings import Settings
from expose.sweep import Finders, Sweep
from expose.tagged import Tagged
from expose.turn import Turn
from expose.wiring import Core, now
from expose.withdraw import Withdrawer
from expose.worker import Worker


class Parts(Core):
    """What the functions and the command line ask for, made when first asked for."""

    @cached_property
    def notifier(self) -> Notifier:
        return Notifier(
            ledger=self._ledger,
            outbox=self._outbox,
            telemetry=self.telemetry,
            limits=self.settings.limits,
            window=self.settings.window,
            clock=now,
        )

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
            clock=now,
        )

    @cached_property
    def worker(self) -> Worker:
        return Worker(
            controller=self._controller,
            deadline=self.deadline,
            outbox=self._outbox,
            telemetry=self.telemetry,
            clock=now,
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
                clock=now,
            ),
            outbox=self._outbox,
            telemetry=self.telemetry,
            reader=self._reader,
            limits=settings.limits,
            clock=now,
        )

    @cached_property
    def inspector(self) -> Inspector:
        return Inspector(
            clients=self._clients,
            source=self._source,
            ledger=self._ledger,
            names=self._names,
            foreseeing=Foreseeing(self._deciding, Current(self._adapters, now)),
            reader=self._reader,
            limits=self.settings.limits,
            prefix=self.settings.prefix,
            clock=now,
        )

    @cached_property
    def sweep(self) -> Sweep:
        return Sweep(
            ledger=self._ledger,
            guard=self._guard,
            finders=Finders(
                Tagged(self._clients, prefix=self.settings.prefix, limits=self.settings.limits, clock=now),
                Membership(self._source, clock=now),
                self._orphans,
            ),
            outbox=self._outbox,
            telemetry=self.telemetry,
            limits=self.settings.limits,
            verify_minutes=self.settings.verify_minutes,
            turn=lambda: Turn(self._clients, self.settings.table, clock=now),
            clock=now,
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
            clock=now,
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
            clock=now,
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
            clock=now,
        )

    @cached_property
    def cleanup(self) -> Cleanup:
        return Cleanup(ledger=self._ledger, outbox=self._outbox, clock=now, sleep=time.sleep)


@cache
def _clients(_credentials: str, patience: Patience) -> Clients:
    return Clients(patience=patience)


@cache
def _parts(settings: Settings, credentials: str, patience: Patience) -> Parts:
    return Parts(settings, _clients(credentials, patience))


def parts(patience: Patience = PATIENT) -> Parts:
    """For the environment as it is now; credentials that change make new clients."""
    return _parts(Settings.read(os.environ), os.environ.get("AWS_ACCESS_KEY_ID", ""), patience)
