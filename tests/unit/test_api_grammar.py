"""The grammar of `expose:api`: every form of its target, every option, and what each refuses."""

from __future__ import annotations

from typing import Any

import pytest

from expose.refusals import Invalid
from tests.unit.values import exposure

TAG = "expose:api"


def options(value: str) -> dict[str, Any]:
    return dict(exposure(value, TAG).options)


def unreadable(value: str) -> str:
    with pytest.raises(Invalid) as refused:
        exposure(value, TAG)
    assert refused.value.code == "UnreadableTag"
    assert refused.value.message.startswith(f"{TAG} = {value!r}: ")
    assert "; for example expose:api = api1.system.com/orders auth=iam" in refused.value.message
    return refused.value.message


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("api1.system.com/orders", "api1.system.com/orders"),
        ("API1.System.com/Orders", "api1.system.com/Orders"),  # paths keep their case, as AWS does (F§5.2)
        ("api1.system.com", "api1.system.com"),
        ("api1.system.com/", "api1.system.com"),
        ("api1.system.com./orders/", "api1.system.com/orders"),
        ("/orders", "/orders"),
        ("/v1/orders", "/v1/orders"),
        ("/", "/"),
        ("/~a.b_c@d:e-f", "/~a.b_c@d:e-f"),
    ],
)
def test_a_target_is_a_host_and_a_path_or_a_path(written: str, read: str) -> None:
    assert exposure(f"{written} auth=iam", TAG).target == read


@pytest.mark.parametrize(
    "target", ["orders", "a_b.com/x", "/a/{id}", "/a//b", "/a?b", "/a#b", "/a*", "/a%20b", "https://a.com/b", "//", "a.com:443/b"]
)  # fmt: skip
def test_another_target_is_not_read(target: str) -> None:
    assert unreadable(f"{target} auth=iam")


@pytest.mark.parametrize("way", ["iam", "jwt", "cognito", "lambda", "none", "@staff", "@a-b_C9"])
def test_the_ways_to_say_who_may_pass(way: str) -> None:
    assert options(f"/a auth={way}")["auth"] == way
    assert options(f"/a auth={way.upper() if way[0] != '@' else way}")["auth"] == way


@pytest.mark.parametrize(
    "way", ["no", "open", "iam+jwt", "aws_iam", "NONE.", "@", "@a.b", "@a b", "jwt,none", "\uff49am"]
)
def test_a_way_that_is_not_known_is_refused_and_never_taken_for_another(way: str) -> None:
    assert unreadable(f"/a auth={way}")


def test_every_option_is_read() -> None:
    said = (
        "/a auth=jwt issuer=https://login.com/x audience=web+ios scopes=a/b+c pool=eu-west-1_Ab1 client=3f9+4a "
        "function=judge via=LB methods=get+POST strip=YES tls=a.b timeout=29 rate=10000 burst=5000 stage=beta_2 "
        "to=gallina api=a1b2c3 port=8080 container=web"
    )
    assert options(said) == {
        "auth": "jwt",
        "issuer": "https://login.com/x",
        "audience": ("web", "ios"),
        "scopes": ("a/b", "c"),
        "pool": "eu-west-1_Ab1",
        "client": ("3f9", "4a"),
        "function": "judge",
        "via": "lb",
        "methods": ("GET", "POST"),
        "strip": "yes",
        "tls": "a.b",
        "timeout": 29,
        "rate": 10000,
        "burst": 5000,
        "stage": "beta_2",
        "to": "gallina",
        "api": "a1b2c3",
        "port": 8080,
        "container": "web",
    }


@pytest.mark.parametrize(
    "option",
    [
        "issuer=http://login.com", "issuer=login.com", "issuer=https://", "audience=+", "audience=a++b", "audience=a,b",
        "scopes=a+", "scopes=+", "pool=eu-west-1", "client=a-b", "function=a.b", "function=arn:aws:lambda", "via=alb",
        "methods=TRACE", "methods=ANY", "methods=GET+", "strip=true", "tls=localhost", "timeout=0", "timeout=31",
        "rate=0", "rate=10001", "burst=5001", "burst=-1", "stage=a-b", "stage=$default", "to=a/b", "api=abc", "api=A1B2",
        "port=0", "container=a/b", "host=a.b", "auht=iam",
    ],
)  # fmt: skip
def test_another_value_is_refused_with_the_option_in_it(option: str) -> None:
    assert option.partition("=")[0] in unreadable(f"/a auth=iam {option}")


def test_what_is_said_twice_in_one_option_counts_once() -> None:
    assert options("/a methods=GET+get+GET")["methods"] == ("GET",)
