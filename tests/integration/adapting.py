"""The adapters without the controller: a plan carried out change by change, against the farm's AWS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from expose.aws import Clients
from expose.ledger import Ledger
from expose.mechanisms import MECHANISMS, Surroundings
from expose.model import Identity, Owned, Resource, Service, resolve
from expose.names import Names
from expose.plan import Create, Delete, Plan, Update, plan
from expose.resources import Made, Placement, adapters
from expose.shared import Shared
from farm.farm import Farm
from tests.unit.tables import TABLE, table
from tests.unit.values import LISTED, exposure, service, task

STACK = "corral"
ADDRESSES = ("127.20.128.10", "127.20.144.11")


class Adapting:
    """One exposure of one service, and what is owned for it. Several of them may stand on one farm."""

    def __init__(
        self,
        farm: Farm,
        *,
        tag: str = "expose:lb",
        clients: Clients | None = None,
        placement: Placement | None = None,
    ) -> None:
        self.farm = farm
        self.clients = clients or table()
        self.tag = tag
        self.mark = f"{STACK}/granja/conejo/{tag}"
        self.owned: dict[Identity, Owned] = {}
        self.adapters = adapters(
            self.clients,
            Ledger(self.clients, TABLE),
            Names(self.clients, TABLE),
            Shared(self.clients, TABLE),
            stack=STACK,
            placement=placement or Placement(),
        )

    def service(self, *addresses: str) -> Service:
        tasks = [task(number, private_ipv4=address) for number, address in enumerate(addresses or ADDRESSES)]
        return service(*tasks, subnets=(self.farm.network.private[0],))

    def desired(self, value: str, of: Service | None = None) -> Sequence[Resource]:
        """With every look-up answered by its finder."""
        asked, its = exposure(value, self.tag), of or self.service()
        limits = replace(LISTED, create_load_balancers="any")
        mechanism = MECHANISMS[asked.mechanism]
        found: Mapping[Any, Any] = {
            each: self.adapters.finders[each.kind].find(each.key)
            for each in mechanism.lookups(asked, its, limits)
        }
        return mechanism.desired(asked, its, Surroundings(limits, self.mark, found))

    def plan(self, desired: Sequence[Resource]) -> Plan:
        """Against what AWS says is there."""
        return plan(desired, self.current(), self.owned)

    def current(self) -> dict[Identity, str]:
        return {
            each.identity: each.fingerprint
            for adapter in self.adapters.kinds.values()
            for each in adapter.read(list(self.owned.values()), self.mark)
        }

    def apply(self, value: str, of: Service | None = None) -> Plan:
        """Bring about what the tag asks for; what was done."""
        changes = self.plan(self.desired(value, of))
        self.carry_out(changes)
        return changes

    def withdraw(self) -> None:
        self.carry_out(self.plan([]))

    def carry_out(self, changes: Plan) -> None:
        for opening in changes.openings:
            self._open(opening)
        for closing in changes.closings:
            if isinstance(closing, Delete):
                self.delete(closing.owned)
            del self.owned[closing.owned.identity]

    def ids(self, refs: Mapping[str, Identity | str]) -> dict[str, str]:
        return resolve(refs, self.owned)

    def read(self, kind: str) -> Iterable[Owned]:
        return list(self.adapters.kinds[kind].read(list(self.owned.values()), self.mark))

    def one(self, kind: str) -> Owned:
        (found,) = [each for each in self.owned.values() if each.identity.kind == kind]
        return found

    def _open(self, change: Create | Update) -> None:
        resource, ids = change.resource, self.ids(change.resource.refs)
        adapter = self.adapters.kinds[resource.identity.kind]
        if isinstance(change, Update):
            made = adapter.update(resource, change.owned.aws_id, ids, self.mark)
        else:
            made = adapter.create(resource, ids, self.mark)
        self.owned[resource.identity] = _owned(resource, made)

    def delete(self, owned: Owned) -> None:
        adapter = self.adapters.kinds[owned.identity.kind]
        aws_id = owned.aws_id or adapter.locate(owned, self.ids(owned.refs), self.mark)
        if aws_id:
            adapter.delete(owned, aws_id, self.ids(owned.refs), self.mark)


def _owned(resource: Resource, made: Made) -> Owned:
    return Owned(
        resource.identity,
        resource.fingerprint,
        made.aws_id,
        resource.refs,
        resource.task,
        shared=resource.shared,
    )


def beside_others(farm: Farm) -> Adapting:
    """With an ALB, an NLB, a target group and certificates that somebody else has made."""
    held = farm.request_certificate("*.animales.com")
    farm.request_certificate("campo.com", "www.campo.com")
    farm.create_balancer("granja-alb", listeners=[(80, "HTTP"), (443, "HTTPS")], certificate=held)
    farm.create_balancer("granja-nlb", type="network")
    farm.create_target_group("conejo-blue")
    farm.run_for(1)
    return Adapting(farm)
