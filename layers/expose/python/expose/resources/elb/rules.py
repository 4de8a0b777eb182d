"""Rules of ALB listeners: ours stand in a band of their own, and no others are ever touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from expose.aws import chunks
from expose.model import Identity, Owned, Resource, fingerprint
from expose.refusals import NotYet, Refused
from expose.resources.elb.joint import Joint, weights
from expose.resources.elb.mark import owners, quotas, tags
from expose.resources.elb.priorities import BAND, Match, choose
from expose.resources.kind import Ids

if TYPE_CHECKING:
    from mypy_boto3_elbv2.type_defs import ActionTypeDef, RuleConditionUnionTypeDef, RuleTypeDef

_ATTEMPTS = 5  # at a priority, before others who are at the same listener are left to go first
_FIELDS = {
    "host-header": ("hosts", "HostHeaderConfig"),
    "path-pattern": ("paths", "PathPatternConfig"),
    "http-request-method": ("methods", "HttpRequestMethodConfig"),
}


class Rules(Joint):
    ACTIONS = frozenset(
        {
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateRule",
            "elasticloadbalancing:DeleteRule",
            "elasticloadbalancing:DescribeRules",
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:ModifyRule",
        }
    )
    missing = frozenset({"RuleNotFound", "ListenerNotFound"})

    def read(self, owned: Iterable[Owned], mark: str) -> Iterator[Owned]:
        entries = list(owned)
        groups = {entry.identity: entry for entry in entries}
        for entry in entries:
            if entry.identity.kind != "elb.rule" or not entry.aws_id:
                continue
            for rule in self._described(entry.aws_id):
                group = groups.get(Identity("elb.group", _key(entry.refs.get("group"))))
                weight = weights(rule.get("Actions", [])).get(group.aws_id) if group else None
                spec = _spec(_match(rule)) | {
                    "weight": weight,
                    "group": group.identity.key if group and weight is not None else "",
                }
                yield Owned(entry.identity, fingerprint(spec), entry.aws_id, refs=entry.refs)

    def is_there(self, aws_id: str) -> bool:
        return bool(self._described(aws_id))

    def find(self, identity: Identity, spec: Mapping[str, Any] | None, ids: Ids) -> str:
        """By the mark. Raise `Refused` where a rule of somebody else looks for the same."""
        if not ids.get("listener"):
            return ""
        rules = [rule for rule in self._all(ids["listener"]) if not rule.get("IsDefault")]
        for arn, mark in self._marks(rules).items():
            if mark == self.owner(identity):
                return arn
        for rule in rules if spec is not None else ():
            if _match(rule) == _wanted(spec or {}):
                raise Refused(
                    "RuleTaken",
                    f"the listener has a rule for the same already, with priority {rule.get('Priority')}, that was not "
                    "made for this tag: choose another host or path, or remove that rule",
                )
        return ""

    def make(self, resource: Resource, ids: Ids, forward: ActionTypeDef) -> str:
        """Raise `NotYet` where others are always quicker at taking a priority."""
        elb = self._clients.elbv2
        for _ in range(_ATTEMPTS):
            priority = self._free(ids["listener"], _wanted(resource.spec))
            with quotas():
                try:
                    answer = elb.create_rule(
                        ListenerArn=ids["listener"],
                        Priority=priority,
                        Conditions=_conditions(resource.spec),
                        Actions=[forward],
                        Tags=tags(self.owner(resource.identity)),
                    )
                except elb.exceptions.PriorityInUseException:
                    if made := self.find(resource.identity, None, ids):
                        return made  # by a call of ours whose answer was lost, and which the SDK repeated
                    continue
            return answer["Rules"][0].get("RuleArn", "")
        raise NotYet("others are making rules at the same listener", seconds=2)

    def change(self, aws_id: str, resource: Resource | None, forward: ActionTypeDef) -> None:
        elb = self._clients.elbv2
        if resource is None:
            elb.modify_rule(RuleArn=aws_id, Actions=[forward])
        else:
            elb.modify_rule(RuleArn=aws_id, Actions=[forward], Conditions=_conditions(resource.spec))

    def remove(self, aws_id: str) -> None:
        self._clients.elbv2.delete_rule(RuleArn=aws_id)

    def _free(self, listener: str, match: Match) -> int:
        there = {
            int(rule.get("Priority", 0)): rule for rule in self._all(listener) if not rule.get("IsDefault")
        }
        marks = self._marks([rule for at, rule in there.items() if at in BAND])
        ours = {
            at: _match(rule)
            for at, rule in there.items()
            if marks.get(rule.get("RuleArn", ""), "").startswith(f"{self._stack}/")
        }
        priority = choose(match, ours, there.keys())
        if priority is None:
            raise Refused(
                "QuotaReached", f"the listener has no priority left in {BAND.start} to {BAND.stop - 1}"
            )
        return priority

    def _marks(self, rules: Iterable[RuleTypeDef]) -> dict[str, str]:
        """By ARN, of those that have one."""
        arns = [rule.get("RuleArn", "") for rule in rules]
        return {arn: mark for some in chunks(arns, 20) for arn, mark in owners(self._clients, some).items()}

    def _all(self, listener: str) -> list[RuleTypeDef]:
        pages = self._clients.elbv2.get_paginator("describe_rules").paginate(ListenerArn=listener)
        return [rule for page in pages for rule in page["Rules"]]

    def _described(self, arn: str) -> list[RuleTypeDef]:
        try:
            return self._clients.elbv2.describe_rules(RuleArns=[arn])["Rules"]
        except self._clients.elbv2.exceptions.RuleNotFoundException:
            return []


def _key(ref: Identity | str | None) -> str:
    return ref.key if isinstance(ref, Identity) else ""


def _wanted(spec: Mapping[str, Any]) -> Match:
    return Match(*(frozenset(spec[name]) for name, _ in _FIELDS.values()))


def _match(rule: RuleTypeDef) -> Match:
    """What a rule looks at. One that looks at other things as well is told apart by these."""
    found: dict[str, frozenset[str]] = {}
    for condition in rule.get("Conditions", []):
        name, config = _FIELDS.get(condition.get("Field", ""), (condition.get("Field", ""), ""))
        values: Any = condition.get(config, {}) if config else {}
        expressions = (f"~{each}" for each in values.get("RegexValues", ()))
        found[name] = frozenset([*values.get("Values", condition.get("Values", ())), *expressions])
    other = {name for name in found if name not in {name for name, _ in _FIELDS.values()}}
    hosts = frozenset(host.lower() for host in found.get("hosts", ()))
    return Match(hosts, found.get("paths", frozenset()) | other, found.get("methods", frozenset()))


def _spec(match: Match) -> dict[str, Any]:
    return {name: sorted(getattr(match, name)) for name, _ in _FIELDS.values()}


def _conditions(spec: Mapping[str, Any]) -> list[RuleConditionUnionTypeDef]:
    found: list[Any] = [
        {"Field": field, config: {"Values": list(spec[name])}}
        for field, (name, config) in _FIELDS.items()
        if spec[name]
    ]
    return found
