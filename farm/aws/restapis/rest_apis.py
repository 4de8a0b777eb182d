"""REST APIs themselves: a name, tags, and a root resource; names need not be unique (F§5.5)."""

from __future__ import annotations

from collections.abc import Mapping

from farm.aws.apigateway.model import Params, Result, given, invalid, now, random_id
from farm.aws.restapis.changes import Read, changing, flag, operations, patched, telling
from farm.aws.restapis.model import Rest, RestApi, check_room
from farm.aws.restapis.paging import page

_MEMBERS = (
    "apiKeySource",
    "binaryMediaTypes",
    "description",
    "disableExecuteApiEndpoint",
    "endpointConfiguration",
    "minimumCompressionSize",
    "name",
    "policy",
    "version",
)
_PATCHED: Mapping[str, Read] = {
    "name": str,
    "description": str,
    "disableExecuteApiEndpoint": flag,
    "policy": str,
}
_TYPES = {"REGIONAL", "EDGE", "PRIVATE"}


@telling
def create_rest_api(of: Rest, asked: Params) -> Result:
    """Not idempotent: the same once more is another API."""
    check_room(len(of.apis), of.settings.most_apis, "APIs for this account")
    identity, root = random_id(10), random_id(10)
    shown = {
        "id": identity,
        "apiKeySource": "HEADER",
        "createdDate": now(),
        "disableExecuteApiEndpoint": False,
        "rootResourceId": root,
        **given(asked, _MEMBERS),
        "endpointConfiguration": _endpoint(asked),
    }
    _check(shown)
    of.apis[identity] = RestApi(identity, shown, {root: {"id": root, "path": "/", "resourceMethods": {}}})
    of.tag(asked.get("tags", {}), "restapis", identity)
    return _shown(of, of.apis[identity])


def get_rest_api(of: Rest, asked: Params) -> Result:
    return _shown(of, of.api(asked))


def get_rest_apis(of: Rest, asked: Params) -> Result:
    return page(of, [_shown(of, api) for api in of.apis.values()], asked)


@changing
@telling
def update_rest_api(of: Rest, asked: Params) -> Result:
    api, shown = of.api(asked), of.api(asked).shown
    for operation in operations(asked):
        shown = patched(shown, *operation, _PATCHED)
    _check(shown)
    api.shown = shown
    return _shown(of, api)


@telling
def delete_rest_api(of: Rest, asked: Params) -> Result:
    """With all that is in it."""
    del of.apis[of.api(asked).id]
    of.forget_tags("restapis", asked["restApiId"])
    return {}


def _endpoint(asked: Params) -> Result:
    """EDGE is what AWS takes when nothing is said."""
    return {"types": ["EDGE"], "ipAddressType": "ipv4", **asked.get("endpointConfiguration", {})}


def _check(shown: Result) -> None:
    if not shown.get("name"):
        raise invalid("API name should not be blank")
    types = shown["endpointConfiguration"]["types"]
    if len(types) != 1 or types[0] not in _TYPES:
        raise invalid(f"Invalid endpoint types specified: {types}")


def _shown(of: Rest, api: RestApi) -> Result:
    return of.tagged(api.shown, "restapis", api.id)
