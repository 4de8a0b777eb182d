"""Lists of addresses: made empty, changed by `Addresses` alone, and gone with all their parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from expose.aws import Clients
from expose.model import Owned, Resource, fingerprint
from expose.resources.kind import Ids, Made
from expose.resources.ssm.parameters import Parameters
from expose.resources.ssm.parts import apart, dumps, loads

LIST = "ssm.list"


class Lists:
    """Their id is their name."""

    def __init__(self, clients: Clients, stack: str) -> None:
        self._parameters = Parameters(clients, stack)

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        for entry in owned:
            if entry.identity.kind == LIST and self._parameters.owner(entry.identity.key) == mark:
                texts = self._parameters.read(entry.identity.key)
                spec = {"tidy": list(texts) == _tidied(texts)}
                yield Owned(entry.identity, fingerprint(spec), entry.identity.key, refs=entry.refs)

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        name = resource.identity.key
        self._parameters.make(name, dumps([]), mark)
        return Made(name)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        """What somebody has written into it goes, the addresses stay."""
        texts = self._parameters.read(aws_id)
        self._parameters.write(aws_id, texts, _tidied(texts), mark)
        return Made(aws_id)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        name = owned.identity.key
        return name if self._parameters.owner(name) == mark else ""

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        self._parameters.remove(aws_id, range(max(len(self._parameters.read(aws_id)), 1)))
        return ""


def _tidied(texts: Sequence[str]) -> list[str]:
    return [dumps(part) for part in apart(map(loads, texts))]
