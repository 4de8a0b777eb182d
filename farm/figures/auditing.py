"""What an audit costs in AWS calls: groups, route tables and network ACLs are looked up once, however many share them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.table import Table

from farm.farm import Farm

_SETTLED = 90  # seconds until all is published, and before the first audit by the clock
_OWN_BOOKS = frozenset({"dynamodb", "events", "sqs"})


def audit_calls(services: int, tasks: int, *, every: bool = False) -> Mapping[str, int]:
    """By `service:operation`, of one audit of so many services of so many tasks each; `every` is AuditAll. Half of the
    services have a security group of their own.
    """
    with Farm.virtual(parameters={"AuditAll": "yes" if every else "no"}) as farm:
        names = [f"s{number}" for number in range(services)]
        for number, name in enumerate(names):
            more = _guarded(farm, name) if number % 2 else {}
            farm.create_service(name, tasks, tags={"expose:ip": "8080"}, **more)
        farm.run_for(_SETTLED)
        if (found := _published(farm)) != services * tasks:
            raise RuntimeError(f"only {found} addresses were published")
        before = len(farm.calls())
        if farm.lambdas:
            farm.lambdas.invoke("audit", {})
        made = [call for call in farm.calls()[before:] if call.caller == "audit"]
        return Counter(f"{call.service}:{call.operation}" for call in made)


def audits(services: int = 50, tasks: int = 20) -> Table:
    title = f"AWS calls of one audit of {services * tasks} tasks in {services} services"
    table = Table("call", "tagged", "AuditAll", title=title)
    found = [audit_calls(services, tasks, every=every) for every in (False, True)]
    for name in sorted({*found[0], *found[1]}, key=lambda name: (_is_own(name), name)):
        table.add_row(name, *(str(each.get(name, 0)) for each in found))
    totals = [sum(count for name, count in each.items() if not _is_own(name)) for each in found]
    table.add_row("all but our own books", *map(str, totals))
    return table


def _is_own(name: str) -> bool:
    return name.partition(":")[0] in _OWN_BOOKS


def _guarded(farm: Farm, name: str) -> dict[str, Any]:
    """The network configuration of tasks with a security group of their own."""
    group = farm.ec2.create_security_group(GroupName=name, Description=name, VpcId=farm.network.vpc)
    configuration = farm.network.configuration(public=True)
    configuration["awsvpcConfiguration"]["securityGroups"] = [group["GroupId"]]
    return {"networkConfiguration": configuration}


def _published(farm: Farm) -> int:
    addresses = [item.get("addresses", "") for item in farm.ledger() if item["sk"].startswith("EXPOSURE#")]
    return sum(len(each.split()) for each in addresses)
