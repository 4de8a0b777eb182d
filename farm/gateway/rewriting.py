"""What a backend gets to see of a request: path, query and headers, as the integration's parameters have it. Pure (F§5.1).

Without a parameter the path has the stage in front, unless it is `$default`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, quote, urlencode

from farm.gateway.routing import DEFAULT, Place, Request

_EXPRESSION = re.compile(r"\$\{([\w.-]+)\}|\$((?:request|context|stageVariables)(?:\.[\w-]+)+)")
Look = Callable[[str], str]
"""What an expression such as `request.path.proxy` stands for."""


def looking(
    request: Request,
    place: Place,
    variables: Mapping[str, str],
    context: Mapping[str, str],
    stage_variables: Mapping[str, str],
) -> Look:
    """What expressions stand for in one request; nothing where there is nothing."""
    query = dict(reversed(parse_qsl(request.query, keep_blank_values=True)))  # the first of a name counts
    sources: dict[str, Look] = {
        "request.path.": lambda name: variables.get(name, ""),
        "request.header.": request.header,
        "request.querystring.": lambda name: query.get(name, ""),
        "context.": lambda name: context.get(name, ""),
        "stageVariables.": lambda name: stage_variables.get(name, ""),
    }

    def look(expression: str) -> str:
        if expression == "request.path":
            return place.path
        known = next((one for one in sources if expression.startswith(one)), None)
        return sources[known](expression.removeprefix(known)) if known else ""

    return look


def filled(template: str, look: Look) -> str:
    """A value with its expressions, `${...}` or bare, put in."""
    return _EXPRESSION.sub(lambda found: look(found[1] or found[2]), template)


def target(request: Request, place: Place, parameters: Mapping[str, str], look: Look) -> str:
    """Path and query for the backend."""
    path = place.path if place.stage == DEFAULT else f"/{place.stage}{place.path}"
    if template := parameters.get("overwrite:path"):
        path = "/" + filled(template, look).removeprefix("/")
    query = _query(request.query, parameters, look)
    return f"{escaped(path)}?{query}" if query else escaped(path)


def headers(sent: Mapping[str, str], parameters: Mapping[str, str], look: Look) -> dict[str, str]:
    """The client's headers with the integration's changes."""
    changed = dict(sent)
    for action, name, template in _actions(parameters, "header"):
        known = next((one for one in changed if one.lower() == name.lower()), name)
        before = changed.pop(known, "")
        if action == "append" and before:
            changed[known] = f"{before}, {filled(template, look)}"
        elif action != "remove":
            changed[known] = filled(template, look)
    return changed


def _query(query: str, parameters: Mapping[str, str], look: Look) -> str:
    actions = _actions(parameters, "querystring")
    if not actions:
        return query
    pairs = parse_qsl(query, keep_blank_values=True)
    for action, name, template in actions:
        if action != "append":
            pairs = [pair for pair in pairs if pair[0] != name]
        if action != "remove":
            pairs += [(name, filled(template, look))]
    return urlencode(pairs)


def _actions(parameters: Mapping[str, str], kind: str) -> list[tuple[str, str, str]]:
    """Action, name and template of the parameters of a kind, as in `overwrite:header.name`."""
    split = [(key.partition(":"), template) for key, template in parameters.items()]
    return [
        (action, what.partition(".")[2], template)
        for (action, _, what), template in split
        if what.partition(".")[0] == kind
    ]


def escaped(path: str) -> str:
    """Fit for a request line: a parameter may have put anything there. What is escaped stays as it is."""
    return quote(path, safe="/%:@!$&'()*+,;=~")
