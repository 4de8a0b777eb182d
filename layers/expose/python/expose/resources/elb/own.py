"""The listeners that a service is reached at through its own `lb` exposures, as the ledger knows them."""

from __future__ import annotations

from expose.ledger import Ledger
from expose.model import ids_of
from expose.records import Record

_FRONTS = frozenset({"elb.rule", "elb.network-listener"})


class OwnListeners:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, key: str) -> list[dict[str, str]]:
        """Of service `key`: the ARN of each listener, and the host that its rule looks for, if it does."""
        _, records = self._ledger.load(key)
        return [found for record in records for found in _listeners(record)]


def _listeners(record: Record) -> list[dict[str, str]]:
    ids = ids_of(record.by_identity)
    found: list[dict[str, str]] = []
    for entry in record.owned:
        if entry.identity.kind not in _FRONTS or not entry.aws_id or entry.leaving:
            continue
        listener = entry.refs.get("listener", entry.aws_id)
        hosts = entry.identity.key.partition("|")[0].rpartition("/")[2] if "listener" in entry.refs else ""
        arn = listener if isinstance(listener, str) else ids.get(listener, "")
        found += [{"arn": arn, "host": hosts.partition("+")[0]}] if arn else []
    return found
