"""Bad input to `expose:api`: told with the tag, what is wrong and what to do; nothing that works is changed, nothing opens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from farm.aws import apigateway
from farm.farm import Farm
from farm.gateway.issuer import URL
from tests.integration.guarded import FAST, TAG, apis, expose, gateway, host, inventory, watching
from tests.integration.world import become, status

SECOND = "expose:api:second"
GOOD = "/good auth=iam"
JWT = f"auth=jwt issuer={URL} audience=web"
INVALID, BLOCKED = "Invalid", "Blocked"


@pytest.fixture(scope="module")
def shared() -> Iterator[Farm]:
    """One farm for all: bad input changes nothing, so there is nothing to begin anew from."""
    parameters = {**FAST, "AllowedApis": "zzzzzz", "ApiPresets": "open: auth=none; odd: auth=jwt"}
    with Farm.virtual(parameters=parameters) as farm:
        expose(farm, GOOD)
        expose(farm, "/held auth=iam", "gallina")
        yield farm


def nothing(farm: Farm) -> None:
    """Nothing else has to be so."""


def limit(**most: Any) -> Callable[[Farm], None]:
    def given(farm: Farm) -> None:
        for name, value in most.items():
            setattr(apigateway.settings(), name, value)

    return given


def add_route(farm: Farm, key: str) -> None:
    api = apis(farm)[0]["ApiId"]
    if key not in {route["RouteKey"] for route in gateway(farm).get_routes(ApiId=api)["Items"]}:
        gateway(farm).create_route(ApiId=api, RouteKey=key, AuthorizationType="AWS_IAM")


def taken(farm: Farm) -> None:
    add_route(farm, "ANY /taken")


def conflicting(farm: Farm) -> None:
    add_route(farm, "ANY /var/{rest+}")


@dataclass(frozen=True)
class Bad:
    """A bad `value` of a second tag, beside one that works."""

    code: str
    value: str
    says: tuple[str, ...]
    status: str = INVALID
    given: Callable[[Farm], object] = nothing


CASES = [
    Bad("NoAuth", "/x", ("auth= is missing", "auth=iam")),
    Bad("UnreadableTag", "/x auth=", ("option=value",)),
    Bad("UnreadableTag", "/x auth=ima", ("expected one of", "iam", "@PRESET")),
    Bad("UnreadableTag", "/x auht=iam", ("unknown option 'auht'",)),
    Bad("UnreadableTag", "/x auth=iam auth=none", ("is there twice",)),
    Bad("NotAllowed", "/x auth=none", ("AllowOpenRoutes",), BLOCKED),
    Bad("NotAllowed", "/x auth=@open", ("AllowOpenRoutes",), BLOCKED),
    Bad("NoPreset", "/x auth=@staff", ("ApiPresets", "@odd"), BLOCKED),
    Bad("NoAuth", "/x auth=@odd", ("issuer",)),
    Bad("WrongOption", "/x auth=@odd scopes=a", ("scopes=", "a preset")),
    Bad("NoAuth", "/x auth=jwt audience=web", ("needs issuer=",)),
    Bad("NoAuth", f"/x auth=jwt issuer={URL}", ("needs audience=",)),
    Bad("UnreadableTag", f"/x auth=jwt issuer={URL} audience=", ("option=value",)),
    Bad("UnreadableTag", f"/x auth=jwt issuer={URL} audience=a++b", ("an audience",)),
    Bad("UnreadableTag", "/x auth=jwt issuer=http://login.com audience=a", ("https",)),
    Bad("WrongOption", "/x auth=iam scopes=a", ("scopes= means nothing for auth=iam",)),
    Bad("WrongOption", "/x auth=none scopes=a", ("scopes= means nothing for auth=none",)),
    Bad("NoAuth", "/x auth=cognito pool=eu-west-1_Ab", ("needs client=",)),
    Bad("NoAuth", "/x auth=lambda", ("needs function=",)),
    Bad("NoFunction", "/x auth=lambda function=nobody", ("nobody", "create it"), BLOCKED),
    Bad("UnreadableTag", "x auth=iam", ("expected a full name",)),
    Bad("UnreadableTag", "a_b.com/x auth=iam", ("underscore",)),
    Bad("NoDomain", "a.com/x auth=iam", ("ApiCertificate",), BLOCKED),
    Bad("NotAllowed", "/x auth=iam api=abcdef", ("AllowedApis",), BLOCKED),
    Bad("NoApi", "/x auth=iam api=zzzzzz", ("there is no HTTP API zzzzzz",), BLOCKED),
    Bad("WrongOption", "a.com/x auth=iam api=zzzzzz", ("say /PATH",)),
    Bad("NoRegistry", "/x auth=iam via=registry", ("SRV", "via=cloudmap"), BLOCKED),
    Bad("NameTaken", "/held auth=iam", ("granja/gallina", "choose another name"), BLOCKED),
    Bad("RouteTaken", "/taken auth=iam", ("already exists", "another path"), BLOCKED, taken),
    Bad("RouteTaken", "/var auth=iam", ("conflicting variable", "another path"), BLOCKED, conflicting),
    Bad("QuotaReached", "/x auth=iam", ("Service Quotas",), BLOCKED, limit(most_routes=4)),
    Bad("QuotaReached", "/x auth=iam", ("Service Quotas",), BLOCKED, limit(most_integrations=2)),
    Bad("QuotaReached", f"/x {JWT}", ("Service Quotas",), BLOCKED, limit(most_authorizers=0)),
    Bad("BadAuthorizer", f"/x {JWT}", ("issuer",), BLOCKED, limit(fetch=lambda *_: None)),
    Bad("NoPort", "/x auth=iam port=9999", ("9999",), BLOCKED),
]


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: f"{bad.code} {bad.value[:40]}")
def test_bad_input_is_told_and_changes_nothing_that_works(shared: Farm, bad: Bad) -> None:
    farm, before_settings = shared, apigateway.settings()
    kept = {name: getattr(before_settings, name) for name in type(before_settings).__slots__}
    bad.given(farm)
    before = inventory(farm)
    with watching(farm):
        farm.tag("conejo", {SECOND: bad.value})
        farm.run_for(4)
        said = status(farm, tag=SECOND)
        assert (said["status"], said["code"]) == (bad.status, bad.code), said["message"]
        assert said["message"].startswith(f"{SECOND} = {bad.value!r}: ")
        for words in bad.says:
            assert words in said["message"]
        assert all(farm.invoke(host(farm), "/good", sign=True).service == "conejo" for _ in range(3))
        for name, value in kept.items():
            setattr(apigateway.settings(), name, value)
        farm.untag("conejo", SECOND)
        become(farm, "", tag=SECOND)
    assert inventory(farm) == before


@pytest.mark.parametrize("bad", ["/good auth=imi", "/good", "/good auth=none", "/taken auth=iam"])
def test_a_bad_change_of_a_tag_leaves_what_it_said_before(shared: Farm, bad: str) -> None:
    farm = shared
    taken(farm)
    before = inventory(farm)
    with watching(farm):
        farm.tag("conejo", {TAG: bad})
        farm.run_for(4)
        assert status(farm, tag=TAG)["status"] in {INVALID, BLOCKED}
        assert farm.invoke(host(farm), "/good", sign=True).service == "conejo"
        farm.tag("conejo", {TAG: GOOD})
        become(farm, "Active", tag=TAG)
    assert {name for name in inventory(farm) if name not in before} == set()
