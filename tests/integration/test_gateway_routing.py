"""Which API, stage and route a request means, and what the backend gets to see of it (F§5.1, F§5.2, F§5.4)."""

from __future__ import annotations

import pytest

from farm.aws.apigateway import Cors, Mapping, Route
from farm.gateway import rewriting, routing
from farm.gateway.routing import Place, Request

_PETS = (
    "GET /pets/dog/1",
    "GET /pets/dog/{id}",
    "GET /pets/{kind}/1",
    "ANY /pets/dog/{id}",
    "GET /pets/{proxy+}",
    "ANY /{proxy+}",
    "$default",
)


def routes(*keys: str) -> list[Route]:
    return [Route(key, key, "NONE", (), None, None) for key in keys]


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1"),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
        ("GET", "/pets/cat/1", "GET /pets/{kind}/1"),
        ("POST", "/pets/dog/1", "ANY /pets/dog/{id}"),
        ("GET", "/pets/cat/2", "GET /pets/{proxy+}"),
        ("POST", "/pets/cat/2", "ANY /{proxy+}"),
        ("GET", "/Pets/dog/1", "ANY /{proxy+}"),
        ("GET", "/pets/dog/1/", "GET /pets/{proxy+}"),
        ("GET", "/", "$default"),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_the_most_specific_route_takes_a_request(method: str, path: str, key: str, backwards: bool) -> None:
    known = routes(*(_PETS[::-1] if backwards else _PETS))
    match = routing.choose(known, method, path)
    assert match is not None
    assert match.route.key == key


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/orders", "ANY /orders"),
        ("/orders/1", "ANY /orders/{proxy+}"),
        ("/orders/1/lines", "ANY /orders/{proxy+}"),
        ("/orders/", None),
        ("/ordersandmore", None),
        ("/ORDERS", None),
        ("/%6Frders", None),
        ("/x/orders", None),
        ("/", None),
    ],
)
def test_a_greedy_route_does_not_take_its_own_base(path: str, key: str | None) -> None:
    match = routing.choose(routes("ANY /orders", "ANY /orders/{proxy+}"), "GET", path)
    assert (match.route.key if match else None) == key


def test_a_full_match_beats_a_greedy_one_that_fits_more_closely() -> None:
    match = routing.choose(routes("GET /a/{proxy+}", "ANY /{kind}/b"), "GET", "/a/b")
    assert match is not None
    assert match.route.key == "ANY /{kind}/b"


def test_variables_stand_for_what_they_took() -> None:
    match = routing.choose(routes("GET /a/{b}/c/{d+}"), "GET", "/a/1/c/2/3")
    assert match is not None
    assert match.variables == {"b": "1", "d": "2/3"}


@pytest.mark.parametrize(
    ("stages", "path", "expected"),
    [
        (["$default"], "/orders", ("$default", "/orders")),
        (["$default", "beta"], "/beta/orders", ("beta", "/orders")),
        (["$default", "beta"], "/beta", ("beta", "/")),
        (["$default", "beta"], "/betamax", ("$default", "/betamax")),
        (["beta"], "/orders", None),
        (["$default"], "/$default/orders", ("$default", "/$default/orders")),
        (["$default"], "/", ("$default", "/")),
        ([], "/orders", None),
    ],
)
def test_an_apis_own_name_leads_to_the_stage_in_the_path(
    stages: list[str], path: str, expected: tuple[str, str] | None
) -> None:
    place = routing.at_endpoint("api", stages, path)
    assert ((place.stage, place.path) if place else None) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/orders/v2/x", ("two", "/x")),
        ("/orders/v2", ("two", "/")),
        ("/orders/v1/x", ("one", "/v1/x")),
        ("/ordersx", ("root", "/ordersx")),
        ("/", ("root", "/")),
    ],
)
def test_a_domain_leads_by_the_longest_key(path: str, expected: tuple[str, str]) -> None:
    known = [Mapping("", "root", "$default"), Mapping("orders", "one", "s"), Mapping("orders/v2", "two", "s")]
    place = routing.at_domain(known, path)
    assert place is not None
    assert (place.api, place.path) == expected


def test_a_domain_without_a_mapping_that_fits_leads_nowhere() -> None:
    assert routing.at_domain([Mapping("orders", "one", "s")], "/other") is None


@pytest.mark.parametrize(
    ("stage", "template", "expected"),
    [
        ("$default", None, "/orders/1/2?x=%20"),
        ("beta", None, "/beta/orders/1/2?x=%20"),
        ("beta", "$request.path", "/orders/1/2?x=%20"),
        ("beta", "/$request.path.proxy", "/1/2?x=%20"),
        ("$default", "/${request.path.proxy}", "/1/2?x=%20"),
        ("$default", "/in/${request.path.proxy}/out", "/in/1/2/out?x=%20"),
        ("$default", "/", "/?x=%20"),
        ("$default", "/${context.stage}/${stageVariables.lane}", "/$default/slow?x=%20"),
        ("$default", "/$request.header.where", "/a%20b?x=%20"),
    ],
)
def test_the_backend_sees_the_path_that_the_integration_says(
    stage: str, template: str | None, expected: str
) -> None:
    request = Request("host", "/any?x=%20", headers={"Where": "a b"})
    place = Place("api", stage, "/orders/1/2")
    parameters = {"overwrite:path": template} if template else {}
    look = rewriting.looking(request, place, {"proxy": "1/2"}, {"stage": stage}, {"lane": "slow"})
    assert rewriting.target(request, place, parameters, look) == expected


def test_headers_and_query_are_overwritten_appended_and_removed() -> None:
    request = Request("host", "/?keep=1&drop=2&set=3", headers={"Here": "a", "Gone": "b", "Set": "c"})
    place = Place("api", "$default", "/")
    look = rewriting.looking(request, place, {}, {"apiId": "api"}, {})
    parameters = {
        "append:header.here": "$context.apiId",
        "remove:header.gone": "''",
        "overwrite:header.set": "static",
        "overwrite:header.host": "inner.example",
        "remove:querystring.drop": "''",
        "overwrite:querystring.set": "$request.header.Here",
        "append:querystring.keep": "4",
    }
    assert rewriting.headers({"Host": "host", **request.headers}, parameters, look) == {
        "Here": "a, api",
        "Set": "static",
        "Host": "inner.example",
    }
    assert rewriting.target(request, place, parameters, look) == "/?keep=1&set=a&keep=4"


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        (("*",), "https://a.example", "*"),
        (("https://a.example",), "https://a.example", "https://a.example"),
        (("https://*",), "https://a.example", "https://a.example"),
        (("https://*",), "http://a.example", None),
        (("https://b.example",), "https://a.example", None),
        (("*",), "", None),
    ],
)
def test_only_known_origins_are_told_that_they_may(
    origins: tuple[str, ...], origin: str, allowed: str | None
) -> None:
    said = routing.cors_headers(Cors(origins, methods=("GET", "PUT"), max_age=0), origin, preflight=True)
    assert said.get("Access-Control-Allow-Origin") == allowed
    assert ("Access-Control-Allow-Methods" in said) == (allowed is not None)
