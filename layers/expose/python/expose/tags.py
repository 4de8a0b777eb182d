"""Reading tags: from the tags of a service to its exposures, or to the reason why one cannot be read.

    <prefix>:<mechanism>[:<label>] = <target> [option=value ...]

Each mechanism brings its own grammar; this module knows none of them. A tag that cannot be read is never guessed at:
an option that is misspelt could be the one that keeps a route closed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from expose.arn import ServiceArn
from expose.model import Exposure
from expose.refusals import Invalid

Reader = Callable[[str], Any]

_NAME = re.compile(r"[a-z0-9]|[a-z0-9_][a-z0-9_-]{0,61}[a-z0-9_]")


@dataclass(frozen=True, slots=True)
class Grammar:
    """How one mechanism's tag values are read. Readers raise `ValueError` saying what was expected."""

    example: str
    target: Reader
    options: Mapping[str, Reader] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A tag that asks for something that cannot be understood."""

    tag: str
    value: str
    reason: Invalid


def read(
    service: ServiceArn, tags: Mapping[str, str], *, prefix: str, grammars: Mapping[str, Grammar]
) -> tuple[list[Exposure], list[Unreadable]]:
    """Every tag under `prefix`, in the order of its key, read or refused."""
    exposures: list[Exposure] = []
    unreadable: list[Unreadable] = []
    for tag, value in sorted(asking(tags, prefix=prefix).items()):
        try:
            exposures.append(read_one(service, tag, value, grammars))
        except Invalid as reason:
            unreadable.append(Unreadable(tag, value, reason))
    return exposures, unreadable


def asking(tags: Mapping[str, str], *, prefix: str) -> dict[str, str]:
    """The tags that ask for an exposure. `<prefix>:policy` says how to treat them and asks for none itself."""
    return {
        key: value
        for key, value in tags.items()
        if key.startswith(f"{prefix}:") and key != f"{prefix}:policy"
    }


def policy_of(tags: Mapping[str, str], *, prefix: str, default: str, known: Mapping[str, Any]) -> str:
    """The service's own policy, else the stack's. Raise `Invalid` for one that does not exist."""
    tag = f"{prefix}:policy"
    if tag not in tags:
        return default
    word = tags[tag].strip().lower()
    if word not in known:
        raise Invalid(
            "UnknownPolicy", f"{tag} = {tags[tag]!r}: expected one of {listing(known)}, got {word!r}"
        )
    return word


def read_one(service: ServiceArn, tag: str, value: str, grammars: Mapping[str, Grammar]) -> Exposure:
    """Raise `Invalid` naming the tag, the token and what was expected."""
    prefix, mechanism, *label = tag.split(":")
    base = f"{prefix}:{mechanism}" if len(label) != 1 or not all(label) else tag
    grammar = grammars.get(mechanism)
    if grammar is None:
        raise Invalid(
            "UnknownMechanism",
            f"{tag} = {value!r}: unknown mechanism {mechanism!r}, expected one of {listing(grammars)}",
        )
    try:
        if len(label) > 1 or any(not part for part in label):
            raise ValueError(f"expected a key like {base}:label with one label, got {tag!r}")
        target, *words = value.split() or [""]
        if not target or "=" in target:
            raise ValueError(f"the target is missing, got {target!r} first")
        return Exposure(
            service=service,
            tag=tag,
            value=value,
            mechanism=mechanism,
            target=grammar.target(target),
            options=read_options(words, grammar),
        )
    except ValueError as problem:
        raise Invalid(
            "UnreadableTag", f"{tag} = {value!r}: {problem}; for example {base} = {grammar.example}"
        ) from problem


def read_options(words: Iterable[str], grammar: Grammar) -> dict[str, Any]:
    """Raise `ValueError` naming the word and what was expected."""
    options: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not text:
            raise ValueError(f"expected option=value, got {word!r}")
        if name.lower() in options:
            raise ValueError(f"option {name.lower()!r} is there twice")
        options[name.lower()] = text
    return {name: _option(name, text, grammar) for name, text in options.items()}


def _option(name: str, text: str, grammar: Grammar) -> Any:
    reader = grammar.options.get(name)
    if reader is None:
        raise ValueError(f"unknown option {name!r}, expected one of {listing(grammar.options)}")
    try:
        return reader(text)
    except ValueError as problem:
        raise ValueError(f"{name}={text}: {problem}") from problem


def meaningless(exposure: Exposure, option: str, what: str) -> Invalid:
    """For an option that is known, and says nothing here."""
    return Invalid("WrongOption", exposure.said(f"{option}= means nothing for {what}: remove it"))


def one_of(*words: str) -> Reader:
    """One of these words, in any case; given back as written here."""
    known = {word.lower(): word for word in words}

    def reader(text: str) -> str:
        if text.lower() not in known:
            raise ValueError(f"expected one of {listing(words)}")
        return known[text.lower()]

    return reader


def whole(lowest: int, highest: int) -> Reader:
    """A whole number in these bounds."""

    def reader(text: str) -> int:
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
            raise ValueError(f"expected a whole number from {lowest} to {highest}")
        return int(text)

    return reader


port = whole(1, 65535)


def container(text: str) -> str:
    """The name of a container, as the task definition spells it."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", text):
        raise ValueError("expected the name of a container")
    return text


def several(reader: Reader) -> Reader:
    """Values with + between them."""

    def read(text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(reader(each) for each in text.split("+")))

    return read


def dns_name(text: str) -> str:
    """A full name of at least two labels, lower-cased."""
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(labels) < 2:
        raise ValueError(f"expected a full name such as conejo.granja.animales.com, got {text!r}")
    if len(name) > 253 or any(len(label) > 63 for label in labels):
        raise ValueError(f"{text!r} is too long: a name has at most 253 characters, and 63 between dots")
    for label in labels:
        if not _NAME.fullmatch(label):
            raise ValueError(
                f"{label!r} in {text!r} is no DNS label: letters, digits, - and _, no - at either end"
            )
    return name


def listing(words: Mapping[str, Any] | tuple[str, ...]) -> str:
    return ", ".join(sorted(words))
