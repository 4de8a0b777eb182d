"""Which functions, issuers and user pools a tag may name to say who passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expose.mechanisms.api.doors import Door, door
from expose.mechanisms.surroundings import Surroundings
from expose.model import Identity
from expose.policy import Apis, Limits
from expose.refusals import Refused
from tests.unit.values import exposure

JWT = "auth=jwt issuer=https://login.com audience=web"
POOL = "auth=cognito pool=eu-west-1_Ab client=a"
FUNCTION = "auth=lambda function=judge"
TAG = "expose:api"


def made(terms: str, apis: Apis) -> Door:
    api = Identity("apigw.api", "default/$default")
    around = Surroundings(Limits(apis=apis), "corral/granja/conejo/expose:api", {})
    return door(exposure(f"/a {terms}", TAG), api, api.key, around)


def refusal(terms: str, apis: Apis) -> str:
    with pytest.raises(Refused) as refused:
        made(terms, apis)
    assert refused.value.code == "NotAllowed"
    return refused.value.message


@pytest.mark.parametrize(
    ("terms", "word", "parameter"),
    [
        (JWT, "https://login.com", "AllowedIssuers"),
        (POOL, "eu-west-1_Ab", "AllowedIssuers"),
        (FUNCTION, "judge", "AllowedFunctions"),
    ],
)
def test_none_may_be_named_unless_the_stack_names_it(terms: str, word: str, parameter: str) -> None:
    said = refusal(terms, Apis())

    assert said.startswith(f"{TAG} = '/a {terms}': {word!r} is not allowed here: the stack names none; ")
    assert said.endswith(f"ask whoever runs the stack to extend its parameter {parameter}")
    assert made(terms, Apis(functions=("judge",), issuers=("https://login.com", "eu-west-1_Ab")))
    assert "expected one of x-*" in refusal(terms, Apis(functions=("x-*",), issuers=("x-*",)))


@pytest.mark.parametrize("terms", [JWT, POOL, "auth=iam"])
def test_what_a_preset_names_is_the_stacks_own_word(terms: str) -> None:
    assert made("auth=@staff", Apis(presets={"staff": terms}))


def test_the_function_of_a_preset_has_to_be_listed_for_iam_knows_the_list_only() -> None:
    presets = Apis(presets={"staff": FUNCTION})

    assert "AllowedFunctions" in refusal("auth=@staff", presets)
    assert made("auth=@staff", replace(presets, functions=("jud?e",)))


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("*", "https://login.com/a"),
        ("*", "eu-west-1_Ab"),
        ("https://login.com", "https://login.com"),
        ("https://login.com", "https://LOGIN.com"),
        ("https://login.com", "https://login.com/"),
        ("https://login.com/", "https://login.com"),
        ("https://*.system.com", "https://login.system.com"),
        ("https://login.com/*", "https://login.com/a/b"),
        ("https://login.com/?/v2", "https://login.com/a/v2"),
        ("https://login.com:8443", "https://login.com:8443"),
        ("eu-west-1_Ab", "eu-west-1_Ab"),
        ("eu-west-1_*", "eu-west-1_Ab"),
    ],
)
def test_an_issuer_that_fits_a_pattern_is_trusted(pattern: str, word: str) -> None:
    Limits(apis=Apis(issuers=("https://other.com", pattern))).check_issuer(word, exposure())


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("https://login.com", "https://login.com.evil.com"),
        ("https://login.com", "https://evil.com/login.com"),
        ("https://login.com", "https://login.com/a"),
        ("https://login.com", "https://login.com:8443"),
        ("https://*.system.com", "https://evil.com/x.system.com"),
        ("https://*.system.com", "https://evil.com:1/.system.com"),
        ("https://*.system.com", "https://system.com"),
        ("https://login.com*", "https://login.com:x@evil.com"),
        ("https://login.com/*", "https://login.com:x@evil.com/a"),
        ("https://login.com/ours/*", "https://login.com/ours/../theirs"),
        ("https://login.com/a", "https://login.com/A"),
        ("eu-west-1_*", "https://eu-west-1_Ab"),
        ("*_Ab", "eu-west-1_ab"),
        ("https://*", "eu-west-1_Ab"),
    ],
)
def test_one_that_only_looks_alike_is_not(pattern: str, word: str) -> None:
    with pytest.raises(Refused, match="AllowedIssuers"):
        Limits(apis=Apis(issuers=("https://other.com", pattern))).check_issuer(word, exposure())
