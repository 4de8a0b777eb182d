"""The grammar of `expose:lb`: every form of its target, every option, and what each refuses."""

from __future__ import annotations

from typing import Any

import pytest

from expose.mechanisms.lb.aim import Aim, aim, certified, kind
from expose.refusals import Invalid, Status
from tests.unit.values import exposure

TAG = "expose:lb"
LONGEST = "/" + "a" * 125
"""With `/*` behind it a path has the 128 characters that ELB takes."""


def options(value: str) -> dict[str, Any]:
    return dict(exposure(value, TAG).options)


def unreadable(value: str) -> str:
    with pytest.raises(Invalid) as refused:
        exposure(value, TAG)
    assert refused.value.code == "UnreadableTag"
    assert refused.value.status is Status.INVALID
    assert refused.value.message.startswith(f"{TAG} = {value!r}: ")
    assert "; for example expose:lb = internal host=conejo.animales.com" in refused.value.message
    return refused.value.message


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("internal", Aim("internal", scheme="internal")),
        ("Internal:8080", Aim("internal", 8080, "internal")),
        ("internet-facing", Aim("internet-facing", scheme="internet-facing")),
        ("INTERNET-FACING:443", Aim("internet-facing", 443, "internet-facing")),
        ("granja-alb", Aim("granja-alb")),
        ("Granja-ALB:443", Aim("Granja-ALB", 443)),  # names keep their case, as AWS does
        ("a", Aim("a")),
        ("x" * 32, Aim("x" * 32)),
        ("granja:65535", Aim("granja", 65535)),
        ("tg/conejo-blue", Aim("tg/conejo-blue", is_group=True)),
        ("tg/internal", Aim("tg/internal", is_group=True)),
    ],
)
def test_a_target_is_a_scheme_a_load_balancer_or_a_target_group(target: str, expected: Aim) -> None:
    assert aim(exposure(target, TAG)) == expected


@pytest.mark.parametrize(
    "target",
    [
        "-granja", "granja-", "gran_ja", "gran.ja", "x" * 33, "granja:", "granja:http", "granja:123456",
        "tg/", "tg/-blue", "tg/blue:80", f"tg/{'x' * 33}", "arn:aws:elb", "granja/blue", "granja:80:80",
    ],
)  # fmt: skip
def test_another_target_is_not_read(target: str) -> None:
    assert f"got {target!r}" in unreadable(target)


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_port_has_its_bounds(port: str) -> None:
    assert "from 1 to 65535" in unreadable(f"granja:{port}")
    assert f"port={port}: " in unreadable(f"granja port={port}")


def test_the_target_comes_first_and_cannot_be_missing() -> None:
    assert "the target is missing" in unreadable("host=a.b")
    assert "the target is missing" in unreadable("")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("host=Conejo.Animales.COM", {"host": ("conejo.animales.com",)}),
        ("host=b.a.com+a.a.com+B.a.com", {"host": ("b.a.com", "a.a.com")}),
        ("path=/api/", {"path": ("/api",)}),
        ("path=/", {"path": ("/",)}),
        ("path=//", {"path": ("/",)}),
        ("path=/a+/B_b/c.d:e@f", {"path": ("/a", "/B_b/c.d:e@f")}),
        (f"path={LONGEST}", {"path": (LONGEST,)}),
        ("methods=get+POST+Get", {"methods": ("GET", "POST")}),
        ("methods=m-search", {"methods": ("M-SEARCH",)}),
        ("port=8080", {"port": 8080}),
        ("container=web_1", {"container": "web_1"}),
        ("protocol=grpc", {"protocol": "GRPC"}),
        ("protocol=tcp_udp", {"protocol": "TCP_UDP"}),
        ("health=/healthz", {"health": "/healthz"}),
        ("interval=5", {"interval": 5}),
        ("interval=300", {"interval": 300}),
        ("healthy=2", {"healthy": 2}),
        ("healthy=10", {"healthy": 10}),
        ("matcher=200", {"matcher": "200"}),
        ("matcher=200-299+301", {"matcher": "200-299,301"}),
        ("drain=0", {"drain": 0}),
        ("drain=3600", {"drain": 3600}),
        ("weight=0", {"weight": 0}),
        ("weight=999", {"weight": 999}),
        ("replace=YES", {"replace": "yes"}),
        ("grace=0", {"grace": 0}),
        ("grace=86400", {"grace": 86400}),
        ("scheme=Internal", {"scheme": "internal"}),
        ("certificate=Login.Animales.com", {"certificate": "login.animales.com"}),
    ],
)  # fmt: skip
def test_an_option_is_read_into_its_value(written: str, expected: dict[str, Any]) -> None:
    assert options(f"internal {written}") == expected


@pytest.mark.parametrize(
    "word",
    [
        "host=conejo", "host=a..b", "host=-a.b", "host=a.b+", "host=+a.b",
        "path=api", f"path={LONGEST}a", "path=/a+b", "path=/a+",
        "methods=G1T", "methods=GET+", f"methods={'G' * 41}",
        "container=web/1", "protocol=QUIC", "health=healthz",
        "interval=4", "interval=301", "interval=ten", "healthy=1", "healthy=11",
        "matcher=ok", "matcher=200-", "matcher=200+", "matcher=2000", "matcher=200:299",
        "drain=3601", "drain=-1", "weight=1000", "weight=1.5", "replace=maybe", "grace=86401", "scheme=public",
        "certificate=login",
    ],
)  # fmt: skip
def test_an_option_that_means_nothing_is_refused_with_its_token(word: str) -> None:
    assert f"{word}: " in unreadable(f"internal {word}")


def test_an_unknown_option_is_an_error_that_lists_those_that_there_are() -> None:
    said = unreadable("internal hots=a.b")

    assert "unknown option 'hots', expected one of certificate, container, drain, grace, health" in said


@pytest.mark.parametrize("twice", ["weight=1 weight=2", "host=a.b HOST=c.d"])
def test_an_option_is_there_once(twice: str) -> None:
    assert "is there twice" in unreadable(f"internal {twice}")


@pytest.mark.parametrize(
    "word", ["path=/a=b", "host=10.0.0.1", f"host={'a' * 63}.{'b' * 63}.com", "matcher=999"]
)
def test_what_elb_would_not_take_is_not_read(word: str) -> None:
    """F§4.2: no `=` in a path pattern; a host has 128 characters at most and ends with letters."""
    unreadable(f"internal {word}")


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        *((each, "network") for each in ("TCP", "UDP", "TLS", "TCP_UDP")),
        *((each, "application") for each in ("HTTP", "HTTPS", "GRPC")),
    ],
)
def test_the_protocol_says_which_type_of_load_balancer_is_needed(protocol: str, expected: str) -> None:
    assert kind(exposure(f"internal:80 protocol={protocol}", TAG)) == expected


def test_without_a_protocol_an_alb_is_needed() -> None:
    assert kind(exposure("internal", TAG)) == "application"


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("internal host=a.b", ()),
        ("internal:443 host=a.b+c.d", ("a.b", "c.d")),
        ("internal:443 host=a.b certificate=x.y", ("x.y",)),
        ("internal:8443 host=a.b", ()),
        ("granja-alb:443 host=a.b", ()),  # its listener has its own
        ("granja-nlb:443 protocol=TLS certificate=x.y", ("x.y",)),
        ("internal:443 protocol=TCP", ()),
        ("tg/conejo-blue", ()),
    ],
)
def test_a_listener_of_our_own_needs_a_certificate_for_each_host(value: str, names: tuple[str, ...]) -> None:
    assert certified(exposure(value, TAG)) == names
