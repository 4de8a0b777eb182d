"""How an `expose:api` tag is read: a host and a path, who may pass, and what stands behind."""

from __future__ import annotations

import re

from expose.tags import Grammar, Reader, container, dns_name, one_of, port, several, whole

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

_PATH = re.compile(r"(?:/[A-Za-z0-9_.:@~-]+)*/?")
_WAYS = ("iam", "jwt", "cognito", "lambda", "none")


REST = "rest"
"""What stands in place of the host where a REST API is meant: `rest/NAME/PATH`."""


def target(text: str) -> str:
    """`HOST/PATH`, `/PATH` or `rest/NAME/PATH`, the host lower-cased, the path without a slash at its end."""
    host, slash, path = text.partition("/")
    if not _PATH.fullmatch(slash + path) or "{" in text:
        raise ValueError(
            f"expected a host and a path such as api1.system.com/orders, or /orders, got {text!r}"
        )
    if host.lower() == REST:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", path.partition("/")[0]):
            raise ValueError(f"expected rest/NAME/PATH with the name of a REST API, got {text!r}")
        return f"{REST}/{path}".rstrip("/")
    name = dns_name(host) if host else ""
    if "_" in name:
        raise ValueError(f"{name!r} has an underscore, which API Gateway does not take in a host")
    return f"{name}/{path}".rstrip("/") or "/"


def way(text: str) -> str:
    """Who may pass. Anything that is not known is refused: it could be the one word that keeps a route closed."""
    if text.startswith("@") and re.fullmatch(r"@[A-Za-z0-9_-]+", text):
        return text
    if text.lower() not in _WAYS:
        raise ValueError(f"expected one of {', '.join(_WAYS)} or @PRESET")
    return text.lower()


def matching(pattern: str, expected: str) -> Reader:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"expected {expected}")
        return text

    return read


grammar = Grammar(
    example="api1.system.com/orders auth=iam",
    target=target,
    options={
        "auth": way,
        "issuer": matching(r"https://[A-Za-z0-9._:/@=-]+", "the https address of an issuer"),
        "audience": several(matching(r"[A-Za-z0-9._:/@=-]+", "an audience")),
        "scopes": several(matching(r"[A-Za-z0-9._:/@=-]+", "a scope")),
        "pool": matching(r"[a-z0-9-]+_[A-Za-z0-9]+", "the id of a Cognito user pool, such as eu-west-1_Ab12"),
        "client": several(matching(r"[A-Za-z0-9]+", "the id of an app client")),
        "function": matching(r"[A-Za-z0-9_-]{1,64}", "the name of a Lambda function"),
        "via": one_of("cloudmap", "lb", "registry"),
        "methods": several(one_of(*METHODS)),
        "strip": one_of("yes", "no"),
        "tls": dns_name,
        "timeout": whole(1, 30),
        "rate": whole(1, 10_000),
        "burst": whole(1, 5_000),
        "stage": matching(r"[A-Za-z0-9_]{1,64}", "the name of a stage: letters, digits and _"),
        "to": matching(
            r"[A-Za-z0-9_-]{1,255}", "the name of the service, in the same cluster, that takes over"
        ),
        "api": matching(r"[a-z0-9]{4,32}", "the id of an HTTP API"),
        "port": port,
        "container": container,
    },
)
