"""Resources: the tree of an API's paths. One name under one parent, and one variable among siblings (F§5.5)."""

from __future__ import annotations

import re

from farm.aws.apigateway.model import Params, Result, conflict, invalid, random_id
from farm.aws.restapis.changes import changing
from farm.aws.restapis.model import Rest, RestApi, check_room, find
from farm.aws.restapis.paging import page

_PART = re.compile(r"[a-zA-Z0-9._:$-]+|\{[a-zA-Z0-9._:-]+\+?\}")


@changing
def create_resource(of: Rest, asked: Params) -> Result:
    api, part = of.api(asked), asked["pathPart"]
    parent = find("resource", api.resources, asked["parentId"])
    _check(api, parent, part)
    check_room(len(api.resources), of.settings.most_resources, "resources for this API")
    identity = random_id(6)
    api.resources[identity] = {
        "id": identity,
        "parentId": parent["id"],
        "pathPart": part,
        "path": f"{parent['path'].rstrip('/')}/{part}",
        "resourceMethods": {},
    }
    return _shown(api.resources[identity], asked)


def get_resource(of: Rest, asked: Params) -> Result:
    return _shown(of.api(asked).resource(asked), asked)


def get_resources(of: Rest, asked: Params) -> Result:
    return page(of, [_shown(one, asked) for one in of.api(asked).resources.values()], asked)


@changing
def delete_resource(of: Rest, asked: Params) -> Result:
    """With all below it."""
    api = of.api(asked)
    resource = api.resource(asked)
    if "parentId" not in resource:
        raise invalid("Root resource cannot be deleted")
    below = [one for one, shown in api.resources.items() if _is_within(shown["path"], resource["path"])]
    for identity in below:
        del api.resources[identity]
    return {}


def _check(api: RestApi, parent: Result, part: str) -> None:
    if not _PART.fullmatch(part):
        raise invalid(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable "
            "and curly braces at the beginning and the end."
        )
    if parent.get("pathPart", "").endswith("+}"):
        raise invalid("Cannot create a child of a resource with a greedy path variable.")
    siblings = [one["pathPart"] for one in api.resources.values() if one.get("parentId") == parent["id"]]
    if part in siblings:
        raise conflict(f"Another resource with the same parent already has this name: {part}")
    variable = next((one for one in siblings if one.startswith("{")), None)
    if variable and part.startswith("{"):
        raise invalid(
            f"A sibling ({variable}) of this resource already has a variable path part -- only one is allowed"
        )


def _is_within(path: str, above: str) -> bool:
    return f"{path}/".startswith(f"{above}/")


def _shown(resource: Result, asked: Params) -> Result:
    """Without embed=methods, of methods only their names; nothing if there are none."""
    methods = resource["resourceMethods"]
    if "methods" not in asked.get("embed", ()):
        methods = {name: {} for name in methods}
    rest = {name: value for name, value in resource.items() if name != "resourceMethods"}
    return {**rest, "resourceMethods": methods} if methods else rest
