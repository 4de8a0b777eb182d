"""Addresses of tasks: entries in a list, of which any number is written, or taken out, in one read and one write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from expose.aws import Clients
from expose.model import Identity, Owned, Resource, fingerprint
from expose.refusals import NotYet, Refused
from expose.resources.kind import Ids, Made
from expose.resources.ssm.lists import LIST
from expose.resources.ssm.parameters import Parameters
from expose.resources.ssm.parts import Part, dumps, having, loads, without

_KIND = "ssm.address"
_FAMILIES = ("ipv4", "ipv6")


class Addresses:
    """Known by its list and its task, whose id is its own as well."""

    size = 1000

    def __init__(self, clients: Clients, stack: str) -> None:
        self._parameters = Parameters(clients, stack)

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        """All that are in the owned lists, whether or not the ledger knows them; but what is only claimed is made again."""
        entries = list(owned)
        claimed = {each.identity for each in entries if not each.aws_id}
        for one in entries:
            if one.identity.kind == LIST and one.identity not in claimed:
                for seen in self._listed(one):
                    if seen.identity not in claimed:
                        yield seen

    def create_many(
        self, resources: Sequence[Resource], ids: Ids, mark: str
    ) -> Mapping[Identity, Made | NotYet | Refused]:
        texts = self._parameters.read(ids["list"])
        self._write(ids["list"], texts, having(map(loads, texts), resources), mark)
        return {each.identity: Made(each.task) for each in resources}

    def create(self, resource: Resource, ids: Ids, mark: str) -> Made:
        self.create_many([resource], ids, mark)
        return Made(resource.task)

    def update(self, resource: Resource, aws_id: str, ids: Ids, mark: str) -> Made:
        return self.create(resource, ids, mark)

    def locate(self, owned: Owned, ids: Ids, mark: str) -> str:
        return owned.task if ids.get("list") else ""

    def delete_many(self, owned: Sequence[Owned], ids: Ids) -> None:
        """Where none of them is, nothing is written: the list may be gone, or somebody else's."""
        texts, tasks = self._parameters.read(ids["list"]), {each.task for each in owned}
        parts = [loads(text) for text in texts]
        if any(entry["task"] in tasks for part in parts for entry in part):
            self._write(ids["list"], texts, without(parts, tasks))

    def delete(self, owned: Owned, aws_id: str, ids: Ids, mark: str) -> str:
        self.delete_many([owned], ids)
        return ""

    def _write(self, name: str, before: Sequence[str], after: Sequence[Part], mark: str = "") -> None:
        self._parameters.write(name, before, [dumps(part) for part in after], mark)

    def _listed(self, list_: Owned) -> Iterator[Owned]:
        for text in self._parameters.read(list_.identity.key):
            for entry in loads(text):
                task = entry["task"]
                yield Owned(
                    identity=Identity(_KIND, f"{list_.identity.key}#{task}"),
                    fingerprint=fingerprint(entry),
                    aws_id=task,
                    refs={"list": list_.identity},
                    task=task,
                    address=" ".join(entry[family] for family in _FAMILIES if family in entry),
                )
