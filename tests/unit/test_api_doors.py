"""Doors: from `auth` to an authorisation; what does not say who may pass, or not clearly, makes none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from expose.mechanisms.api.doors import Door, door, opens
from expose.mechanisms.surroundings import Surroundings
from expose.model import Identity
from expose.policy import Apis, Limits
from expose.refusals import Invalid, Refused
from tests.unit.values import LISTED, exposure

TAG = "expose:api"
API = Identity("apigw.api", "default/$default")
ISSUER = "https://login.com"
JWT = f"auth=jwt issuer={ISSUER} audience=web"


def made(terms: str, **apis: Any) -> Door:
    limits = replace(LISTED, apis=replace(LISTED.apis, **apis))
    around = Surroundings(limits, "corral/granja/conejo/expose:api", {})
    return door(exposure(f"/a {terms}", TAG), API, API.key, around)


def refused(terms: str, code: str, **apis: Any) -> str:
    with pytest.raises(Refused) as found:
        made(terms, **apis)
    assert found.value.code == code
    assert found.value.message.startswith(f"{TAG} = '/a {terms}'".rstrip())
    return found.value.message


def test_iam_needs_no_authoriser() -> None:
    assert made("auth=iam") == Door("AWS_IAM")


def test_open_is_only_what_the_stack_lets_be_open() -> None:
    assert made("auth=none", open_routes=True) == Door("NONE")
    assert "AllowOpenRoutes" in refused("auth=none", "NotAllowed")
    assert "AllowOpenRoutes" in refused("auth=@all", "NotAllowed", presets={"all": "auth=none"})


def test_a_jwt_authoriser_is_what_its_issuer_and_audiences_are_in_any_order() -> None:
    one, other = made(f"{JWT}+ios scopes=b+a"), made(f"auth=jwt audience=ios+web issuer={ISSUER}")
    assert (one.authorization, one.scopes, other.scopes) == ("JWT", ("b", "a"), ())
    assert one.authorizer == other.authorizer
    assert one.structure == other.structure
    assert one.structure[0].spec == {"type": "JWT", "issuer": ISSUER, "audience": ["ios", "web"]}
    assert one.structure[0].shared
    assert one.authorizer != made(JWT).authorizer


def test_cognito_is_a_jwt_authoriser_of_the_pool() -> None:
    (authorizer,) = made("auth=cognito pool=eu-west-1_Ab client=b+a").structure
    issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab"
    assert authorizer.spec == {"type": "JWT", "issuer": issuer, "audience": ["a", "b"]}


def test_a_function_is_asked_with_a_permission_of_its_own() -> None:
    found = made("auth=lambda function=judge")
    authorizer, permission = found.structure
    assert found.authorization == "CUSTOM"
    assert authorizer.spec["function"] == "arn:aws:lambda:eu-west-1:123456789012:function:judge"
    assert permission.refs == {"api": API, "authorizer": authorizer.identity}


def test_a_preset_is_what_its_terms_are() -> None:
    assert made("auth=@staff", presets={"staff": f"{JWT} scopes=a"}) == made(f"{JWT} scopes=a")


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ("", "auth= is missing"),
        ("scopes=a", "auth= is missing"),
        ("auth=jwt", "needs issuer="),
        (f"auth=jwt issuer={ISSUER}", "needs audience="),
        ("auth=cognito pool=eu-west-1_Ab", "needs client="),
        ("auth=cognito client=a", "needs pool="),
        ("auth=lambda", "needs function="),
    ],
)
def test_without_all_its_terms_there_is_no_door(terms: str, words: str) -> None:
    assert words in refused(terms, "NoAuth", open_routes=True)


@pytest.mark.parametrize(
    "terms",
    [
        "auth=iam scopes=a", "auth=none scopes=a", "auth=iam audience=a", "auth=lambda function=f scopes=a",
        f"{JWT} pool=eu-west-1_Ab", f"{JWT} function=f", "auth=cognito pool=eu-west-1_Ab client=a audience=b",
        "auth=@staff scopes=a",
    ],
)  # fmt: skip
def test_terms_that_mean_nothing_are_refused_not_ignored(terms: str) -> None:
    refused(terms, "WrongOption", open_routes=True, presets={"staff": JWT})


@pytest.mark.parametrize(
    "preset",
    [
        "auth=@other",
        "scopes=a",
        "auth=ima",
        "auth=iam via=lb",
        "auth=iam auth=none",
        "auth=jwt issuer=x",
        "iam",
    ],
)
def test_a_preset_that_cannot_be_read_is_no_door(preset: str) -> None:
    refused("auth=@staff", "BadPreset", open_routes=True, presets={"staff": preset, "other": "auth=none"})


def test_a_preset_that_is_not_there_is_told_with_those_that_are() -> None:
    assert "@a, @b" in refused("auth=@staff", "NoPreset", presets={"b": "auth=iam", "a": "auth=iam"})
    assert "has: none" in refused("auth=@staff", "NoPreset")


def test_missing_terms_are_the_owners_to_correct() -> None:
    with pytest.raises(Invalid):
        made("")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("/a auth=none", True), ("/a AUTH=None", True), ("auth=none /b nonsense == audience=x", True), ("/a auth=@all", True),
        ("", False), ("/a", False), ("/a auth=iam", False), ("/a auth=none auth=iam", False), ("/a auth=none,", False),
        ("/a auth=nine", False), ("/a xauth=none", False), ("/a auth = none", False), ("/a auth=@staff", False),
        ("/a auth=@nobody", False), ("/a auth=@ALL", False), ("/a auth=@", False), ("/a auth=@twice", False),
    ],
)  # fmt: skip
def test_only_what_says_open_in_so_many_words_leaves_a_door_open(value: str, said: bool) -> None:
    presets = {"all": "auth=none", "staff": "auth=iam", "twice": "auth=@all"}

    assert opens(value, Limits(apis=Apis(open_routes=True, presets=presets))) is said
    assert not opens(value, Limits(apis=Apis(open_routes=False, presets=presets)))
