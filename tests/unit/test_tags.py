"""Tags are the whole user interface: what can be read, what it means, and how what cannot be read is refused."""

from __future__ import annotations

import pytest

from expose.model import Exposure
from expose.policy import POLICIES
from expose.refusals import Invalid
from expose.tags import Unreadable, asking, policy_of, read, read_one
from tests.unit.values import ARN, GRAMMARS, NAME


def reading(value: str, tag: str = "expose:dns") -> Exposure:
    return read_one(ARN, tag, value, GRAMMARS)


def refusal(value: str, tag: str = "expose:dns") -> Invalid:
    with pytest.raises(Invalid) as refused:
        read_one(ARN, tag, value, GRAMMARS)
    return refused.value


@pytest.mark.parametrize(
    ("value", "target", "options"),
    [
        (NAME, NAME, {}),
        (
            "conejo.granja.animales.com ip=private port=8080 ttl=15 type=SRV",
            NAME,
            {"ip": "private", "port": 8080, "ttl": 15, "type": "SRV"},
        ),
        (f"{NAME} container=web-1_a", NAME, {"container": "web-1_a"}),
        (f"{NAME} type=A+AAAA", NAME, {"type": "A+AAAA"}),
        (f"{NAME} ttl=0", NAME, {"ttl": 0}),
        (f"{NAME} port=65535", NAME, {"port": 65535}),
        ("animales.com", "animales.com", {}),
        ("_http._tcp.granja.animales.com", "_http._tcp.granja.animales.com", {}),
        (f"{NAME}.", NAME, {}),
        (f"{'a' * 63}.com", f"{'a' * 63}.com", {}),
    ],
)
def test_a_tag_says_a_target_and_its_options(value: str, target: str, options: dict[str, object]) -> None:
    read_ = reading(value)

    assert (read_.target, read_.options) == (target, options)


def test_an_exposure_remembers_its_tag_word_for_word() -> None:
    read_ = reading(f"  {NAME.upper()} ", "expose:dns:admin")

    assert (read_.service, read_.tag, read_.value) == (ARN, "expose:dns:admin", f"  {NAME.upper()} ")
    assert read_.mechanism == "dns"


def test_options_come_in_any_order() -> None:
    assert reading(f"{NAME} ttl=15 port=80").options == reading(f"{NAME} port=80 ttl=15").options


@pytest.mark.parametrize("blank", [" ", "   ", "\t", "\u00a0", "\u2003", "\u3000"])
def test_unicode_blanks_around_and_between_mean_nothing(blank: str) -> None:
    assert reading(f"{blank}{NAME}{blank}port=80{blank}").target == NAME
    assert reading(f"{blank}{NAME}{blank}port=80{blank}").options == {"port": 80}


def test_names_options_and_words_are_read_in_any_case() -> None:
    read_ = reading("Conejo.GRANJA.Animales.Com IP=Private Type=a+aaaa PORT=80")

    assert read_.target == NAME
    assert read_.options == {"ip": "private", "type": "A+AAAA", "port": 80}


def test_the_name_of_a_container_keeps_its_case_because_ecs_tells_them_apart() -> None:
    assert reading(f"{NAME} container=Web").options == {"container": "Web"}


NAMES = "expected a full name such as conejo.granja.animales.com"
LABEL = "no DNS label: letters, digits, - and _, no - at either end"
OPTIONS = "expected one of container, ip, port, ttl, type"


@pytest.mark.parametrize(
    ("value", "token", "expected"),
    [
        ("", "''", "the target is missing"),
        (" \u3000 ", "''", "the target is missing"),
        ("port=8080", "'port=8080'", "the target is missing"),
        (f"port=8080 {NAME}", "'port=8080'", "the target is missing"),
        ("conejo", "'conejo'", NAMES),
        ("con ejo.granja.animales.com", "'con'", "expected a full name"),
        (".", "'.'", NAMES),
        (".granja.animales.com", "'' in '.granja.animales.com'", LABEL),
        ("conejo..animales.com", "'' in 'conejo..animales.com'", LABEL),
        (f"{NAME}..", f"'{NAME}..'", LABEL),
        ("-conejo.animales.com", "'-conejo' in ", LABEL),
        ("conejo-.animales.com", "'conejo-' in ", LABEL),
        ("co/nejo.animales.com", "'co/nejo' in ", LABEL),
        ("co@nejo.animales.com", "'co@nejo' in ", LABEL),
        ("ñandú.animales.com", "'ñandú' in ", LABEL),
        (f"{'a' * 64}.com", f"'{'a' * 64}.com'", "at most 253 characters, and 63 between dots"),
        (".".join(["a" * 49] * 5 + ["abcd"]), "abcd'", "at most 253 characters, and 63 between dots"),
        (f"{NAME} prot=8080", "'prot'", OPTIONS),
        (f"{NAME} auth=none", "'auth'", OPTIONS),
        (f"{NAME} =8080", "''", OPTIONS),
        (f"{NAME} private", "'private'", "expected option=value"),
        (f"{NAME} port=", "'port='", "expected option=value"),
        (f"{NAME} port = 8080", "'port'", "expected option=value"),
        (f"{NAME} port=80 ttl=5 PORT=81", "'port'", "is there twice"),
        (f"{NAME} port=80 port=80", "'port'", "is there twice"),
        *[
            (f"{NAME} port={number}", f"port={number}", "expected a whole number from 1 to 65535")
            for number in ("0", "65536", "-1", "+80", "80.0", "80=81", "http", "\uff18\uff10", "²", "9" * 200)
        ],
        (f"{NAME} ttl=86401", "ttl=86401", "expected a whole number from 0 to 86400"),
        (f"{NAME} ttl=15s", "ttl=15s", "expected a whole number from 0 to 86400"),
        (f"{NAME} ip=both", "ip=both", "expected one of private, public"),
        (f"{NAME} type=CNAME", "type=CNAME", "expected one of A, A+AAAA, AAAA, SRV"),
        (f"{NAME} type=AAAA+A", "type=AAAA+A", "expected one of A, A+AAAA, AAAA, SRV"),
        (f"{NAME} container=web/1", "container=web/1", "expected the name of a container"),
        (f"{NAME} container=wéb", "container=wéb", "expected the name of a container"),
    ],
)
def test_what_cannot_be_read_is_refused_with_tag_token_what_was_expected_and_an_example(
    value: str, token: str, expected: str
) -> None:
    refused = refusal(value)

    assert refused.code == "UnreadableTag"
    assert refused.message.startswith(f"expose:dns = {value!r}: ")
    assert token in refused.message
    assert expected in refused.message
    assert f"for example expose:dns = {GRAMMARS['dns'].example}" in refused.message


def test_an_option_that_is_misspelt_is_refused_not_ignored() -> None:
    assert "unknown option 'prot'" in refusal(f"{NAME} port=8080 prot=8080").message


@pytest.mark.parametrize("word", ["dms", "DNS", "", "policy"])
def test_an_unknown_mechanism_is_refused_and_the_known_ones_are_named(word: str) -> None:
    tag = f"expose:{word}:label" if word == "policy" else f"expose:{word}"
    refused = refusal(NAME, tag)

    assert refused.code == "UnknownMechanism"
    assert (
        refused.message == f"{tag} = {NAME!r}: unknown mechanism {word!r}, expected one of api, dns, ip, lb"
    )


@pytest.mark.parametrize("tag", ["expose:dns:", "expose:dns::", "expose:dns:admin:old", "expose:dns::old"])
def test_a_tag_has_one_label_or_none(tag: str) -> None:
    refused = refusal(NAME, tag)

    assert refused.code == "UnreadableTag"
    assert f"expected a key like expose:dns:label with one label, got {tag!r}" in refused.message


def test_the_example_for_a_key_that_was_refused_does_not_repeat_it() -> None:
    assert "for example expose:dns:admin:old =" not in refusal(NAME, "expose:dns:admin:old").message


def test_the_example_of_every_mechanism_can_be_read() -> None:
    for mechanism, grammar in GRAMMARS.items():
        assert reading(grammar.example, f"expose:{mechanism}").mechanism == mechanism


def test_labels_tell_several_exposures_of_one_mechanism_apart() -> None:
    tags = {
        "expose:dns:b": "b.animales.com",
        "expose:dns": "a.animales.com",
        "expose:dns:a": "c.animales.com",
    }
    exposures, unreadable = read(ARN, tags, prefix="expose", grammars=GRAMMARS)

    assert [each.tag for each in exposures] == ["expose:dns", "expose:dns:a", "expose:dns:b"]
    assert not unreadable


def test_a_tag_that_cannot_be_read_leaves_the_others_as_they_are() -> None:
    tags = {"expose:dms": NAME, "expose:dns": NAME, "expose:dns:b": "b"}
    exposures, unreadable = read(ARN, tags, prefix="expose", grammars=GRAMMARS)

    assert exposures == [reading(NAME)]
    assert [(each.tag, each.value) for each in unreadable] == [("expose:dms", NAME), ("expose:dns:b", "b")]
    assert all(isinstance(each, Unreadable) and each.tag in each.reason.message for each in unreadable)


def test_only_tags_under_the_prefix_ask_for_anything() -> None:
    others = {"Name": "conejo", "expose": NAME, "exposed:dns": NAME, "Expose:dns": NAME, "show:dns": NAME}

    assert asking({**others, "expose:dns": NAME}, prefix="expose") == {"expose:dns": NAME}
    assert asking({**others, "expose:dns": NAME}, prefix="show") == {"show:dns": NAME}


def test_the_policy_says_how_to_treat_the_exposures_and_is_none_itself() -> None:
    assert asking({"expose:policy": "observe", "expose:dns": NAME}, prefix="expose") == {"expose:dns": NAME}


@pytest.mark.parametrize("word", ["observe", " Observe ", "\u00a0OBSERVE"])
def test_a_service_may_say_its_own_policy(word: str) -> None:
    tags = {"expose:policy": word}

    assert policy_of(tags, prefix="expose", default="sync", known=POLICIES) == "observe"
    assert policy_of(tags, prefix="show", default="sync", known=POLICIES) == "sync"


@pytest.mark.parametrize("word", ["", "dry-run", "sync observe", "none"])
def test_a_policy_that_does_not_exist_is_refused_lest_a_dry_run_be_none(word: str) -> None:
    with pytest.raises(Invalid) as refused:
        policy_of({"expose:policy": word}, prefix="expose", default="sync", known=POLICIES)

    assert refused.value.code == "UnknownPolicy"
    assert refused.value.message == (
        f"expose:policy = {word!r}: expected one of observe, sync, upsert-only, got {word!r}"
    )
