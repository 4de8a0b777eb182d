"""What a rule may ask of a request: kinds of conditions, their values, and how many of them (F§4.2)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from moto.elbv2.models import ELBv2Backend

from farm.aws.elb.model import Params, invalid

_MOST_VALUES = 5
_MOST_WILDCARDS = 5
_ONCE = frozenset({"host-header", "path-pattern", "http-request-method", "source-ip"})
_CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
_HOST = re.compile(r"[A-Za-z0-9*?.-]{1,128}")
_LAST_LABEL = re.compile(r"[A-Za-z*?]+")
_PATH = re.compile(r"[A-Za-z0-9_\-.$/~\"'@:+&*?]{1,128}")
_METHOD = re.compile(r"[A-Z_-]{1,40}")


def conditions(of: ELBv2Backend, asked: Sequence[Params]) -> list[Params]:
    """The conditions as DescribeRules will show them. Refused if AWS would not have them."""
    if not asked:
        raise invalid("A rule must have at least one condition")
    of._validate_conditions(asked)  # kinds and lengths, which moto knows
    shown = [_shown(one) for one in asked]
    _check_once(shown)
    _check_counts(shown)
    for one in shown:
        _check_values(one)
    return shown


def values(condition: Params) -> list[Any]:
    """What a condition compares with, whichever way it was given."""
    config = condition.get(_CONFIGS[condition["Field"]]) or {}
    return list(config.get("Values") or condition.get("Values") or [])


def _shown(asked: Params) -> Params:
    """Hosts and paths are shown in both forms, the old and the new, however they came."""
    field, found = asked["Field"], values(asked)
    config = {**(asked.get(_CONFIGS[field]) or {}), "Values": found}
    old = {"Values": list(found)} if field in {"host-header", "path-pattern"} else {}
    return {"Field": field, **old, _CONFIGS[field]: config}


def _check_once(shown: Sequence[Params]) -> None:
    counts = Counter(one["Field"] for one in shown)
    if twice := sorted(name for name in _ONCE if counts[name] > 1):
        raise invalid(f"A rule can only have one '{twice[0]}' condition")


def _check_counts(shown: Sequence[Params]) -> None:
    found = [value for one in shown for value in values(one)]
    if any(not values(one) for one in shown):
        raise invalid("A condition value must be specified")
    if len(found) > _MOST_VALUES:
        raise invalid(f"A rule can only have '{_MOST_VALUES}' condition values and regex values")
    if sum(str(value).count(sign) for value in found for sign in "*?") > _MOST_WILDCARDS:
        raise invalid(f"A rule can only have '{_MOST_WILDCARDS}' condition wildcards")


def _check_values(shown: Params) -> None:
    for value in values(shown):
        match shown["Field"]:
            case "host-header":
                _check_host(value)
            case "path-pattern":
                _check_signs(_PATH, value)
            case "http-request-method":
                _check_signs(_METHOD, value)


def _check_host(value: str) -> None:
    _check_signs(_HOST, value)
    _, dot, last = value.rpartition(".")
    if not dot:
        raise invalid(f"Condition value '{value}' must contain at least one '.' character")
    if not _LAST_LABEL.fullmatch(last):
        raise invalid(
            f"Condition value '{value}' must end with alphabetic characters only after the last '.'"
        )


def _check_signs(allowed: re.Pattern[str], value: str) -> None:
    if not allowed.fullmatch(value):
        raise invalid(f"Condition value '{value}' contains a character that is not valid")
