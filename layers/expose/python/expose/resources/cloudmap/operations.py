"""Operations: how changes that Cloud Map has accepted came out. A 200 does not mean that the DNS record exists."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from expose.aws import Clients
from expose.model import Identity, Owned
from expose.resources.kind import Settled

_FEW = 3  # up to here, asking for each operation costs no more than asking for a list and for what it lacks
_PAGE = 100  # operations in one answer
_MANY = 25  # operations that are asked for each by itself at one look; the rest has its turn at the next


class Operations:
    ACTIONS = frozenset(
        {
            "servicediscovery:GetOperation",
            "servicediscovery:ListOperations",
        }
    )

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def settle(self, running: Iterable[Owned], ids: Mapping[Identity, str]) -> Mapping[Identity, Settled]:
        """One list for many instances of one service, else one call for each, and not for too many at once."""
        by_service: defaultdict[str, list[Owned]] = defaultdict(list)
        for entry in running:
            service = entry.refs.get("service")
            by_service[ids.get(service, "") if isinstance(service, Identity) else ""].append(entry)
        settled: dict[Identity, Settled] = {}
        for service_id, entries in by_service.items():
            statuses = self._statuses(service_id, entries)
            unlisted = [entry for entry in entries if entry.operation not in statuses]
            asked = {entry.identity for entry in unlisted[:_MANY]}
            for entry in entries:
                if entry.operation in statuses or entry.identity in asked:
                    ended = self._ended(entry, statuses.get(entry.operation, ""))
                    if ended is not None:
                        settled[entry.identity] = ended
        return settled

    def _statuses(self, service_id: str, entries: Sequence[Owned]) -> dict[str, str]:
        """As many pages as the operations would fill: filters act after paging, so more may be many and empty (F§3.2)."""
        if not service_id or len(entries) <= _FEW:
            return {}
        pages = self._clients.servicediscovery.get_paginator("list_operations").paginate(
            Filters=[
                {"Name": "SERVICE_ID", "Values": [service_id], "Condition": "EQ"},
                {"Name": "UPDATE_DATE", "Values": _since(entries), "Condition": "BETWEEN"},
            ],
            PaginationConfig={"PageSize": _PAGE},
        )
        some = islice(pages, math.ceil(len(entries) / _PAGE))
        return {each.get("Id", ""): each.get("Status", "") for page in some for each in page["Operations"]}

    def _ended(self, entry: Owned, status: str) -> Settled | None:
        if status == "SUCCESS":
            return Settled(entry.aws_id)
        if status in {"SUBMITTED", "PENDING"}:
            return None
        cloudmap = self._clients.servicediscovery
        try:
            operation = cloudmap.get_operation(OperationId=entry.operation)["Operation"]
        except cloudmap.exceptions.OperationNotFound:
            return Settled(error="OperationNotFound: nobody knows how the change came out")
        if operation.get("Status") == "SUCCESS":
            return Settled(entry.aws_id or operation.get("Targets", {}).get("NAMESPACE", ""))
        if operation.get("Status") == "FAIL":
            return Settled(
                error=f"{operation.get('ErrorCode', 'Unknown')}: {operation.get('ErrorMessage', '')}"
            )
        return None


def _since(entries: Sequence[Owned]) -> list[str]:
    """From a minute before the first of them until any time to come, in seconds since the epoch."""
    first = int(min(entry.since for entry in entries))
    return [str(first - 60), str(first + 86_400)]
