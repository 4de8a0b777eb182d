"""Which method of which resource takes a request to a REST API (F§5.5)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farm.farm import Farm
from tests.integration.rest_gateways import Rested, rest_expose

UNKNOWN = b'{"message":"Missing Authentication Token"}'


@pytest.fixture(scope="module")
def chosen() -> Iterator[Rested]:
    with Farm.virtual(deploy=False) as farm:
        farm.create_service("conejo", 1, public=False)
        farm.settle()
        group = farm.create_target_group("conejo")
        farm.register(group, *((address, 8080) for address in farm.addresses("conejo", public=False)))
        farm.create_balancer("inner", group=group)
        farm.run_for(120)
        found = rest_expose(farm, farm.listener_arn("inner", 80))
        keys = ["ANY /a", "GET /a/b", "ANY /a/b", "GET /a/{id}", "ANY /a/{id}/d", "ANY /{proxy+}"]
        for key in keys:
            found.route(key)
        found.deploy()
        yield found


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/a", "ANY /a"),
        ("GET", "/a/b", "GET /a/b"),
        ("POST", "/a/b", "ANY /a/b"),
        ("GET", "/a/c", "GET /a/{id}"),
        ("POST", "/a/c", ""),
        ("GET", "/a/c/d", "ANY /a/{id}/d"),
        ("GET", "/a/c/e", "ANY /{proxy+}"),
        ("GET", "/b", "ANY /{proxy+}"),
        ("GET", "/b/c/d", "ANY /{proxy+}"),
        ("GET", "/", ""),
        ("GET", "", ""),
        ("GET", "/A", "ANY /{proxy+}"),
    ],
)
def test_the_resource_that_fits_best_is_chosen_and_then_its_method(
    method: str, path: str, route: str, chosen: Rested
) -> None:
    """Exact beats {var} beats {proxy+}, a method beats ANY; what has no method is told of no token."""
    reply = chosen.get(path, method=method)
    assert (reply.route, reply.status) == (route, 200 if route else 403)
    if not route:
        assert (reply.body, reply.task) == (UNKNOWN, "")
        assert reply.header("x-amzn-ErrorType") == "MissingAuthenticationTokenException"
