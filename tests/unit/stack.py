"""template.yaml as CloudFormation sees it: translated by SAM's own translator, parameters and conditions put in.

What only AWS can know stays a token: `<Ledger.Arn>`, `<AWS::Region>`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from farm.iam import evaluate
from farm.permissions import needs

ROOT = Path(__file__).parents[2]
FUNCTIONS = {
    "Notify": "notify",
    "Withdraw": "withdraw",
    "Reconcile": "reconcile",
    "Sweep": "sweep",
    "Audit": "audit",
    "Cleanup": "cleanup",
}
Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stack:
    resources: Mapping[str, Resource]

    def of(self, kind: str) -> dict[str, Resource]:
        """Properties of all resources of a type, by logical id."""
        found = {name: one for name, one in self.resources.items() if one["Type"] == kind}
        return {name: one.get("Properties", {}) for name, one in found.items()}

    def properties(self, name: str) -> Any:
        return self.resources[name]["Properties"]

    def inline(self, role: str) -> list[Any]:
        """The documents of a role's own policies."""
        return [policy["PolicyDocument"] for policy in self.properties(role)["Policies"]]

    def attached(self, role: str) -> list[Any]:
        """The documents of the template's managed policies that a role has as well."""
        names = (arn.strip("<>") for arn in self.properties(role).get("ManagedPolicyArns", ()))
        return [self.properties(name)["PolicyDocument"] for name in names]

    def statements(self, role: str) -> list[Any]:
        documents = [*self.inline(role), *self.attached(role)]
        return [one for document in documents for one in document["Statement"]]

    def actions(self, role: str) -> set[str]:
        return {action for one in self.statements(role) for action in listed(one["Action"])}

    def rules(self) -> dict[str, Any]:
        """Patterns of the rules that wait for events."""
        rules = self.of("AWS::Events::Rule").items()
        return {name: rule["EventPattern"] for name, rule in rules if "EventPattern" in rule}


@cache
def source() -> Any:
    """As it is written; intrinsic functions in their long form."""
    return yaml_parse((ROOT / "template.yaml").read_text())


def stack(**parameters: str) -> Stack:
    """As it is deployed with these parameters, and the defaults of the others."""
    template = yaml_parse((ROOT / "template.yaml").read_text())
    values = {name: str(one["Default"]) for name, one in template["Parameters"].items()} | parameters
    for resource in template["Resources"].values():
        for code in {"CodeUri", "ContentUri"} & set(resource.get("Properties", {})):
            resource["Properties"][code] = {"Bucket": "artifacts", "Key": "code.zip"}
    translator = Translator(
        managed_policy_map={}, sam_parser=Parser(), boto_session=boto3.Session(region_name="eu-west-1")
    )
    translated = translator.translate(template, dict(values))
    resolver = _Resolver(values, translated.get("Conditions", {}))
    return Stack(resolver.value(resolver.existing(translated["Resources"])))


def placed(**parameters: str) -> Stack:
    """The same, in a known account and Region and with a known name: ARNs in it are as AWS makes them."""
    known = {
        "AWS::Partition": "aws",
        "AWS::Region": "eu-west-1",
        "AWS::AccountId": "123456789012",
        "AWS::StackName": "granja-stack",
    }
    return stack(**{**known, **parameters})


def permitted(
    deployed: Stack,
    service: str,
    operation: str,
    *,
    tags: Mapping[str, Sequence[str]] | None = None,
    **params: Any,
) -> bool:
    """Whether Reconcile may make this call on things that bear these tags."""
    keys = {"aws:RequestedRegion": ["eu-west-1"], **(tags or {})}
    statements = deployed.statements("ReconcileRole")
    return all(
        evaluate(statements, need.action, need.resource, {**keys, **dict(need.keys)})
        for need in needs(service, operation, params)
    )


def characters(documents: list[Any]) -> int:
    """What IAM counts: all but blanks, with what only AWS knows at its longest."""
    written = "".join(json.dumps(document, separators=(",", ":")) for document in documents)
    known = re.sub(r"<AWS::(\w+)>", lambda found: _LONGEST[found[1]], written)
    return len(re.sub(r"<[\w.]+>", _LONGEST_ARN, known))


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def tokens(value: Any) -> Iterator[str]:
    """Every text in a value, however deep: names of what it refers to among them."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    for item in value if isinstance(value, list) else ():
        yield from tokens(item)
    if isinstance(value, str):
        yield value


_LONGEST = {
    "Partition": "aws-us-gov",
    "Region": "ap-southeast-1",
    "AccountId": "123456789012",
    "StackName": "s" * 40,
}
_LONGEST_ARN = "a" * 120
_ABSENT = object()


class _Resolver:
    def __init__(self, parameters: Mapping[str, str], conditions: Mapping[str, Any]) -> None:
        self._parameters = parameters
        self._conditions = conditions
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": lambda name: _ABSENT if name == "AWS::NoValue" else parameters.get(name, f"<{name}>"),
            "Fn::GetAtt": lambda path: f"<{'.'.join(listed(path))}>",
            "Fn::Sub": self._sub,
            "Fn::Join": lambda join: self.value(join[0]).join(self.value(join[1])),
            "Fn::Split": lambda split: self.value(split[1]).split(split[0]),
            "Fn::If": lambda branch: self.value(branch[1] if self._holds(branch[0]) else branch[2]),
            "Fn::Equals": lambda pair: self.value(pair[0]) == self.value(pair[1]),
            "Fn::Not": lambda one: not self.value(one[0]),
            "Fn::And": lambda all_of: all(self.value(one) for one in all_of),
            "Condition": self._holds,
        }

    def value(self, raw: Any) -> Any:
        if isinstance(raw, list):
            return [item for one in raw if (item := self.value(one)) is not _ABSENT]
        if not isinstance(raw, dict):
            return raw
        if len(raw) == 1:
            ((name, argument),) = raw.items()
            if name in self._functions and not (name == "Condition" and isinstance(argument, dict)):
                return self._functions[name](argument)
        resolved = {name: self.value(one) for name, one in raw.items()}
        return {name: one for name, one in resolved.items() if one is not _ABSENT}

    def existing(self, resources: Mapping[str, Any]) -> dict[str, Any]:
        """Those whose own condition holds."""
        return {name: one for name, one in resources.items() if self._holds(one.get("Condition"))}

    def _holds(self, condition: str | None) -> bool:
        return condition is None or bool(self.value(self._conditions[condition]))

    def _sub(self, text: Any) -> str:
        pattern, own = (text[0], self.value(text[1])) if isinstance(text, list) else (text, {})
        known = {**self._parameters, **own}
        return re.sub(r"\$\{([^}]+)\}", lambda found: str(known.get(found[1], f"<{found[1]}>")), pattern)
