"""The listeners that a service is reached at already: those of its own `lb` exposures, as the ledger knows them, and those
that lead to a target group which ECS itself keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from expose.aws import Clients
from expose.ledger import Ledger
from expose.model import ids_of
from expose.records import Record
from expose.refusals import Refused

_FRONTS = frozenset({"elb.rule", "elb.network-listener"})


class OwnListeners:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, key: str) -> list[dict[str, str]]:
        """Of service `key`: the ARN of each listener, and the host that its rule looks for, if it does."""
        _, records = self._ledger.load(key)
        for record in records:
            if record.unreadable:
                raise Refused(record.code, f"{record.tag} of the same service: {record.message}")
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


class NativeListeners:
    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def find(self, key: str) -> list[dict[str, str]]:
        """Of target group `key`: the ARN of each listener that forwards to it, and the host that its rule looks for."""
        elb = self._clients.elbv2
        (group,) = elb.describe_target_groups(TargetGroupArns=[key])["TargetGroups"]
        return [
            {"arn": listener, "host": host}
            for balancer in group.get("LoadBalancerArns", [])
            for listener, rule in self._rules(balancer)
            if any(key in _groups(action) for action in rule.get("Actions", []))
            for host in [_host(rule)]
        ]

    def _rules(self, balancer: str) -> Iterator[tuple[str, Any]]:
        """With the listener of each; what an NLB's listener does by default is its only rule."""
        elb = self._clients.elbv2
        for page in elb.get_paginator("describe_listeners").paginate(LoadBalancerArn=balancer):
            for listener in page["Listeners"]:
                arn = listener.get("ListenerArn", "")
                if ":listener/net/" in arn:
                    yield arn, {"Actions": listener.get("DefaultActions", [])}
                    continue
                for rules in elb.get_paginator("describe_rules").paginate(ListenerArn=arn):
                    yield from ((arn, rule) for rule in rules["Rules"])


def _groups(action: Any) -> set[str]:
    weighted = action.get("ForwardConfig", {}).get("TargetGroups", [])
    return {action.get("TargetGroupArn", ""), *(each.get("TargetGroupArn", "") for each in weighted)}


def _host(rule: Any) -> str:
    """The first that stands for itself alone."""
    for condition in rule.get("Conditions", []):
        config = condition.get("HostHeaderConfig", {})
        for host in config.get("Values", []) or condition.get("Values", []):
            if condition.get("Field") == "host-header" and not {"*", "?"} & {*host}:
                return str(host)
    return ""
