"""How an `expose:lb` tag is read: its target, and the options of which some go with an ALB only."""

from __future__ import annotations

import re

from expose.tags import Grammar, container, dns_name, one_of, port, several, whole

NETWORK = frozenset({"TCP", "UDP", "TLS", "TCP_UDP"})
SCHEMES = ("internal", "internet-facing")

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
_TARGET = re.compile(rf"tg/{_NAME}|{_NAME}(?::[0-9]{{1,5}})?")
_PATH = re.compile(r"/[A-Za-z0-9_.:/@-]{0,125}")  # with `/*` behind it, ELB takes no more than 128 characters
_METHOD = re.compile(r"[A-Z_-]{1,40}")
_HOST = re.compile(r"(?=.{1,128}$)[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:[a-z]+|xn--[a-z0-9-]+)")
_CODE = r"(?:[0-9]{1,2}|[2-4][0-9]{2})"  # of gRPC, or of HTTP
_CODES = re.compile(rf"{_CODE}(?:-{_CODE})?")


def target(text: str) -> str:
    if not _TARGET.fullmatch(text):
        raise ValueError(
            f"expected internal, internet-facing or the name of a load balancer, each with a port if need be, "
            f"or tg/ and the name of a target group, got {text!r}"
        )
    name, _, number = text.partition(":")
    if number:
        port(number)
    return f"{name.lower()}{text[len(name) :]}" if name.lower() in SCHEMES else text


def host(text: str) -> str:
    """As a rule can look at it, which is narrower than DNS (F§4.2)."""
    name = str(dns_name(text))
    if not _HOST.fullmatch(name):
        raise ValueError(
            f"expected a name of at most 128 letters, digits, - and ., its last part of letters, got {text!r}"
        )
    return name


def path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError(
            f"expected a path such as /api with at most 126 of the characters A-Z a-z 0-9 _ . : / @ -, got {text!r}"
        )
    return text.rstrip("/") or "/"


def method(text: str) -> str:
    if not _METHOD.fullmatch(text.upper()):
        raise ValueError(f"expected a method such as GET, got {text!r}")
    return text.upper()


def check_path(text: str) -> str:
    if not re.fullmatch(r"/[A-Za-z0-9_.:/=+@-]{0,1022}", text):
        raise ValueError(f"expected a path such as /healthz, got {text!r}")
    return text


def codes(text: str) -> str:
    """With commas, as ELB wants them."""
    if not all(_CODES.fullmatch(each) for each in text.split("+")):
        raise ValueError(f"expected status codes such as 200, 200-299 or 200+301, got {text!r}")
    return text.replace("+", ",")


grammar = Grammar(
    example="internal host=conejo.animales.com path=/api health=/healthz",
    target=target,
    options={
        "host": several(host),
        "path": several(path),
        "methods": several(method),
        "port": port,
        "container": container,
        "protocol": one_of("HTTP", "HTTPS", "GRPC", *sorted(NETWORK)),
        "health": check_path,
        "interval": whole(5, 300),
        "healthy": whole(2, 10),
        "matcher": codes,
        "drain": whole(0, 3600),
        "weight": whole(0, 999),
        "replace": one_of("yes", "no"),
        "grace": whole(0, 86400),
        "scheme": one_of(*SCHEMES),
        "certificate": dns_name,
    },
)
