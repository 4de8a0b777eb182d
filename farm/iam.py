"""IAM as the deployed roles have it: the template's own policy statements decide about each call of each function.

Moto's IAM looks at neither resources nor conditions. This evaluator knows what the template uses and is loud about an
operator that it does not know. It remembers every decision, so that a test can ask what was granted and never used.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from farm.aws import ACCOUNT, REGION, cloudmap
from farm.gate import GATE, Call
from farm.permissions import Need, forwarded, needs, tags_of

Statement = Mapping[str, Any]
Tags = Callable[[str], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Use:
    """One decision: whether the role of a caller may do this."""

    role: str
    action: str
    resource: str
    allowed: bool


class Iam:
    """The roles of a deployment, by the name of the caller who assumes them. Who has no role here may do everything."""

    def __init__(self, roles: Mapping[str, Sequence[Statement]], *, tags: Tags = tags_of) -> None:
        self.uses: set[Use] = set()
        self._roles = roles
        self._tags = tags
        self._later: str | None = None

    def enforce(self) -> None:
        """Decide from now on: at the gate, and when Cloud Map acts in a caller's name."""
        GATE.iam = self
        cloudmap.settings().judge = self._judge

    def __call__(self, call: Call) -> str | None:
        """The text of the denial, or None: what the gate asks of each call."""
        if call.service == "servicediscovery":
            self._later = None
        if call.caller not in self._roles:
            return None
        for need in needs(call.service, call.operation, call.params):
            if not self.allows(call.caller, need):
                return _denial(call.caller, need)
        for need in forwarded(call.service, call.operation, call.params):
            if not self.allows(call.caller, need):
                self._later = self._later or _denial(call.caller, need)
        return None

    def _judge(self, *_: object) -> cloudmap.Failure | None:
        """What Cloud Map may not do for the call that is being answered: no error, but an operation that fails."""
        return cloudmap.Failure("ACCESS_DENIED", self._later) if self._later else None

    def allows(self, role: str, need: Need) -> bool:
        """Decide, and remember it."""
        keys = {
            "aws:RequestedRegion": [REGION],
            "aws:ResourceAccount": [ACCOUNT],
            "aws:PrincipalAccount": [ACCOUNT],
            **{f"aws:ResourceTag/{key}": [value] for key, value in self._tags(need.resource).items()},
            **need.keys,
        }
        allowed = evaluate(self._roles[role], need.action, need.resource, keys)
        self.uses.add(Use(role, need.action, need.resource, allowed))
        return allowed

    def unused(self) -> list[tuple[str, str]]:
        """Role and action of what is granted and was never used."""
        used = {(use.role, use.action.lower()) for use in self.uses if use.allowed}
        granted = (
            (role, action)
            for role, statements in self._roles.items()
            for statement in statements
            if statement["Effect"] == "Allow"
            for action in _listed(statement.get("Action", ()))
        )
        return sorted({(role, action) for role, action in granted if not _any_used(role, action, used)})


def evaluate(
    statements: Iterable[Statement], action: str, resource: str, keys: Mapping[str, Sequence[str]]
) -> bool:
    """A Deny that applies decides; otherwise some Allow must apply."""
    applying = [s["Effect"] for s in statements if _applies(s, action, resource, keys)]
    return "Allow" in applying and "Deny" not in applying


def _applies(statement: Statement, action: str, resource: str, keys: Mapping[str, Sequence[str]]) -> bool:
    return (
        _covers(statement, "Action", action.lower(), str.lower)
        and _covers(statement, "Resource", resource, str)
        and all(_holds(condition, keys) for condition in _conditions(statement))
    )


def _covers(statement: Statement, element: str, value: str, fold: Callable[[str], str]) -> bool:
    if f"Not{element}" in statement:
        return not any(_like(fold(pattern), value) for pattern in _listed(statement[f"Not{element}"]))
    return any(_like(fold(pattern), value) for pattern in _listed(statement[element]))


def _conditions(statement: Statement) -> Iterator[tuple[str, str, list[str]]]:
    for operator, tests in statement.get("Condition", {}).items():
        for key, values in tests.items():
            yield operator, key, [str(v).lower() if isinstance(v, bool) else str(v) for v in _listed(values)]


def _holds(condition: tuple[str, str, list[str]], keys: Mapping[str, Sequence[str]]) -> bool:
    operator, key, wanted = condition
    folded = {name.lower(): values for name, values in keys.items()}
    values = folded.get(key.lower(), ())
    if operator == "Null":
        return wanted == ["false" if values else "true"]
    quantifier, _, plain = operator.rpartition(":")
    if plain.endswith("IfExists") and not values:
        return True
    test, negated = _operator(plain.removesuffix("IfExists"))
    results = [any(test(pattern, value) for pattern in wanted) is not negated for value in values]
    if quantifier == "ForAllValues":
        return all(results)
    if quantifier not in {"", "ForAnyValue"}:
        raise ValueError(
            f"IAM condition operator {operator!r}: the farm knows ForAllValues and ForAnyValue only"
        )
    return any(results) or (negated and not values)


def _like(pattern: str, value: str) -> bool:
    return _compiled(pattern).fullmatch(value) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """The same few hundred are asked for at every call."""
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.compile(expression, re.DOTALL)


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringEqualsIgnoreCase": lambda pattern, value: pattern.lower() == value.lower(),
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda pattern, value: pattern.lower() == value.lower(),
}


def _operator(name: str) -> tuple[Callable[[str, str], bool], bool]:
    """The test that an operator makes, and whether it stands for its contrary."""
    positive = name.replace("Not", "", 1)
    if positive not in _TESTS:
        raise ValueError(
            f"IAM condition operator {name!r}: the farm knows {', '.join(_TESTS)}; add it to farm/iam.py"
        )
    return _TESTS[positive], positive != name


def _any_used(role: str, action: str, used: Iterable[tuple[str, str]]) -> bool:
    return any(role == user and _like(action.lower(), done) for user, done in used)


def may(role: str, action: str, resource: str) -> bool:
    """Whether AWS may do this in the name of a role, by the rules in force at the gate. Counts as used."""
    return GATE.iam.allows(role, Need(action, resource)) if isinstance(GATE.iam, Iam) else True


def _denial(role: str, need: Need) -> str:
    return (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{role} is not authorized to perform: {need.action} "
        f"on resource: {need.resource} because no identity-based policy allows the {need.action} action"
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
