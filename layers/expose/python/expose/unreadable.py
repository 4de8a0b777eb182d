"""Exposures whose record cannot be read: nothing is done about them, and whoever looks after the stack hears of it once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from expose.ledger import Ledger
from expose.outbox import Outbox
from expose.records import Record
from expose.telemetry import Telemetry
from expose.verdict import announcement


def tell(
    records: Iterable[Record], *, ledger: Ledger, outbox: Outbox, telemetry: Telemetry, reason: str
) -> None:
    """Log, publish, and write down beside the record, of each that cannot be read and was not told yet."""
    for record in records:
        said, told = announcement(record, removed=False)
        if record.unreadable and told:
            told_of = replace(record, announced=said)
            telemetry.decided(told_of, record, changes=0, reason=reason, removed=False)
            if outbox.tell([told]):
                ledger.tell(told_of)
